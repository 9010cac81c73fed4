"""Sentences a person can check a cluster by."""

from __future__ import annotations

import re
from collections import Counter

from engine.scan.duplicates.guard import Judgement
from engine.scan.text import fold, shorten

SHOWN_WORDS, SHOWN_ROWS = 4, 6
_WORD = re.compile(r"\w+(?:['’.,-]\w+){0,8}|[^\w\s]")
_COMPARED = 4000
RULES = {
    "number": "a number",
    "operator": "an operator",
    "verb": "the task",
    "question": "the question word",
    "negation": "a negation",
    "direction": "the direction",
    "field": "one of two parts",
    "content": "what it is about",
    "same": "a word that may be mistyped",
    "system prompt": "the system prompt",
}


def score_line(scores: list[float]) -> str:
    """How alike the requests are to the keeper's."""
    low, high = min(scores), max(scores)
    if low >= 99.95:
        return "the requests are the same but for case, spacing and punctuation"
    return f"requests alike to {low:.0f}" + (f"-{high:.0f}" if round(high) != round(low) else "") + " of 100"


def word_difference(member: str, keeper: str) -> str:
    """The words that stand in one text only: '"colour" for "color", no "please"'; '' where none do."""
    mine, theirs = (Counter(_WORD.findall(fold(text[:_COMPARED]))) for text in (member, keeper))
    added = [word for word, count in mine.items() if count > theirs[word] and word[0].isalnum()]
    gone = [word for word, count in theirs.items() if count > mine[word] and word[0].isalnum()]
    if added and gone:
        return f"{_quoted(added)} for {_quoted(gone)}"
    if added:
        return f"also {_quoted(added)}"
    if gone:
        return f"no {_quoted(gone)}"
    return "" if mine == theirs and fold(member).split() == fold(keeper).split() else "only order, case or punctuation"


def _quoted(words: list[str]) -> str:
    shown = " ".join(shorten(word, 24) for word in words[:SHOWN_WORDS])
    return f'"{shown}"' + (f" and {len(words) - SHOWN_WORDS} more" if len(words) > SHOWN_WORDS else "")


def differing_lines(members: list[tuple[int, str]], keeper_text: str) -> list[str]:
    """One sentence for each of the first members whose text differs from the keeper's."""
    lines = []
    for number, text in members:
        difference = word_difference(text, keeper_text)
        if difference:
            lines.append(f"row {number}: {difference}")
        if len(lines) == SHOWN_ROWS:
            break
    return lines


def why_apart(judgement: Judgement) -> str:
    """What the guard found between two texts that are alike."""
    what = RULES.get(judgement.rule, judgement.rule)
    words = ", ".join(shorten(word, 20) for word in judgement.words[:SHOWN_WORDS])
    return f"they differ in {what}" + (f" ({words})" if words else "")
