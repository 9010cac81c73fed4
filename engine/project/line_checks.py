"""What a journal line must be to be folded. One that a person, a merge, a wrong clock or a disk has spoilt is named,
left out, and costs no other; so is one that says what only a later version understands. Nothing is written that would
be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.model import SHAPES, VERDICTS
from engine.sources.mapping import parse_path

VERSION = 1
LARGEST_NUMBER = 10**15
"""Every reader of JSON holds numbers up to here as they are."""
YEARS = (1970, 2105)
"""What fits the columns of the snapshot; a clock that says anything else is wrong."""
DEEPEST = 200
"""Lists and objects in one another: what reads, compares and shows an edited row goes down into it."""
ACTS = frozenset(
    {
        *("accept", "reject", "skip", "edit", "reset", "tag", "note", "not_duplicates", "fine_together", "split"),
        *("add", "map", "holdout", "settle", "override"),
    }
)
# What a mapping of a shape cannot do without.
NEEDED_FIELDS = {
    "alpaca": ("instruction", "output"),
    "messages": ("messages",),
    "sharegpt": ("conversations",),
    "preference": ("chosen",),
    "text": ("text",),
}
_TEXT = frozenset({str})


def is_number(value: Any) -> bool:
    """Whether this can be the number of a line."""
    return type(value) is int and 0 < value <= LARGEST_NUMBER


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and _TEXT.issuperset(map(type, value))


def _is_acts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(act, dict) and isinstance(act.get("do"), str) for act in value)


def _is_rows(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(row, dict) and not _is_deep(row) for row in value.values())


def _is_deep(row: Mapping[str, Any]) -> bool:
    level: list[Any] = [row]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _is_renaming(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(old, str) for old in value.values())


def _is_families(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_texts, value))


def _is_time(value: Any) -> bool:
    """RFC 3339 in years that can be; nothing where nobody wrote it down."""
    if value == "":
        return True
    try:
        return isinstance(value, str) and YEARS[0] <= datetime.fromisoformat(value).year <= YEARS[1]
    except ValueError:
        return False


def _is_verdict(value: Any) -> bool:
    return isinstance(value, str) and value in VERDICTS


LINE_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "n": is_number,
    "at": _is_time,
    "by": _is_text,
    "why": _is_text,
    "prev": _is_text,
    "acts": _is_acts,
    "undo": is_number,
    "redo": is_number,
    "seen": _is_texts,
}
ACT_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "ids": _is_texts,
    "ids_file": _is_text,
    "edited": _is_rows,
    "tags": _is_texts,
    "untag": _is_texts,
    "text": _is_text,
    "verdict": _is_verdict,
    "of": _is_text,
    "checks": _is_texts,
    "changed": _is_renaming,
    "variants": _is_families,
    "proposal": _is_text,
    "declined": _is_text,
}


def check_line(line: Any) -> bool:
    """Whether the line holds acts of a later version (see `unknown`); unknown keys are let through.

    Raises ValueError with what is wrong.
    """
    if not isinstance(line, dict):
        raise ValueError("no JSON object")
    if "n" not in line:
        raise ValueError("no number n")
    # A journal of a long sitting has tens of thousands of lines: only the keys that a line has are looked at.
    for key, value in line.items():
        fits = LINE_KEYS.get(key)
        if fits is not None and not fits(value):
            raise ValueError(f"{key} is not what it should be")
    if line.get("v", VERSION) != VERSION:
        raise ValueError(f"a later version of tamis wrote it: v is {str(line['v'])[:20]}")
    acts = line.get("acts")
    if ("undo" in line) + ("redo" in line) + (acts is not None) != 1:
        raise ValueError("it must have one of acts, undo and redo")
    is_odd = False
    for act in acts or ():
        is_odd = is_odd or act["do"] not in ACTS
        for key, value in act.items():
            fits = ACT_KEYS.get(key)
            if fits is not None and not fits(value):
                raise ValueError(f"{key} of an act is not what it should be")
        if act["do"] == "map":
            is_odd = not _is_known_map(act) or is_odd
    return is_odd


def _is_known_map(act: Mapping[str, Any]) -> bool:
    """Whether this version knows the shape that an act maps to. Raises ValueError where its fields cannot be."""
    shape, fields = act.get("shape"), act.get("fields")
    if shape not in SHAPES:
        return False
    if not isinstance(fields, dict) or not all(isinstance(path, str) for path in fields.values()):
        raise ValueError("the fields of a mapping are not what they should be")
    if not all(name in fields for name in NEEDED_FIELDS[shape]):
        raise ValueError(f"a mapping to {shape} must name {' and '.join(NEEDED_FIELDS[shape])}")
    for path in fields.values():
        parse_path(path)
    return True


def unknown(line: Mapping[str, Any]) -> list[str]:
    """The acts of a line that this version does not know, in words; the line's other acts count."""
    found = []
    for act in line.get("acts", ()):
        if act["do"] not in ACTS:
            found.append(f"the act {act['do']!r}")
        elif act["do"] == "map" and act.get("shape") not in SHAPES:
            found.append(f"a mapping to {str(act.get('shape'))[:40]!r}")
    return found
