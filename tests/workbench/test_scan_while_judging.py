"""A scan beside the keys: its steps, its end, and what can be judged meanwhile."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from planted import screen_text, workbench

from workbench.render.scan_steps import in_words
from workbench.state.progress import ScanProgress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


async def test_without_a_scan_rows_can_be_judged_and_a_dead_scan_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = planted.make_folder(tmp_path, scanned=False)
    monkeypatch.setattr("workbench.ui.jobs.MODULE", "engine.jobs.no_such_job")
    async with workbench(folder) as (app, pilot):
        assert "the scan ended early" in "\n".join(screen_text(app)[-4:-1])
        await planted.type_filter(pilot, "row:3")
        await pilot.press("a")
        assert app.session.project.verdict(3) == "accepted"


async def test_a_scan_started_by_the_workbench_fills_the_overview(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path, scanned=False)
    async with workbench(folder) as (app, pilot):
        await app.workers.wait_for_complete()
        await pilot.press("o")
        assert app.session.project.findings is not None
        assert "  2 exact groups" in screen_text(app)[3]


SLOW_JOB = """
import os, pathlib, sys
print('{"phase": "waiting", "progress": 3, "of": 10}', flush=True)
pathlib.Path(sys.argv[1], "pid").write_text(str(os.getpid()))
sys.stdin.read()
"""


async def test_a_running_scan_shows_its_progress_and_escape_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = planted.make_folder(tmp_path, scanned=False)
    (tmp_path / "slow_job.py").write_text(SLOW_JOB)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("workbench.ui.jobs.MODULE", "slow_job")
    with planted.opened(folder) as project:
        app = planted.TamisApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            while "30 %" not in screen_text(app)[0] or not (folder / "pid").exists():
                await pilot.pause(0.02)
            assert "scanning: waiting 30 %" in screen_text(app)[0]
            await planted.type_filter(pilot, "row:3")
            await pilot.press("a", "escape")
            await app.workers.wait_for_complete()
            assert "the scan was stopped" in screen_text(app)[-2]
            assert project.verdict(3) == "accepted"
            assert not Path("/proc", (folder / "pid").read_text()).exists()
            await pilot.press("escape")
            assert "nothing is running" in screen_text(app)[-2]


EXACT_FIRST = """
import pathlib, sys
from engine.model import Cluster, Findings
from engine.project.project import open_project
with open_project(pathlib.Path(sys.argv[1]), readonly=True) as project:
    exact = Cluster("ce0001", "exact", (0, 1, 2), 0, ("3 rows hold the same text",))
    buckets = ("clean", "drop", "drop", *["clean"] * (len(project.rows) - 3))
    project.save_findings(Findings((exact,), (), buckets, {}, complete=False))
print('{"phase": "reading", "progress": 20, "of": 20}', flush=True)
print('{"stage": "exact", "clusters": 1}', flush=True)
print('{"phase": "signals", "progress": 5, "of": 20}', flush=True)
sys.stdin.read()
"""


async def test_while_a_scan_runs_its_steps_are_shown_and_exact_groups_can_be_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = planted.make_folder(tmp_path, scanned=False)
    (tmp_path / "exact_first.py").write_text(EXACT_FIRST)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    monkeypatch.setattr("workbench.ui.jobs.MODULE", "exact_first")
    with planted.opened(folder) as project:
        app = planted.TamisApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("o")
            text = await planted.shown(app, pilot, lambda text: "signals 25 %" in text and "1 exact group" in text)
            assert "Scanning 20 rows" in text
            assert " ✓ read the rows" in text
            assert " ✓ compare requests and answers" in text
            assert f" ▸ look for flaws in each row     {'━' * 5}{'─' * 15}  25 %" in text
            assert " · form groups" in text
            # Nobody can say yet that a row has no issue.
            assert "no issue found" not in text
            await pilot.press("K", "K")
            assert [project.verdict(row) for row in range(4)] == ["accepted", "rejected", "rejected", "undecided"]
            await planted.type_filter(pilot, "row:12")
            assert "not scanned yet" in screen_text(app)[-3]
            await pilot.press("escape")
            await app.workers.wait_for_complete()


def test_the_time_left_of_a_step_is_reckoned_from_its_pace() -> None:
    begun = ScanProgress("signals", 100, 1000, since=50.0, now=53.0)
    assert begun.seconds_left == 27.0
    assert ScanProgress("signals", 100, 1000, since=50.0, now=50.5).seconds_left is None
    assert ScanProgress("signals", 1000, 1000, since=50.0, now=53.0).seconds_left is None
    assert [in_words(seconds) for seconds in (1, 27, 89, 100, 600)] == ["5 s", "25 s", "90 s", "2 min", "10 min"]
