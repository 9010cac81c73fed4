"""Do two answers to the same request agree?

Short answers are taken at their word: any difference that is left after spelling, order and filler is a disagreement.
Long answers may say the same thing in many ways and are only called contradictory where they say the same words with
other numbers, the opposite polarity, another final result, or where one refuses.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from rapidfuzz import fuzz

from engine.scan.duplicates.key import Key, key_of
from engine.scan.duplicates.lexicon import is_typo
from engine.scan.duplicates.reader import NEGATION
from engine.scan.facts import one_spelling
from engine.scan.jsontext import as_json
from engine.scan.short_answers import agree, is_open, told_numbers
from engine.scan.signals.placeholder import is_placeholder
from engine.scan.signals.refusal import find_refusal
from engine.scan.text import exact_form, score_form, shorten

Relation = Literal["same", "nearly", "alternative", "conflict"]

SHORT = 120
ALIKE = 90.0
_DIGITS = re.compile(r"\d+")
_FINAL = re.compile(r"(?:####|\b(?:final )?answer(?: is|:)|\bresult(?: is|:))[ ]{0,3}([^\n]{1,60})", re.IGNORECASE)
_YES = re.compile(r"^(?:yes|true|correct|ja|oui|sí|si|是)\b", re.IGNORECASE)
_NO = re.compile(r"^(?:no|false|incorrect|nein|non|不|否)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two answers relate, and the difference in words ('"high" against "low"')."""

    relation: Relation
    why: str = ""


def compare_answers(one: str, other: str, request: Key | None = None) -> Comparison:
    """Compare two answers to what counts as the same `request`. Symmetric but for the order of words in `why`."""
    left, right = exact_form(one), exact_form(other)
    if left == right:
        return Comparison("same")
    if not left or not right or is_placeholder(one) or is_placeholder(other):
        return Comparison("nearly", "one answer is empty")
    refusals = sum(find_refusal(answer) is not None for answer in (one, other))
    if refusals == 1:
        return Comparison("conflict", "one answer refuses, the other answers")
    if refusals == 2 and max(len(one), len(other)) < SHORT:
        return Comparison("nearly", "both answers refuse")
    parsed = as_json(one), as_json(other)
    if parsed[0] is not None and parsed[1] is not None:
        return _compare_json(parsed[0], parsed[1])
    if _is_cut_off(left, right):
        return Comparison("nearly", "one answer is the beginning of the other")
    if (parsed[0] is None) != (parsed[1] is None):
        return (
            _compare_json_with_words(parsed[0], other)
            if parsed[0] is not None
            else _compare_json_with_words(parsed[1], one)
        )
    return _compare_words(one, other, request)


