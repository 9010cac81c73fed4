"""Conversations of many shapes for the tests of what is written: the readings of `tests/shapes`, written down by hand,
as the engine's own types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from engine.model import Conversation, Example, Leaf, Message, Part, Row, ToolCall
from engine.sources.files.pieces import SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

SHAPES = Path(__file__).resolve().parents[2] / "shapes"


@cache
def expected_examples() -> dict[str, tuple[Example, ...]]:
    """`c/05_plain_tool.jsonl` -> its rows as they are to be read, for each file that is to be read."""
    found: dict[str, tuple[Example, ...]] = {}
    for path in sorted((SHAPES / "expected").glob("*/*.json")):
        name = f"{path.parent.name}/{path.name.removesuffix('.json')}"
        expected = json.loads(path.read_text("utf-8"))
        if "rows" in expected:
            found[name] = tuple(_examples(SHAPES / "files" / name, expected["rows"]))
    return found


def _examples(path: Path, rows: list[dict[str, Any]]) -> Iterator[Example]:
    """Its rows; none of a file whose records are not told apart yet: that is for the tests of `tests/shapes` to say."""
    pieces = list(read_source(path, source_format(path)))
    if len(pieces) != len(rows):
        return
    for number, (piece, row) in enumerate(zip(pieces, rows, strict=True)):
        if isinstance(piece, SourceRow) and "set_aside" not in row:
            yield Example(f"{number:016x}", number, conversation(row, piece.raw), path.name, number + 1, piece.raw)


def conversation(row: Mapping[str, Any], raw: Row) -> Conversation:
    """One expected row as a conversation."""
    return Conversation(
        messages=tuple(map(message, row["messages"])),
        tools=tuple(json.dumps(tool, ensure_ascii=False) for tool in row.get("tools", ())),
        rejected=(tuple(map(message, row["rejected"])),) if row.get("rejected") else (),
        candidates=tuple(tuple(map(message, answer)) for answer in row.get("candidates", ())),
        label=row.get("label"),
        other=tuple(Leaf(name, json.dumps(raw.get(name))) for name in row.get("other", ())),
        links=tuple(Leaf(name, "") for name in row.get("links", ())),
        metadata=tuple(Leaf(name, "") for name in row.get("metadata", ())),
    )


def message(row: Mapping[str, Any]) -> Message:
    content = row.get("content") or ""
    calls = tuple(
        ToolCall(call.get("name", ""), _arguments(call.get("arguments")), call.get("id") or "")
        for call in row.get("tool_calls", ())
    )
    return Message(
        row["role"],
        content if isinstance(content, str) else tuple(map(part, content)),
        row.get("reasoning", ""),
        calls,
        row.get("tool_call_id", ""),
        row.get("name", ""),
        row.get("train", True),
    )


def _arguments(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def part(row: Mapping[str, Any]) -> Part:
    if row["type"] == "text":
        return Part("text", row["text"])
    if row["type"] == "json":
        return Part("json", json.dumps(row["value"], ensure_ascii=False))
    value = row.get("url") or row.get("path") or row.get("hash") or ""
    return Part(row["type"], value)
