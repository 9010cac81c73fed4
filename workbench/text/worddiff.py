"""What differs between two texts, word by word: enough to see at a glance why two rows are not the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

# Beyond this a diff costs more than the eye gets from it; the texts are then shown whole.
MOST_WORDS = 4000
# Characters: texts are compared each with each up to here.
MOST_COMPARED = 200_000
# Of a long equal stretch so many words, blanks and marks stay on either side of a difference.
CONTEXT_WORDS = 8
# So many words on end that were each replaced are told as one.
LONG_ROW = 4

_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Piece = tuple[str, str]
_Words = list[str]
_Stretch = tuple[_Words, _Words, _Words]
"""(words of both texts, only of the old, only of the new): the first holds words, or the others do"""


def word_diff(old: str, new: str) -> list[Piece] | None:
    """[(kind, text)] with kind `same`, `removed` (only in `old`) or `added`; None: too long to compare."""
    if old == new:
        return [("same", new)] if new else []
    before, after = _WORD.findall(old), _WORD.findall(new)
    head, tail = _shared_ends(before, after)
    if max(len(before), len(after)) - head - tail > 2 * MOST_WORDS:
        return None
    pieces: list[Piece] = []
    stretches = _stretches(before[head : len(before) - tail], after[head : len(after) - tail])
    begin: list[_Stretch] = [(after[:head], [], [])] if head else []
    end: list[_Stretch] = [(after[len(after) - tail :], [], [])] if tail else []
    for same, gone, come in _drawn_together([*begin, *stretches, *end]):
        if same:
            pieces.append(("same", "".join(same)))
            continue
        if gone:
            pieces.append(("removed", "".join(gone)))
        if come:
            pieces.append(("added", "".join(come)))
    return pieces


def _shared_ends(before: _Words, after: _Words) -> tuple[int, int]:
    """How many words both begin with, and how many of the others both end with: of a long text with a small edit almost
    all."""
    shorter = min(len(before), len(after))
    head = next((place for place in range(shorter) if before[place] != after[place]), shorter)
    room = shorter - head
    tail = next((place for place in range(room) if before[-1 - place] != after[-1 - place]), room)
    return head, tail


def _stretches(before: _Words, after: _Words) -> Iterator[_Stretch]:
    """What two texts share and what they do not, in their order."""
    # The longest common subsequence, in C++: difflib takes half a second for two texts of a page.
    from rapidfuzz.distance import Indel

    steps = ((op.tag == "equal", op) for op in Indel.opcodes(before, after))
    for equal, run in groupby(steps, key=lambda step: step[0]):
        ops = [op for _, op in run]
        gone, come = before[ops[0].src_start : ops[-1].src_end], after[ops[0].dest_start : ops[-1].dest_end]
        yield (come, [], []) if equal else ([], gone, come)


def _drawn_together(stretches: list[_Stretch]) -> list[_Stretch]:
    """The same, with equal words that stand lost between differences taken into these: texts that share but their small
    words, or replace every word, would be cut into crumbs."""
    out: list[_Stretch] = []
    for place, (same, gone, come) in enumerate(stretches):
        is_between = bool(same and out and place + 1 < len(stretches))
        if is_between and _is_lost(stretches, place, out[-1]):
            out[-1] = ([], out[-1][1] + same, out[-1][2] + same)
        elif not same and out and not out[-1][0]:
            out[-1] = ([], out[-1][1] + gone, out[-1][2] + come)
        else:
            out.append((same, gone, come))
    return out


def _is_lost(stretches: list[_Stretch], place: int, before: _Stretch) -> bool:
    """Whether the equal words at `place` are fewer than the differences around them, or a blank in a row of those."""
    words, following = _count(stretches[place][0]), stretches[place + 1]
    if words:
        return words < min(_size(before), _size(following)) - 1
    if not (before[1] or following[2]) or not (before[2] or following[1]):
        # A word that comes before the blank and one that goes behind it: one in the place of the other.
        return True
    start = end = place
    while start >= 2 and place - start < 2 * LONG_ROW and not _count(stretches[start - 2][0]):
        start -= 2
    while end + 2 < len(stretches) and end - place < 2 * LONG_ROW and not _count(stretches[end + 2][0]):
        end += 2
    return (end - start) // 2 + 2 >= LONG_ROW or min(_size(before), _size(following)) > 1


def _count(words: Sequence[str]) -> int:
    return sum(not word.isspace() for word in words)


def _size(difference: _Stretch) -> int:
    return max(_count(difference[1]), _count(difference[2]))


def lit(text: str, others: Sequence[str]) -> list[Piece] | None:
    """[(kind, text)] with kind `added` for words that are not in every one of `others`, else `same`; None: too long."""
    words = _WORD.findall(text)
    if len(words) > 2 * MOST_WORDS:
        return None
    apart = [False] * len(words)
    for other in others:
        before = _WORD.findall(other)
        if len(before) > 2 * MOST_WORDS:
            return None
        at = 0
        for same, _, come in _stretches(before, words):
            if come:
                apart[at : at + len(come)] = [True] * len(come)
            at += len(same) + len(come)
    pieces = ((("added" if told else "same"), word) for told, word in zip(apart, words, strict=True))
    return [(kind, "".join(word for _, word in run)) for kind, run in groupby(pieces, key=lambda piece: piece[0])]


def apart_from(answer: str, answers: Sequence[str]) -> list[str]:
    """The answers to set one against: all others, or the first other one where that would take too long."""
    others = [other for other in answers if other != answer]
    return others if len(others) * sum(map(len, answers)) < MOST_COMPARED else others[:1]


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
        text = text.replace("\n", " " if kind == "same" else "\u21b5")
        words = _WORD.findall(text) if kind == "same" else []
        before = CONTEXT_WORDS if index else 0
        after = CONTEXT_WORDS if index < len(pieces) - 1 else 0
        if len(words) <= before + after + 2:
            out.append((kind, text))
            continue
        head, tail = "".join(words[:before]).rstrip(), "".join(words[len(words) - after :]).lstrip()
        out += [("same", head), ("gap", " \u2026 " if head else "\u2026 "), ("same", tail)]
    return [piece for piece in out if piece[1]]
