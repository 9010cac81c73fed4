"""How the engine reads a file, in the words of the expected readings (README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.model import Conversation, Example, Leaf, Message, Part, Quarantined, ToolCall
from engine.sources.conversation.conversation import conversation_of
from engine.sources.files.pieces import JOINED, SourceRow
from engine.sources.mapping import Mapping
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import guess_mapping


def pieces_of(path: Path, encoding: str | None = None) -> tuple[list[SourceRow | Quarantined], Mapping | None]:
    """The records of a source, and what is taken for its shape. Raises SourceError."""
    pieces = list(read_source(path, source_format(path, encoding)))
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


def reading_of(path: Path, encoding: str | None = None) -> list[dict[str, Any]] | dict[str, str]:
    """All rows of a file, or `{"refused": why}`."""
    try:
        pieces, mapping = pieces_of(path, encoding)
    except TamisError as error:
        return {"refused": str(error)}
    if mapping is None and any(isinstance(piece, SourceRow) for piece in pieces):
        return {"refused": "no shape is recognised"}
    return [
        {"set_aside": piece.reason}
        if isinstance(piece, Quarantined) or mapping is None
        else row_of(conversation_of(piece.raw, mapping), is_joined=JOINED in piece.notes)
        for piece in pieces
    ]


def row_of(found: Conversation, *, is_joined: bool = False) -> dict[str, Any]:
    """One row in the form of the expectations. The fields of joined records are named as they are in the records."""
    row: dict[str, Any] = {
        "messages": [message_of(message) for message in found.messages],
        "tools": [json.loads(tool) for tool in found.tools],
        "rejected": [message_of(message) for answer in found.rejected for message in answer],
        "candidates": [[message_of(message) for message in answer] for answer in found.candidates],
        "label": found.label,
        "metadata": names_of(found.metadata, is_joined),
        "links": names_of(found.links, is_joined),
        # What is not understood is carried leaf by leaf; the field that holds it is what a person would name.
        "other": sorted({leaf.path.partition(".")[0] for leaf in found.other}),
    }
    return {key: value for key, value in row.items() if value not in (None, [])}


def names_of(leaves: Iterable[Leaf], is_joined: bool) -> list[str]:
    """Dotted names, places in lists left out, `*` for keys that are ids."""
    names = set()
    for leaf in leaves:
        steps = [step for step in leaf.path.split(".") if not step.isdigit()]
        if is_joined and steps[0] in ("thread", "messages"):
            steps = steps[1:]
        if steps[0] == "mapping":
            steps[1] = "*"
        names.add(".".join(steps))
    return sorted(names)


def message_of(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if not isinstance(message.content, str):
        found["content"] = [part_of(part) for part in message.content]
    if message.tool_calls:
        found["tool_calls"] = [_call_of(call) for call in message.tool_calls]
    found |= {"reasoning": message.reasoning, "tool_call_id": message.tool_call_id, "name": message.name}
    found = {key: value for key, value in found.items() if value not in ("", [])}
    return found if message.train else found | {"train": False}


def part_of(part: Part) -> dict[str, Any]:
    if part.type == "text":
        return {"type": "text", "text": part.value}
    if part.type == "json":
        return {"type": "json", "value": json.loads(part.value)}
    place = "hash" if part.value.startswith("sha256:") else "url"
    return {"type": part.type, place: part.value}


def _call_of(call: ToolCall) -> dict[str, Any]:
    found = {"id": call.id, "name": call.name, "arguments": call.arguments}
    return {key: value for key, value in found.items() if value != ""}
