"""Answers that go round in circles: the same sentence, line or run of words again and again."""

from __future__ import annotations

import re
from itertools import pairwise

from engine.model import Span
from engine.scan.signals.reading import LONGEST, Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_SENTENCE = re.compile(r"[^.!?\n。！？]{1,2000}[.!?。！？]{0,3}")
_LETTER = re.compile(r"[^\W\d_]")
_MAY_REPEAT = re.compile(
    r"\b(?:songs?|lyrics?|poems?|poetry|raps?|rhym\w*|patterns?|sequences?|music|permutations?|combinations?|"
    r"truth table|surveys?|forms?|templates?|"
    r"matri\w*|melod\w*|chords?|haikus?|verses?|repeat\w*|regex|binary|chant|mantra|prayer|chorus|tongue.?twister|"
    r"lullab\w*|nursery|times|loop|echo|calendar|schedule|copies)\b",
    re.IGNORECASE,
)
TIMES = 3
_TAIL = 120
_LONGEST_PERIOD = 24


def _repetition(row: Reading, survey: None) -> Found | None:
    answer = row.answer[:LONGEST]
    if len(answer) < 40 or row.is_code or _MAY_REPEAT.search(row.prompt[-600:]) or _MAY_REPEAT.search(row.prompt[:600]):
        return None
    return _same_sentence(row, answer) or _same_words(row, answer)


def _same_sentence(row: Reading, answer: str) -> Found | None:
    """The same sentence three times in a row, or a long one twice in a row."""
    pieces = [(found.group().strip().lower(), found) for found in _SENTENCE.finditer(answer)]
    pieces = [
        piece
        for piece in pieces
        if len(piece[0]) > 8 and _LETTER.search(piece[0]) and not piece[0].startswith(("|", "-", "*", "_", "+"))
    ]
    if len({text for text, _ in pieces}) == len(pieces):
        return None
    run = 1
    for (before, _), (text, found) in pairwise(pieces):
        run = run + 1 if text == before else 1
        if run == TIMES or (run == 2 and len(text.split()) >= 6):
            return Found(
                f'the same sentence stands {"twice" if run == 2 else "3 times"} in a row: "{shorten(text, 50)}"',
                Span(last_turn(row), *found.span()),
            )
    return None


def _same_words(row: Reading, answer: str) -> Found | None:
    """A run of words that repeats at the end, where a model that is stuck is cut off."""
    words = answer[-8 * _TAIL :].lower().split()[-_TAIL:]
    if len(words) < 12 or len(set(words)) > 0.7 * len(words):
        return None
    for period in range(1, _LONGEST_PERIOD + 1):
        needed = max(TIMES * period, 6)
        if needed > len(words):
            break
        tail = words[-needed:]
        # A cut may fall inside the last word.
        for end in (len(tail), len(tail) - 1):
            part = tail[:end]
            if (
                part[period:] == part[:-period]
                and len(part) >= TIMES * period - 1
                and _LETTER.search("".join(part[:period]))
            ):
                shown = " ".join(part[:period])
                if len(set(part[:period])) == 1 and period > 1:
                    continue
                return Found(
                    f'the answer ends in a loop: "{shorten(shown, 50)}"',
                    Span(last_turn(row), max(0, len(answer) - 60), len(answer)),
                )
    return None


REPETITION = Signal("repetition", "check", "the answer goes round in circles", _repetition)
