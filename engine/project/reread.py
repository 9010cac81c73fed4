"""Reading the rows of a project anew: what today's reader would take for what, and which rows it would read otherwise.

Rows, ids and decisions stay. A new reading is a `map` act of the journal like a correction by hand, so an undo brings
the old one back. What was set aside when the source was read is beyond it; it is only counted how much of that could be
read now.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from engine.files import write_atomic
from engine.model import Conversation
from engine.project.project import Project
from engine.project.quarantine import QUARANTINE_FILE
from engine.scratch import scratch_folder
from engine.sources.conversation.conversation import conversation_of
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import SAMPLE_ROWS, Mapping

Progress = Callable[[str, int, int], None]
WHY = "rows read anew"
# So many records that were set aside are tried again.
MOST_TRIED = 10_000


@dataclass(frozen=True, slots=True)
class Rereading:
    """What a new reading would change. `before` is the mapping in force, `after` the guessed one; `changed` are the
    rows that it reads otherwise, `decided` those of them that have a verdict, `emptied` those that it finds no message
    in. `by_hand`: a line of the journal set the mapping in force. `readable` counts records set aside that can be read
    by now."""

    before: Mapping
    after: Mapping
    changed: tuple[int, ...]
    decided: tuple[int, ...]
    emptied: tuple[int, ...]
    by_hand: bool
    readable: int


def reread(project: Project, progress: Progress | None = None) -> Rereading:
    """Read every row both ways. Changes nothing."""
    before, numbers = project.mapping, _read_by_project(project)
    after = _guessed(project, numbers)
    changed, emptied = [], []
    for number in numbers if after != before else ():
        old, new = _both_ways(project, number, before, after)
        if old != new:
            changed.append(number)
            if old.messages and not new.messages:
                emptied.append(number)
        if progress is not None:
            progress("reading", number + 1, len(project.rows))
    decided = [number for number in changed if project.verdict(number) != "undecided"]
    by_hand = before != project.settings.mapping
    return Rereading(before, after, tuple(changed), tuple(decided), tuple(emptied), by_hand, _readable(project))


def read_anew(project: Project, found: Rereading) -> int:
    """Put the new mapping in force; the number of the journal's line. Raises ProjectError."""
    return project.read_by(found.after, why=WHY)


def understood_better(project: Project) -> int:
    """In how many of the first rows today's reader would find messages where there are none, or leave less unread. 0
    where a person has said how the rows are read. Cheap: two hundred rows are looked at."""
    before, rows = project.mapping, _read_by_project(project)[:SAMPLE_ROWS]
    after = _guessed(project, rows)
    if after == before or before != project.settings.mapping:
        return 0
    both = (_both_ways(project, number, before, after) for number in rows)
    return sum(_unread(new) < _unread(old) for old, new in both)


def _guessed(project: Project, numbers: list[int]) -> Mapping:
    # Not at the top, as below: a project is opened without the table of shapes and the readers of files.
    from engine.sources.shapes.guess import guess_mapping

    return guess_mapping(map(project.rows.raw, numbers)) or project.mapping


def _read_by_project(project: Project) -> list[int]:
    """The rows that the mapping of the project is for: those of a source with a mapping of its own are not touched."""
    sources = (source for source in project.settings.sources if source.mapping is None)
    return [number for source in sources for number in range(source.first_row, source.first_row + source.rows)]


def _both_ways(project: Project, number: int, before: Mapping, after: Mapping) -> tuple[Conversation, Conversation]:
    row = project.current_row(number)
    return conversation_of(row, before), conversation_of(row, after)


def _unread(held: Conversation) -> tuple[bool, int]:
    return not held.messages, len(held.other)


def _readable(project: Project) -> int:
    """How many of the records that were set aside, and kept whole, the reader of today makes rows of."""
    aside = (source.format.partition(".")[0] for source in project.settings.sources if source.quarantined)
    if any(kind not in ("json", "jsonl") for kind in aside):
        return 0
    lines = b"".join(islice(_set_aside(project.folder / QUARANTINE_FILE), MOST_TRIED))
    if not lines:
        return 0
    with scratch_folder("reread", large=True) as scratch:
        again = scratch / "again.jsonl"
        write_atomic(again, lines)
        from engine.sources.records.read import read_source

        return sum(isinstance(piece, SourceRow) for piece in read_source(again, "jsonl"))


def _set_aside(path: Path) -> Iterator[bytes]:
    """The records that were kept whole, a line each."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                # Cut off with the reading that wrote it, and not counted.
                continue
            if not said.get("length"):
                # An element of an array may go over several lines; breaks of valid JSON stand between its parts.
                yield b" ".join(base64.b64decode(said["bytes"]).splitlines()) + b"\n"
