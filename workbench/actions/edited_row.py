"""An edited row: made from the texts a person typed, refused where no one could train on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import UsageError
from engine.model import Row
from engine.project.project import Project
from engine.sources.conversation import conversation_of
from engine.sources.text_edits import EditableField, editable_fields, with_texts
from workbench.state.saved import FieldPath

WAY_OUT = "esc leaves it as it was; x rejects the row"


def fields_of(project: Project, row: int, content: Row | None = None) -> tuple[EditableField, ...]:
    """The texts of a row that can be edited: as they stand now, or in the `content` that is to replace it."""
    return editable_fields(project.current_row(row) if content is None else content, project.mapping)


def edited_row(project: Project, row: int, texts: Mapping[FieldPath, str]) -> dict[str, Any] | None:
    """The row with these texts, or None where nothing differs. Raises UsageError: no request, or no answer."""
    now = project.current_row(row)
    edited = with_texts(
        now, {field.path: texts[field.path] for field in fields_of(project, row) if field.path in texts}
    )
    if edited == now:
        return None
    turns = conversation_of(edited, project.mapping).messages
    if not any(turn.role == "user" and turn.text.strip() for turn in turns):
        raise UsageError("not saved: the request is empty", "", WAY_OUT)
    if not turns or not (turns[-1].text.strip() or turns[-1].calls):
        raise UsageError("not saved: the answer is empty", "", WAY_OUT)
    return edited


def can_be_trained_on(project: Project, content: Row) -> bool:
    """Whether a changed row still has a request and an answer."""
    turns = conversation_of(content, project.mapping).messages
    asks = any(turn.role == "user" and turn.text.strip() for turn in turns)
    return asks and bool(turns[-1].text.strip() or turns[-1].calls)


def changed_texts(project: Project, row: int, texts: Mapping[FieldPath, str]) -> dict[FieldPath, str]:
    """Those of the texts that differ from the row: what is worth keeping as a draft."""
    return {
        field.path: texts[field.path]
        for field in fields_of(project, row)
        if texts.get(field.path, field.text) != field.text
    }