def _is_cut_off(one: str, other: str) -> bool:
    """Whether the shorter is how the longer begins, and long enough not to be an answer of its own ("12" and "125")."""
    shorter, longer = sorted((one, other), key=len)
    return (
        len(shorter) >= 12
        and longer.startswith(shorter)
        and (len(shorter) >= SHORT // 2 or shorter.startswith(("{", "[", "```")))
    )


def _scalars(value: Any, path: str = "") -> dict[str, str]:
    """Every leaf of a parsed JSON value by its dotted path, spelled alike. Lists of leaves lose their order."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= _scalars(inner, f"{path}.{str(key).casefold().strip()}" if path else str(key).casefold().strip())
        return found
    if isinstance(value, list):
        if all(not isinstance(inner, dict | list) for inner in value):
            return {path: ", ".join(sorted(_spell(inner) for inner in value))}
        found = {}
        for number, inner in enumerate(value):
            found |= _scalars(inner, f"{path}[{number}]")
        return found
    return {path: _spell(value)}


def _spell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = json.dumps(value) if isinstance(value, bool) or value is None else str(value)
    form = score_form(text) if not isinstance(value, int) else text
    return form or text.strip()


def _compare_json(one: Any, other: Any) -> Comparison:
    try:
        left, right = _scalars(one), _scalars(other)
    except RecursionError:
        return Comparison("alternative", "both are deeply nested")
    differing = [path for path in left if path in right and left[path] != right[path]]
    if not differing:
        missing = sorted(left.keys() ^ right.keys())
        return Comparison("nearly", f'only one has "{shorten(missing[0], 30)}"') if missing else Comparison("same")
    for path in differing:
        if len(left[path]) < SHORT and len(right[path]) < SHORT and not _misspelt(left[path], right[path]):
            name = f"{shorten(path, 30)}: " if path else ""
            return Comparison("conflict", f'{name}"{shorten(left[path], 40)}" against "{shorten(right[path], 40)}"')
    return Comparison("nearly" if all(_misspelt(left[path], right[path]) for path in differing) else "alternative", "")


def _misspelt(one: str, other: str) -> bool:
    """One label written with a slip ("biling", "billing"): not two labels."""
    return " " not in one + other and one.isalpha() and other.isalpha() and is_typo(one, other)


def _compare_json_with_words(parsed: Any, words: str) -> Comparison:
    """JSON against prose: they agree where the prose holds all the values."""
    held = f" {score_form(words)} "
    values = [value for value in _scalars(parsed).values() if value]
    absent = [value for value in values if f" {value} " not in held]
    if values and not absent:
        return Comparison("nearly", "same values, other format")
    if len(words) < SHORT and absent:
        return Comparison("conflict", f'"{shorten(absent[0], 40)}" against "{shorten(words, 40)}"')
    return Comparison("alternative", "other format")


def _compare_words(one: str, other: str, request: Key | None) -> Comparison:
    left, right = _key(one), _key(other)
    why = f'"{shorten(one, 40)}" against "{shorten(other, 40)}"'
    if _opposite(one, other):
        return Comparison("conflict", why)
    finals = _FINAL.search(one[-400:]), _FINAL.search(other[-400:])
    if finals[0] and finals[1]:
        results = score_form(finals[0].group(1)), score_form(finals[1].group(1))
        if results[0] == results[1]:
            return Comparison("nearly", "same result")
        if key_of(finals[0].group(1)).numbers != key_of(finals[1].group(1)).numbers:
            return Comparison(
                "conflict", f'"{shorten(finals[0].group(1), 40)}" against "{shorten(finals[1].group(1), 40)}"'
            )
    score = fuzz.ratio(score_form(one), score_form(other))
    if max(len(one), len(other)) >= SHORT:
        facts_differ = (
            told_numbers(left, right, request) != told_numbers(right, left, request)
            or left.bag[NEGATION] != right.bag[NEGATION]
            or left.beyond != right.beyond
        )
        if score >= ALIKE and not facts_differ:
            return Comparison("nearly")
        if not (left.code or right.code) and _same_words_other_facts(one, other, left, right, score):
            return Comparison("conflict", _difference(left, right))
        return Comparison("alternative")
    if agree(one, other, left, right, request):
        return Comparison("nearly")
    if request is not None and is_open(request):
        why += " (the request leaves room for both)"
    return Comparison("conflict", why)


def _same_words_other_facts(one: str, other: str, left: Key, right: Key, score: float) -> bool:
    """Whether two long answers are the same text but for their numbers (each has one the other lacks) or a "not"."""
    if score >= ALIKE and left.bag[NEGATION] != right.bag[NEGATION]:
        return True
    mine, theirs = Counter(left.numbers) - Counter(right.numbers), Counter(right.numbers) - Counter(left.numbers)
    if not mine or not theirs:
        return False
    return fuzz.ratio(_DIGITS.sub("", score_form(one)), _DIGITS.sub("", score_form(other))) >= ALIKE


@lru_cache(maxsize=4096)
def _key(answer: str) -> Key:
    """One answer is compared with many others of its group. "Yes" is an answer, though it asks nothing."""
    return key_of(one_spelling(answer) if len(answer) < SHORT else answer, opens=False)


def _opposite(one: str, other: str) -> bool:
    first, second = one.strip()[:20], other.strip()[:20]
    return bool((_YES.match(first) and _NO.match(second)) or (_NO.match(first) and _YES.match(second)))


def _difference(left: Key, right: Key) -> str:
    mine = Counter(left.numbers) - Counter(right.numbers)
    theirs = Counter(right.numbers) - Counter(left.numbers)
    if not mine and not theirs:
        return "one says not, the other does not"
    return f'"{", ".join(list(mine)[:4]) or "no number"}" against "{", ".join(list(theirs)[:4]) or "no number"}"'
