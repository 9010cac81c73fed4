"""What differs between two texts, word by word: enough to see at a glance why two rows are not the same."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

# Beyond this a diff costs more than the eye gets from it; the texts are then shown whole.
MOST_WORDS = 1500
# Of a long equal stretch so many words, blanks and marks stay on either side of a difference.
CONTEXT_WORDS = 8

_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Piece = tuple[str, str]


def word_diff(old: str, new: str) -> list[Piece] | None:
    """[(kind, text)] with kind `same`, `removed` (only in `old`) or `added`; None: too long to compare."""
    if old == new:
        return [("same", new)] if new else []
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > 2 * MOST_WORDS:
        return None
    pieces: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(after[c:d])))
            continue
        if a < b:
            pieces.append(("removed", "".join(before[a:b])))
        if c < d:
            pieces.append(("added", "".join(after[c:d])))
    return pieces


def differing_words(old: str, new: str) -> int:
    """How many words (blanks not counted) stand in one text only."""
    pieces = word_diff(old, new)
    if pieces is None:
        return -1
    return sum(len([w for w in _WORD.findall(text) if not w.isspace()]) for kind, text in pieces if kind != "same")


def shortened(pieces: list[Piece]) -> list[Piece]:
    """The same pieces on one line, with long equal stretches replaced by an ellipsis between a few words of context."""
    out: list[Piece] = []
    for index, (kind, text) in enumerate(pieces):
        text = text.replace("\n", " ")
        words = _WORD.findall(text) if kind == "same" else []
        before = CONTEXT_WORDS if index else 0
        after = CONTEXT_WORDS if index < len(pieces) - 1 else 0
        if len(words) <= before + after + 2:
            out.append((kind, text))
            continue
        head, tail = "".join(words[:before]).rstrip(), "".join(words[len(words) - after :]).lstrip()
        out += [("same", head), ("gap", " \u2026 " if head else "\u2026 "), ("same", tail)]
    return [piece for piece in out if piece[1]]
