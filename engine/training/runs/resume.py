"""Taking up a run again where its last whole checkpoint stands: same folder, same data, same frozen worker."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from engine.errors import TrainingError, shell_command
from engine.files import write_atomic
from engine.training.runs.launch import Run, start_supervisor
from engine.training.runs.status import read_run
from engine.training.runs.supervisor import read_spec, take_lock
from engine.training.runs.trusted import check_run
from engine.training.worker.checkpoints import last_good_checkpoint, latest_attempt, pickles_in, step_of
from engine.training.worker.events import read_json

LAUNCHERS = ("accelerate", "torchrun")
PLAIN_STATE = "worker/plain_state.py"
WHY_NOT = {
    "finished": ("has finished", "start a new one with more steps"),
    "nonfinite": ("would meet the same loss that is no number", "start a new one with a lower learning rate"),
}


def resume(run_dir: Path) -> Run:
    """Go on with one run from its last whole checkpoint, or from its beginning where it has none.

    Raises TrainingError where it is running, has finished, would only fail again, or waits for a yes.
    """
    return resume_queue([run_dir])[0]


def resume_queue(run_dirs: Sequence[Path]) -> tuple[Run, ...]:
    """Go on with several runs, one after the other, in one worker. Raises TrainingError before touching any."""
    folders = [folder.resolve() for folder in run_dirs]
    for folder in folders:
        state = read_run(folder)
        if state.alive:
            raise TrainingError(f"run {state.id} is running", "", shell_command("watch", folder))
        if state.state in WHY_NOT:
            words, hint = WHY_NOT[state.state]
            raise TrainingError(f"run {state.id} {words}", "", hint)
        check_run(folder)
        check_checkpoint(folder)
    for folder in folders:
        prepare_attempt(folder)
    pid = start_supervisor(folders)
    return tuple(Run(folder.name, folder, pid) for folder in folders)


def check_checkpoint(folder: Path) -> None:
    """Raises TrainingError where the checkpoint to go on from holds pickles that the run's worker never wrote.

    Workers of earlier versions wrote some, and let torch read them as tensors only; models that are spread over
    processes are saved by those who spread them, and the worker itself looks.
    """
    checkpoint = last_good_checkpoint(folder)
    command = (read_json(folder / "spec.json") or {}).get("command") or [""]
    if checkpoint is None or Path(str(command[0])).name in LAUNCHERS or not (folder / PLAIN_STATE).is_file():
        return
    pickles = pickles_in(checkpoint)
    if pickles:
        words = f"{', '.join(pickles)}: reading a pickle may execute anything, and this run never wrote one"
        raise TrainingError(f"{checkpoint} holds {words}", "", "take it away, then resume")


def prepare_attempt(folder: Path) -> int:
    """Write the spec of the next attempt and put the last one's end aside; returns the step it goes on from."""
    lock = take_lock(folder)
    if lock is None:
        raise TrainingError(f"run {folder.name} is being served already", "", shell_command("watch", folder))
    try:
        attempt = latest_attempt(folder)
        checkpoint = last_good_checkpoint(folder)
        spec = read_spec(folder, attempt)
        spec |= {"from_step": step_of(checkpoint) if checkpoint else 0, "spent_seconds": 0.0}  # a budget begins anew
        for name in ("control/stop", "status.json"):
            (folder / name).unlink(missing_ok=True)
        if (folder / "result.json").exists():
            os.replace(folder / "result.json", folder / f"result.{attempt}.json")
        content = json.dumps(spec, ensure_ascii=False, indent=1).encode()
        write_atomic(folder / f"spec.{attempt + 1}.json", content)
        return int(spec["from_step"])
    finally:
        os.close(lock)
