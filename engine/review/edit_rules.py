"""Fix once, offer to all: the mechanical change behind an edit, and the rows it fits as well.

Nothing here guesses. A change counts as mechanical where one of a few rules, derived from the edit, reproduces it
exactly; where none does, there is nothing to offer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.model import Row

LONGEST_AFFIX = 200
SHORTEST_AFFIX = 2
_WORD = re.compile(r"\w+(?:[.'’-]\w+)*|\s+|[^\w\s]")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A change in words, and what it does to a text: the same text where it does not fit."""

    about: str
    change: Callable[[str], str]


def derive(before: str, after: str, repairs: Mapping[str, Callable[[str], str]] | None = None) -> Rule | None:
    """The rule that turns `before` into `after`, or None where the change is no mechanical one.

    `repairs` are the signals' own, by name: they say more precisely what was mended, so they are tried first.
    """
    if before == after:
        return None
    for rule in _candidates(before, after, repairs or {}):
        if rule.change(before) == after:
            return rule
    return None


def _candidates(before: str, after: str, repairs: Mapping[str, Callable[[str], str]]) -> Iterator[Rule]:
    for name, repair in repairs.items():
        yield Rule(f"repair {name}", repair)
    yield Rule("close the code fence", _close_fence)
    yield Rule("strip space at the edges", str.strip)
    if len(after) < len(before):
        yield from _stripped(before, after)
    yield from _renamed(before, after)


def _close_fence(text: str) -> str:
    return f"{text.rstrip()}\n```" if text.count("```") % 2 else text


def _stripped(before: str, after: str) -> Iterator[Rule]:
    gone = len(before) - len(after)
    if not SHORTEST_AFFIX <= gone <= LONGEST_AFFIX or not after.strip():
        return
    if before.endswith(after):
        prefix = before[:gone]
        yield Rule(f'strip "{_shown(prefix)}" at the beginning', lambda text: text.removeprefix(prefix) or text)
    if before.startswith(after):
        suffix = before[-gone:]
        yield Rule(f'strip "{_shown(suffix)}" at the end', lambda text: text.removesuffix(suffix) or text)


def _renamed(before: str, after: str) -> Iterator[Rule]:
    """One term for another, everywhere it stands as a word."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    if start == len(old) or start == len(new):
        return
    # The first difference names the term; how far it reaches shows where both go on alike.
    for taken in range(1, 5):
        for put in range(1, 5):
            term, other = "".join(old[start : start + taken]), "".join(new[start : start + put])
            if old[start + taken : start + taken + 2] != new[start + put : start + put + 2]:
                continue
            if len(term.strip()) < 2 or not other.strip() or term != term.strip() or other != other.strip():
                continue
            pattern = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)")

            def change(text: str, pattern: re.Pattern[str] = pattern, other: str = other) -> str:
                return pattern.sub(lambda _: other, text)

            yield Rule(f'"{_shown(term)}" becomes "{_shown(other)}"', change)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule and the field it was made in; list positions are left open, so that any turn fits."""

    rule: Rule
    field: Path

    def changed(self, row: Row) -> Row | None:
        """The row with the rule applied in its field, or None where the rule changes nothing."""
        found: Any = row
        for path, text in leaves(row):
            if _open(path) == self.field and (mended := self.rule.change(text)) != text:
                found = _put(found, path, mended)
        return None if found is row else found


def derive_row(before: Row, after: Row, repairs: Mapping[str, Callable[[str], str]] | None = None) -> RowRule | None:
    """The one rule behind an edit of a row; None where several fields changed differently, or something was added."""
    old, new = dict(leaves(before)), dict(leaves(after))
    if old.keys() != new.keys():
        return None
    changed = [path for path in old if old[path] != new[path]]
    if not changed or len({_open(path) for path in changed}) != 1:
        return None
    rule = derive(old[changed[0]], new[changed[0]], repairs)
    if rule is None or any(rule.change(old[path]) != new[path] for path in changed):
        return None
    return RowRule(rule, _open(changed[0]))


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a row with the path to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))


def _open(path: Path) -> Path:
    return tuple("*" if isinstance(part, int) else part for part in path)


def _put(value: Any, path: Path, text: str) -> Any:
    if not path:
        return text
    head, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        return {key: _put(inner, rest, text) if key == head else inner for key, inner in value.items()}
    return [_put(inner, rest, text) if place == head else inner for place, inner in enumerate(value)]
