"""A shape of rows as data: its name, the fields it is known by, where its parts stand, an example and its reading.

Signs are dotted paths into the row. `a.b`: something stands there. `!a.b`: nothing does. `a.type=x|y`: one of these
words does. `a:messages`: a value of that kind (`KINDS`). `*` is any element of a list, or any value of an object; `a|b`
one path or the other, of the same kind. A key that holds dots itself is found, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.model import Row, ShapeName
from engine.sources.mapping import Mapping
from engine.sources.messages.messages import looks_like_messages
from engine.sources.messages.preformatted import messages_of_text
from engine.sources.messages.trees import is_linked, is_node_map, is_reply_tree
from engine.sources.shapes.beside import is_answer, is_texts
from engine.sources.shapes.shapes import is_list_of_pairs, is_numbered, only_text

KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "texts": lambda value: is_texts(value) and len(value) > 1,
    "object": lambda value: isinstance(value, dict),
    "messages": lambda value: isinstance(value, list) and looks_like_messages(value),
    "answer": lambda value: is_answer(value) and value != "",
    "lists": lambda value: isinstance(value, list) and _is_lists_of_messages(value),
    "written": lambda value: isinstance(value, str) and looks_like_messages(value),
    "pairs": lambda value: isinstance(value, list) and is_list_of_pairs(value),
    "numbered": lambda value: isinstance(value, dict) and is_numbered(value),
    "replies": is_reply_tree,
    "nodes": is_node_map,
    "linked": is_linked,
    "marked": lambda value: isinstance(value, str) and messages_of_text(value) is not None,
}


def _is_lists_of_messages(held: list[Any]) -> bool:
    """Turn by turn a list of what is said to a model. Several that hold answers may be several conversations."""
    if not held or not all(isinstance(turn, list) and looks_like_messages(turn) for turn in held):
        return False
    return len(held) == 1 or all(message.get("role") != "assistant" for turn in held for message in turn)


_PARTS = {"prompt": "instruction", "response": "output"}


@dataclass(frozen=True, slots=True)
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
        kind = _kind(self.fields)
        found: dict[str, str] = {}
        for part, places in self.fields.items():
            place = _first_place(row, places.split("|"), may_be_empty=part in _MAY_BE_EMPTY)
            if place and place not in found.values():
                found[_PARTS.get(part, part) if kind == "alpaca" else part] = place
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


def _first_place(row: Row, places: list[str], *, may_be_empty: bool) -> str:
    """The first of these places where something stands, else the first that is there at all, as paths in this row; ''
    for none."""
    there = ""
    for place in places:
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
        self._words = frozenset(words.split("|")) if equals else None
        self._fits = KINDS[kind] if colon else None

    def may_stand_in(self, outline: frozenset[str]) -> bool:
        """Whether something can stand at one of the paths in a row of this outline (`outline_of`)."""
        return any(_may_lead(path, outline) for path in self.paths)

    def stands_in(self, row: Row) -> bool:
        """Whether the row has the sign; for `!` whether it has not."""
        return any(self._holds(value) for path in self.paths for value in values_at(row, path)) != self.absent

    def _holds(self, value: Any) -> bool:
        if self._words is not None:
            return isinstance(value, str) and value in self._words
        return self._fits(value) if self._fits is not None else value is not None


def outline_of(row: Row) -> frozenset[str]:
    """The names of a row's fields, and of what is in a list of objects also theirs: `messages`, `messages[]`,
    `messages.*.role`; `messages.*.content.*` where one of these holds a list or an object itself."""
    outline = set(row)
    for name, held in row.items():
        if isinstance(held, list) and held and isinstance(held[0], dict):
            inner: set[str] = set()
            for one in held:
                if isinstance(one, dict):
                    inner.update(one)
                    inner.update(f"{key}.*" for key, value in one.items() if isinstance(value, list | dict))
            outline.add(f"{name}[]")
            outline.update(f"{name}.*.{key}" for key in inner)
    return frozenset(outline)


def _may_lead(path: tuple[str, ...], outline: frozenset[str]) -> bool:
    for size in range(1, len(path) + 1):
        name = ".".join(path[:size])
        if name in outline:
            rest = path[size:]
            if rest[:1] != ("*",) or len(rest) < 2 or f"{name}[]" not in outline:
                return True
            inner = f"{name}.*.{rest[1]}"
            if len(rest) > 2 and rest[2] == "*":
                return f"{inner}.*" in outline
            return any(f"{name}.*.{'.'.join(rest[1:end])}" in outline for end in range(2, len(rest) + 1))
    return False


def values_at(held: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at a path, whole keys with dots in them first; each of the elements where it says `*`."""
    if not path:
        yield held
    elif path[0] == "*":
        inside = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
        for inner in inside:
            yield from values_at(inner, path[1:])
    elif isinstance(held, dict):
        if path[0] in held:
            yield from values_at(held[path[0]], path[1:])
        elif len(path) > 1:
            size = next((size for size in range(len(path), 1, -1) if ".".join(path[:size]) in held), 0)
            if size:
                yield from values_at(held[".".join(path[:size])], path[size:])
    elif isinstance(held, list) and path[0].isdigit() and int(path[0]) < len(held):
        yield from values_at(held[int(path[0])], path[1:])
