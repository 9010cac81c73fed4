"""Every text that the editor offers is one of the row's content, and every key for a whole turn does what it says, or
refuses and leaves the row alone."""

from __future__ import annotations

from typing import Any

import pytest
from forms import HERE, expectations
from reading_now import pieces_of

from engine.errors import TamisError, UsageError
from engine.model import Conversation
from engine.sources.conversation.conversation import conversation_of
from engine.sources.conversation.text_edits import editable_fields, with_texts
from engine.sources.conversation.turn_edits import cut_after, drop_turn, toggle_trained
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import Mapping

FIRST_ROWS = 3


def rows_of(name: str) -> list[tuple[dict[str, Any], Mapping, Conversation]]:
    try:
        pieces, mapping = pieces_of(HERE / "files" / name)
    except TamisError:
        return []
    raw = [piece.raw for piece in pieces if isinstance(piece, SourceRow)][:FIRST_ROWS]
    read = [] if mapping is None else [(row, mapping, conversation_of(row, mapping)) for row in raw]
    return [one for one in read if one[2].messages]


@pytest.mark.parametrize("name", expectations())
def test_a_changed_text_changes_the_content(name: str) -> None:
    for row, mapping, held in rows_of(name):
        for field in editable_fields(row, mapping):
            changed = conversation_of(with_texts(row, {field.path: f"{field.text} CHANGED"}), mapping)
            assert changed.content_texts != held.content_texts, field
            assert "CHANGED" in "\n".join(changed.content_texts), field


@pytest.mark.parametrize("name", expectations())
def test_the_keys_for_a_turn_do_what_they_say_or_refuse(name: str) -> None:
    for row, mapping, held in rows_of(name):
        for turn in range(len(held.messages)):
            for edit, left in ((cut_after, turn + 1), (drop_turn, len(held.messages) - 1)):
                try:
                    changed = conversation_of(edit(row, mapping, turn), mapping)
                except UsageError:
                    continue
                assert len(changed.messages) == left, (edit, turn)
            try:
                changed = conversation_of(toggle_trained(row, mapping, turn), mapping)
            except UsageError:
                continue
            assert [one.train != before.train for one, before in zip(changed.messages, held.messages, strict=True)] == [
                place == turn for place in range(len(held.messages))
            ]
