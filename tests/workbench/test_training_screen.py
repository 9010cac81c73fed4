"""The loss curve, and the screen that watches a run through its files."""

from __future__ import annotations

import fcntl
import itertools
import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

import planted
import pytest
from planted import screen_text, shown, workbench

from engine.config import config_folder
from engine.training.runs.loss_history import COLUMNS, Column
from engine.training.runs.registry import register
from engine.training.worker.events import event_line
from workbench.text.braille import Curve, Frame, draw, frame_for, layered, smoothed


def dots(lines: list[str]) -> set[tuple[int, int]]:
    """The dots of a braille drawing as (x, y)."""
    places = {
        (0, 0): 0x01,
        (0, 1): 0x02,
        (0, 2): 0x04,
        (0, 3): 0x40,
        (1, 0): 0x08,
        (1, 1): 0x10,
        (1, 2): 0x20,
        (1, 3): 0x80,
    }
    return {
        (2 * column + x, 4 * row + y)
        for row, line in enumerate(lines)
        for column, character in enumerate(line)
        for (x, y), bit in places.items()
        if character != " " and ord(character) - 0x2800 & bit
    }


def line_of(points: list[tuple[float, float]]) -> Curve:
    return Curve([Column(int(step), value, value, value) for step, value in points], "chart")


def drawn(points: list[tuple[float, float]], frame: Frame, columns: int, rows: int) -> set[tuple[int, int]]:
    cells = draw(line_of(points), frame, columns, rows)
    return dots(["".join(text for text, _ in line) for line in layered([(cells, "chart")])])


def test_a_straight_line_is_drawn_straight() -> None:
    assert drawn([(0.0, 1.0), (10.0, 0.0)], Frame(10.0, 0.0, 1.0), 4, 2) == {(n, n) for n in range(8)}


def test_a_power_of_ten_a_step_is_straight_on_a_log_scale() -> None:
    points = [(float(step), 10.0**-step) for step in range(8)]
    curve = line_of(points)
    frame = frame_for([curve], 7.0, log=True)
    assert frame is not None
    assert drawn(points, frame, 4, 2) == {(n, n) for n in range(8)}
    assert [frame.value_at(share) for share in (0, 1)] == pytest.approx([1, 1e-7])
    assert frame_for([line_of([(1.0, 0.0), (2.0, -1.0)])], 2.0, log=True) is None


def test_a_spike_among_ten_thousand_points_is_not_lost() -> None:
    points = [(float(step), 0.0) for step in range(10_000)]
    points[5000] = (5000.0, 9.0)
    found = drawn(points, Frame(9999.0, 0.0, 9.0), 40, 10)
    assert {y for _, y in found} == set(range(40))
    assert {x for x, _ in found} == set(range(80))


def test_every_column_is_joined_to_the_one_before() -> None:
    found = drawn([(float(step), float(step % 2)) for step in range(20)], Frame(19.0, 0.0, 1.0), 10, 3)
    for x in range(19):
        left = [y for at, y in found if at == x]
        right = [y for at, y in found if at == x + 1]
        assert min(abs(a - b) for a in left for b in right) <= 1


def test_equal_values_have_an_axis_and_what_is_no_number_is_left_out() -> None:
    frame = frame_for([line_of([(1.0, 2.0), (2.0, math.nan)])], 2.0)
    assert frame is not None
    assert frame.low < 2.0 < frame.high


def test_a_lowest_value_a_little_lower_leaves_the_axis_where_it_is() -> None:
    frames = [frame_for([line_of([(1.0, 3.9), (2.0, low)])], 2.0) for low in (0.35, 0.33, 0.31)]
    assert len(set(frames)) == 1
    assert frame_for([line_of([(1.0, math.inf)])], 2.0) is None


def falling(steps: int) -> list[tuple[float, float]]:
    """A noisy loss from 2.7 to .3 in 300 steps."""
    noise = random.Random(1)
    return [(float(step), 2.5 * math.exp(-step / 80) + 0.2 + noise.random() / 10) for step in range(1, steps + 1)]


def test_the_axis_of_a_falling_loss_changes_a_handful_of_times_and_always_holds_it() -> None:
    frames = []
    for steps in range(1, 301):
        curve = line_of(falling(steps))
        frame = frame_for([curve], 300.0)
        assert frame is not None
        low, high = min(point.low for point in curve.points), max(point.high for point in curve.points)
        assert frame.low <= low <= high <= frame.high
        assert steps < 32 or high - low >= (frame.high - frame.low) / 3
        frames.append((frame.low, frame.high))
    assert sum(before != after for before, after in itertools.pairwise(frames)) <= 4
    assert frames[0][0] == 0


def test_a_loss_that_hardly_moves_is_still_seen_to_move() -> None:
    flat = line_of([(float(step), 1.01 + step % 7 / 1000) for step in range(1, 201)])
    frame = frame_for([flat], 400.0)
    assert frame is not None
    assert frame.high - frame.low <= 0.006 * 3
    below = frame_for([line_of([(1.0, -3.0), (2.0, 0.5)])], 2.0)
    assert below is not None
    assert below.low <= -3.0
    assert below.high >= 0.5


def test_the_curve_on_top_gives_a_shared_cell_its_colour_and_keeps_the_dots_below() -> None:
    below, above = [{0: 0x01, 1: 0x01}], [{0: 0x08}]
    assert layered([(below, "muted"), (above, "chart")]) == [[(chr(0x2809), "chart"), (chr(0x2801), "muted")]]


