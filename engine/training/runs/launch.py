"""Starting runs: everything a run needs is put into its folder first, then a supervisor that belongs to no terminal
is started on it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, TrainingError
from engine.files import PRIVATE, SHARED, is_shared, make_private_folder, write_atomic
from engine.model import TrainingRow
from engine.training.runs.data_files import row_lines
from engine.training.runs.registry import register
from engine.training.runs.trusted import check_run, forget_compiled, trust_run
from engine.training.spec.defaults import Chosen
from engine.training.spec.run_spec import BUILT_IN, RunSpec, choose_spec

__all__ = ["Chosen", "Job", "Run", "RunSpec", "choose_spec", "launch", "launch_queue"]

HERE = Path(__file__).resolve().parent
TRAINING = HERE.parent
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """A started run: its id (the folder's name), its folder, and the pid of its supervisor."""

    id: str
    dir: Path
    pid: int


@dataclass(frozen=True, slots=True)
class Job:
    """What to launch: a spec, the rows to train on, the rows to measure on; `others` are measured singly at the end.

    `facts` are recorded in `spec.json` beside the values: hashes, versions, what was overridden. `manifest` becomes
    `tamis-manifest.json` in the run's folder, and later beside what was trained.
    """

    spec: RunSpec
    train: Sequence[TrainingRow]
    heldout: Sequence[TrainingRow]
    facts: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[TrainingRow] = ()


def launch(
    spec: RunSpec,
    train: Sequence[TrainingRow],
    heldout: Sequence[TrainingRow],
    runs_dir: Path,
    facts: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> Run:
    """Start one detached run. Raises TrainingError where it cannot be started."""
    return launch_queue([Job(spec, train, heldout, facts or {}, manifest or {})], runs_dir)[0]


def launch_queue(jobs: Sequence[Job], runs_dir: Path) -> tuple[Run, ...]:
    """Start several runs, done one after the other by one worker process that pays for its imports once.

    Returns when the supervisor holds the locks of all of them. Raises TrainingError where it cannot be started.
    """
    for job in jobs:
        check(job)
    folders = [lay_out(job, runs_dir) for job in jobs]
    pid = start_supervisor(folders, laid_out=folders)
    register(folders)
    return tuple(Run(folder.name, folder, pid) for folder in folders)


def check(job: Job) -> None:
    """Refuse what could only fail later."""
    if not job.train:
        raise TrainingError(f"run {job.spec.name}: no rows to train on", "", "accept some rows first")
    command = job.spec.command
    if command == (sys.executable,):
        missing = [name for name in ("torch", "transformers", "trl", "peft") if importlib.util.find_spec(name) is None]
        if missing:
            raise TrainingError(
                f"the trainer is not installed: no {', '.join(missing)}", "", "pip install 'tamis[train]'"
            )
    elif shutil.which(command[0]) is None:
        raise TrainingError(f"the training command {command[0]!r} is not there", "", "mend [training] command")
    text = job.spec.pretrain_text.value
    if job.spec.model.value == BUILT_IN and not Path(text).is_file():
        raise TrainingError(
            f"the built-in model's text {text} is missing", "", "install tamis again, or name a --model"
        )


def lay_out(job: Job, runs_dir: Path) -> Path:
    """Make the run's folder: spec.json, data/, and a frozen copy of the worker."""
    try:
        make_private_folder(runs_dir, exist_ok=True)
        folder = new_folder(runs_dir, job.spec.name)
        for name in ("control", "data", "worker"):
            make_private_folder(folder / name)
        for source in sorted((TRAINING / "worker").glob("*.py")):
            copied = Path(shutil.copyfile(source, folder / "worker" / source.name))
            copied.chmod(SHARED if is_shared(folder) else PRIVATE)
    except OSError as fault:
        raise TrainingError(
            f"cannot make a run in {runs_dir}", fault.strerror or str(fault), "free space or choose another folder"
        ) from fault
    content = job.spec.to_json()
    content["data"] = {}
    for name, rows in (("train", job.train), ("heldout", job.heldout), ("others", job.others)):
        if name == "others" and not rows:
            continue
        lines = row_lines(rows)
        write_atomic(folder / "data" / f"{name}.jsonl", lines)
        content["data"][name] = {"rows": len(rows), "sha256": hashlib.sha256(lines).hexdigest()}
    content["worker_sha256"] = folder_hash(folder / "worker")
    content["python"] = sys.version.split()[0]
    content["facts"] = dict(job.facts)
    if job.manifest:
        document = {**job.manifest, "export": {**job.manifest.get("export", {}), "run": folder.name}}
        write_atomic(folder / "tamis-manifest.json", json.dumps(document, ensure_ascii=False, indent=2).encode())
    write_atomic(folder / "spec.json", json.dumps(content, ensure_ascii=False, indent=1).encode())
    # A read-only home keeps no run from starting; taking it up again is then asked for.
    with contextlib.suppress(ProjectError):
        trust_run(folder)
    return folder


def new_folder(runs_dir: Path, name: str) -> Path:
    """`<utc>-<slug>`, with `-2`, `-3` … where runs of one name start within a second. Private: it holds data."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "run"
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{slug}"
    for count in range(1, 1000):
        folder = runs_dir / (stem if count == 1 else f"{stem}-{count}")
        try:
            make_private_folder(folder)
        except FileExistsError:
            continue
        return folder
    raise TrainingError(f"a thousand runs named {name} within a second", "", "wait a moment")


def folder_hash(folder: Path) -> str:
    """SHA-256 over names and contents of the folder's Python files."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def start_supervisor(folders: Sequence[Path], laid_out: Collection[Path] = ()) -> int:
    """Start the supervisor on run folders; returns its pid once it holds their locks and has left this session.

    Raises TrainingError where one of them is being served already, or the process cannot be started, and where nobody
    said yes to what one of them would execute; those that were just `laid_out` need no yes.
    """
    for folder in folders:
        if folder not in laid_out:
            check_run(folder)
            forget_compiled(folder)
    command = [sys.executable, "-P", "-S", "-E", str(HERE / "supervisor.py"), "--detach", *map(str, folders)]
    starting = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        answer, complaint = starting.communicate(timeout=START_SECONDS)
        told = json.loads(answer)
    except (subprocess.TimeoutExpired, ValueError) as fault:
        starting.kill()
        words = (
            "" if isinstance(fault, subprocess.TimeoutExpired) else complaint.decode(errors="replace").strip()[-200:]
        )
        raise TrainingError("the supervisor did not start", words, f"see {folders[0]}{os.sep}supervisor.log") from fault
    if "pid" not in told:
        raise TrainingError(str(told["error"]), "", "see `tamis runs`")
    return int(told["pid"])
