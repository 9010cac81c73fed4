"""What a person says about groups, marks and the command line of the screen."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from planted import journal, screen_text, workbench


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


async def filtered(pilot: planted.Pilot[int], text: str) -> None:
    await pilot.press("slash", *text, "enter")


async def test_a_digit_keeps_the_row_that_bears_it(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await filtered(pilot, "kind:near")
        text = "\n".join(screen_text(app))
        assert "1 the keeper" in text
        assert "2 … to Ann in French." in text
        await pilot.press("3")
        project = app.session.project
        assert [project.verdict(row) for row in (3, 4, 5)] == ["rejected", "rejected", "accepted"]
        await pilot.press("u", "9")
        assert "this group has 3 rows" in screen_text(app)[-2]


async def test_no_duplicates_are_set_apart_and_left_alone_by_enter(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await filtered(pilot, "kind:near")
        await pilot.press("N")
        assert "set apart" in screen_text(app)[1]
        await pilot.press("g", "enter")
        project = app.session.project
        assert [project.verdict(row) for row in (3, 4, 5)] == ["undecided", "accepted", "undecided"]
        await pilot.press("u", "u")
        assert project.constraints() == []
    assert journal(folder)[0]["acts"][0]["do"] == "not_duplicates"


async def test_the_marked_rows_are_split_off(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await filtered(pilot, "kind:exact")
        await pilot.press("S")
        assert "mark the rows that do not belong" in screen_text(app)[-2]
        await pilot.press("g", "j", "j", "m", "g", "S", "enter")
        project = app.session.project
        assert [project.verdict(row) for row in (0, 1, 2)] == ["accepted", "undecided", "rejected"]
        assert "1 row set apart left alone" in screen_text(app)[-2]


async def test_both_answers_fine_or_both_dropped(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await filtered(pilot, "kind:conflict")
        await pilot.press("b")
        project = app.session.project
        assert [project.verdict(row) for row in (6, 7)] == ["accepted", "accepted"]
        assert not project.is_open(project.cluster(planted.CONFLICT))
        await pilot.press("u", "D")
        assert [project.verdict(row) for row in (6, 7)] == ["rejected", "rejected"]
        await filtered(pilot, "kind:near")
        await pilot.press("b")
        assert "only answers that disagree" in screen_text(app)[-2]


async def test_a_verb_acts_on_a_marked_range_and_one_undo_takes_it_back(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await filtered(pilot, "row:12-19")
        await pilot.press("v", "j", "j", "v")
        assert "3 rows marked" in screen_text(app)[-2]
        await pilot.press("x")
        project = app.session.project
        assert [project.verdict(row) for row in range(12, 16)] == ["rejected"] * 3 + ["undecided"]
        await pilot.press("u")
        assert project.tally()["rejected"] == 0
        await pilot.press("m", "escape")
        assert "no row is marked" in screen_text(app)[-2]


async def test_the_command_line_asks_before_a_bulk_act_and_jumps(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("colon", *"reject bucket:drop", "enter")
        assert "would have rejected 5 rows: enter again does it" in "\n".join(screen_text(app))
        assert journal(folder) == []
        await pilot.press("enter")
        assert app.session.progress.tally["rejected"] == 5
        await pilot.press("u")
        assert app.session.progress.tally["rejected"] == 0
        await pilot.press("ctrl+p", *"13", "enter")
        assert app.session.place.screen == "triage"
        assert app.session.place.entry is not None
        assert app.session.place.entry.row == 13
        await pilot.press("colon", *"acc", "enter")
        assert "Known: accept" in "\n".join(screen_text(app))
        await pilot.press(*"ept", "enter")
        assert app.session.project.verdict(13) == "accepted"


async def test_a_row_is_copied_to_a_file(folder: Path) -> None:
    async with workbench(folder) as (_, pilot):
        await filtered(pilot, "row:12")
        await pilot.press("y")
    assert '"instruction": "Question 12?"' in (folder / "copy.txt").read_text()
