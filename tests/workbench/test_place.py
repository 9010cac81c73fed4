"""Where one is, without a session: the list, the cursor in it, the turn in focus, and the way back to an act."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import planted
import pytest

from engine.errors import UsageError
from engine.model import Act
from engine.project.project import Project
from workbench.state.place import Place
from workbench.state.saved import SavedState


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        yield project


def row_here(place: Place) -> int | None:
    return place.entry.row if place.entry is not None else None


def test_one_starts_where_one_was(project: Project) -> None:
    place = Place(project, SavedState("triage", "bucket:clean", project.rows.id(15)))
    assert (place.screen, place.filter_text, row_here(place)) == ("triage", "bucket:clean", 15)


def test_a_saved_filter_that_is_none_any_more_shows_all_rows(project: Project) -> None:
    place = Place(project, SavedState("triage", "bucket:nonsense", project.rows.id(15)))
    assert (place.entries.matched, place.filter_text, row_here(place)) == (20, "", 15)


def test_a_pane_lies_on_the_list_that_was_in_front(project: Project) -> None:
    place = Place(project, SavedState("triage"))
    place.screen = "help"
    assert (place.screen, place.list_screen) == ("help", "triage")


def test_a_filter_begins_at_its_first_open_row_and_all_rows_at_the_row_one_was_on(project: Project) -> None:
    project.decide([Act("accept", (project.rows.id(12),))])
    place = Place(project, SavedState("triage"))
    place.set_filter("row:12-15", None)
    assert row_here(place) == 13
    place.move(2)
    place.set_filter("", None)
    assert row_here(place) == 15


def test_a_filter_that_makes_no_sense_leaves_the_list(project: Project) -> None:
    place = Place(project, SavedState("triage", "row:12-15"))
    place.move(1)
    with pytest.raises(UsageError):
        place.set_filter("bucket:nonsense", None)
    assert (place.filter_text, row_here(place)) == ("row:12-15", 13)


def test_another_order_keeps_the_row_or_goes_to_the_first_that_is_open(project: Project) -> None:
    project.decide([Act("accept", (project.rows.id(19),))])
    place = Place(project, SavedState("triage", "row:12-19"))
    place.move(3)
    backwards = range(19, -1, -1)
    place.rebuild(backwards, stay=True)
    assert (row_here(place), place.cursor) == (15, 4)
    place.rebuild(backwards, stay=False)
    assert row_here(place) == 18


def test_the_cursor_stays_in_the_list(project: Project) -> None:
    place = Place(project, SavedState("triage", "row:12-15"))
    place.move(99)
    assert row_here(place) == 15
    place.move(-99)
    assert row_here(place) == 12
    place.set_filter("row:12 and row:13", None)
    place.move(1)
    assert (place.cursor, place.entry) == (0, None)


def test_advancing_goes_round_and_stops_where_all_is_decided(project: Project) -> None:
    place = Place(project, SavedState("triage", "row:12-14"))
    project.decide([Act("accept", (project.rows.id(13),))])
    assert place.advance()
    assert row_here(place) == 14
    assert place.advance()
    assert row_here(place) == 12
    project.decide([Act("reject", (project.rows.id(12), project.rows.id(14)))])
    assert not place.advance()
    assert row_here(place) == 12


def test_a_turn_is_in_focus_on_its_own_row_alone(project: Project) -> None:
    place = Place(project, SavedState("triage", "row:12-14"))
    place.focus_turn(1)
    assert place.turn == 1
    place.move(1)
    assert place.turn is None
    place.move(-1)
    place.focus_turn(None)
    assert place.turn is None


def test_the_way_back_leads_through_the_acts_and_forward_again(project: Project) -> None:
    place = Place(project, SavedState("triage", "row:12-15"))
    assert row_here(place) == 12
    for _ in range(2):
        place.note_act()
        place.move(1)
    assert [place.last_act(), place.last_act()] == [(13, None, False), (12, None, False)]
    assert place.last_act() is None
    place.last_undone()
    place.go_to(place.last_undone())
    assert row_here(place) == 12
    place.note_act()
    assert place.last_undone() is None


def test_an_act_on_the_overview_was_made_on_no_row(project: Project) -> None:
    place = Place(project, SavedState("overview"))
    place.note_act()
    before = place.cursor
    place.go_to(place.last_act())
    assert place.cursor == before
