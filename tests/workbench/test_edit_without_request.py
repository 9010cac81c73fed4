"""Rows that nobody asks for (a text to go on with, an empty prompt) are edited and repaired like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planted
import pytest

from engine.errors import UsageError
from engine.model import Cluster, Findings, Flag
from workbench.actions import repairs
from workbench.actions.edit import edit_fields, save_edit
from workbench.actions.merge_answers import conflict_here, merge_texts, save_merge
from workbench.state.session import Session

LONG = "The moon is a satellite of the earth. "


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"text": LONG * 3}, ("text",)),
        ({"prompt": "", "completion": LONG * 3}, ("completion",)),
        ({"messages": [{"role": "assistant", "content": LONG * 3}]}, ("messages", 0, "content")),
    ],
)
def test_a_row_without_a_request_is_edited(tmp_path: Path, row: dict[str, Any], path: tuple[Any, ...]) -> None:
    with planted.opened(planted.make_folder(tmp_path, [row, row])) as project:
        session = Session(project)
        assert path in [field.path for field in edit_fields(session, 0)]
        assert save_edit(session, 0, {path: "Rewritten by hand."})
        assert (project.verdict(0), project.example(0).answer) == ("accepted", "Rewritten by hand.")
        with pytest.raises(UsageError, match="the answer is empty"):
            save_edit(session, 1, {path: " "})


def test_a_request_that_was_there_may_not_go(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        session = Session(project)
        with pytest.raises(UsageError, match="the request is empty"):
            save_edit(session, 12, {("instruction",): ""})


def test_a_row_without_a_request_is_repaired(tmp_path: Path) -> None:
    rows = [{"text": "It\u00e2\u20ac\u2122s raining cats and dogs in the caf\u00c3\u00a9."}] * 2
    flags = tuple(Flag(row, "mojibake", "fix", "broken") for row in (0, 1))
    found = Findings((), flags, ("fix", "fix"), {})
    with planted.opened(planted.make_folder(tmp_path, rows, found)) as project:
        session = Session(project)
        session.proposals.offer = repairs.offer_signal(session, "mojibake")
        assert session.proposals.offer is not None
        repairs.apply_all(session)
        assert project.example(0).answer == "It\u2019s raining cats and dogs in the caf\u00e9."
        assert [project.verdict(row) for row in (0, 1)] == ["accepted"] * 2


PAIRS = [
    {"prompt": "Is it open?", "chosen": answer, "rejected": "It may be."} for answer in ("Yes, now.", "No.", "No.")
]


def conflict(rows: tuple[int, ...]) -> Findings:
    return Findings((Cluster("cc1", "conflict", rows, rows[0], ("they disagree",)),), (), ("check",) * 3, {})


def at_the_conflict(session: Session) -> Cluster:
    session.set_filter("kind:conflict")
    session.place.cursor = 0
    return conflict_here(session)


def test_the_chosen_answers_of_pairs_are_merged_and_the_rejected_one_stays(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path, PAIRS, conflict((0, 1)))) as project:
        session = Session(project)
        cluster = at_the_conflict(session)
        texts = merge_texts(session, cluster)
        assert texts["rejected",] == "It may be."
        assert texts["chosen",] == f"{'<' * 7} row 0\nYes, now.\n{'=' * 7} row 1\nNo.\n{'>' * 7}"
        assert save_merge(session, cluster, texts | {("chosen",): "Until nine."})
        assert dict(project.current_row(0)) == PAIRS[0] | {"chosen": "Until nine."}
        assert [project.verdict(row) for row in (0, 1)] == ["accepted", "rejected"]


def test_where_the_texts_of_the_answers_are_the_same_there_is_nothing_to_merge(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path, PAIRS, conflict((1, 2)))
    with planted.opened(folder) as project, pytest.raises(UsageError, match="something else than their text"):
        at_the_conflict(Session(project))
