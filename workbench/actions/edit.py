"""Editing a row: its texts, what was typed and left without saving, and the decision an edit is. Knows no terminal."""

from __future__ import annotations

from engine.errors import ProjectError, UsageError
from engine.model import Row
from engine.phrases import counted
from engine.sources.conversation.text_edits import EditableField
from workbench.actions.decide import note_outcome, with_recheck_answered
from workbench.actions.edited_row import changed_texts, edited_row, fields_of
from workbench.actions.repairs import rule_behind
from workbench.state.plans import plan_edit, plan_edits, undecided_rows
from workbench.state.saved import FieldPath
from workbench.state.session import Session

# More in one file is no longer reading.
MOST_EDITED_AT_ONCE = 500


def edit_fields(session: Session, row: int) -> tuple[EditableField, ...]:
    """The texts of a row that can be edited, as they stand now (drafts not applied)."""
    return fields_of(session.project, row)


def draft(session: Session, row: int) -> dict[FieldPath, str]:
    """What was typed for this row and left without saving."""
    return session.remembered.drafts.get(session.project.rows.id(row), {})


def keep_draft(session: Session, row: int, texts: dict[FieldPath, str]) -> None:
    """Remember texts that were left without saving; texts equal to the row's forget the draft."""
    changed = changed_texts(session.project, row, texts)
    identifier = session.project.rows.id(row)
    if changed:
        session.remembered.drafts[identifier] = changed
    else:
        session.remembered.drafts.pop(identifier, None)
    session.save_place()


def rows_to_edit(session: Session) -> tuple[int, ...]:
    """The rows an editor would open: the marked ones, the undecided ones of an overview line, else the one here.

    Raises UsageError where there are none, or too many for one file.
    """
    project = session.project
    if session.place.screen == "overview":
        rows = undecided_rows(project, session.overview.item.filter_text) if session.overview.item is not None else []
    else:
        entry = session.place.entry
        rows = sorted(session.selection.marked) or ([entry.row] if entry is not None else [])
    if len(rows) > 1:
        # Held-out and disputed rows are judged one by one.
        rows = [row for row in rows if not project.is_heldout(row) and not project.is_disputed(row)]
    if not rows:
        raise UsageError("no undecided row here to edit")
    if len(rows) > MOST_EDITED_AT_ONCE:
        raise UsageError(
            f"{counted(len(rows), 'row')} are too many for one file, {MOST_EDITED_AT_ONCE} go",
            "",
            "narrow them with a filter",
        )
    return tuple(rows)


def save_edits(session: Session, texts: dict[int, dict[FieldPath, str]]) -> int:
    """Decide on the edits of several rows, all in one journal line; how many rows changed.

    Rows left as they were get no decision. Where a row could not be trained on nothing is decided at all, and what was
    typed is kept as drafts. Raises UsageError naming the first such row.
    """
    if len(texts) == 1:
        ((row, own),) = texts.items()
        return int(save_edit(session, row, own))
    changed: dict[int, Row] = {}
    try:
        for row, own in texts.items():
            try:
                edited = edited_row(session.project, row, own)
            except UsageError as error:
                raise UsageError(f"row {row}: {error.title}", "", "no row was decided; the drafts are kept") from error
            if edited is not None:
                changed[row] = edited
        item = session.overview.item if session.place.screen == "overview" else None
        plan = plan_edits(session.project, changed, item.filter_text if item else "marked")
        session.on_screen |= set(changed)
        if changed:
            session.act(plan, advance=False)
    except (UsageError, ProjectError):
        for row, own in texts.items():
            keep_draft(session, row, own)
        raise
    for row in texts:
        session.remembered.drafts.pop(session.project.rows.id(row), None)
    session.selection.clear()
    same = len(texts) - len(changed)
    if not changed:
        session.say("nothing was changed: no decision taken")
    elif same:
        session.say(f"{session.message.text}; {counted(same, 'row')} unchanged and undecided", "done")
    return len(changed)


def save_edit(session: Session, row: int, texts: dict[FieldPath, str]) -> bool:
    """Decide on an edit; False where nothing changed (then there is no decision).

    Raises UsageError for a row that could not be trained on; what was typed is then kept as a draft.
    """
    try:
        before = session.project.current_row(row)
        edited = edited_row(session.project, row, texts)
        if edited is not None:
            session.on_screen.add(row)
            session.act(with_recheck_answered(session.project, row, plan_edit(session.project, row, edited)))
            note_outcome(session, True)
            session.proposals.note_edit(rule_behind(session.project, row, before))
    except (UsageError, ProjectError):
        keep_draft(session, row, texts)
        raise
    session.remembered.drafts.pop(session.project.rows.id(row), None)
    if edited is None:
        session.say("nothing was changed: no decision taken")
    return edited is not None