def test_a_smoothed_curve_starts_where_the_curve_does_and_lags() -> None:
    points = [Column(step, value, value, value) for step, value in enumerate([4.0, 2.0, 2.0])]
    assert [point.last for point in smoothed(points)] == pytest.approx([4.0, 3.8, 3.62])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = planted.make_folder(tmp_path)
    run = folder / "runs" / "20260101T000000Z-built-in"
    run.mkdir(parents=True)
    values = {"model": {"value": "built-in"}, "steps": {"value": 40}}
    (run / "spec.json").write_text(json.dumps({"v": 1, "name": "built-in", "group": "", "values": values}))
    (run / "result.json").write_text(json.dumps({"outcome": "finished", "step": 40}))
    events = [
        {"ev": "phase", "phase": "train"},
        *({"ev": "log", "step": step, "of": 40, "loss": 4.0 / step} for step in range(1, 41)),
        {"ev": "log", "step": 41, "loss": "nan"},
        {"ev": "eval", "step": 40, "nll": 0.25, "exact": 0.9, "rows": 120},
        {"ev": "exit", "outcome": "finished"},
    ]
    (run / "events.jsonl").write_text(
        "".join(json.dumps({"v": 1, "t": 0, **event}) + "\n" for event in events) + '{"ev"'
    )
    return folder


async def settled(app: Any, pilot: Any) -> list[str]:
    await app.workers.wait_for_complete()
    await pilot.pause()
    return screen_text(app)


async def test_a_run_can_be_attached_to_later(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("T")
        text = await settled(app, pilot)
        assert text[1].startswith("▌ start a new run nothing")
        assert text[2].split()[:2] == ["finished", "40/40"]
        await pilot.press("enter")
        assert "accept" in screen_text(app)[-2]
        await pilot.press("j", "enter")
        text = await settled(app, pilot)
        assert text[3] == " 20260101T000000Z-built-in  finished  step 40/40"
        assert text[4].strip().startswith("4 │")
        assert "loss nan" in "".join(text)  # the newest step, as it is
        assert "held-out 0.25" in "".join(text)
        assert "step 40: held-out NLL 0.25, exact match 0.9 on 120 rows" in "".join(text)
        await pilot.press("s")
        assert "this run has ended" in screen_text(app)[-2]


async def test_scale_view_and_overlay_are_changed_by_key(folder: Path) -> None:
    shutil.copytree(folder / "runs" / "20260101T000000Z-built-in", folder / "runs" / "20260102T000000Z-other")
    async with workbench(folder) as (app, pilot):
        await pilot.press("T")
        await settled(app, pilot)
        await pilot.press("l")
        assert "no run is being watched" in screen_text(app)[-2]
        await pilot.press("j", "j", "enter")
        plain = await settled(app, pilot)
        await pilot.press("l")
        assert "log scale" in "".join(screen_text(app))
        await pilot.press("l", "k", "m")
        text = screen_text(app)
        assert text[2].startswith("▌ + finished")
        assert text[4:10] == plain[4:10]  # the other run has the same course
        await pilot.press("v")
        assert "no answer yet" in "".join(await settled(app, pilot))
        await pilot.press("v")
        assert "console.log" in "".join(await settled(app, pilot))


async def test_the_runs_screen_shows_every_run_and_watches_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = folder / "runs" / "20260101T000000Z-built-in"
    register([run])
    async with workbench(folder) as (app, pilot):
        await pilot.press("R")
        text = await settled(app, pilot)
        assert "1 runs of yours" in text[1] or "1 run of yours" in text[1]
        assert "finished" in text[2]
        await pilot.press("enter")
        text = await settled(app, pilot)
        assert "20260101T000000Z-built-in  finished" in "".join(text)


async def test_a_hundred_thousand_steps_are_attached_to_and_followed(folder: Path) -> None:
    run = folder / "runs" / "20260101T000000Z-built-in"
    (run / "result.json").unlink()
    with (run / "events.jsonl").open("wb") as stream:
        for step in range(1, 100_001):
            stream.write(event_line("log", {"step": step, "of": 200_000, "dt": 0.1, "loss": 1e5 / step}))
    with (run / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        async with workbench(folder) as (app, pilot):
            await pilot.press("T")  # a run that goes on is watched at once
            await settled(app, pilot)
            with (run / "events.jsonl").open("ab") as stream:
                stream.write(event_line("log", {"step": 100_001, "of": 200_000, "dt": 0.1, "loss": 0.125}))
            for _ in range(100):
                await pilot.pause(0.05)
                if "loss 0.125" in "".join(screen_text(app)):
                    break
            assert "loss 0.125" in "".join(screen_text(app))
            assert len(app.screen.watched.loss) <= 2 * COLUMNS + 1


async def test_the_key_for_tokens_asks_the_trainer_and_says_why_there_are_none(
    folder: Path,
) -> None:
    settings = config_folder() / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('[training]\ncommand = "/nowhere/python"\n')
    try:
        async with workbench(folder) as (app, pilot):
            await pilot.press("enter", "Z")
            assert "/nowhere/python cannot be started" in await shown(app, pilot, lambda text: "cannot be" in text)
            await pilot.press("escape")
            assert app.session.place.screen == "triage"
    finally:
        settings.unlink()
