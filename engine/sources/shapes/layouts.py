"""How a row is laid out: the names and the kinds of its values, down to the objects in its lists. What the layout says
by itself holds for all rows alike, and is found out once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, NamedTuple

from engine.model import Row

_SCALARS: frozenset[type] = frozenset({str, int, float, bool, type(None)})
JSON_KINDS: frozenset[type] = _SCALARS | {list, dict}


class ListLayout(NamedTuple):
    """The objects in a list whose first element is one: the names in any of them, the kinds of all their values, and
    the names that hold a list or an object in one of them."""

    names: frozenset[str]
    kinds: frozenset[type]
    opened: frozenset[str]


class Layout(NamedTuple):
    """The fields of a row, the kind of the value of each, and what is in those lists of it that hold objects."""

    names: tuple[str, ...]
    kinds: tuple[type, ...]
    lists: tuple[tuple[str, ListLayout], ...]

    @property
    def size(self) -> int:
        """Characters of all names."""
        return len("".join(self.names)) + sum(len("".join(held.names)) for _, held in self.lists)

    def only(self, names: frozenset[str]) -> Layout:
        """What it says of fields of these names."""
        kept = [(name, kind) for name, kind in zip(self.names, self.kinds, strict=True) if name in names]
        lists = [
            (name, ListLayout(held.names & names, held.kinds, held.opened & names))
            for name, held in self.lists
            if name in names
        ]
        return Layout(tuple(name for name, _ in kept), tuple(kind for _, kind in kept), tuple(lists))


def layout_of(row: Row) -> Layout:
    """How a row is laid out; equal for rows alike."""
    kinds = tuple(map(type, row.values()))
    if list not in kinds:
        return Layout(tuple(row), kinds, ())
    lists = [(name, held) for name, held in row.items() if type(held) is list and held and type(held[0]) is dict]
    return Layout(tuple(row), kinds, tuple([(name, _list_layout(held)) for name, held in lists]))


def _list_layout(held: list[Any]) -> ListLayout:
    objects = held if set(map(type, held)) == {dict} else [one for one in held if isinstance(one, dict)]
    names: frozenset[str] = frozenset().union(*objects)
    kinds = frozenset(map(type, chain.from_iterable(map(dict.values, objects))))
    if kinds <= _SCALARS:
        return ListLayout(names, kinds, frozenset())
    opened = [name for one in objects for name, value in one.items() if type(value) not in _SCALARS]
    return ListLayout(names, kinds, frozenset(opened))


class FieldsOf:
    """A layout, to be asked what stands at a path."""

    def __init__(self, layout: Layout) -> None:
        self._kinds = dict(zip(layout.names, layout.kinds, strict=True))
        self._lists = dict(layout.lists)
        self._dotted = any("." in name for name in layout.names)

    def kinds_at(self, path: Sequence[str]) -> Collection[type] | None:
        """The kinds that all values at a path have; none where nothing stands there, None where the layout does not
        tell."""
        size = 1
        if path[0] not in self._kinds:
            size = max(_sizes(path, self._kinds), default=0) if self._dotted else 0
            if not size:
                return ()
        name, rest = ".".join(path[:size]), path[size:]
        if not rest or self._kinds[name] in _SCALARS:
            return () if rest else (self._kinds[name],)
        held = self._lists.get(name)
        if held is None or rest[0] != "*" or len(rest) < 2 or rest[1] == "*" or rest[1].isdigit():
            return None
        sizes = _sizes(rest[1:], held.names)
        if not sizes:
            return ()
        inner = ".".join(rest[1 : 1 + sizes[0]])
        if len(sizes) > 1 or inner in held.opened:
            return None
        return () if len(rest) > 1 + sizes[0] else held.kinds & _SCALARS


def _sizes(path: Sequence[str], names: Collection[str]) -> list[int]:
    """How many steps of a path a name may take: a name may hold dots itself."""
    return [size for size in range(1, len(path) + 1) if ".".join(path[:size]) in names]
