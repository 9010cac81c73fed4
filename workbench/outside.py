"""Editing in the person's own editor: one row, the marked rows, or all rows of an overview line in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App, SuspendNotSupported

from engine.errors import TamisError
from engine.model import Cluster
from engine.sources.shapes import EditableField
from workbench.editing import draft, edit_fields, rows_to_edit, save_edits
from workbench.editor import fenced, run_editor, unfenced
from workbench.merging import conflict_here, merge_texts, save_merge
from workbench.saved_state import FieldPath
from workbench.session import Session
from workbench.wording import counted

if TYPE_CHECKING:
    from workbench.app import TamisApp

NO_HAND_OVER = "this terminal cannot hand over to an editor: e edits here"


def edit_outside(app: TamisApp) -> None:
    """Edit what is under the cursor, and say in the session's message what came of it. Raises nothing."""
    session = app.session
    try:
        if session.on_conflict and not session.marked:
            _merge_outside(app, conflict_here(session))
            return
        rows = rows_to_edit(session)
        fields = [(row, field) for row in rows for field in edit_fields(session, row)]
        drafts = {row: draft(session, row) for row in rows}
        texts = [drafts[row].get(field.path, field.text) for row, field in fields]
        labels = [_label(row, field, len(rows)) for row, field in fields]
        what = f"row {rows[0]}" if len(rows) == 1 else counted(len(rows), "row")
        content = fenced(what, list(zip(labels, texts, strict=True)))
        left = in_the_editor(app, what.replace(" ", "-"), content)
        if left is None:
            return
        edited, path = left
        try:
            save_edits(session, _by_row(fields, unfenced(edited, labels)))
        except TamisError as error:
            raise TamisError(error.title, error.message, f"your text is in {path}") from error
        path.unlink(missing_ok=True)
    except TamisError as error:
        session.say(str(error), "error")


def _merge_outside(app: TamisApp, cluster: Cluster) -> None:
    """Merge the answers of a conflict. Raises TamisError where the editor fails or what it left is not taken."""
    session = app.session
    fields = edit_fields(session, cluster.keeper)
    texts = merge_texts(session, cluster)
    labels = [field.label for field in fields]
    content = fenced(f"row {cluster.keeper}", [(field.label, texts[field.path]) for field in fields])
    left = in_the_editor(app, f"merge-{cluster.keeper}", content)
    if left is None:
        return
    edited, path = left
    try:
        save_merge(session, cluster, dict(zip(texts, unfenced(edited, labels), strict=True)))
    except TamisError as error:
        raise TamisError(error.title, error.message, f"your text is in {path}") from error
    path.unlink(missing_ok=True)


def in_the_editor(app: App[Any], name: str, content: str) -> tuple[str, Any] | None:
    """(what the person left, the file it is in), or None where nothing was changed; the screen is theirs meanwhile.

    Raises TamisError where the editor fails.
    """
    session: Session = app.session  # type: ignore[attr-defined]
    failed: TamisError | None = None
    try:
        with app.suspend():
            # A fault must not leave this block: the screen would never be taken back.
            try:
                edited, path = run_editor(session.project.folder, name, content)
            except TamisError as error:
                failed = error
    except SuspendNotSupported:
        session.say(NO_HAND_OVER, "refused")
        return None
    finally:
        app.refresh()
    if failed is not None:
        raise failed
    if edited == content:
        path.unlink(missing_ok=True)
        session.say("nothing was changed: no decision taken")
        return None
    return edited, path


def _label(row: int, field: EditableField, rows: int) -> str:
    return field.label if rows == 1 else f"row {row}, {field.label}"


def _by_row(fields: list[tuple[int, EditableField]], texts: list[str]) -> dict[int, dict[FieldPath, str]]:
    found: dict[int, dict[FieldPath, str]] = {}
    for (row, field), text in zip(fields, texts, strict=True):
        found.setdefault(row, {})[field.path] = text
    return found
