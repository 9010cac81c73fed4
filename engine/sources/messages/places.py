"""The places in a row that a field of a mapping names: one, those of a star (`q*`, `turns.*.text`), or joined ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from engine.numerals import whole_number
from engine.sources.mapping import Path, located, parse_path, parse_step, parted
from engine.sources.messages.parts import parsed

Step = str | int | re.Pattern[str]


@lru_cache(maxsize=4096)
def parse_field(text: str) -> tuple[tuple[Step, ...], ...]:
    """The paths that a field of a mapping names, each with a pattern where it has a star."""
    return tuple(tuple(map(_wide_step, parted(path.strip(), "."))) for path in parted(text, "+"))


def _wide_step(part: str) -> Step:
    if "*" not in part or part[:1] == '"':
        return parse_step(part)
    return re.compile("([0-9]+)".join(map(re.escape, part.split("*", 1))), re.DOTALL)


def is_numbered_path(text: str) -> bool:
    """Whether a field of a mapping names several places by a star."""
    return "*" in text and any(isinstance(step, re.Pattern) for path in parse_field(text) for step in path)


Numbers = tuple[int, ...]


def places_of(row: Any, text: str) -> list[tuple[Path, Any]]:
    """Every place in a row that a field of a mapping names, with what stands there (never None), in the order of the
    numbers; JSON text on the way is opened. A field whose whole name that is comes first."""
    return [(path, value) for _, path, value in numbered_places(row, text)]


def numbered_places(row: Any, text: str) -> list[tuple[Numbers, Path, Any]]:
    """The same, each with the numbers that stand for the stars."""
    if isinstance(row, dict) and text in row:
        return [((), (text,), row[text])] if row[text] is not None else []
    whole, value = located(row, parse_path(text))
    if value is not None:
        return [((), whole, value)]
    return [place for path in parse_field(text) for place in _spread(row, path, (), ())]


def named_by(text: str, path: Path) -> int:
    """How many steps of a path a field of a mapping names, where the path is that field or lies in it; else 0."""
    return max(
        (len(steps) for steps in parse_field(text) if len(steps) <= len(path) and all(map(_is_step, steps, path))),
        default=0,
    )


def _is_step(step: Step, taken: str | int) -> bool:
    if isinstance(step, re.Pattern):
        return step.fullmatch(str(taken)) is not None
    return str(step) == str(taken)


def _spread(held: Any, path: tuple[Step, ...], at: Path, numbers: Numbers) -> Iterator[tuple[Numbers, Path, Any]]:
    if not path:
        if held is not None:
            yield numbers, at, held
        return
    held = parsed(held)
    step, rest = path[0], path[1:]
    if isinstance(step, re.Pattern):
        for number, name, inner in _counted(held, step):
            yield from _spread(inner, rest, (*at, name), (*numbers, number))
    elif isinstance(held, dict):
        if str(step) in held:
            yield from _spread(held[str(step)], rest, (*at, str(step)), numbers)
    elif isinstance(held, list) and isinstance(step, int) and step < len(held):
        yield from _spread(held[step], rest, (*at, step), numbers)


def _counted(held: Any, step: re.Pattern[str]) -> list[tuple[int, str | int, Any]]:
    """The elements of a list, or the fields of an object whose names differ by a number, in its order."""
    if isinstance(held, list):
        return [(place, place, inner) for place, inner in enumerate(held)] if step.fullmatch("0") else []
    if not isinstance(held, dict):
        return []
    found = [(match, inner) for name, inner in held.items() if (match := step.fullmatch(str(name)))]
    counted = [(whole_number(match.group(1)) or 0, match.group(), inner) for match, inner in found]
    return sorted(counted, key=lambda one: one[:2])
