"""Screens that follow files never go stale: what is taken up, started or ended elsewhere shows within a second."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import planted
import pytest
from planted import shown, workbench
from test_compare_screen import COMPARISON, make_comparison, make_run

from engine.training.runs.follow import FollowedRuns
from engine.training.runs.registry import register
from engine.training.runs.status import run_folders
from engine.training.worker.events import event_line

RUN = "20260101T000000Z-compare-raw-seed1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def stop(run: Path, step: int) -> None:
    """What a run that was stopped leaves."""
    (run / "result.json").write_text(json.dumps({"outcome": "stopped", "step": step}))


@contextmanager
def taken_up(run: Path, step: int) -> Iterator[None]:
    """What `tamis resume` and its supervisor do in another shell, in their order, until the run ends again."""
    (run / "status.json").unlink(missing_ok=True)
    if (run / "result.json").exists():
        os.replace(run / "result.json", run / "result.1.json")
    (run / "spec.2.json").write_bytes((run / "spec.json").read_bytes())
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (run / ".status").write_text(json.dumps({"step": step, "max_steps": 10, "phase": "train"}))
        (run / ".status").rename(run / "status.json")
        with (run / "events.jsonl").open("ab") as stream:
            stream.write(event_line("log", {"step": step, "of": 10, "loss": 0.125}))
        yield


@pytest.mark.parametrize("key", ["R", "T"])
async def test_a_stopped_run_that_is_taken_up_in_another_shell_goes_on_in_the_list(key: str, folder: Path) -> None:
    make_run(folder / "runs", "raw", 1, whole=False)
    run = folder / "runs" / RUN
    stop(run, 4)
    register([run])
    async with workbench(folder) as (app, pilot):
        await pilot.press(key)
        await shown(app, pilot, lambda text: "stopped" in text and "4/10" in text)
        with taken_up(run, 5):
            began = monotonic()
            await shown(app, pilot, lambda text: "running" in text and "5/10" in text)
            assert monotonic() - began < 5  # a second where the machine is free
        await shown(app, pilot, lambda text: "running" not in text)


async def test_a_watched_run_that_had_ended_goes_on_with_its_curve(folder: Path) -> None:
    make_run(folder / "runs", "raw", 1, whole=False)
    run = folder / "runs" / RUN
    stop(run, 4)
    async with workbench(folder) as (app, pilot):
        await pilot.press("T", "j", "enter")
        await shown(app, pilot, lambda text: f"{RUN}  stopped" in text)
        with taken_up(run, 5):
            await shown(app, pilot, lambda text: f"{RUN}  running" in text and "loss 0.125" in text)
            with (run / "events.jsonl").open("ab") as stream:
                stream.write(event_line("log", {"step": 6, "of": 10, "loss": 0.0625}))
            await shown(app, pilot, lambda text: "loss 0.0625" in text)


async def test_a_run_that_is_started_elsewhere_comes_into_the_list_and_the_cursor_stays(folder: Path) -> None:
    make_run(folder / "runs", "raw", 1, whole=False)
    async with workbench(folder) as (app, pilot):
        await pilot.press("T", "j")
        await shown(app, pilot, lambda text: "▌   lost" in text)
        make_run(folder / "runs", "raw", 2)  # whole, and newer by its name
        text = await shown(app, pilot, lambda text: "finished" in text)
        assert [line.split()[:2] for line in text.splitlines()[2:4]] == [["finished", "10/10"], ["▌", "lost"]]


async def test_a_comparison_goes_on_that_was_cut_short_and_a_new_one_is_told(folder: Path) -> None:
    comparison = make_comparison(folder, whole=False)
    for trial in comparison.trials:
        if trial.seed:
            stop(comparison.run_dir(trial), 4)
    async with workbench(folder) as (app, pilot):
        await pilot.press("V")
        await shown(app, pilot, lambda text: COMPARISON in text and "raw-seed1 stopped" in text and "18/30" in text)
        with taken_up(folder / "runs" / RUN, 9):
            await shown(app, pilot, lambda text: "23/30" in text)
        later = folder / "runs" / "20260102T000000Z-compare"
        later.mkdir()
        (later / "comparison.json").write_bytes((comparison.dir / "comparison.json").read_bytes())
        text = await shown(app, pilot, lambda text: "2 of 2" in text)
        assert COMPARISON in text


def test_a_look_at_runs_that_have_ended_opens_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(5):
        make_run(folder / "runs", "raw", seed)
    followed = FollowedRuns(lambda: run_folders(folder / "runs"))
    assert followed.look()
    opened: list[Any] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **more: (opened.append(path), real(path, *rest, **more))[1])
    assert not followed.look()
    assert opened == []
