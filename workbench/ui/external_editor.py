"""Editing in the person's own editor: one row, the marked rows, or all rows of an overview line in one file.

The file has a fence before each text and is read back strictly. While the editor runs the screen is its own.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from engine.errors import TamisError, UsageError
from engine.model import Cluster
from engine.phrases import counted
from engine.sources.conversation.text_edits import EditableField
from workbench.actions.edit import draft, edit_fields, rows_to_edit, save_edits
from workbench.actions.merge_answers import conflict_here, merge_texts, save_merge
from workbench.state.saved import FieldPath
from workbench.state.session import Session
from workbench.text.escape import visible_line
from workbench.text.line_ends import ends_of_lines, with_ends_of, with_line_feeds

FENCE, END = "=" * 8, "end"
NO_HAND_OVER = "this terminal cannot hand over to an editor: e edits here"

# -- the file


def fenced(what: str, sections: Sequence[tuple[str, str]]) -> str:
    """The file to edit: `what` is being edited, then (label, text) one after another, a fence before each.

    A longer fence is taken where a text holds the usual one.
    """
    fence = FENCE
    while any(fence in text for _, text in sections):
        fence += "="
    lines = [f"tamis: {what}. Change the texts, leave the {fence} lines as they are; unchanged means no decision.\n"]
    lines += [f"{fence} {visible_line(label)} {fence}\n{text}\n" for label, text in sections]
    # Editors cut blank lines off the end of a file, or add one: the last text must not end there.
    return "".join([*lines, f"{fence} {END} {fence}\n"])


def unfenced(content: str, labels: Sequence[str]) -> list[str]:
    """The texts of an edited file, in order. Raises UsageError where a fence is missing, changed or added."""
    head, _, rest = content.partition("\n")
    fence = next((word for word in head.split() if len(word) >= len(FENCE) and not word.strip("=")), "")
    if not fence:
        raise UsageError("the edit was not taken: its first line is gone", "", "leave the lines with ===== as they are")
    texts: list[str] = []
    last = f"\n{fence} {END} {fence}"
    for number, label in enumerate(labels):
        line = f"{fence} {visible_line(label)} {fence}\n"
        if not rest.startswith(line):
            raise _fence_is_gone(line)
        rest = rest[len(line) :]
        if number + 1 == len(labels):
            text, found, behind = rest.rpartition(last)
            if not found:
                # To the end of the file then, and so does what was written behind the last fence.
                text, behind = rest.removesuffix("\n"), ""
            texts.append(f"{text}\n{behind.strip()}" if behind.strip() else text)
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


def texts_left(content: str, left: str, labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The texts of the file `left`, which was `content` with these `texts`. Raises UsageError: see `unfenced`.

    Where a kind of line end is gone from the whole file an editor wrote another one in its place, and each line gets
    its own back.
    """
    if "\n" not in ends_of_lines(left):
        left = with_line_feeds(left)
    lost = ends_of_lines(content) - ends_of_lines(left)
    return [with_ends_of(text, new, lost) for text, new in zip(texts, unfenced(left, labels), strict=True)]


# -- the editor


def editor_command() -> list[str]:
    """`$VISUAL`, else `$EDITOR`, else vi. Raises UsageError where the value cannot be split into words."""
    text = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"$EDITOR = {text!r} cannot be understood", str(error), "set it to a command") from error
    return words or ["vi"]


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


def _in_the_editor(app: App[Any], session: Session, name: str, content: str) -> tuple[str, Path] | None:
    """(what the person left, the file it is in), or None where nothing was changed; the screen is theirs meanwhile.

    Raises TamisError where the editor fails.
    """
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


# -- what is edited


def edit_in_external_editor(app: App[Any], session: Session) -> None:
    """Edit what is under the cursor, and say in the session's message what came of it. Raises nothing."""
    try:
        if session.place.on_conflict and not session.selection.marked:
            _merge_outside(app, session, conflict_here(session))
            return
        rows = rows_to_edit(session)
        fields = [(row, field) for row in rows for field in edit_fields(session, row)]
        drafts = {row: draft(session, row) for row in rows}
        texts = [drafts[row].get(field.path, field.text) for row, field in fields]
        labels = [_label(row, field, len(rows)) for row, field in fields]
        what = f"row {rows[0]}" if len(rows) == 1 else counted(len(rows), "row")
        content = fenced(what, list(zip(labels, texts, strict=True)))
        left = _in_the_editor(app, session, what.replace(" ", "-"), content)
        if left is None:
            return
        edited, path = left
        try:
            changed = save_edits(session, _by_row(fields, texts_left(content, edited, labels, texts)))
            if not changed and ends_of_lines(content) != ends_of_lines(edited):
                session.say(f"{session.message.text}; ends of lines, which editors even out, are kept: e changes them")
        except TamisError as error:
            raise TamisError(error.title, error.message, f"your text is in {path}") from error
        path.unlink(missing_ok=True)
    except TamisError as error:
        session.say(str(error), "error")


def _merge_outside(app: App[Any], session: Session, cluster: Cluster) -> None:
    """Merge the answers of a conflict. Raises TamisError where the editor fails or what it left is not taken."""
    fields = edit_fields(session, cluster.keeper)
    texts = merge_texts(session, cluster)
    labels = [field.label for field in fields]
    content = fenced(f"row {cluster.keeper}", [(field.label, texts[field.path]) for field in fields])
    left = _in_the_editor(app, session, f"merge-{cluster.keeper}", content)
    if left is None:
        return
    edited, path = left
    try:
        merged = texts_left(content, edited, labels, tuple(texts.values()))
        save_merge(session, cluster, dict(zip(texts, merged, strict=True)))
    except TamisError as error:
        raise TamisError(error.title, error.message, f"your text is in {path}") from error
    path.unlink(missing_ok=True)


def _label(row: int, field: EditableField, rows: int) -> str:
    return field.label if rows == 1 else f"row {row}, {field.label}"


def _by_row(fields: list[tuple[int, EditableField]], texts: list[str]) -> dict[int, dict[FieldPath, str]]:
    found: dict[int, dict[FieldPath, str]] = {}
    for (row, field), text in zip(fields, texts, strict=True):
        found.setdefault(row, {})[field.path] = text
    return found
