"""A shape of rows as data: its name, the fields it is known by, where its parts stand, an example and its reading.

Signs are dotted paths into the row. `a.b`: something stands there. `!a.b`: nothing does. `a.type=x|y`: one of these
words does. `a:messages`: a value of that kind (`KINDS`). `*` is any element of a list, or any value of an object; `a|b`
one path or the other, of the same kind. A key that holds dots itself is found, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any

from engine.model import Row, ShapeName
from engine.sources.mapping import Mapping
from engine.sources.messages.messages import looks_like_messages
from engine.sources.messages.preformatted import messages_of_text
from engine.sources.messages.trees import is_linked, is_node_map, is_reply_tree
from engine.sources.shapes.beside import is_answer, is_texts
from engine.sources.shapes.layouts import JSON_KINDS, FieldsOf
from engine.sources.shapes.shapes import is_list_of_pairs, is_numbered, only_text


def _is_lists_of_messages(held: list[Any]) -> bool:
    """Turn by turn a list of what is said to a model. Several that hold answers may be several conversations."""
    if not held or not all(isinstance(turn, list) and looks_like_messages(turn) for turn in held):
        return False
    return len(held) == 1 or all(message.get("role") != "assistant" for turn in held for message in turn)


_Fits = Callable[[Any], bool] | None
_NOT_NULL: tuple[frozenset[type], _Fits] = (JSON_KINDS - {type(None)}, None)
KINDS: dict[str, tuple[frozenset[type], _Fits]] = {
    "text": (frozenset({str}), None),
    "texts": (frozenset({list}), lambda value: is_texts(value) and len(value) > 1),
    "object": (frozenset({dict}), None),
    "messages": (frozenset({list}), looks_like_messages),
    "answer": (frozenset({str, list, dict}), lambda value: value != "" and is_answer(value)),
    "lists": (frozenset({list}), _is_lists_of_messages),
    "written": (frozenset({str}), looks_like_messages),
    "pairs": (frozenset({list}), is_list_of_pairs),
    "numbered": (frozenset({dict}), is_numbered),
    "replies": (frozenset({dict}), is_reply_tree),
    "nodes": (frozenset({dict}), is_node_map),
    "linked": (frozenset({list}), is_linked),
    "marked": (frozenset({str}), lambda value: messages_of_text(value) is not None),
}
"""What a sign may ask of a value: its kind in JSON, and what is true of it, where the kind does not say it all."""
_PARTS = {"prompt": "instruction", "response": "output"}


@dataclass(frozen=True, eq=False)
class Shape:
    """One entry of the table. `fields` says where each part stands, in the words of `--map`: a dotted path, `a|b` for
    the first of these that is there, `a.*` for the one text in an object or each element of a list; without any the
    names of the fields say it. `example` is one record (a tuple: several) and `reads` what it is read as. `how` names
    the procedure that a reading needs. `guessed` marks the last resort: rows that only the names of their fields tell,
    of that kind of mapping."""

    name: str
    signs: tuple[str, ...]
    example: Any
    reads: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)
    how: str = ""
    guessed: ShapeName | None = None

    @property
    def is_plain(self) -> bool:
        """Whether a row of this shape leaves nothing to guess."""
        return self.guessed is None

    def mapping(self, row: Row) -> Mapping | None:
        """Where the parts of this row stand; None where the entry leaves that to the names of the fields."""
        return _mapping_at(self, tuple(_first_place(row, *asked) for asked in self._asked))

    @cached_property
    def _asked(self) -> tuple[tuple[tuple[str, ...], bool], ...]:
        """Of each part its places, and whether it may be empty."""
        return tuple((tuple(places.split("|")), part in _MAY_BE_EMPTY) for part, places in self.fields.items())


@lru_cache(maxsize=1024)
def _mapping_at(shape: Shape, places: tuple[str, ...]) -> Mapping | None:
    """The mapping of a shape whose parts stand at these places, '' for none: the same for all rows alike."""
    kind = _kind(shape.fields)
    parts = (_PARTS.get(part, part) if kind == "alpaca" else part for part in shape.fields)
    found: dict[str, str] = {}
    for part, place in zip(parts, places, strict=True):
        if place and place not in found.values():
            found[part] = place
    ordered = {part: found[part] for part in ("prompt", *_HALVES) if part in found}
    return Mapping(kind, ordered | found) if found.keys() & {*_HALVES} else None


_HALVES = ("messages", "conversations", "instruction", "output", "chosen", "text")
_MAY_BE_EMPTY = frozenset({*_HALVES, "prompt", "response", "rejected", "input", "history", "system"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def _kind(fields: dict[str, str]) -> ShapeName:
    if "chosen" in fields:
        return "preference"
    if "conversations" in fields:
        return "sharegpt"
    return "messages" if "messages" in fields else "text" if "text" in fields else "alpaca"


def _first_place(row: Row, places: tuple[str, ...], may_be_empty: bool) -> str:
    """The first of these places where something stands, else the first that is there at all, as paths in this row; ''
    for none."""
    there = ""
    for place in places:
        if "." not in place:
            if place in row:
                if row[place] not in _EMPTY:
                    return place
                there = there or place
            continue
        outer, star, _ = place.partition(".*")
        for held in values_at(row, outer.split(".")):
            path = only_text(held, outer) if star and isinstance(held, dict) else place
            if star and not isinstance(held, dict | list):
                path = ""
            if path and held not in _EMPTY:
                return path
            there = there or path
    return there if may_be_empty else ""


class Sign:
    """One sign, taken apart once."""

    def __init__(self, sign: str) -> None:
        self.absent = sign.startswith("!")
        paths, equals, words = sign.removeprefix("!").partition("=")
        paths, colon, kind = paths.partition(":")
        self.paths = tuple(tuple(path.split(".")) for path in paths.split("|"))
        self._kinds, self._fits = KINDS[kind] if colon else _NOT_NULL
        if equals:
            self._kinds, self._fits = frozenset({str}), frozenset(words.split("|")).__contains__

    @property
    def names(self) -> set[str]:
        """The names that fields on the way may have; a name may hold dots itself."""
        cuts = ((path, *ends) for path in self.paths for ends in combinations(range(len(path) + 1), 2))
        return {".".join(path[start:end]) for path, start, end in cuts}

    def told_by(self, fields: FieldsOf) -> bool | None:
        """Whether all rows of a layout have the sign, or none; None where each has to be looked at."""
        told = [self._told_by(fields.kinds_at(path)) for path in self.paths]
        if None in told and True not in told:
            return None
        return (True in told) != self.absent

    def _told_by(self, kinds: Collection[type] | None) -> bool | None:
        if kinds is not None and self._kinds.isdisjoint(kinds):
            return False
        return True if kinds is not None and self._fits is None and self._kinds.issuperset(kinds) else None

    def stands_in(self, row: Row) -> bool:
        """Whether the row has the sign; for `!` whether it has not."""
        for path in self.paths:
            for value in values_at(row, path):
                if self._holds(value):
                    return not self.absent
        return self.absent

    def _holds(self, value: Any) -> bool:
        return type(value) in self._kinds and (self._fits is None or self._fits(value))


def values_at(held: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at a path, whole keys with dots in them first; each of the elements where it says `*`."""
    if not path:
        yield held
    elif path[0] == "*":
        inside = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
        rest = path[1:]
        for inner in inside:
            if len(rest) == 1 and type(inner) is dict and rest[0] in inner and rest[0] != "*":
                yield inner[rest[0]]
            else:
                yield from values_at(inner, rest)
    elif isinstance(held, dict):
        if path[0] in held:
            yield from values_at(held[path[0]], path[1:])
        elif len(path) > 1:
            size = next((size for size in range(len(path), 1, -1) if ".".join(path[:size]) in held), 0)
            if size:
                yield from values_at(held[".".join(path[:size])], path[size:])
    elif isinstance(held, list) and path[0].isdigit() and int(path[0]) < len(held):
        yield from values_at(held[int(path[0])], path[1:])
