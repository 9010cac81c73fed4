"""Lists with more or fewer items than were asked for."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.counts import NUMBER, counts_up, items_in, number_in
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_ASKS = re.compile(
    rf"\b(?:list|give|name|provide|generate|create|write|suggest|identify|come up with|describe|find|propose|make|"
    rf"tell|offer|state|"
    rf"brainstorm|mention|recommend|outline|explain|produce|compile|think of|what are|share|show|choose|pick|select|"
    rf"categorize|rank|compose|develop|prepare|add|formulate|devise)\b"
    rf"[^.?!:\n]{{0,40}}?\b(?P<count>{NUMBER})\b (?P<what>(?:[\w'-]{{1,20}} ){{0,5}}?(?:[\w'-]{{2,20}}s|people|men|"
    rf"women|children))\b",
    re.IGNORECASE,
)
_NOT_COUNTED = re.compile(
    r"\b(?:per ?cents?|percents?|years?|hours?|minutes?|seconds?|days?|weeks?|months?|millions?|billions?|hundreds?|"
    r"thousands?|dollars?|lines?|paragraphs?|"
    r"words?|sentences?|syllables?|letters?|pages?|digits?|degrees?|persons?|parts?|stanzas?|verses?|bullets?|"
    r"chapters?|"
    r"times|miles?|kms?|kilometers?|cms?|meters?|inches|inch|cups?|players?|bedrooms?|kg|grams?|pounds?|tokens?|"
    r"dimensions?|variables?|dice|sides?|or|to|and|by|x|than|this|is|was|has|its)\b",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"\b(?:at least|up to|or more|minimum|maximum|at most|no more than|approximately|between|a few|more than|"
    r"less than)\b|"
    r"\b(?:about|around|per) (?:\d|two|three|four|five|six|ten)|\b(?:for|in|from|per|to) (?:each|every)\b|"
    r"-\s?\d|\d\s?[-–]\s?\d|\b(?:pros and cons|recipe|columns?|rows?|tables?|stor(?:y|ies)|plans?|poems?|"
    r"functions?|code|program|dialogues?|conversations?|paragraphs?|algorithms?|sentences?|quiz|multiple.choice|"
    r"answers|"
    r"haikus?|limericks?|differences?|similarities|letters?|numbers? (?:between|from)|sum|average|compare|contrast)\b|"
    r"(?<!\bup )\bwith (?:\w+ )?(?:\d|two|three|four|five)\b",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(rf"\b(?!one\b){NUMBER}\b(?! of)|\b(?!one\b){NUMBER} of\b|\bzero\b|\d{{3,}}", re.IGNORECASE)
_SPLIT = re.compile(r"\s*(?:,|;)\s*(?:and\s+|&\s*)?|\s+(?:and|&)\s+")


_JOINS = re.compile(r"\b(?:or|to|and|by|x|than|this|is|was|has|its|times)\b", re.IGNORECASE)


def _uncounted(what: str) -> bool:
    """Whether the number counts no items: it measures something, or belongs to another phrase."""
    return _NOT_COUNTED.fullmatch(what.split()[-1]) is not None or _JOINS.search(what) is not None


def _list_count(row: Reading, survey: None) -> Found | None:
    if not row.is_single or row.is_code or len(row.request) > 400 or not row.answer.strip():
        return None
    found = _ASKS.search(row.request)
    if found is None or _uncounted(found["what"]) or _LOOSE.search(row.request):
        return None
    asked, what = number_in(found["count"]), shorten(found["what"], 40)
    if not 2 <= asked <= 30 or len(_ANY_NUMBER.findall(row.request)) != 1:
        return None
    place = Span(last_turn(row), 0, len(row.answer))
    answer = row.answer.strip()
    items = items_in(answer)
    if items and counts_up(answer) == items != asked:
        return Found(f"asks for {asked} {what}, lists {items}", place)
    if items:
        # Sub-items under fewer headings, and headings over sub-items, are other ways to count.
        return (
            None
            if items == asked or _other_count(answer, asked)
            else Found(f"asks for {asked} {what}, lists {items}", place)
        )
    lines = [line for line in answer.split("\n") if line.strip()]
    if len(lines) > 1:
        return _by_lines(lines, asked, what, place)
    bare = answer.rstrip(".")
    if ":" in bare:
        bare = bare.partition(":")[2] if len(bare.partition(":")[0].split()) <= 15 else ""
    if not bare.strip() or re.search(r"[.!?]\s", bare):
        return None
    pieces = [piece for piece in _SPLIT.split(bare.strip()) if piece]
    if len(pieces) >= 2 and len(pieces) != asked and all(len(piece.split()) <= 4 for piece in pieces):
        return Found(f"asks for {asked} {what}, names {len(pieces)}", place)
    return None


def _by_lines(lines: list[str], asked: int, what: str, place: Span) -> Found | None:
    """Short lines without marks are items, a first line that ends in a colon aside."""
    items = lines[1:] if lines[0].rstrip().endswith(":") else lines
    if (
        len(items) >= 2
        and len(items) != asked
        and all(len(item.split()) <= 8 for item in items)
        and not any(item.rstrip().endswith(":") for item in items)
    ):
        return Found(f"asks for {asked} {what}, lists {len(items)}", place)
    return None


def _other_count(answer: str, asked: int) -> bool:
    """Whether some other way to count gives what was asked for: paragraphs, headings, lines."""
    lines = [line for line in answer.split("\n") if line.strip()]
    paragraphs = [part for part in re.split(r"\n\s*\n", answer) if part.strip()]
    headings = sum(line.rstrip().endswith(":") for line in lines)
    flush = sum(not line.startswith((" ", "\t")) for line in lines)
    bulleted = sum(line.lstrip()[:1] in "-*•–" for line in lines)
    return (
        asked in (len(paragraphs), headings, len(lines), flush, bulleted)
        and not len(lines) == asked == items_in(answer) + 1
    )


LIST_COUNT = Signal("list_count", "check", "the list has another number of items than asked for", _list_count)
