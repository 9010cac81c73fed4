"""Editing a row: its texts, what was typed and left without saving, and the decision an edit is. Knows no terminal."""

from __future__ import annotations

from engine.errors import ProjectError, UsageError
from engine.sources.shapes import EditableField
from workbench.edits import changed_texts, edited_row, fields_of
from workbench.saved_state import FieldPath
from workbench.session import Session
from workbench.verdicts import plan_edit


def edit_fields(session: Session, row: int) -> tuple[EditableField, ...]:
    """The texts of a row that can be edited, as they stand now (drafts not applied)."""
    return fields_of(session.project, row)


def draft(session: Session, row: int) -> dict[FieldPath, str]:
    """What was typed for this row and left without saving."""
    return session.drafts.get(session.project.rows.id(row), {})


def keep_draft(session: Session, row: int, texts: dict[FieldPath, str]) -> None:
    """Remember texts that were left without saving; texts equal to the row's forget the draft."""
    changed = changed_texts(session.project, row, texts)
    identifier = session.project.rows.id(row)
    if changed:
        session.drafts[identifier] = changed
    else:
        session.drafts.pop(identifier, None)
    session.save_place()


def save_edit(session: Session, row: int, texts: dict[FieldPath, str]) -> bool:
    """Decide on an edit; False where nothing changed (then there is no decision).

    Raises UsageError for a row that could not be trained on; what was typed is then kept as a draft.
    """
    try:
        edited = edited_row(session.project, row, texts)
        if edited is not None:
            session.on_screen.add(row)
            session.act(plan_edit(session.project, row, edited))
    except (UsageError, ProjectError):
        keep_draft(session, row, texts)
        raise
    session.drafts.pop(session.project.rows.id(row), None)
    if edited is None:
        session.say("nothing was changed: no decision taken")
    return edited is not None
