"""Two persons on one project: what they disagree on is listed, shown with both names, and settled by key. Remarks."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from planted import journal, screen_text, workbench

from engine.project.project import open_project
from engine.select import select
from workbench.actions.typed_commands import run_headless


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder, "bea") as project:
        run_headless(project, "accept row:12-14")
    with planted.opened(folder) as project:
        run_headless(project, "reject row:12-13")
        run_headless(project, "accept row:14")
    return folder


async def test_disagreements_are_listed_shown_and_settled_by_key(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        text = "\n".join(screen_text(app))
        assert "2 disagreements" in text
        await pilot.press("slash", *"is:disputed", "enter")
        text = "\n".join(screen_text(app))
        assert "ann rejected" in text
        assert "bea accepted" in text
        await pilot.press("a")
        assert app.session.project.verdict(12) == "accepted"
        assert not app.session.project.is_disputed(12)
        await pilot.press("x")
        assert app.session.project.verdict(13) == "rejected"
        await pilot.press("u")
        assert app.session.project.is_disputed(13)
    act = next(line for line in journal(folder) if line.get("why") == "reviewers differed")["acts"][0]
    assert (act["do"], act["verdict"]) == ("settle", "accepted")


async def test_an_edit_settles_a_disagreement_with_its_text(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:13", "enter", "e", "end", "!", "ctrl+s")
        assert not app.session.project.is_disputed(13)
        assert app.session.project.verdict(13) == "accepted"
        assert app.session.project.current_row(13)["output"] == "Answer 13.!"


def test_a_bulk_act_leaves_disputed_rows_alone(folder: Path) -> None:
    with planted.opened(folder) as project:
        outcome = run_headless(project, "reject row:12-15")
        assert outcome.text == "rejected 2 rows; 2 disputed rows left alone"


def test_a_blind_reviewer_hears_the_others_once_they_have_decided(folder: Path) -> None:
    with open_project(folder, reviewer="cyd", blind=True) as project:
        assert project.voices(12) == ()
        run_headless(project, "reject row:14")
        assert [voice.verdict for voice in project.voices(14)] == ["accepted", "accepted", "rejected"]


async def test_tags_a_note_and_the_flag_for_later(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:15-16", "enter", "t", *"gem draft", "enter")
        assert "#draft #gem" in "\n".join(screen_text(app))
        await pilot.press("t", *"-draft", "enter", "i", *"ask bea", "enter", "f")
        text = "\n".join(screen_text(app))
        assert "#gem #later" in text
        assert "note      ask bea" in text
        assert len(select(app.session.project, "tag:later")) == 1
        await pilot.press("f")
        assert len(select(app.session.project, "tag:later")) == 0
        await pilot.press("u", "u", "u")
        assert app.session.project.note(15) == ""
        assert app.session.project.verdict(15) == "undecided"
        await pilot.press("t", *"a:b", "enter")
        assert "cannot be a tag" in "\n".join(screen_text(app))


async def test_earlier_filters_come_back_with_the_arrow_keys(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:15", "enter", "slash", *"kind:near", "enter")
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", "up", "up", "enter")
        assert app.session.place.filter_text == "row:15"
