"""What a journal line must look like before it is folded: a line that a person, a merge or a disk has spoilt is left
out by name and costs none of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def check_line(line: Any) -> None:
    """Raises ValueError with what is wrong. Unknown keys and acts are let through: a later version wrote them."""
    if not isinstance(line, dict):
        raise ValueError("no JSON object")
    if not _is_number(line.get("n")):
        raise ValueError("no number n")
    # A journal of a long sitting has tens of thousands of lines: only the keys that a line has are looked at.
    for key, value in line.items():
        fits = LINE_KEYS.get(key)
        if fits is not None and not fits(value):
            raise ValueError(f"{key} is not what it should be")
    for act in line.get("acts", ()):
        for key, value in act.items():
            fits = ACT_KEYS.get(key)
            if fits is not None and not fits(value):
                raise ValueError(f"{key} of an act is not what it should be")


_TEXT = frozenset({str})


def _is_number(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and _TEXT.issuperset(map(type, value))


def _is_acts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(act, dict) and isinstance(act.get("do"), str) for act in value)


def _is_rows(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(row, dict) for row in value.values())


def _is_renaming(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(old, str) for old in value.values())


def _is_families(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_texts, value))


LINE_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "acts": _is_acts,
    "undo": _is_number,
    "redo": _is_number,
    "seen": _is_texts,
}
ACT_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "ids": _is_texts,
    "ids_file": _is_text,
    "edited": _is_rows,
    "tags": _is_texts,
    "untag": _is_texts,
    "changed": _is_renaming,
    "variants": _is_families,
}
