"""Runs in trouble: faults are planted in a run's frozen worker, between the laying out of its folder and its start.

`faults.json` in the folder of a run names its own faults; `planted_faults.py` goes into every frozen copy and does
what it says, since one worker, that of the first run, serves a whole queue. Kinds: see `planted_faults.py`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.training.runs.launch import Job, Run, check, lay_out, start_supervisor
from engine.training.runs.trusted import trust_run

PLANTED = Path(__file__).with_name("planted_faults.py")
Fault = Mapping[str, Any]


def launch_with_faults(jobs: Sequence[tuple[Job, Sequence[Fault]]], runs_dir: Path) -> tuple[Run, ...]:
    """`launch_queue` of runs, each with the faults that meet it."""
    for job, _ in jobs:
        check(job)
    folders = [lay_out(job, runs_dir) for job, _ in jobs]
    for folder, (_, faults) in zip(folders, jobs, strict=True):
        plant(folder, faults)
        trust_run(folder)
    pid = start_supervisor(folders)
    return tuple(Run(folder.name, folder, pid) for folder in folders)


def plant(run_dir: Path, faults: Sequence[Fault]) -> None:
    """Let the run's own frozen worker, which was not started yet, meet these faults."""
    worker = run_dir / "worker"
    shutil.copy(PLANTED, worker)
    with (worker / "run.py").open("a", encoding="utf-8") as module:
        module.write(f"\nfrom . import {PLANTED.stem}\n\ntrain = {PLANTED.stem}.install(train)\n")
    (run_dir / "faults.json").write_text(json.dumps(list(faults)))


def take_away_faults(run_dir: Path) -> None:
    """The run meets no fault in its next attempt."""
    (run_dir / "faults.json").unlink()
