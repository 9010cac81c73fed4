"""From a run back to rows: keys of the training screen, the filter of suspects, re-scoring beside the keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import planted
import pytest
from planted import screen_text, shown, workbench
from textual.pilot import Pilot

from engine.model import Act
from engine.project.project import open_project
from workbench.ui.app import TamisApp
from workbench.ui.screens.train import TrainScreen

RUN = "20260101T000000Z-built-in"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rows 12 to 15 accepted and trained on: 13 got worse, 14 learnt nothing; 16 surprises; step 3 had an alert."""
    folder = planted.make_folder(tmp_path)
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(row) for row in range(20)]
        project.decide([Act("accept", tuple(ids[12:16]))])
    run = folder / "runs" / RUN
    run.mkdir(parents=True)
    values = {"model": {"value": "built-in"}, "steps": {"value": 9}}
    (run / "spec.json").write_text(json.dumps({"v": 1, "name": "built-in", "group": "", "values": values}))
    (run / "result.json").write_text(json.dumps({"outcome": "finished", "step": 9}))
    course = {12: (4.0, 0.2), 13: (1.0, 2.0), 14: (4.0, 3.9), 15: (4.0, 0.3)}
    rows: list[dict[str, Any]] = [
        {"step": 9 * at, "set": "train", "id": ids[row], "nll": loss, "tokens": 1, "peak": loss}
        for row, losses in course.items()
        for at, loss in enumerate(losses)
    ]
    rows += [
        {"step": 9, "set": "others", "id": ids[row], "nll": float(row == 16), "tokens": 1, "peak": 1.0}
        for row in (16, 17, 18, 19, *range(10))
    ]
    events = [
        {"ev": "alert", "kind": "spike", "step": 3, "detail": "loss 9 at one step"},
        {"ev": "exit", "outcome": "finished"},
    ]
    for name, lines in (
        ("rows.jsonl", rows),
        ("events.jsonl", [{"v": 1, "t": 0, **event} for event in events]),
        ("batch.jsonl", [{"step": 3, "rows": [ids[13], ids[15]]}]),
    ):
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


async def watch(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    """The training screen on the planted run; its whole course is read."""
    app.push_screen(TrainScreen(folder / "runs" / RUN))
    await shown(app, pilot, lambda text: "loss 9 at one step" in text)


async def test_a_run_leads_back_to_its_rows_in_the_order_to_look_at_them(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await watch(app, pilot, folder)
        await pilot.press("w")
        text = (await shown(app, pilot, lambda text: "rows to look at again" in text)).splitlines()
        assert "/ is:suspect" in text[0]
        shown_rows = [(line.split()[1], line.split()[2][:8]) for line in text[1:4]]
        assert shown_rows == [("14", "learnt_n"), ("13", "got_wors"), ("16", "surprisi")]
        # The sentence is longer than the line and goes on below it.
        assert "3 rows to look at again" in text[-3]
        assert "its loss fell from 4 to 3.9" in text[-4]
        await pilot.press("x")  # an accepted row, judged again
        assert app.session.place.entry is not None
        assert app.session.place.entry.row == 13
        assert app.session.project.verdict(14) == "rejected"
        await pilot.press("o")
        overview = "\n".join(screen_text(app))
        assert "What training says of rows" in overview
        assert "got worse" in overview


async def test_an_alert_leads_to_the_rows_of_its_step(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await watch(app, pilot, folder)
        await pilot.press("a")
        assert app.session.place.filter_text == f"batch:{RUN}/3"
        shown = app.session.place.entries
        assert [shown.entry(index).row for index in range(len(shown))] == [13, 15]
        assert app.session.place.screen == "triage"


async def test_a_run_that_cannot_be_tried_or_judged_says_why(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await watch(app, pilot, folder)
        await pilot.press("t")
        assert "has no model to try" in "\n".join(screen_text(app)[-4:-1])
        await pilot.press("b")
        assert "watch one run" in screen_text(app)[-2]


async def test_re_scoring_without_an_accepted_row_says_so_and_the_keys_go_on(tmp_path: Path) -> None:
    async with workbench(planted.make_folder(tmp_path)) as (app, pilot):
        await pilot.press("L")
        assert app.session.progress.job == "re-scoring"
        await pilot.press("j")
        await shown(app, pilot, lambda text: "nothing to train on" in text)
        assert app.session.progress.job == ""
