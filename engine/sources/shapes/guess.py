"""Guessing which shape a source has, from the fields of its first rows. The person can correct it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.model import Row
from engine.phrases import counted
from engine.sources.mapping import SAMPLE_ROWS, Mapping
from engine.sources.messages.messages import looks_like_message, looks_like_messages, messages_in
from engine.sources.messages.parts import parsed
from engine.sources.shapes import names
from engine.sources.shapes.beside import beside, is_answer
from engine.sources.shapes.known_shape import Shape, values_at
from engine.sources.shapes.names import by_plain_name, plain_name
from engine.sources.shapes.shape_table import known_shape, shape_by_names
from engine.sources.shapes.shapes import first_choice, guess_alone, guess_fields, is_list_of_pairs, with_beside

HALVES = ("instruction", "output", "messages", "conversations", "prompt", "chosen", "text")
MOST_NESTED = 4
"""Levels of objects within each other in which a conversation is looked for."""


_FAILED = frozenset({"error", "errors", "exception"})
"""What went wrong with a request to a model is nobody's conversation."""
NO_SHAPE = "no known shape"
FEWEST_KNOWN = 0.05
"""Share of the rows that has to be of some known shape, so that a file is read by one."""


class Recognised(NamedTuple):
    """What one row is: the mapping it is read by, the entry of the table of shapes, and the name a person is told."""

    mapping: Mapping | None = None
    shape: Shape | None = None
    name: str = NO_SHAPE


@dataclass(frozen=True, slots=True)
class Guess:
    """The mapping that fits most of the rows; how many rows are of which shape by its name, the commonest first; and
    the number of the first row of each."""

    mapping: Mapping | None
    shapes: dict[str, int]
    first: dict[str, int]
    layouts: int
    """In how many ways these rows are laid out: messages with and without reasoning are two shapes, laid out alike."""
    is_plain: bool
    """Whether entries of the table know all rows, by more than the names of fields, and they are laid out alike."""

    @property
    def told(self) -> str:
        """`1,783 rows of Alpaca, 17 of ShareGPT, 3 of no known shape`."""
        (name, count), *rest = self.shapes.items() or [(NO_SHAPE, 0)]
        return ", ".join([f"{counted(count, 'row')} of {name}", *(f"{more:,} of {other}" for other, more in rest)])

    @property
    def mixed(self) -> str:
        """A sentence where the rows are laid out in more than one way, else ''."""
        return f"mixed shapes in the first {sum(self.shapes.values()):,} rows: {self.told}" if self.layouts > 1 else ""


def guess_mapping(rows: Iterable[Row]) -> Mapping | None:
    """The mapping that fits most of the first 200 rows, or None where no shape is recognised in any of them."""
    return guess_shapes(rows).mapping


def guess_shapes(rows: Iterable[Row]) -> Guess:
    """The mapping that fits most of the first 200 rows, with what the sample is made of."""
    return count_shapes(itertools.islice(rows, SAMPLE_ROWS))


def count_shapes(rows: Iterable[Row]) -> Guess:
    """The same of all rows. What is said of a row is gone through once for those that follow and are like it."""
    votes: dict[tuple[str | None, ...], tuple[int, Mapping]] = {}
    shapes: Counter[str] = Counter()
    first: dict[str, int] = {}
    layouts: set[tuple[str, ...]] = set()
    is_plain = True
    number = 0
    for found, alike in itertools.groupby(map(recognise, rows)):
        count = sum(1 for _ in alike)
        shapes[found.name] += count
        first.setdefault(found.name, number)
        number += count
        is_plain = is_plain and found.shape is not None and found.shape.is_plain
        guess = found.mapping
        if guess is None:
            layouts.add(())
            continue
        layouts.add((guess.shape, next((guess.fields[half] for half in HALVES if half in guess.fields), "")))
        # A part that only some rows carry (input, tools, rejected answers) belongs to the mapping all the same.
        halves = (guess.shape, *(guess.fields.get(half) for half in HALVES))
        before, known = votes.get(halves, (0, guess))
        votes[halves] = (before + count, Mapping(guess.shape, known.fields | (guess.fields | known.fields)))
    mapping = max(votes.values(), key=lambda vote: vote[0])[1] if votes else None
    if shapes[NO_SHAPE] > shapes.total() * (1 - FEWEST_KNOWN):
        # What a few rows look like would read nothing of the others.
        mapping = None
    return Guess(mapping, dict(shapes.most_common()), first, len(layouts), is_plain and len(layouts) == 1)


