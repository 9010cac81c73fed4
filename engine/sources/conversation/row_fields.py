"""The fields of one row under the parts that a mapping gives them, and what of the row was read by that."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Any

from engine.model import Row
from engine.sources.mapping import Path, located, parse_path
from engine.sources.messages.leaves import Left
from engine.sources.messages.parts import parsed, plain
from engine.sources.messages.places import numbered_places, places_of


class RowFields:
    """`read` gets the place of every value that was asked for; `left` what was found and not understood."""

    __slots__ = ("left", "names", "read", "row")

    def __init__(self, row: Row, names: dict[str, str]) -> None:
        self.row = row
        self.names = names
        self.left: list[Left] = []
        self.read: list[Path] = []

    def value(self, part: str) -> Any:
        """The value of a part of the mapping, which thereby is read; None where it is not there, or is NaN, as pandas
        writes what is missing. Of several fields (`title+body`) their texts, parted by an empty line."""
        name = self.names.get(part)
        if name is None:
            return None
        if name in self.row:
            self.read.append((name,))
            held = self.row[name]
            return None if is_missing(held) else held
        steps, value = located(self.row, parse_path(name))
        if value is not None:
            self.read.append(steps)
            return value
        return joined(place for _, place in self.places(part))

    def places(self, part: str) -> list[tuple[Path, Any]]:
        """Every place that the field of a part names, with its value; they thereby are read."""
        name = self.names.get(part)
        found = places_of(self.row, name) if name is not None else []
        self.read += [path for path, _ in found]
        return found

    def numbered(self, part: str) -> list[tuple[tuple[int, ...], Path, Any]]:
        """The same with the number that each place has where the field has its star; () where it has none."""
        name = self.names.get(part)
        found = numbered_places(self.row, name) if name is not None else []
        self.read += [path for _, path, _ in found]
        return found

    def at(self, part: str) -> Path:
        """Where the value of a part stands."""
        name = self.names.get(part, "")
        if name in self.row:
            return (name,)
        steps, value = located(self.row, parse_path(name))
        if value is None:
            steps = next((path for path, _ in places_of(self.row, name)), steps)
        return steps

    def is_all_read(self) -> bool:
        """Whether every field of the row was read whole."""
        return len(self.read) >= len(self.row) and self.row.keys() <= {path[0] for path in self.read if len(path) == 1}

    def leave_rest(self) -> None:
        """Note everything that was not read."""
        self._leave(self.row, ())

    def _leave(self, held: Any, at: Path) -> None:
        held = parsed(held)
        inside = held.items() if isinstance(held, dict) else enumerate(held)
        for step, value in inside:
            path = (*at, step)
            if path in self.read or value is None:
                continue
            if any(read[: len(path)] == path for read in self.read):
                self._leave(value, path)
            else:
                self.left.append((path, value, False))


def is_missing(value: Any) -> bool:
    """Whether a value is NaN."""
    return type(value) is float and isnan(value)


def joined(values: Iterable[Any]) -> Any:
    """Several values as one: a single one as it is, several as their texts parted by an empty line; None for none."""
    found = [value for value in values if value not in (None, "", [], {})]
    if len(found) < 2:
        return found[0] if found else None
    return "\n\n".join(map(plain, found))
