"""Rows as the trainer sees them, token by token: each line of text behind a word that says whether it is learnt.

Takes the object `tamis plan --show ROW --json` prints. Text of a row can look like anything, so what is learnt is told
by the gutter of its line; colours come on top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.phrases import counted
from workbench.text.blocks import Paragraph
from workbench.text.escape import visible

LEARNT, MASKED, CUT = "learnt", "masked", "cut off"
LINE_END = "\u21b5"
BLANK = "\u00b7"
OPEN, CLOSE = "\u00ab", "\u00bb"
"""Around a special token where there is no colour: text of a row may spell one."""
ROLES = {LEARNT: "assistant", MASKED: "muted", CUT: "removed"}


@dataclass(slots=True)
class TokenLine:
    """One line of the row's text. `told`: learnt, masked or cut off; `parts`: (visible text, whether it is a special
    token)."""

    told: str
    parts: list[tuple[str, bool]] = field(default_factory=list)


def token_lines(row: Mapping[str, Any]) -> Iterator[TokenLine]:
    """The lines of a row; one ends at a line feed, and where learning begins or ends."""
    line: TokenLine | None = None
    for piece in row["pieces"]:
        told = CUT if piece["cut"] else LEARNT if piece["learnt"] else MASKED
        if line is None or line.told != told:
            if line is not None and line.parts:
                yield line
            line = TokenLine(told)
        *whole, rest = str(piece["text"]).split("\n")
        for text in whole:
            _add(line, text + "\n", piece["special"])
            yield line
            line = TokenLine(told)
        _add(line, rest, piece["special"])
    if line is not None and line.parts:
        yield line


def _add(line: TokenLine, text: str, is_special: bool) -> None:
    """Neighbours are one part, so that a character and the marks on it are made safe together."""
    if not text:
        return
    if line.parts and not is_special and not line.parts[-1][1]:
        text = line.parts.pop()[0] + text
    line.parts.append((text, is_special))


def shown_parts(line: TokenLine) -> list[tuple[str, bool]]:
    """The parts made safe to show: a line's end and blanks before it can be seen, for they are tokens as well."""
    parts = []
    for place, (text, is_special) in enumerate(line.parts, 1):
        bare = text.rstrip("\n")
        blanks = len(bare) - len(bare.rstrip(" ")) if place == len(line.parts) else 0
        safe = visible(bare[: len(bare) - blanks]) + BLANK * blanks + LINE_END * (len(text) - len(bare))
        parts.append((safe, is_special))
    return parts


def headline(row: Mapping[str, Any], max_length: int) -> str:
    """Which row, how many tokens, how many of them are learnt, and what is cut."""
    named = f"row {row['row']} ({row['id']})"
    if not row["pieces"]:
        return named
    learnt = f"{row['learnt']:,} of {counted(row['tokens'], 'token')} are learnt"
    cut = row["tokens"] - max_length
    return f"{named}: {learnt}" + (f", {cut:,} cut off behind {max_length:,}" if cut > 0 else "")


def token_paragraphs(view: Mapping[str, Any]) -> Iterator[Paragraph]:
    """The rows as a document."""
    told = f"model {view['model']}; learnt: {view['trained_on']}"
    yield Paragraph(((visible(told), "muted"),))
    for row in view["rows"]:
        yield Paragraph(())
        yield Paragraph(((headline(row, view["max_length"]), "title"),))
        if row["note"]:
            yield Paragraph(((visible(row["note"]), "refused"),))
        for line in token_lines(row):
            role = ROLES[line.told]
            parts = tuple((text, "key" if special else role) for text, special in shown_parts(line))
            yield Paragraph(parts, (line.told, "key" if line.told == LEARNT else "muted"))
