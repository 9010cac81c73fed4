"""A new row of a project, made of a prompt and an answer: undecided, in the source's own shape, journaled as `add`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, UsageError
from engine.files import append_durable, open_private
from engine.model import Act, Row
from engine.project.create import stage_rows
from engine.project.project import Project
from engine.project.row_change import changing_rows, declare
from engine.project.row_ids import content_hash, row_id
from engine.project.views import refuse_readonly
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import Mapping as Fields
from engine.sources.mapping import parse_path, value_at
from engine.sources.messages.own_messages import form_of
from engine.sources.messages.places import is_numbered_path, parse_field

FILE = "written.jsonl"
# Whoever wrote the row waits at the screen meanwhile.
PATIENCE_SECONDS = 0.3
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
    refuse_readonly(project)
    row = row_of(messages, project.mapping, like)
    content = content_hash(row)
    line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")
    folder = project.folder
    with changing_rows(folder, patience=PATIENCE_SECONDS):
        project.refresh_rows()
        known = project.rows.number(row_id(content))
        if known is not None:
            raise UsageError(f"row {known} says the same already", "", f"judge it there: row:{known}")
        piece = SourceRow(*_append_line(folder / FILE, _recorded_size(project), line), line, row)
        (number,) = stage_rows(folder, folder / FILE, "jsonl", [piece], same_file=True)
        token = declare(folder, project.own_journal)
        origin = {"file": FILE, **(extra or {}), "token": token}
        project.decide([Act("add", (row_id(content),), extra=origin)], why="written by hand")
    project.refresh_rows()
    return number


def _recorded_size(project: Project) -> int:
    """How much of the file of rows written by hand is in the project; what is behind belongs to a row that is not."""
    place = str((project.folder / FILE).resolve())
    return max((source.size for source in project.settings.sources if source.path == place), default=0)


def _append_line(path: Path, size: int, line: bytes) -> tuple[int, int]:
    """Add a line behind the first `size` bytes; its number, from 1, and where it begins. Raises ProjectError."""
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            if os.fstat(descriptor).st_size > size:
                os.ftruncate(descriptor, size)
            offset = os.fstat(descriptor).st_size
            append_durable(descriptor, line + b"\n")
            return os.pread(descriptor, offset + len(line) + 1, 0).count(b"\n"), offset
        finally:
            os.close(descriptor)
    except OSError as fault:
        raise ProjectError(f"cannot write {path}", fault.strerror or str(fault), "free some space") from fault


def row_of(messages: Sequence[Message], fields: Fields, like: Row | None = None) -> dict[str, Any]:
    """The conversation as a row in the source's shape. Raises UsageError where that shape cannot hold it."""
    if not messages or messages[-1]["role"] != "assistant" or not messages[-1]["content"].strip():
        raise UsageError("a row needs an answer at its end", "", "write one first")
    if not any(message["role"] == "user" and message["content"].strip() for message in messages[:-1]):
        raise UsageError("a row needs a request", "", "write one first")
    if not fields.fields or (fields.shape == "alpaca" and not {"instruction", "output"} <= fields.fields.keys()):
        raise UsageError("no field of this file is named for request and answer", "", "O in the workbench names them")
    if form_of(fields.fields) is not None:
        raise UsageError("messages of this file have fields of their own, so no row can be made by hand")
    row: dict[str, Any] = {}
    if fields.shape == "messages":
        put(row, fields.fields["messages"], [dict(message) for message in messages])
    elif fields.shape == "sharegpt":
        spoken = [
            {"from": SHAREGPT.get(message["role"], message["role"]), "value": message["content"]}
            for message in messages
        ]
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
    """Set a value at a dotted path, making the objects on the way. Raises UsageError for a path through a list, and for
    one that leads to several places."""
    if len(parse_field(dotted)) > 1 or is_numbered_path(dotted):
        raise UsageError(f"the text of {dotted} stands in several fields, so no row can be made by hand")
    *way, last = parse_path(dotted)
    holder = row
    for step in (*way, last):
        if isinstance(step, int):
            raise UsageError(f"the field {dotted} lies in a list, so no row can be made by hand")
    for step in way:
        holder = holder.setdefault(str(step), {})
    holder[str(last)] = value
