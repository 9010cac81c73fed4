"""Answers longer than the request allows, or of another length than it states."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.counts import NUMBER_WORDS, number_in
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn

_N = rf"(?:\d{{1,3}}|{'|'.join(NUMBER_WORDS)})"
_LIMIT = re.compile(
    rf"\b(?:in|of|to|using|within|under|less than|fewer than|at most|no more than|not more than|exactly|only|"
    rf"limit(?:ed)? to)"
    rf"(?: (?:at most|less than|fewer than|under|no more than|exactly|only|max(?:imum)?(?: of)?|a maximum of))? "
    rf"(?P<count>{_N}) (?P<unit>words?|sentences?|characters?)\b(?! (?:or more|minimum|each|long words))",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"at least|or more|minimum|more than|about|around|approx|roughly|between|\d\s?[-–]\s?\d|\d to |words? (?:that|"
    r"with|from|starting)|each|every",
    re.I,
)
_UPPER = re.compile(r"less|fewer|under|most|no more|not more|within|max|limit", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]?\s+(?=[A-Z\"“'‘(\d])")
_SHORT_FORM = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e|U\.S|No|Inc|Jr|Sr|Prof|[A-Z])\.", re.IGNORECASE)


def _length_limit(row: Reading, survey: None) -> Found | None:
    if not row.is_single or row.is_code or not row.answer.strip() or len(row.request) > 600:
        return None
    answer = row.answer.strip()
    for found in _LIMIT.finditer(row.request):
        before = row.request[max(0, found.start() - 25) : found.end()].lower()
        after = row.request[found.end() : found.end() + 20].lower()
        if _LOOSE.search(before.replace("no more than", "").replace("not more than", "") + after):
            continue
        limit = number_in(found["count"])
        unit = found["unit"].lower().rstrip("s")
        upper = _UPPER.search(before) is not None
        has = _measured(answer, unit)
        if has is not None and limit and _breaks(has, limit, unit, upper):
            asked = f"{'at most ' if upper else ''}{limit} {unit}{'' if limit == 1 else 's'}"
            return Found(f"asks for {asked}, has {has}", Span(last_turn(row), 0, len(row.answer)))
    return None


def _measured(answer: str, unit: str) -> int | None:
    if unit == "word":
        return len(answer.split())
    if unit == "character":
        return len(answer)
    if "\n" in answer:
        return None  # lists and verses have no sentences to count
    return len([part for part in _SENTENCE_END.split(_SHORT_FORM.sub("A", answer)) if len(part.split()) > 1])


def _breaks(has: int, limit: int, unit: str, upper: bool) -> bool:
    if unit == "word":
        return has > 1.1 * limit + 1 if upper or limit > 12 else has != limit
    if unit == "sentence":
        return has > limit if upper else has != limit
    return has > 1.02 * limit


LENGTH_LIMIT = Signal("length_limit", "check", "the answer is longer than the request allows", _length_limit)
