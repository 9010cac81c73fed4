"""Rows of a line, or marked rows, edited together in the person's own editor: one act, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import planted
import pytest

from engine.errors import UsageError
from engine.model import Act
from workbench.actions.edit import draft, edit_fields, rows_to_edit, save_edits
from workbench.state.saved import FieldPath
from workbench.state.session import Session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with planted.opened(folder) as project:
        session = Session(project)
        session.place.screen = "triage"
        session.selection.marked = {12, 13, 14}
        yield session


def texts_of(session: Session, **answers: str) -> dict[int, dict[FieldPath, str]]:
    """The texts of the marked rows, the answer of some replaced: `row12="new"`."""
    texts = {}
    for row in rows_to_edit(session):
        fields = edit_fields(session, row)
        own = {field.path: field.text for field in fields}
        own[fields[-1].path] = answers.get(f"row{row}", fields[-1].text)
        texts[row] = own
    return texts


def test_rows_that_changed_are_edited_in_one_act_the_others_stay_undecided(session: Session, folder: Path) -> None:
    assert save_edits(session, texts_of(session, row12="twelve", row14="fourteen")) == 2
    project = session.project
    assert [project.verdict(row) for row in (12, 13, 14)] == ["accepted", "undecided", "accepted"]
    assert project.current_row(14)["output"] == "fourteen"
    assert session.message.text == "edited 2 rows; 1 row unchanged and undecided"
    assert session.selection.marked == set()
    session.undo()
    assert [project.verdict(row) for row in (12, 13, 14)] == ["undecided"] * 3
    assert len(planted.journal(folder)) == 2


def test_one_row_that_could_not_be_trained_on_refuses_all_and_loses_nothing(session: Session, folder: Path) -> None:
    typed = texts_of(session, row12="twelve", row13="  ")
    with pytest.raises(UsageError, match=r"row 13: not saved: the answer is empty"):
        save_edits(session, typed)
    assert planted.journal(folder) == []
    kept = {row: draft(session, row) for row in (12, 13, 14)}
    assert list(kept[12].values()) == ["twelve"]
    assert list(kept[13].values()) == ["  "]
    assert kept[14] == {}


def test_texts_left_as_they_were_are_no_decision(session: Session, folder: Path) -> None:
    assert save_edits(session, texts_of(session)) == 0
    assert session.message.text == "nothing was changed: no decision taken"
    assert planted.journal(folder) == []


def test_held_out_rows_are_not_opened_with_others(session: Session) -> None:
    session.project.decide([Act("holdout", (session.project.rows.id(13),))])
    assert rows_to_edit(session) == (12, 14)
    session.selection.marked = {13}
    assert rows_to_edit(session) == (13,)


def test_a_line_of_the_overview_opens_its_undecided_rows(session: Session) -> None:
    session.project.decide([Act("reject", (session.project.rows.id(19),))])
    session.place.screen = "overview"
    session.refresh_overview()
    lines = session.overview.items
    session.overview.cursor = next(n for n, item in enumerate(lines) if item.filter_text == "bucket:clean")
    assert rows_to_edit(session) == (0, 4, *range(12, 19))
