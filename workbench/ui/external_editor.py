"""Editing in the person's own editor: one row, the marked rows, or all rows of an overview line in one file."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App, SuspendNotSupported

from engine.errors import TamisError, UsageError
from engine.model import Cluster
from engine.sources.shapes import EditableField
from workbench.actions.edit import draft, edit_fields, rows_to_edit, save_edits
from workbench.actions.merge_answers import conflict_here, merge_texts, save_merge
from workbench.state.saved import FieldPath
from workbench.state.session import Session
from workbench.text.escape import visible_line
from workbench.text.phrases import counted

if TYPE_CHECKING:
    from workbench.ui.app import TamisApp


# Editing a row in the person's own editor: a text file with a fence before each field, read back strictly.

FENCE = "=" * 8


def editor_command() -> list[str]:
    """`$VISUAL`, else `$EDITOR`, else vi. Raises UsageError where the value cannot be split into words."""
    text = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"$EDITOR = {text!r} cannot be understood", str(error), "set it to a command") from error
    return words or ["vi"]


def fenced(what: str, sections: Sequence[tuple[str, str]]) -> str:
    """The file to edit: `what` is being edited, then (label, text) one after another, a fence before each.

    A longer fence is taken where a text holds the usual one.
    """
    fence = FENCE
    while any(fence in text for _, text in sections):
        fence += "="
    lines = [f"tamis: {what}. Change the texts, leave the {fence} lines as they are; unchanged means no decision.\n"]
    lines += [f"{fence} {visible_line(label)} {fence}\n{text}\n" for label, text in sections]
    return "".join(lines)


def unfenced(content: str, labels: Sequence[str]) -> list[str]:
    """The texts of an edited file, in order. Raises UsageError where a fence is missing, changed or added."""
    head, _, rest = content.partition("\n")
    fence = next((word for word in head.split() if len(word) >= len(FENCE) and not word.strip("=")), "")
    if not fence:
        raise UsageError("the edit was not taken: its first line is gone", "", "leave the lines with ===== as they are")
    texts: list[str] = []
    for number, label in enumerate(labels):
        line = f"{fence} {visible_line(label)} {fence}\n"
        if not rest.startswith(line):
            raise _fence_is_gone(line)
        rest = rest[len(line) :]
        if number + 1 == len(labels):
            texts.append(rest.removesuffix("\n"))
            continue
        following = f"{fence} {visible_line(labels[number + 1])} {fence}\n"
        text, found, after = rest.partition(f"\n{following}")
        if not found:
            raise _fence_is_gone(following)
        texts.append(text)
        rest = following + after
    return texts


def _fence_is_gone(line: str) -> UsageError:
    return UsageError(f"the edit was not taken: the line '{line.strip()}' is gone", "", "leave the fences as they are")


def run_editor(folder: Path, what: str, content: str) -> tuple[str, Path]:
    """Let the person edit `content`; (what they left, the file it is in), which is named for `what`.

    The caller removes the file once it is taken.

    Raises TamisError where the editor cannot be run or fails, UsageError where what it left is no text.
    """
    command = editor_command()
    descriptor, name = tempfile.mkstemp(prefix=f"{what}-", suffix=".txt", dir=folder)
    path = Path(name)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
        stream.write(content)
    try:
        done = subprocess.run([*command, str(path)], check=False)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise TamisError(
            f"the editor {command[0]!r} cannot be run", error.strerror or "", "set $EDITOR to one that is there"
        ) from error
    if done.returncode != 0:
        raise TamisError(
            f"the editor ended with code {done.returncode}: no decision taken", f"the text is kept in {path}"
        )
    try:
        return path.read_bytes().decode("utf-8", "surrogatepass"), path
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the edit was not taken: what the editor left is no UTF-8 text", f"it is kept in {path}"
        ) from error


NO_HAND_OVER = "this terminal cannot hand over to an editor: e edits here"


def edit_outside(app: TamisApp) -> None:
    """Edit what is under the cursor, and say in the session's message what came of it. Raises nothing."""
    session = app.session
    try:
        if session.place.on_conflict and not session.selection.marked:
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
