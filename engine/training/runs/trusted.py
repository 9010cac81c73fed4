"""Which runs may be taken up or asked: those that this install started, and those a person said yes to.

The folder of a run names what is executed: an interpreter or launcher, a command for its end, a model that may bring
code of its own, and the frozen worker. A folder that was copied, unpacked or merged names whatever its maker liked.
Reading one executes nothing; what does asks here first. A yes holds for these words and files alone: with another
command or another line in the worker the run waits again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import TrainingError, shell_command
from engine.harmless import TRAINING, is_harmless, written
from engine.links import check_run_links, is_followed
from engine.paths import is_project
from engine.phrases import counted
from engine.training.runs.registry import started_by_earlier_version
from engine.training.worker.events import read_json
from engine.trust import Waiting, is_trusted, trust

KIND = "run"
MOST_BYTES = 16 << 20
CACHE = "__pycache__"
LONGEST = 200
SHOWN_FILES = 5
WORKER = Path(__file__).resolve().parent.parent / "worker"
# What an out-of-memory changes from one attempt to the next; numbers are no part of it anyway.
CHANGED_BY_US = ("activation_checkpointing",)


def trust_run(run_dir: Path) -> None:
    """This install laid the run out as it is now, or a person said yes to it. Raises TrainingError, ProjectError."""
    trust(KIND, run_dir, what_would_run(run_dir))


def check_run(run_dir: Path) -> None:
    """Raises TrainingError where something of a run's folder is to be executed that nobody has said yes to."""
    check_run_links(run_dir)
    if is_run_trusted(run_dir):
        return
    raise TrainingError(
        f"run {run_dir.name} was not started here, or was changed since",
        f"it would execute {_in_words(run_dir)}",
        shell_command("trust", _named(run_dir)),
    )


def is_run_trusted(run_dir: Path) -> bool:
    """Whether what a run would execute is what was started here, or what a person said yes to."""
    return started_by_earlier_version(run_dir) or is_trusted(KIND, run_dir, what_would_run(run_dir))


def waiting_runs(folder: Path) -> tuple[Waiting, ...]:
    """The runs of a project, or the run whose folder this is, that wait for a yes; those refused for good are not among
    them."""
    try:
        runs = [folder] if (folder / "spec.json").is_file() else sorted((folder / "runs").iterdir())
    except OSError:
        return ()
    found = []
    for run in runs:
        if not is_followed(run) or not (run / "spec.json").is_file():
            continue
        with contextlib.suppress(TrainingError):
            if not is_run_trusted(run):
                words = f"run {run.name}: `tamis try` and `tamis resume` would execute {_in_words(run)}"
                found.append(Waiting(KIND, words, run, what_would_run(run), _shown(run)))
    return tuple(found)


def what_would_run(run_dir: Path) -> bytes:
    """What a yes holds for: the words of every spec of the run that name something, and the worker's files by hash.

    Raises TrainingError where a spec cannot be read, or the worker's folder holds what is no plain file, or more than a
    worker has.
    """
    content = {"specs": _specs(run_dir), "worker": _worker_files(run_dir / "worker")}
    return json.dumps(content, sort_keys=True, indent=1).encode()


def _shown(run_dir: Path) -> str:
    """The same for a person to read: what is not known to be harmless, and whether the worker is the one
    that this version brings."""
    content = json.loads(what_would_run(run_dir))
    lines = []
    for spec in content["specs"]:
        named = {**spec["values"], **spec["sft"], **spec["lora"]}
        odd = {name: value for name, value in named.items() if value and not is_harmless(f"{TRAINING}{name}", value)}
        lines += [written(name, value) for name, value in {"command": spec["command"], **odd}.items()]
    lines.append(f"worker: {counted(len(content['worker']), 'file')}{_other_files(run_dir / 'worker')}")
    return "\n".join(lines)


