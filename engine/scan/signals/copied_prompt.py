"""Answers that give the request back."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_SHORTEST = 12
_LONG_ECHO = 60
_MAY_STAY_THE_SAME = re.compile(
    r"\b(?:repeat|copy|echo|verbatim|identify|which|choose|select|pick|correct|edit|fix|proofread|check|spell|"
    r"punctuat\w*|capitali[sz]\w*|"
    r"grammar|grammatical\w*|revise|translate|extract|find|return|recite|quote|complete|continue|convert|sort|"
    r"arrange|order|reorder|format)\b",
    re.IGNORECASE,
)


def _copied(row: Reading, survey: None) -> Found | None:
    if not row.is_single or len(row.answer) < _SHORTEST:
        return None
    answer = row.answer.strip()
    place = Span(last_turn(row), 0, len(row.answer))
    if answer in (row.prompt.strip(), row.request):
        return Found(f'the answer is the request itself: "{shorten(answer, 40)}"', place)
    if len(row.material) > _SHORTEST and answer == row.material and not _MAY_STAY_THE_SAME.search(row.request):
        return Found(f'the answer is the given text, unchanged: "{shorten(answer, 40)}"', place)
    if len(row.request) >= _LONG_ECHO and answer.startswith(row.request) and not _MAY_STAY_THE_SAME.search(row.request):
        return Found(
            f'the answer begins with the request: "{shorten(row.request, 40)}"', Span(place.turn, 0, len(row.request))
        )
    return None


COPIED_PROMPT = Signal("copied_prompt", "check", "the answer repeats the request", _copied)
