"""Rows written by hand: in the source's own shape, undecided, in the journal, and never twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LockedError, UsageError
from engine.project.create import create_project
from engine.project.new_row import add_row, row_of
from engine.project.project import open_project
from engine.sources.conversation.conversation import conversation_of
from engine.sources.mapping import Mapping

ASKED = {"role": "user", "content": "Name it.\n\nA red lamp."}
SAID = {"role": "assistant", "content": "lamp"}
SYSTEM = {"role": "system", "content": "Be brief."}
EARLIER = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes?"})


def make(place: Path, rows: list[dict[str, Any]]) -> Path:
    source = place / "raw.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return create_project(source, place / "raw.tamis")


def alpaca(place: Path) -> Path:
    return make(place, [{"instruction": "Name it.", "input": f"A {word} chair.", "output": "chair"} for word in "abc"])


def test_a_new_row_is_undecided_journaled_and_keeps_the_fields_of_its_like(tmp_path: Path) -> None:
    folder = alpaca(tmp_path)
    before = (folder / "rows.jsonl").read_bytes()
    with open_project(folder, reviewer="ann") as project:
        number = add_row(project, (ASKED, SAID), like=project.rows.raw(0), extra={"run": "r1", "answer": "tuned"})
        assert (number, project.verdict(number), len(project.rows)) == (3, "undecided", 4)
        row = {"instruction": "Name it.", "input": "A red lamp.", "output": "lamp"}
        assert project.rows.raw(number) == row
        again = add_row(project, (ASKED, {"role": "assistant", "content": "a lamp"}), like=project.rows.raw(0))
        assert again == 4
        assert project.undo() is not None
    with open_project(folder, readonly=True) as project:
        assert len(project.rows) == 5
        assert [source.rows for source in project.settings.sources] == [3, 2]
        (journal,) = project.journal_ends()
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert lines[0]["acts"][0] | {"ids": [], "token": ""} == {
            "do": "add", "ids": [], "token": "", "file": "written.jsonl", "run": "r1", "answer": "tuned",
        }  # fmt: skip
        assert lines[0]["acts"][0]["ids"] == [project.rows.id(3)]
    assert (folder / "rows.jsonl").read_bytes().startswith(before)
    assert len((folder / "written.jsonl").read_text().splitlines()) == 2


def test_a_row_that_is_here_already_is_not_added_again(tmp_path: Path) -> None:
    with open_project(alpaca(tmp_path), reviewer="ann") as project:
        asked = {"role": "user", "content": "Name it.\n\nA b chair."}
        with pytest.raises(UsageError, match="row 1 says the same already"):
            add_row(project, (asked, {"role": "assistant", "content": "chair"}), like=project.rows.raw(0))
        assert len(project.rows) == 3


def test_a_window_that_only_reads_adds_nothing(tmp_path: Path) -> None:
    with open_project(alpaca(tmp_path), readonly=True) as project, pytest.raises(LockedError):
        add_row(project, (ASKED, SAID))


SHAPES = [
    (Mapping("messages", {"messages": "chat.turns"}), (SYSTEM, *EARLIER, ASKED, SAID)),
    (Mapping("sharegpt", {"conversations": "conversations", "system": "system"}), (SYSTEM, *EARLIER, ASKED, SAID)),
    (Mapping("alpaca", {"instruction": "q", "output": "meta.a"}), (ASKED, SAID)),
    (Mapping("alpaca", {"instruction": "i", "input": "c", "output": "o", "system": "s", "history": "h"}),
     (SYSTEM, *EARLIER, ASKED, SAID)),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "messages"), SHAPES, ids=lambda value: getattr(value, "shape", ""))
def test_every_shape_reads_back_what_was_written(fields: Mapping, messages: tuple[dict[str, str], ...]) -> None:
    turns = [(turn.role, turn.text) for turn in conversation_of(row_of(messages, fields), fields).messages]
    assert turns == [(message["role"], message["content"]) for message in messages]


def test_what_a_shape_cannot_hold_is_refused_with_the_reason() -> None:
    plain = Mapping("alpaca", {"instruction": "i", "output": "o"})
    for messages, words in (
        ((SYSTEM, ASKED, SAID), "no system prompt"),
        ((*EARLIER, ASKED, SAID), "one request and one answer"),
        ((ASKED, {"role": "assistant", "content": "  "}), "needs an answer"),
        ((SAID,), "needs a request"),
    ):
        with pytest.raises(UsageError, match=words):
            row_of(messages, plain)
    with pytest.raises(UsageError, match="shape text"):
        row_of((ASKED, SAID), Mapping("text", {"text": "text"}))
