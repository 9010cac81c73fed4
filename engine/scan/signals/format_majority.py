"""Answers in another format than the rest of the set: prose among JSON objects, a missing key, a label nobody else
uses.

Only formats that at least 80 % of the rows share count. Soft traits (final stops, capitals, Markdown) were measured and
left out: they flag more good rows than bad ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.model import Example, Span
from engine.scan.jsontext import as_json, stops_half_way
from engine.scan.signals.placeholder import is_placeholder
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, has_calls, last_turn
from engine.scan.text import shorten

MAJORITY = 0.8
FEWEST_ROWS = 20
MOST_LABELS, LABELS_COVER, LONGEST_LABEL = 30, 0.95, 40
_NAMES = {
    "object": "JSON objects",
    "array": "JSON arrays",
    "fence": "code blocks",
    "prose": "text",
    "number": "numbers",
}
_ONE = {
    "object": "a JSON object",
    "array": "a JSON array",
    "fence": "a code block",
    "prose": "text",
    "number": "a number",
}


@dataclass(frozen=True, slots=True)
class Majority:
    """What most answers are: their format and its share, the keys that most objects have, and the closed sets of
    labels.

    `labels[key]` are the values of a key that only ever takes a few; key "" stands for whole answers.
    """

    format: str
    share: float
    keys: dict[str, float]
    labels: dict[str, frozenset[str]]


def survey(examples: Sequence[Example]) -> Majority | None:
    """The majority's format, or None where there is none or the set is small."""
    formats: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    values: dict[str, Counter[str]] = {}
    for example in examples:
        answer = example.answer
        if not answer.strip() or has_calls(example):
            continue
        name, parsed = _format_of(answer)
        formats[name] += 1
        if isinstance(parsed, dict):
            keys.update(parsed.keys())
            for key, value in parsed.items():
                if isinstance(value, str) and len(value) <= LONGEST_LABEL:
                    values.setdefault(key, Counter())[value] += 1
        elif name == "prose" and len(answer) <= LONGEST_LABEL:
            values.setdefault("", Counter())[answer.strip()] += 1
    total = formats.total()
    if total < FEWEST_ROWS:
        return None
    name, count = formats.most_common(1)[0]
    labels = {key: closed for key, counts in values.items() if (closed := _closed(counts, keys[key] if key else total))}
    if count / total < MAJORITY:
        return None
    shares = {key: keys[key] / count for key in keys if keys[key] / count >= MAJORITY} if name == "object" else {}
    used = {key: closed for key, closed in labels.items() if key in shares or (name == "prose" and not key)}
    return Majority(name, count / total, shares, used)


def _format_of(answer: str) -> tuple[str, Any]:
    text = answer.strip()
    if text[0] in "{[`":
        parsed = as_json(text)
        if isinstance(parsed, dict):
            return "object", parsed
        if isinstance(parsed, list):
            return "array", parsed
        if text.startswith("```") and text.endswith("```"):
            return "fence", None
    if len(text) <= 20 and text.replace(",", "").replace(".", "", 1).lstrip("-+$€").rstrip("%").isdigit():
        return "number", None
    return "prose", None


def _closed(counts: Counter[str], of: int) -> frozenset[str] | None:
    """The labels of a closed set: a few values, each often used, that cover nearly all rows; None where values are
    free.
    """
    often = [value for value, count in counts.most_common(MOST_LABELS) if count >= max(3, of // 200)]
    covered = sum(counts[value] for value in often)
    return frozenset(often) if of >= FEWEST_ROWS and len(often) >= 2 and covered >= LABELS_COVER * of else None


def _format_majority(example: Reading, majority: Majority | None) -> Found | None:
    answer = example.answer
    if majority is None or not answer.strip() or has_calls(example) or is_placeholder(answer):
        return None
    place = Span(last_turn(example), 0, len(answer))
    name, parsed = _format_of(answer)
    if name != majority.format:
        if majority.format in ("object", "array") and stops_half_way(answer):
            return None  # `truncated` says it better
        if majority.format == "prose" and not majority.labels:
            return None  # in a set of free text everything is allowed
        what = "broken JSON" if majority.format in ("object", "array") and answer.strip()[0] in "{[" else _ONE[name]
        return Found(
            f"the answer is {what}; {majority.share:.0%} of the answers here are {_NAMES[majority.format]}: "
            f'"{shorten(answer, 40)}"',
            place,
        )
    if isinstance(parsed, dict):
        return _object(parsed, majority, answer, place)
    if name == "prose" and "" in majority.labels and answer.strip() not in majority.labels[""]:
        return Found(f'"{shorten(answer, 40)}" is none of the labels used here ({_listed(majority.labels[""])})', place)
    return None


def _object(parsed: dict[str, Any], majority: Majority, answer: str, place: Span) -> Found | None:
    for key, share in majority.keys.items():
        if key not in parsed:
            return Found(f'the key "{shorten(key, 30)}" is missing; {share:.0%} of the answers here have it', place)
    if majority.keys:
        for key in parsed:
            if key not in majority.keys:
                return Found(
                    f'the key "{shorten(str(key), 30)}" stands in hardly any other answer',
                    _where(answer, str(key), place),
                )
    for key, labels in majority.labels.items():
        value = parsed.get(key)
        if key and isinstance(value, str) and value not in labels:
            reason = f'{shorten(key, 30)} is "{shorten(value, 40)}"; elsewhere it is one of {_listed(labels)}'
            return Found(reason, _where(answer, value, place))
        if key and key in parsed and not isinstance(value, str):
            return Found(f"{shorten(key, 30)} is not text; elsewhere it is one of {_listed(labels)}", place)
    return None


def _where(answer: str, part: str, place: Span) -> Span:
    start = answer.find(part) if part else -1
    return place if start < 0 else Span(place.turn, start, start + len(part))


def _listed(labels: frozenset[str]) -> str:
    shown = sorted(labels)[:5]
    return ", ".join(shorten(label, 20) for label in shown) + (", …" if len(labels) > 5 else "")


FORMAT_MAJORITY = Signal("format_majority", "check", "the answer's format is not the set's", _format_majority, survey)
