"""The rows of a run on disk: `data/*.jsonl` holds them, `batch*.jsonl` says which step was made of which."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.json_form import Form, is_count, is_measured, is_number, is_text, list_of, maybe, object_with
from engine.model import ToolCall, TrainingRow

Said = tuple[tuple[str, ...], ...]

_CALL = object_with({"function": object_with({"name": is_text, "arguments": is_text})})
_MESSAGE = object_with(
    {"role": is_text, "content": maybe(is_text)},
    {"tool_calls": list_of(_CALL), "reasoning_content": is_text, "name": is_text},
)
is_row_line = object_with({"id": is_text, "messages": list_of(_MESSAGE)}, {"tools": list_of(is_text)})
"""A line of `data/*.jsonl`."""
is_eval_line = object_with(
    {"id": is_text, "step": is_count, "nll": is_measured, "tokens": is_count}, {"answer": is_text, "peak": is_number}
)
"""A line of `eval.jsonl`: one row at one measurement."""


def row_lines(rows: Sequence[TrainingRow]) -> bytes:
    """The content of a `data/*.jsonl`: one line of UTF-8 JSON a row. `tools` stand there where a row has any."""
    values = (
        {"id": row.id, "messages": [dict(message) for message in row.messages]}
        | ({"tools": list(row.tools)} if row.tools else {})
        for row in rows
    )
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode("utf-8", "replace")


def row_of(value: Mapping[str, Any]) -> TrainingRow:
    """A line of a `data/*.jsonl` as a row; runs of earlier versions hold roles and texts alone."""
    return TrainingRow(value["id"], tuple(value["messages"]), tuple(value.get("tools", ())))


def spoken(message: Mapping[str, Any]) -> str:
    """What a message says and calls, to be read: its text and its calls, a line each."""
    functions = (call["function"] for call in message.get("tool_calls", ()))
    calls = (ToolCall(function["name"], function["arguments"]).text for function in functions)
    return "\n".join(part for part in (message["content"], *calls) if part)


def said(messages: Sequence[Mapping[str, Any]], tools: Sequence[str] = ()) -> Said:
    """The conversation itself, to be compared: white space around each text and the ids of calls aside."""
    turns = (
        (turn["role"], spoken(turn).strip(), turn.get("reasoning_content", "").strip(), turn.get("name", ""))
        for turn in messages
    )
    return (*turns, tuple(tools))


def rows_by_step(run_dir: Path) -> dict[int, tuple[str, ...]]:
    """Step -> ids of the rows in its batch, of all processes. Empty for runs that wrote none.

    A step taken twice (after a resume or a retry) counts as it was the last time; torn lines are passed over.
    """
    found: dict[int, tuple[str, ...]] = {}
    for path in sorted(run_dir.glob("batch*.jsonl")):
        for step, ids in steps_of_process(path).items():
            found[step] = (*found.get(step, ()), *ids)
    return dict(sorted(found.items()))


def lines_of(path: Path, fits: Form) -> Iterator[dict[str, Any]]:
    """The objects of a file of lines that have the form; a torn line, or one of another kind, is passed over. Raises
    OSError."""
    with path.open("rb") as stream:
        for line in stream:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if fits(value):
                yield value


def steps_of_process(path: Path) -> dict[int, tuple[str, ...]]:
    """The steps one process noted; what a later line says of a step counts."""
    steps: dict[int, tuple[str, ...]] = {}
    for line in path.read_bytes().splitlines():
        try:
            value = json.loads(line)
            steps[int(value["step"])] = tuple(value["rows"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
    return steps
