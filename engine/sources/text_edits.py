"""The texts of a row that a person may change, and the row with them changed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from engine.errors import UsageError
from engine.model import Row, ShapeName
from engine.sources.conversation import conversation_of
from engine.sources.guess import guess_row
from engine.sources.mapping import Mapping, Path, parse_path, value_at


@dataclass(frozen=True, slots=True)
class EditableField:
    """One text of a row that a person may change: its label, its path in the raw row, its text."""

    label: str
    path: Path
    text: str


def editable_fields(row: Row, mapping: Mapping) -> tuple[EditableField, ...]:
    """The texts of `row` that the editor shows, in reading order. Only plain strings can be edited in place."""
    own = mapping
    if not conversation_of(row, mapping).messages:
        own = guess_row(row) or mapping
    found: list[EditableField] = []
    for part in EDITED_PARTS[own.shape]:
        if part in own.fields:
            found += _texts_under(value_at(row, parse_path(own.fields[part])), parse_path(own.fields[part]))
    return tuple(found)


EDITED_PARTS: dict[ShapeName, tuple[str, ...]] = {
    "alpaca": ("system", "instruction", "input", "output"),
    "messages": ("messages",),
    "sharegpt": ("system", "conversations"),
    "preference": ("prompt", "chosen", "rejected"),
    "text": ("text",),
}


def _texts_under(value: Any, path: Path) -> list[EditableField]:
    """A string is one field; of a list of turns each turn's string is one."""
    if isinstance(value, str):
        return [EditableField(".".join(map(str, path)), path, value)]
    if not isinstance(value, list):
        return []
    fields = []
    for number, turn in enumerate(value):
        if isinstance(turn, dict):
            role = turn.get("role", turn.get("from", "?"))
            for key in ("content", "value"):
                if isinstance(turn.get(key), str):
                    fields.append(EditableField(f"turn {number + 1}, {role}", (*path, number, key), turn[key]))
    return fields


def with_texts(row: Row, texts: dict[Path, str]) -> dict[str, Any]:
    """A copy of `row` in which the string at each path is replaced. Raises UsageError for a path that is not there."""
    changed: dict[str, Any] = copy.deepcopy(dict(row))
    for path, text in texts.items():
        holder: Any = changed
        dotted = ".".join(str(step) for step in path)
        if dotted in changed:
            changed[dotted] = text
            continue
        for step in path[:-1]:
            holder = value_at(holder, (step,))
        if not isinstance(holder, dict | list) or value_at(holder, path[-1:]) is None:
            raise UsageError(f"the row has no text at {dotted}")
        last = path[-1]
        # A key of digits is a place only in a list.
        holder[str(last) if isinstance(holder, dict) else last] = text  # type: ignore[index]
    return changed