def _specs(run_dir: Path) -> list[dict[str, Any]]:
    """What the specs of all attempts name, each once: any of them may be in force."""
    words = set()
    for path in run_dir.glob("spec*.json"):
        spec = read_json(path)
        if spec is None:
            # Whoever executes it may read what we do not.
            raise TrainingError(f"{path}: cannot be read", "", "take it away, or restore the run from a copy")
        words.add(json.dumps(_naming(spec), sort_keys=True))
    return [json.loads(word) for word in sorted(words)]


def forget_compiled(run_dir: Path) -> None:
    """Take away what Python compiled of the worker: it would be executed in place of the files that were looked at."""
    shutil.rmtree(run_dir / "worker" / CACHE, ignore_errors=True)


def _naming(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a spec that can name something to execute, to load or to send to: all but numbers of our own."""
    values, sft, lora = (_bare(spec.get(name)) for name in ("values", "sft", "lora"))
    return {
        "command": spec.get("command"),
        "values": {name: value for name, value in values.items() if not isinstance(value, bool | int | float)},
        "sft": {name: value for name, value in sft.items() if name not in CHANGED_BY_US},
        "lora": lora,
    }


def _bare(chosen: Any) -> dict[str, Any]:
    """`{name: {"value", "reason"}}` without the reasons, whatever it is."""
    if not isinstance(chosen, Mapping):
        return {}
    return {name: choice.get("value") if isinstance(choice, Mapping) else choice for name, choice in chosen.items()}


def _worker_files(worker: Path) -> dict[str, str]:
    """SHA-256 by name of all files that the worker's folder holds, but for what Python compiled of them."""
    found: dict[str, str] = {}
    left = MOST_BYTES
    for folder, inside, names in os.walk(worker):
        # A link to a folder would be passed over here, and followed by whoever imports from it.
        names += [name for name in inside if os.path.islink(os.path.join(folder, name))]
        if Path(folder) == worker:
            inside[:] = [name for name in inside if name != CACHE]
        for name in names:
            path = Path(folder) / name
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as fault:
                raise _no_worker(path) from fault
            with os.fdopen(descriptor, "rb") as stream:
                known = os.fstat(descriptor)
                left -= known.st_size
                if not stat.S_ISREG(known.st_mode) or left < 0:
                    raise _no_worker(path)
                found[str(path.relative_to(worker))] = hashlib.sha256(stream.read()).hexdigest()
    return found


def _no_worker(path: Path) -> TrainingError:
    return TrainingError(f"{path}: is no file of a worker", "", "restore the run from a copy")


def _in_words(run_dir: Path) -> str:
    """What would be executed, in a line."""
    specs = _specs(run_dir)
    commands = (spec["command"] for spec in specs)
    run = (
        shlex.join(map(str, words)) if isinstance(words, list) and words else "this interpreter" for words in commands
    )
    parts = [f"{_each(run)} on the files in {run_dir / 'worker'}{_other_files(run_dir / 'worker')}"]
    if at_end := _each(spec["values"]["on_end"] for spec in specs if spec["values"].get("on_end")):
        parts.append(f"at its end {at_end}")
    parts.append(f"with the model {_each(spec['values'].get('model') for spec in specs)}")
    if any(spec["sft"].get("trust_remote_code") for spec in specs):
        parts.append("and that model's own code (trust_remote_code)")
    return ", ".join(parts)


def _each(words: Iterable[object]) -> str:
    return " and ".join(f"`{_short(word)}`" for word in dict.fromkeys(map(str, words)))


def _other_files(worker: Path) -> str:
    """Which files of a worker are not those of this tamis: nobody can tell that from their hashes."""
    ours = _worker_files(WORKER)
    others = [name for name, digest in sorted(_worker_files(worker).items()) if ours.get(name) != digest]
    shown = ", ".join(others[:SHOWN_FILES]) + (" …" if len(others) > SHOWN_FILES else "")
    return f" ({len(others)} of them unlike those of this tamis: {shown})" if others else " (those of this tamis)"


def _short(words: object) -> str:
    text = str(words)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _named(run_dir: Path) -> Path:
    """What a person says yes to: the project of a run, else the run."""
    project = run_dir.absolute().parent.parent
    return project if is_project(project) else run_dir
