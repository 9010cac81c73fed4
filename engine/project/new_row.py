"""A new row of a project, made of a prompt and an answer: undecided, in the source's own shape, journaled as `add`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import LockedError, ProjectError, UsageError
from engine.files import append_durable
from engine.model import Act, Row
from engine.project.create import append_pieces
from engine.project.project import Project
from engine.project.row_ids import content_hash, row_id
from engine.project.settings import read_settings, write_settings
from engine.sources.mapping import Mapping as Fields
from engine.sources.mapping import parse_path, value_at
from engine.sources.pieces import SourceRow

FILE = "written.jsonl"
SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
Message = Mapping[str, str]


def add_row(
    project: Project, messages: Sequence[Message], *, like: Row | None = None, extra: Mapping[str, Any] | None = None
) -> int:
    """Add a conversation that ends on an answer as a new, undecided row; its number.

    `like`: a row that asks the same or nearly so; its split into fields is kept (instruction and input). `extra` is
    kept in the journal's act: where the row came from. Raises UsageError where the source's shape cannot hold the
    conversation or the row is here already, LockedError where another window decides, ProjectError.
    """
    if project.readonly:
        raise LockedError(project.readonly_reason, "", "close the other window first")
    row = row_of(messages, project.mapping, like)
    content = content_hash(row)
    known = project.rows.number(row_id(content))
    if known is not None:
        raise UsageError(f"row {known} says the same already", "", f"judge it there: row:{known}")
    line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")
    path = project.folder / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        offset = os.fstat(descriptor).st_size
        append_durable(descriptor, line + b"\n")
    except OSError as fault:
        raise ProjectError(f"cannot write {path}", fault.strerror or str(fault), "free some space") from fault
    finally:
        os.close(descriptor)
    written = path.read_bytes().count(b"\n")
    (number,) = append_pieces(project.folder, path, "jsonl", [SourceRow(written, offset, line, row)])
    _one_source(project)
    project.refresh_rows()
    added = Act("add", (project.rows.id(number),), extra={"file": FILE, **(extra or {})})
    project.decide([added], why="written by hand")
    return number


def _one_source(project: Project) -> None:
    """Rows that follow each other in the same file are one source in `project.toml`, not one each."""
    settings = read_settings(project.folder)
    if len(settings.sources) < 2:
        return
    before, last = settings.sources[-2:]
    if before.path == last.path and before.first_row + before.rows == last.first_row:
        joined = replace(last, rows=before.rows + last.rows, first_row=before.first_row)
        write_settings(project.folder, replace(settings, sources=(*settings.sources[:-2], joined)))


def row_of(messages: Sequence[Message], fields: Fields, like: Row | None = None) -> dict[str, Any]:
    """The conversation as a row in the source's shape. Raises UsageError where that shape cannot hold it."""
    if not messages or messages[-1]["role"] != "assistant" or not messages[-1]["content"].strip():
        raise UsageError("a row needs an answer at its end", "", "write one first")
    if not any(message["role"] == "user" and message["content"].strip() for message in messages[:-1]):
        raise UsageError("a row needs a request", "", "write one first")
    row: dict[str, Any] = {}
    if fields.shape == "messages":
        put(row, fields.fields["messages"], [dict(message) for message in messages])
    elif fields.shape == "sharegpt":
        spoken = [{"from": SHAREGPT[message["role"]], "value": message["content"]} for message in messages]
        if "system" in fields.fields and messages[0]["role"] == "system":
            put(row, fields.fields["system"], spoken.pop(0)["value"])
        put(row, fields.fields["conversations"], spoken)
    elif fields.shape == "alpaca":
        _pair(row, messages, fields, like)
    else:
        raise UsageError(
            f"rows of this project are of the shape {fields.shape}, which one request and one answer do not make",
            "",
            "only alpaca, messages and ShareGPT projects take rows written by hand",
        )
    return row


def _pair(row: dict[str, Any], messages: Sequence[Message], fields: Fields, like: Row | None) -> None:
    """A request and an answer in the fields of the mapping; earlier turns in its history, where it has one."""
    spoken = list(messages)
    if spoken[0]["role"] == "system":
        system = spoken.pop(0)["content"]
        if "system" not in fields.fields:
            raise UsageError("rows of this project have no system prompt", "", "leave it out")
        put(row, fields.fields["system"], system)
    *earlier, request, answer = spoken
    if earlier:
        pairs = [[asked["content"], said["content"]] for asked, said in zip(earlier[::2], earlier[1::2], strict=False)]
        roles = [message["role"] for message in earlier]
        if "history" not in fields.fields or roles != ["user", "assistant"] * len(pairs):
            raise UsageError("rows of this project hold one request and one answer", "", "write a single request")
        put(row, fields.fields["history"], pairs)
    instruction, given = request["content"], ""
    if "input" in fields.fields:
        opening = value_at(like, parse_path(fields.fields["instruction"])) if like is not None else None
        if isinstance(opening, str) and instruction.startswith(f"{opening}\n\n"):
            instruction, given = opening, instruction[len(opening) + 2 :]
    put(row, fields.fields["instruction"], instruction)
    if "input" in fields.fields:
        put(row, fields.fields["input"], given)
    put(row, fields.fields["output"], answer["content"])


def put(row: dict[str, Any], dotted: str, value: Any) -> None:
    """Set a value at a dotted path, making the objects on the way. Raises UsageError for a path through a list."""
    *way, last = parse_path(dotted)
    holder = row
    for step in (*way, last):
        if isinstance(step, int):
            raise UsageError(f"the field {dotted} lies in a list, so no row can be made by hand")
    for step in way:
        holder = holder.setdefault(str(step), {})
    holder[str(last)] = value