def recognise(row: Row) -> Recognised:
    """What a row is by the table of shapes, else by the names of its fields."""
    shape = known_shape(row)
    mapping = shape.mapping(row) if shape is not None else None
    if mapping is not None:
        mapping = with_beside(row, _answered_beside(row, mapping) or mapping)
    else:
        mapping = _by_names(row)
    if mapping is None:
        return Recognised()
    if shape is not None:
        return Recognised(mapping, shape, shape.name)
    where = [mapping.fields[half] for half in HALVES if half in mapping.fields]
    outer = where[0].rpartition(".")[0]
    inner = next(values_at(row, outer.split(".")), None) if outer else None
    shape = known_shape(inner) if isinstance(inner, dict) else None
    if shape is not None:
        return Recognised(mapping, shape_by_names(row, mapping), f"{shape.name} under {outer}")
    shape = shape_by_names(row, mapping)
    return Recognised(mapping, shape, f"{shape.name} ({', '.join(where)})")


def shape_of(row: Row) -> str:
    """The name of a row's shape, as a person is told it."""
    return recognise(row).name


def guess_row(row: Row) -> Mapping | None:
    """The mapping of one row by its own shape."""
    return recognise(row).mapping


def _by_names(row: Row) -> Mapping | None:
    """The shape of one row by the names of its fields, else by those of an object that one field holds."""
    found = guess_fields(row)
    # A lone text is a guess; an object beside it may hold the conversation.
    if found is None or found.shape == "text":
        found = _several_pairs(row) or _guess_nested(row) or found
    elif found.shape == "messages":
        found = _answered_beside(row, found) or found
    return found or guess_alone(row)


def _several_pairs(row: Row) -> Mapping | None:
    """`{"faqs": [{"question", "answer"}, …]}` under any name, where nothing else says what the row asks."""
    if any(plain_name(name) in names.REQUESTED for name in row):
        return None
    several = (
        name for name, held in row.items() if isinstance(held, list) and len(held) > 1 and is_list_of_pairs(held)
    )
    found = next((name for name in several if all(isinstance(pair, dict) for pair in row[name])), "")
    return Mapping("messages", {"messages": found} | beside(row, {found})) if found else None


def _answered_beside(row: Row, found: Mapping) -> Mapping | None:
    """`{"messages": […], "response": {"choices": […]}}`: messages that wait for their answer, and what came back."""
    asked = found.fields.get("messages", "")
    held = row.get(asked)
    # Of most rows the last message tells by its word that it is the answer.
    if not held or (isinstance(held, list) and isinstance(held[-1], dict) and held[-1].get("role") == "assistant"):
        return None
    said = messages_in(held, (), [])
    if not said or said[-1].role not in ("user", "tool"):
        return None
    for name, held in row.items():
        if name == asked or not any(word in plain_name(name) for word in (*names.SAYING, "choices")):
            continue
        answered = _messages_below(held, f"{name}.") if isinstance(held, dict | list) else ""
        if is_answer(held) and held != "" and plain_name(name).removesuffix("s") in names.SAID:
            answered = name
        if answered:
            rest = {part: field for part, field in found.fields.items() if part not in ("messages", "candidates")}
            return Mapping("alpaca", {"instruction": asked} | first_choice(answered) | rest)
    return None


