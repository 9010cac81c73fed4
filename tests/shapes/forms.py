"""The expected readings as data: read, brought into one form, and laid beside what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDERS = ("a", "b", "c", "p")
NAMES_OF_FIELDS = ("metadata", "links", "other")


def expectations() -> dict[str, dict[str, Any]]:
    """`a/01_list_of_lists.json` -> what is expected of it, for every file of `files/`."""
    return {
        f"{folder}/{file.name}": json.loads((HERE / "expected" / folder / f"{file.name}.json").read_text("utf-8"))
        for folder in FOLDERS
        for file in sorted((HERE / "files" / folder).iterdir())
    }


def not_yet() -> dict[str, str]:
    """What does not hold so far: the name of a case -> what is wrong."""
    lines = (HERE / "not_yet.txt").read_text("utf-8").splitlines()
    parts = (line.partition(": ") for line in lines if line.strip() and not line.startswith("#"))
    return {case.strip(): why.strip() for case, _, why in parts}


def one_form(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what is empty, its texts as parts, its calls' arguments as values, its names sorted."""
    if "set_aside" in row:
        return {"set_aside": True}
    formed = {key: value for key, value in row.items() if value not in (None, [], "")}
    for key in ("messages", "rejected"):
        if key in formed:
            formed[key] = [_message(message) for message in formed[key]]
    if "candidates" in formed:
        formed["candidates"] = [[_message(message) for message in answer] for answer in formed["candidates"]]
    return formed | {key: sorted(formed[key]) for key in NAMES_OF_FIELDS if key in formed}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    formed = {key: value for key, value in message.items() if value not in (None, [], "")}
    content = formed.get("content")
    if isinstance(content, str):
        formed["content"] = [{"type": "text", "text": content}]
    if "tool_calls" in formed:
        formed["tool_calls"] = [call | {"arguments": _value(call.get("arguments"))} for call in formed["tool_calls"]]
    return formed


def _value(arguments: Any) -> Any:
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


def strings(value: Any) -> Iterator[str]:
    """Every text in a value; keys and the types of parts aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        inside = [inner for key, inner in value.items() if key != "type"] if isinstance(value, dict) else value
        for inner in inside:
            yield from strings(inner)
