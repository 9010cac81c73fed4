"""Guessing which shape a source has, from the names of the fields in its first rows. The person can correct it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.model import Row
from engine.sources.mapping import Mapping, is_turn_list, parse_path, turn_list, value_at

# The two halves of a request/answer row, most specific names first. A name is only taken where both halves are there.
PAIR_FIELDS: tuple[tuple[str, str], ...] = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("problem", "solution"),
    ("input", "output"),
    ("inputs", "targets"),
    ("context", "response"),
)
CONTEXT_FIELDS = ("input", "context")
MESSAGE_FIELDS = (
    "messages",
    "conversation",
    "conversations",
    "dialogue",
    "dialog",
    "chat",
    "turns",
)
SHAREGPT_FIELDS = ("conversations", "conversation", "items")
TEXT_FIELDS = ("text", "content")
SAMPLE_ROWS = 200
HALVES = ("instruction", "output", "messages", "conversations", "chosen", "rejected", "text")


@dataclass(frozen=True, slots=True)
class Guess:
    """A mapping guessed from a sample, and how many sampled rows had which shape (`unknown` counts the rest)."""

    mapping: Mapping | None
    shapes: dict[str, int]

    @property
    def mixed(self) -> str:
        """A sentence where the sample holds more than one shape, else ''."""
        if len(self.shapes) < 2:
            return ""
        parts = ", ".join(f"{count} {shape}" for shape, count in sorted(self.shapes.items(), key=lambda item: -item[1]))
        return f"mixed shapes in the first {sum(self.shapes.values())} rows: {parts}"


def guess_mapping(rows: Iterable[Row]) -> Mapping | None:
    """The mapping that fits most of the first 200 rows, or None where no shape is recognised in any of them."""
    return guess_shapes(rows).mapping


def guess_shapes(rows: Iterable[Row]) -> Guess:
    """The mapping that fits most of the first 200 rows, with what the sample is made of."""
    votes: dict[str, tuple[int, Mapping]] = {}
    shapes: dict[str, int] = {}
    for _, row in zip(range(SAMPLE_ROWS), rows, strict=False):
        guess = guess_row(row)
        shape = guess.shape if guess is not None else "unknown"
        shapes[shape] = shapes.get(shape, 0) + 1
        if guess is not None:
            key = guess.describe()
            votes[key] = (votes.get(key, (0, guess))[0] + 1, guess)
    if not votes:
        return Guess(None, shapes)
    mapping = max(votes.values(), key=lambda vote: vote[0])[1]
    # An optional part that only some rows carry (input, system, history) still belongs to the mapping.
    optional: dict[str, str] = {}
    for _, other in votes.values():
        if other.shape == mapping.shape and all(other.fields.get(half) == mapping.fields.get(half) for half in HALVES):
            optional |= other.fields
    return Guess(Mapping(mapping.shape, mapping.fields | optional), shapes)


def guess_row(row: Row) -> Mapping | None:
    """The shape of one row by the names of its fields, else by those of an object that one field holds."""
    return _guess_fields(row) or _guess_nested(row)


def _guess_nested(row: Row) -> Mapping | None:
    """`{"request": {"messages": […]}}` -> messages at `request.messages`: the first field that holds a known shape."""
    for name, value in row.items():
        inner = _guess_fields(value) if isinstance(value, dict) and "." not in name else None
        # A lone text in some object is more likely a remark than the row.
        if inner is not None and inner.shape != "text":
            return Mapping(inner.shape, {part: f"{name}.{path}" for part, path in inner.fields.items()})
    return None


def _guess_fields(row: Row) -> Mapping | None:
    if "chosen" in row and "rejected" in row:
        fields = {"chosen": "chosen", "rejected": "rejected"}
        prompt = next((name for name in ("prompt", "question", "instruction", "input") if name in row), None)
        return Mapping("preference", ({"prompt": prompt} if prompt else {}) | fields)
    for name in MESSAGE_FIELDS:
        if is_turn_list(value_at(row, parse_path(name)), "role"):
            return Mapping("messages", {"messages": name})
    for name in SHAREGPT_FIELDS:
        if is_turn_list(row.get(name), "from"):
            optional = {"system": "system"} if isinstance(row.get("system"), str) else {}
            return Mapping("sharegpt", {"conversations": name} | optional)
    for request, answer in PAIR_FIELDS:
        if request in row and answer in row:
            return Mapping("alpaca", _pair_fields(row, request, answer))
    for name in TEXT_FIELDS:
        if isinstance(row.get(name), str):
            return Mapping("text", {"text": name})
    return None


def _pair_fields(row: Row, request: str, answer: str) -> dict[str, str]:
    fields = {"instruction": request, "output": answer}
    for context in CONTEXT_FIELDS:
        if context in row and context != request:
            fields["input"] = context
            break
    if "system" in row:
        fields["system"] = "system"
    if isinstance(turn_list(row.get("history")), list):
        fields["history"] = "history"
    return fields
