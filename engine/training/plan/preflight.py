"""Asking the worker's interpreter: which versions it has, and what a trainer would make of the rows."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.files import write_atomic
from engine.model import TrainingRow
from engine.scratch import scratch_folder
from engine.training.runs.data_files import row_lines
from engine.training.spec.run_spec import VALUES, RunSpec
from engine.training.worker.events import read_json
from engine.training.worker.starter import STARTER

WORKER = Path(__file__).resolve().parent.parent / "worker"
SECONDS = 600.0  # the built-in model may have to be made first, another one's tokenizer to be fetched
VERSIONS_SECONDS = 60.0
LOOK_SECONDS = 0.1
TIMED = ("method", "micro_batch", "eval_batch", "generate_rows", "samples", "max_new_tokens", "precision", "attention",
         "four_bit")  # fmt: skip
"""Values that change what is timed, or what is measured."""

OF_ROWS = (
    *("model", "revision", "pretrain_text", "max_length"),
    *("train_on", "system_prompt", "repeated_turns", "reasoning"),
)
"""What of a spec decides how its rows become tokens."""

Progress = Callable[[str, int, int], None]


def preflight(
    spec: RunSpec,
    rows: Sequence[TrainingRow],
    heldout: Sequence[TrainingRow] = (),
    *,
    cache: Path | None = None,
    shown: int = 3,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The worker's answer for these rows: see `worker/preflight.py`. `error` and `unfit` are answers too.

    With `cache`, a file, the same question is not asked twice. `progress(phase, done, of)` is called while the worker
    is at it, and may raise to give up. Raises TrainingError where the interpreter does not run.
    """
    question = {
        **{name: getattr(spec, name).value for name in OF_ROWS},
        "packing": spec.sft["packing"].value,
        "sft": {name: chosen.value for name, chosen in spec.sft.items()},
        "lora": {name: chosen.value for name, chosen in spec.lora.items()},
        **{name: getattr(spec, name).value for name in ("method", "precision", "attention", "four_bit")},
        "folder_marks": folder_marks(str(spec.model.value)),
        "show": shown,
    }
    values = {name: getattr(spec, name).value for name in VALUES}
    timed = {name: values[name] for name in TIMED}
    lines, held = row_lines(rows), row_lines(heldout)
    about = json.dumps([question, timed, spec.command, worker_hash(), len(lines)]).encode()
    asked = hashlib.sha256(about + lines + held).hexdigest()
    known = (read_json(cache) if cache else None) or {}
    if known.get("asked") == asked and known.get("check") == check_of(known.get("answer")):
        return dict(known["answer"])
    with scratch_folder("plan") as folder:
        data = folder / "train.jsonl"
        data.write_bytes(lines)
        (folder / "heldout.jsonl").write_bytes(held)
        places = {"train": str(data), "heldout": str(folder / "heldout.jsonl")}
        answer = ask(spec.command, {**question, "values": values, **places}, folder, SECONDS, progress)
    # What is missing may be installed in the next minute.
    if cache and "error" not in answer and not answer["unfit"] and not answer["faults"]:
        kept = {"asked": asked, "answer": answer, "check": check_of(answer)}
        write_atomic(cache, json.dumps(kept, ensure_ascii=False).encode())
    return answer


def tokens_of(spec: RunSpec, rows: Sequence[TrainingRow], progress: Progress | None = None) -> dict[str, Any]:
    """The rows token by token: see `worker/token_view.py`. Raises TrainingError, also where the model cannot be had."""
    question = {name: getattr(spec, name).value for name in OF_ROWS}
    with scratch_folder("tokens") as folder:
        data = folder / "train.jsonl"
        data.write_bytes(row_lines(rows))
        answer = ask(spec.command, {**question, "train": str(data)}, folder, SECONDS, progress, "show")
    if answer["unfit"] or "error" in answer:
        raise TrainingError(
            "no row can be shown",
            "; ".join([*answer["unfit"], answer.get("error", "")]).strip("; "),
            "name another model, or see tamis doctor",
        )
    return answer


def folder_marks(model: str) -> list[list[Any]]:
    """Name, size and time of the files of a model's folder, so that an answer holds while they are the same."""
    folder = Path(model)
    if not folder.is_dir():
        return []
    known = ((path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file())
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in known]


def versions(command: Sequence[str]) -> dict[str, Any]:
    """`python`, `versions` and `unfit` (sentences) of an interpreter. Raises TrainingError where it does not run."""
    with scratch_folder("versions") as folder:
        return ask(command, {"versions_only": True}, folder, VERSIONS_SECONDS)


def ask(
    command: Sequence[str],
    question: dict[str, Any],
    folder: Path,
    seconds: float,
    progress: Progress | None = None,
    word: str = "preflight",
) -> dict[str, Any]:
    """Put one question (`word`: see `worker/main.py`) to the worker and wait for its answer."""
    (folder / "question.json").write_text(json.dumps(question), encoding="utf-8")
    words = [*command, str(WORKER / "main.py"), word, str(folder / "question.json"), str(folder / "answer.json")]
    # Threads that wait by spinning cost ten times the work on a busy machine (measured).
    environment = {"OMP_WAIT_POLICY": "passive", **os.environ, "PYTHONSAFEPATH": "1", STARTER: str(os.getpid())}
    console = folder / "console.log"
    try:
        with console.open("wb") as stream:
            worker = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, cwd=folder, env=environment,
                start_new_session=True,
            )  # fmt: skip
    except OSError as fault:
        raise TrainingError(
            f"{command[0]} cannot be started", fault.strerror or str(fault), "mend [training] command"
        ) from fault
    try:
        await_end(worker, folder, time.monotonic() + seconds, progress)
    except subprocess.TimeoutExpired as fault:
        raise TrainingError(
            f"{command[0]} did not answer within {seconds:.0f} s", "", "is the network there?"
        ) from fault
    finally:
        if worker.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
    answer = read_json(folder / "answer.json")
    if answer is None and worker.returncode < 0 and (told := read_json(folder / "progress.json")):
        died = f"it was killed ({signal.Signals(-worker.returncode).name}) while {told['phase']}"
        raise TrainingError(
            "the rows could not be looked at", died, "is there memory enough? else look at the model's chat template"
        )
    if answer is None:
        words_of_it = console.read_bytes().decode(errors="replace").strip().splitlines()[-1:]
        raise TrainingError(
            f"{' '.join(command)} does not run the worker", " ".join(words_of_it)[:300], "mend [training] command"
        )
    return answer


def await_end(worker: subprocess.Popen[bytes], folder: Path, deadline: float, progress: Progress | None) -> None:
    """Wait for the worker and pass on what it tells meanwhile. Raises TimeoutExpired."""
    told: dict[str, Any] | None = None
    while True:
        try:
            worker.wait(LOOK_SECONDS)
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise
        now = read_json(folder / "progress.json") if progress else None
        if progress and now and now != told:
            told = now
            progress(str(now["phase"]), int(now["done"]), int(now["of"]))


def check_of(answer: object) -> str:
    """What tells an answer that was damaged on the disk."""
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()


def worker_hash() -> str:
    """A hash of the worker's own files, so that a cached answer of another version does not count."""
    total = hashlib.sha256()
    for path in sorted(WORKER.glob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()
