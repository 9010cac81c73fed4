"""Answers in JSON, compared by the values they hold: order of keys and lists, case and ways of writing aside."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.scan.answers.facts import spellings
from engine.scan.answers.quantities import equal_values
from engine.scan.answers.relation import SHORT, Comparison
from engine.scan.code import pieces_of
from engine.scan.requests.content import canonical
from engine.scan.requests.lexicon import is_typo
from engine.scan.requests.marks import symbols_of
from engine.scan.text import score_form, shorten

_NUMBER = re.compile(r"(?<!\w)-?\d+(?:[.,]\d+)*")


def _scalars(value: Any, path: str = "") -> dict[str, str]:
    """Every leaf of a parsed JSON value by its dotted path, as text. Lists of leaves lose their order."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= _scalars(inner, f"{path}.{str(key).casefold().strip()}" if path else str(key).casefold().strip())
        return found
    if isinstance(value, list):
        if all(not isinstance(inner, dict | list) for inner in value):
            return {path: ", ".join(sorted((_written(inner) for inner in value), key=score_form))}
        found = {}
        for number, inner in enumerate(value):
            found |= _scalars(inner, f"{path}[{number}]")
        return found
    return {path: _written(value)}


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value).strip()


def _equal(one: str, other: str) -> bool:
    """Whether two values are one, however they are written. A sign and a point between digits count."""
    if one == other or equal_values(one, other):
        return True
    if symbols_of(one) != symbols_of(other) or pieces_of(one) != pieces_of(other):
        return False
    if score_form(one) != score_form(other) or not score_form(one):
        return _one_date(one, other)
    return _NUMBER.findall(one) == _NUMBER.findall(other)


def _one_date(one: str, other: str) -> bool:
    if not (one[:1].isalnum() and any(char.isdigit() for char in one) and len(one) + len(other) < SHORT):
        return False
    return not set(spellings(one)).isdisjoint(spellings(other))


def compare_json(one: Any, other: Any) -> Comparison:
    """Compare two parsed JSON values, leaf by leaf."""
    left, right = _scalars(one), _scalars(other)
    differing = [path for path in left if path in right and not _equal(left[path], right[path])]
    if not differing:
        missing = sorted(left.keys() ^ right.keys())
        if missing:
            return Comparison("nearly", f'only one has "{shorten(missing[0], 30)}"')
        alike = canonical(json.dumps(one)) == canonical(json.dumps(other))
        return Comparison("same") if alike else Comparison("nearly", "one value in two ways of writing")
    for path in differing:
        if len(left[path]) < SHORT and len(right[path]) < SHORT and not _misspelt(left[path], right[path]):
            name = f"{shorten(path, 30)}: " if path else ""
            return Comparison("conflict", f'{name}"{shorten(left[path], 40)}" against "{shorten(right[path], 40)}"')
    return Comparison("nearly" if all(_misspelt(left[path], right[path]) for path in differing) else "alternative", "")


def _misspelt(one: str, other: str) -> bool:
    """One label written with a slip ("biling", "billing"): not two labels."""
    return " " not in one + other and one.isalpha() and other.isalpha() and is_typo(one, other)


def compare_json_with_words(parsed: Any, words: str) -> Comparison:
    """JSON against prose: they agree where the prose holds all the values."""
    held = f" {score_form(words)} "
    values = [value for value in map(score_form, _scalars(parsed).values()) if value]
    absent = [value for value in values if f" {value} " not in held]
    if values and not absent:
        return Comparison("nearly", "same values, other format")
    if len(words) < SHORT and absent:
        return Comparison("conflict", f'"{shorten(absent[0], 40)}" against "{shorten(words, 40)}"')
    return Comparison("alternative", "other format")
