"""How the engine reads a file now, in the words of the expected readings (README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.model import Example, Message, Quarantined
from engine.sources.conversation import conversation_of
from engine.sources.formats import source_format
from engine.sources.guess import guess_mapping, guess_row
from engine.sources.mapping import Mapping, parse_path, turn_list, value_at
from engine.sources.pieces import SourceRow
from engine.sources.read import read_source

# What the reader takes out of each message of a list of turns.
READ_IN_MESSAGES = ("role", "content", "from", "value", "tool_calls", "weight")


def pieces_of(path: Path) -> tuple[list[SourceRow | Quarantined], Mapping | None]:
    """The records of a source, and what is taken for its shape. Raises SourceError."""
    pieces = list(read_source(path, source_format(path)))
    return pieces, guess_mapping(piece.raw for piece in pieces if isinstance(piece, SourceRow))


def examples_of(path: Path) -> list[Example]:
    """The rows as a scan gets them; none where no shape is recognised."""
    pieces, mapping = pieces_of(path)
    rows = [piece for piece in pieces if isinstance(piece, SourceRow)]
    if mapping is None:
        return []
    return [
        Example(f"{number:016x}", number, conversation_of(row.raw, mapping), path.name, row.line, row.raw)
        for number, row in enumerate(rows)
    ]


def reading_of(path: Path) -> list[dict[str, Any]] | dict[str, str]:
    """All rows of a file, or `{"refused": why}`."""
    try:
        pieces, mapping = pieces_of(path)
    except TamisError as error:
        return {"refused": str(error)}
    if mapping is None and any(isinstance(piece, SourceRow) for piece in pieces):
        return {"refused": "no shape is recognised"}
    return [
        {"set_aside": piece.reason} if isinstance(piece, Quarantined) or mapping is None else row_of(piece.raw, mapping)
        for piece in pieces
    ]


def row_of(raw: dict[str, Any], mapping: Mapping) -> dict[str, Any]:
    """One row: its turns, the rejected answer, and the names of the fields that no turn was made of."""
    turns = conversation_of(raw, mapping).messages
    own = guess_row(raw)
    if own is not None and conversation_of(raw, own).messages == turns:
        mapping = own  # a row of another shape than the file's is read by its own
    row: dict[str, Any] = {"messages": [message_of(turn) for turn in turns]}
    rejected = value_at(raw, parse_path(mapping.fields["rejected"])) if "rejected" in mapping.fields else None
    if isinstance(rejected, str):
        row["rejected"] = [{"role": "assistant", "content": rejected}]
    elif rejected:
        row["rejected"] = rejected
    texts = {turn.text for turn in turns}
    read = set(_read_paths(mapping))
    beside = {
        name
        for name, value in leaves(raw)
        if value not in texts and not any(name == path or name.startswith(f"{path}.") for path in read)
    }
    return row | ({"metadata": sorted(beside)} if beside else {})


def message_of(turn: Message) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.calls:
        message["tool_calls"] = [_call_of(call) for call in turn.calls]
    return message if turn.train else message | {"train": False}


def _call_of(text: str) -> dict[str, Any]:
    try:
        call = json.loads(text)
    except ValueError:
        return {"text": text}
    if not isinstance(call, dict):
        return {"text": text}
    function = call.get("function", call)
    return {key: value for key, value in ({"id": call.get("id")} | function).items() if value is not None}


def _read_paths(mapping: Mapping) -> Iterator[str]:
    for part, path in mapping.fields.items():
        if part in ("messages", "conversations"):
            yield from (f"{path}.{key}" for key in READ_IN_MESSAGES)
        else:
            yield path


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted name and value of everything in a row that is neither empty nor a container; lists that are JSON text
    are opened, places in lists left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    elif isinstance(turn_list(value), list):
        yield from leaves(turn_list(value), name)
    elif value not in (None, ""):
        yield name, value
