"""Asking the worker's interpreter: which versions it has, and what a trainer would make of the rows."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
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
LEAST_ROOM = 1_000_000
SHELL_SIGNAL = 128
"""A shell or a launcher ends with this and the number of the signal that its child died of."""
LOADING = "loading the tokenizer"

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
    """`python`, `versions`, `unfit` and `untried` (sentences) of an interpreter. Raises TrainingError where it does not
    run."""
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
        raise took_too_long(command, folder, seconds) from fault
    finally:
        if worker.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
    answer = read_json(folder / "answer.json")
    if answer is None:
        raise no_answer(command, folder, worker.returncode)
    return answer


def took_too_long(command: Sequence[str], folder: Path, seconds: float) -> TrainingError:
    """What the worker was at when its time was up. It waits for a network only while it loads a tokenizer."""
    told = read_json(folder / "progress.json") or {}
    at = str(told.get("phase", "")) + (f" ({told['done']} of {told['of']})" if told.get("of") else "")
    hints = {"": "look whether [training] command starts a Python", LOADING: "is the network there?"}
    hint = hints.get(str(told.get("phase", "")), "the machine is too slow or too busy for these rows: take fewer")
    return TrainingError(f"{command[0]} did not answer within {seconds:.0f} s", at, hint)


def no_answer(command: Sequence[str], folder: Path, code: int) -> TrainingError:
    """Why the worker ended without an answer: only where it never began is the command to blame."""
    last = (folder / "console.log").read_bytes().decode(errors="replace").strip().splitlines()[-1:]
    said = " ".join(last)[:300]
    number = -code if code < 0 else code - SHELL_SIGNAL if code > SHELL_SIGNAL else 0
    killed = signal.Signals(number).name if number in set(signal.Signals) else ""
    if killed:
        hint = "a library crashed: see whether torch and transformers of it can be imported"
        if killed in ("SIGKILL", "SIGXCPU"):
            hint = "memory or time of this machine had run out, or somebody ended it: free some and try again"
        return TrainingError(f"{command[0]} was killed while it looked at the rows ({killed})", said, hint)
    if shutil.disk_usage(folder).free < LEAST_ROOM:
        return TrainingError(f"{folder.parent} has no room for the worker's answer", said, "free some space")
    if (folder / "progress.json").exists():
        words = f"{command[0]} ended with code {code} while it looked at the rows"
        return TrainingError(words, said, "a library ended it, the command is right: see what that line names")
    return TrainingError(
        f"{' '.join(command)} does not run the worker", said or f"it ended with code {code} and said nothing",
        "mend [training] command: it has to be a Python, or a launcher of one",
    )  # fmt: skip


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
