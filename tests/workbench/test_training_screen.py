"""The loss curve, and the screen that watches a run through its files."""

from __future__ import annotations

import json
from pathlib import Path

import planted
import pytest
from planted import screen_text, workbench

from workbench.widgets.chart import bounds, braille


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


def test_a_straight_line_is_drawn_straight() -> None:
    lines = braille([(0.0, 1.0), (10.0, 0.0)], 10.0, 0.0, 1.0, 4, 2)
    assert dots(lines) == {(n, n) for n in range(8)}


def test_a_spike_among_ten_thousand_points_is_not_lost() -> None:
    points = [(float(step), 0.0) for step in range(10_000)]
    points[5000] = (5000.0, 9.0)
    drawn = dots(braille(points, 9999.0, 0.0, 9.0, 40, 10))
    assert {y for _, y in drawn} == set(range(40))
    assert {x for x, _ in drawn} == set(range(80))


def test_every_column_is_joined_to_the_one_before() -> None:
    points = [(float(step), float(step % 2)) for step in range(20)]
    drawn = dots(braille(points, 19.0, 0.0, 1.0, 10, 3))
    for x in range(19):
        left = [y for at, y in drawn if at == x]
        right = [y for at, y in drawn if at == x + 1]
        assert min(abs(a - b) for a in left for b in right) <= 1


def test_equal_values_have_an_axis() -> None:
    assert bounds([2.0, 2.0]) == (1.5, 2.5)


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


async def test_a_run_can_be_attached_to_later(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("T")
        text = screen_text(app)
        assert text[1].startswith("▌ start a new run nothing")
        assert text[2].split()[:2] == ["finished", "40/40"]
        await pilot.press("enter")
        assert "accept" in screen_text(app)[-2]
        await pilot.press("j", "enter")
        text = screen_text(app)
        assert text[3] == " 20260101T000000Z-built-in  finished  step 40/40  loss 0.1"
        assert text[4].strip().startswith("4 │")
        assert text[-3] == " step 40: held-out NLL 0.250, exact match 0.900 on 120 rows"
        await pilot.press("s")
        assert "this run has ended" in screen_text(app)[-2]
