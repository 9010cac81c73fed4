"""An edited row: made from the texts a person typed, refused where no one could train on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import UsageError
from engine.model import Message, Row
from engine.project.project import Project
from engine.sources.conversation.conversation import conversation_of
from engine.sources.conversation.text_edits import EditableField, editable_fields, with_texts
from engine.sources.mapping import Mapping as Fields
from workbench.state.saved import FieldPath

WAY_OUT = "esc leaves it as it was; x rejects the row"


def fields_of(project: Project, row: int, content: Row | None = None) -> tuple[EditableField, ...]:
    """The texts of a row that can be edited: as they stand now, or in the `content` that is to replace it."""
    return editable_fields(project.current_row(row) if content is None else content, project.rows.mapping_of(row))


def edited_row(project: Project, row: int, texts: Mapping[FieldPath, str]) -> dict[str, Any] | None:
    """The row with these texts, or None where nothing differs. Raises UsageError: no request any more, or no answer."""
    now = project.current_row(row)
    edited = with_texts(
        now, {field.path: texts[field.path] for field in fields_of(project, row) if field.path in texts}
    )
    if edited == now:
        return None
    if emptied := _emptied(project.rows.mapping_of(row), now, edited):
        raise UsageError(f"not saved: the {emptied} is empty", "", WAY_OUT)
    return edited


def can_be_trained_on(project: Project, row: int, content: Row) -> bool:
    """Whether what is to replace a row still has an answer, and a request where the row has one."""
    return not _emptied(project.rows.mapping_of(row), project.current_row(row), content)


def _emptied(mapping: Fields, before: Row, after: Row) -> str:
    """`request` or `answer` where a changed row has none, else ''. Rows may come without a request: a text to go on
    with, an empty prompt."""
    asked = conversation_of(before, mapping).messages
    messages = conversation_of(after, mapping).messages
    if _has_request(asked) and not _has_request(messages):
        return "request"
    return "" if messages and (messages[-1].text.strip() or messages[-1].tool_calls) else "answer"


def _has_request(messages: Sequence[Message]) -> bool:
    """Whether anybody asks: a user, or whoever has a role of the file's own."""
    return any(turn.role not in ("system", "assistant", "tool") and turn.text.strip() for turn in messages)


def changed_texts(project: Project, row: int, texts: Mapping[FieldPath, str]) -> dict[FieldPath, str]:
    """Those of the texts that differ from the row: what is worth keeping as a draft."""
    return {
        field.path: texts[field.path]
        for field in fields_of(project, row)
        if texts.get(field.path, field.text) != field.text
    }
