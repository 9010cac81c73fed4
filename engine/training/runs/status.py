"""Reading runs and asking them to stop: files only, never a process. Any number of windows may do so at once."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import TrainingError
from engine.files import make_private_folder
from engine.training.worker.checkpoints import latest_attempt
from engine.training.worker.events import read_json, write_json

State = Literal["queued", "running", "finished", "stopped", "nonfinite", "oom", "crashed", "killed", "lost"]

STALE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class RunState:
    """What the files of a run say at one moment.

    `alive`: its lock is held. `state` "lost" means gone without a word (power cut, another machine's end). `heard` is
    the age of the last heartbeat in seconds, None before the first. `error` is a sentence for the person, or "".
    """

    id: str
    dir: Path
    name: str
    group: str
    model: str
    state: State
    alive: bool
    phase: str
    step: int
    max_steps: int
    attempt: int
    heard: float | None
    error: str
    result: Mapping[str, Any]

    @property
    def frozen(self) -> bool:
        """Alive, yet without a heartbeat for so long that something is stuck."""
        return self.alive and self.heard is not None and self.heard > STALE_SECONDS


def list_runs(runs_dir: Path) -> tuple[RunState, ...]:
    """Every run of the folder, the newest first. A folder that does not exist has none."""
    return tuple(read_run(folder) for folder in run_folders(runs_dir) if (folder / "spec.json").is_file())


def run_folders(runs_dir: Path) -> list[Path]:
    """What lies in a folder of runs, the newest first; comparisons among them, and runs that are only being made."""
    try:
        names = sorted((entry.name for entry in os.scandir(runs_dir) if entry.is_dir()), reverse=True)
    except OSError:
        return []
    return [runs_dir / name for name in names]


def read_run(run_dir: Path, spec: Mapping[str, Any] | None = None) -> RunState:
    """The state of one run; `spec`, which never changes, where it was read before. Raises TrainingError."""
    spec = spec or read_json(run_dir / "spec.json")
    if spec is None:
        raise TrainingError(f"{run_dir} is not a run", "it has no readable spec.json", "see `tamis runs`")
    alive = is_alive(run_dir)  # before the result: a run that ends in between is then seen as ended
    status = read_json(run_dir / "status.json") or {}
    result: Mapping[str, Any] = read_json(run_dir / "result.json") or {}
    if not result and not alive:
        result = last_end(run_dir)
    state = state_of(alive, bool(status), result)
    values = spec["values"]
    return RunState(
        id=run_dir.name,
        dir=run_dir,
        name=str(spec["name"]),
        group=str(spec.get("group", "")),
        model=str(values["model"]["value"]),
        state=state,
        alive=alive,
        phase=str(status.get("phase", "")),
        step=int(result.get("step") or status.get("step") or 0),
        max_steps=int(status.get("max_steps") or values["steps"]["value"] or 0),
        attempt=int(status.get("attempt", 1)),
        heard=time.time() - status["t"] if "t" in status else None,
        error=str(
            result.get("error")
            or ("ended without a word: the machine went down, or both processes were killed" if state == "lost" else "")
        ),
        result=result,
    )


def state_of(alive: bool, begun: bool, result: Mapping[str, Any]) -> State:
    """One word for a run."""
    outcome = result.get("outcome")
    if outcome is not None:
        return outcome  # type: ignore[no-any-return]  # one of the words the worker and supervisor write
    if alive:
        return "running" if begun else "queued"
    return "lost"


def is_alive(run_dir: Path) -> bool:
    """Whether some process holds the run's lock; freed by the kernel however that process ends."""
    try:
        descriptor = os.open(run_dir / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def last_end(run_dir: Path) -> Mapping[str, Any]:
    """The worker's own last word on the attempt in force; counts where the supervisor was killed before its own."""
    return read_json(run_dir / f"end.{latest_attempt(run_dir)}.json") or {}


def tail_events(run_dir: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The events written since byte `offset`, and the offset to go on from.

    A line still being written stays for the next call; a line torn by a dying writer is passed over.
    """
    try:
        with (run_dir / "events.jsonl").open("rb") as stream:
            stream.seek(offset)
            fresh = stream.read()
    except FileNotFoundError:
        return [], offset
    whole = fresh[: fresh.rfind(b"\n") + 1]
    return [event for event in map(parsed, whole.splitlines()) if event is not None], offset + len(whole)


def parsed(line: bytes) -> dict[str, Any] | None:
    """One event, or None for what is none."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "ev" in event else None


def stop(run_dir: Path) -> Literal["checkpoint", "now"]:
    """Ask a run to stop: it saves and ends within one step. Asked a second time, it is ended at once.

    Returns what was asked for. Raises TrainingError where the run is not alive.
    """
    if not is_alive(run_dir):
        raise TrainingError(f"run {run_dir.name} is not running", "", "see `tamis runs`")
    request = run_dir / "control" / "stop"
    mode: Literal["checkpoint", "now"] = "now" if request.exists() else "checkpoint"
    make_private_folder(request.parent, exist_ok=True)
    write_json(request, {"mode": mode, "t": time.time()})
    return mode
