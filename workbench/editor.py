"""Editing a row in the person's own editor: a text file with a fence before each field, read back strictly."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.errors import TamisError, UsageError
from workbench.safe_text import visible_line

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
