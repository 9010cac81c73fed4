"""`tamis demo`: the workbench on a scratch copy of the sample; without a terminal the whole loop in text."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import TamisError, UsageError
from engine.model import BUCKETS, CLUSTER_KINDS
from engine.paths import is_project, made_state_folder, shipped_dir, state_folder
from engine.phrases import counted, duration
from engine.project.create import create_project
from engine.project.heldout import reserve_file
from engine.project.project import open_project
from engine.reviewer import find_reviewer
from engine.trust import remember_made
from workbench.cli.common import on_a_terminal
from workbench.cli.open import show
from workbench.cli.output import narrate, print_json, say
from workbench.terminal.capabilities import check_terminal

SAMPLE = "support"
REVIEWER = "demo"


def demo(arguments: argparse.Namespace) -> int:
    """The handler of `tamis demo`."""
    if arguments.headless or os.environ.get("HEADLESS") == "1" or not on_a_terminal():
        return headless(as_json=arguments.json)
    check_terminal()
    folder = scratch_project(fresh=arguments.fresh)
    code = show(folder, arguments, reviewer=None if arguments.readonly else _reviewer(arguments.reviewer))
    narrate(f"the scratch project is {folder}; `tamis demo` comes back to it, `tamis demo --fresh` starts anew")
    return code


def _reviewer(named: str | None) -> str:
    # A demo asks nobody for a name; who has one signs with it.
    try:
        return find_reviewer(named, None) or REVIEWER
    except UsageError:
        if named:
            raise
        return REVIEWER


def scratch_project(*, fresh: bool) -> Path:
    """The project of the demo in the user's state folder, made where there is none."""
    home = state_folder() / "demo"
    folder = home / f"{SAMPLE}.tamis"
    if fresh and home.exists():
        shutil.rmtree(home)
    if not is_project(folder):
        made_state_folder()
        home.mkdir(mode=0o700, exist_ok=True)
        _make(home)
    return folder


def _make(home: Path) -> Path:
    """Copy the sample into `home`, make its project and reserve its held-out rows."""
    sample = shipped_dir("sample_data")
    for name in (f"{SAMPLE}.jsonl", f"{SAMPLE}.heldout.jsonl"):
        shutil.copyfile(sample / name, home / name)
    folder = create_project(home / f"{SAMPLE}.jsonl")
    remember_made(folder)
    project, _ = reserve_file(folder, home / f"{SAMPLE}.heldout.jsonl", REVIEWER)
    project.close()
    return folder


def headless(*, as_json: bool) -> int:
    """Scan, apply the shipped decisions, export, train the built-in model on three arms, print the verdict.

    Every number printed is computed in this run; the exit code is 1 where the verdict is "worse".
    """
    started = time.perf_counter()
    out: Callable[[str], None] = narrate if as_json else _say
    with tempfile.TemporaryDirectory(prefix="tamis-demo-") as scratch:
        outcome = _loop(Path(scratch), out)
    seconds = time.perf_counter() - started
    out(f"in {duration(seconds)}")
    if as_json:
        print_json(outcome | {"seconds": round(seconds, 1)})
    return 1 if outcome["compare"]["verdict"] == "worse" else 0


def _progress_in_quarters(out: Callable[[str], None]) -> Callable[[str, int, int], None]:
    """A line at each quarter of the training, so that nobody waits a minute without a word."""
    reported: set[int] = set()

    def progress(phase: str, done: int, of: int) -> None:
        quarter = done * 4 // of if of else 0
        if phase == "train" and quarter and quarter not in reported:
            reported.add(quarter)
            out(f"         {done:,} of {of:,} steps")

    return progress


def _say(sentence: str) -> None:
    say(sentence, now=True)


def _loop(home: Path, out: Callable[[str], None]) -> dict[str, Any]:
    # The demo with a screen needs none of these before its first paint.
    from engine.jobs.scan import scan_project
    from engine.project.replay import replay
    from engine.workflows.export import export
    from workbench.cli.compare import compare_project
    from workbench.cli.export import export_lines
    from workbench.render.comparison import compare_lines

    folder = _make(home)
    with open_project(folder, reviewer=REVIEWER) as project:
        heldout = counted(len(project.heldout), "held-out row")
        out(f"read     {project.name}: {counted(len(project.training), 'row')} and {heldout}")
        findings = scan_project(project)
        kinds = Counter(cluster.kind for cluster in findings.clusters)
        buckets = Counter(findings.buckets)
        out("scan     " + ", ".join(f"{kinds[kind]} {kind}" for kind in CLUSTER_KINDS if kinds[kind]) + " groups")
        out("         " + ", ".join(f"{buckets[bucket]} {bucket}" for bucket in BUCKETS) + " rows")
        replayed = replay(project, shipped_dir("sample_data") / f"{SAMPLE}.decisions.jsonl")
        if replayed.unknown:
            raise TamisError(f"the shipped decisions name {replayed.unknown} rows that the sample lacks")
        counts = project.counts()
        out(
            f"decide   {replayed.lines} acts of the shipped journal: {counts['accepted']} accepted "
            f"({counts['edited']} edited), {counts['rejected']} rejected, {counts['undecided']} undecided"
        )
        summary = export(project, home / "curated")
        for number, line in enumerate(export_lines(summary | {"to": "curated/"})):
            out(("export   " if number == 0 else "         ") + line)
        out("train    raw, random-N and curated at equal steps, three seeds each, with the built-in model")
        verdict = compare_project(
            project,
            workers=2,
            runs=home / "runs",
            progress=_progress_in_quarters(out),
            say=lambda line: out(f"         {line}"),
        )
        for line in compare_lines(verdict):
            out(f"         {line}")
        return {
            "scan": {"clusters": dict(kinds), "buckets": dict(buckets)},
            "status": counts,
            "export": summary,
            "compare": verdict,
        }