def _guess_nested(row: Row) -> Mapping | None:
    """`{"request": {"messages": […]}}` -> messages at `request.messages`: the first object that holds a known shape,
    the outer ones first."""
    level: list[tuple[str, Any]] = [("", row)]
    for _ in range(MOST_NESTED):
        level = [
            (f"{path}{name}.", inner)
            for path, held in level
            for name, inner in ((name, parsed(value)) for name, value in _named(held))
            if isinstance(inner, dict | list) and "." not in name and name not in _FAILED
        ]
        for path, held in level:
            inner = _guess_object(held) if isinstance(held, dict) else None
            if isinstance(held, list) and looks_like_messages(held):
                # LangSmith keeps the messages of a run in a list of lists.
                inner, path = Mapping("messages", {"messages": path.removesuffix(".")}), ""
            if inner is not None:
                nested = _under_its_task(row, {part: f"{path}{name}" for part, name in inner.fields.items()})
                if inner.shape == "alpaca" and _is_beside_a_request(row, nested):
                    continue
                halves = _sent_and_received(level) if inner.shape == "messages" else {}
                if halves:
                    return Mapping("alpaca", halves | beside(row, halves.values()))
                return Mapping(inner.shape, nested | beside(row, nested.values()))
    return None


def _sent_and_received(level: list[tuple[str, Any]]) -> dict[str, str]:
    """What was sent to a model, and what came back, in two objects of one row; {} where it is not like that."""
    found: dict[str, str] = {}
    for path, held in level:
        first = plain_name(path.partition(".")[0])
        part = "output" if any(word in first for word in names.SAYING) else ""
        part = part or ("instruction" if any(word in first for word in names.ASKING) else "")
        deeper = _messages_below(held, path) if part else ""
        if deeper:
            found.setdefault(part, deeper)
    if len(found) < 2:
        return {}
    return found | first_choice(found["output"])


def _messages_below(held: Any, path: str) -> str:
    """Where inside an object messages stand, or one does; '' where none do."""
    level: list[tuple[str, Any]] = [(path, held)]
    for _ in range(MOST_NESTED):
        for at, inner in level:
            if looks_like_messages(inner) or looks_like_message(inner):
                return at.removesuffix(".")
        level = [(f"{at}{name}.", value) for at, inner in level for name, value in _named(inner) if "." not in name]
    return ""


def _under_its_task(row: Row, fields: dict[str, str]) -> dict[str, str]:
    """`{"instruction", "instances": [{"input", "output"}]}`: what is asked of the input stands outside."""
    if "input" in fields or plain_name(fields.get("instruction", "")) not in names.CONTEXTS:
        return fields
    by_name = by_plain_name(row)
    told = next((by_name[name] for name in names.REQUESTS[:4] if name in by_name), "")
    return fields | {"instruction": told, "input": fields["instruction"]} if isinstance(row.get(told), str) else fields


def _is_beside_a_request(row: Row, fields: dict[str, str]) -> bool:
    """Whether a pair inside of an object is not what the row is about: the choices, or the tests, of a question that
    stands outside."""
    words = (plain_name(name) for name, value in row.items() if isinstance(value, str) and len(value.split()) > 1)
    return "." in fields["instruction"] and not names.REQUESTED.isdisjoint(words)


def _guess_object(held: dict[str, Any]) -> Mapping | None:
    """The shape of an object inside a row: a lone text there is more likely a remark than the row."""
    shape = known_shape(held)
    found = (shape.mapping(held) if shape is not None else None) or guess_fields(held)
    if found is not None and found.shape != "text":
        return found
    if looks_like_message(held.get("message")):
        return Mapping("messages", {"messages": "message"})
    return None


def _named(held: Any) -> Iterator[tuple[str, Any]]:
    """The fields of an object; of a list its first element, at place 0."""
    if isinstance(held, dict):
        yield from held.items()
    elif isinstance(held, list) and held:
        yield "0", held[0]
