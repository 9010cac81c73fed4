"""Reading runs and asking them to stop: files only, never a process. Any number of windows may do so at once."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from engine.errors import TrainingError
from engine.files import make_private_folder
from engine.json_form import (
    fitting,
    is_count,
    is_measured,
    is_number,
    is_text,
    is_time,
    list_of,
    maybe,
    object_with,
    table_of,
)
from engine.links import check_run_links, is_followed
from engine.training.worker.checkpoints import latest_attempt
from engine.training.worker.events import read_json, write_json

State = Literal["queued", "running", "finished", "stopped", "nonfinite", "oom", "crashed", "killed", "lost"]

STALE_SECONDS = 15.0

LIMITS = ("budget_seconds", "max_cost", "price_per_hour")
"""The settings that limit a run."""
# What the files of a run are believed to say: anything else in them is as if it were not there.
_VALUE = object_with({"value": lambda value: True})
is_spec = object_with(
    {
        "name": is_text,
        "values": lambda value: (
            table_of(_VALUE)(value)
            and is_text(value.get("model", {}).get("value"))
            and maybe(is_count)(value.get("steps", {"value": ""})["value"])
            and all(maybe(is_number)(value.get(name, {}).get("value")) for name in LIMITS)
        ),
    },
    {"group": is_text, "lora": table_of(_VALUE)},
)
_STATUS = {
    "t": is_time,
    "phase": is_text,
    "step": is_count,
    "max_steps": is_count,
    "attempt": is_count,
    "left_s": is_number,
}
MEASURES = {
    "nll": is_measured,
    "exact": maybe(is_number),
    "answered": is_count,
    "cut": is_count,
    "format": is_text,
    "format_valid": is_number,
}
_RESULT = {
    "outcome": lambda value: value in get_args(State),
    "step": is_count,
    "base": object_with({}, MEASURES),
    **MEASURES,
    "completion_tokens": is_number,
    "seconds": is_number,
    "ended": is_time,
    "model": is_text,
    "but": is_text,
}
_SAMPLE = object_with({"id": is_text, "answer": is_text, "reference": is_text})
_EVENT = object_with(
    {"ev": is_text, "t": is_time},
    {
        **dict.fromkeys(("step", "of", "attempt", "from_step", "rows", "sequences"), is_count),
        **dict.fromkeys(("dt", "num_tokens", "rss_mb", "gpu_reserved_mb", "gpu_total_mb", "util"), maybe(is_number)),
        **dict.fromkeys(("loss", "nll", "learning_rate", "grad_norm"), maybe(is_measured)),
        "samples": maybe(list_of(_SAMPLE)),
        "base": object_with({}, MEASURES),
        **{name: form for name, form in MEASURES.items() if name != "nll"},
    },
)
_OF_A_STEP = ("log", "eval", "ckpt")


@dataclass(frozen=True, slots=True)
class RunState:
    """What the files of a run say at one moment.

    `alive`: its lock is held. `state` "lost" means gone without a word (power cut, another machine's end). `heard` is
    the age of the last heartbeat in seconds, None before the first. `error` is a sentence for the person, or "".
    `left_s`: seconds until the end, as the run told then; None before its first step, of older runs, after its end.
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
    left_s: float | None = None

    @property
    def but(self) -> str:
        """What takes the worth from a run that finished, in a sentence, or ""."""
        return str(self.result.get("but", ""))

    @property
    def frozen(self) -> bool:
        """Alive, yet without a heartbeat for so long that something is stuck."""
        return self.alive and self.heard is not None and self.heard > STALE_SECONDS


def list_runs(runs_dir: Path) -> tuple[RunState, ...]:
    """Every run of the folder that can be read, the newest first. A folder that does not exist has none."""
    return readable_runs(run_folders(runs_dir))


def readable_runs(folders: Sequence[Path]) -> tuple[RunState, ...]:
    """The runs among these folders, in their order. One that cannot be read costs no other."""
    found = []
    for folder in filter(is_followed, folders):
        with suppress(TrainingError):
            found.append(read_run(folder))
    return tuple(found)


def left_out(runs_dir: Path) -> list[str]:
    """Why some of what lies in a folder of runs is not listed, a sentence each."""
    runs = [runs_dir / name for name in _names(runs_dir)]
    return [words for run in runs if (words := refusal(run))]


def refusal(run_dir: Path) -> str:
    """Why a run is not looked into, or "": a link that nobody confirmed leads elsewhere, or its spec is damaged."""
    if not is_followed(run_dir):
        return f"{run_dir}: is a link that nobody has confirmed, and is left out"
    try:
        check_run_links(run_dir)
    except TrainingError as fault:
        return str(fault)
    spec = run_dir / "spec.json"
    if spec.is_file() and not is_spec(read_json(spec)):
        return f"{run_dir}: its spec.json cannot be read; it is not listed"
    return ""


def run_folders(runs_dir: Path) -> list[Path]:
    """What lies in a folder of runs, the newest first; comparisons among them, and runs that are only being made.

    Links that nobody confirmed are not among them.
    """
    folders = (runs_dir / name for name in sorted(_names(runs_dir), reverse=True))
    return [folder for folder in folders if is_followed(folder)]


def _names(runs_dir: Path) -> list[str]:
    try:
        with os.scandir(runs_dir) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []


def read_run(run_dir: Path, spec: Mapping[str, Any] | None = None) -> RunState:
    """The state of one run; `spec`, which never changes, where it was read before.

    Raises TrainingError, also where a link in its folder leads elsewhere and nobody confirmed it.
    """
    if spec is None:
        check_run_links(run_dir)
        spec = read_json(run_dir / "spec.json")
    if spec is None or not is_spec(spec):
        raise TrainingError(f"{run_dir} is not a run", "it has no readable spec.json", "see `tamis runs`")
    alive = is_alive(run_dir)  # before the result: a run that ends in between is then seen as ended
    status = fitting(read_json(run_dir / "status.json") or {}, _STATUS)
    result: Mapping[str, Any] = fitting(read_json(run_dir / "result.json") or {}, _RESULT)
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
        left_s=status.get("left_s") if alive else None,
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
        # Without waiting: a pipe under that name may have no writer.
        descriptor = os.open(run_dir / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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
    return fitting(read_json(run_dir / f"end.{latest_attempt(run_dir)}.json") or {}, _RESULT)


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
    """One event, or None for what is none: also where a value is of another kind than runs write it."""
    try:
        event: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if _EVENT(event) and ("step" in event or event["ev"] not in _OF_A_STEP) else None


def stop(run_dir: Path) -> Literal["checkpoint", "now"]:
    """Ask a run to stop: it saves and ends within one step. Asked a second time, it is ended at once.

    Returns what was asked for. Raises TrainingError where the run is not alive.
    """
    if not is_alive(run_dir):
        raise TrainingError(f"run {run_dir.name} is not running", "", "see `tamis runs`")
    check_run_links(run_dir)
    request = run_dir / "control" / "stop"
    mode: Literal["checkpoint", "now"] = "now" if request.exists() else "checkpoint"
    make_private_folder(request.parent, exist_ok=True)
    write_json(request, {"mode": mode, "t": time.time()})
    return mode
