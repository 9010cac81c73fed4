"""Single messages that name their parent, or their conversation: joined to rows of one conversation each.

All of a source has to be read before the first row of it is known. Its records wait in a file without a name; ids and
places are what is held in memory. Where there are more than MOST_RECORDS of them none is joined.
"""

from __future__ import annotations

import json
import math
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.model import Quarantined
from engine.nesting import nested_too_deep
from engine.sources.files.pieces import JOINED, MAX_LINE_BYTES, REWRITTEN, SourceRow
from engine.sources.messages.speakers import ASSISTANTS, SPEAKERS, SPOKEN_KEYS, list_name, speaker

MOST_RECORDS = 2_000_000
HELD_BYTES = 32 * 1024 * 1024
ID_KEYS = ("message_id", "id", "uuid")
PARENT_KEYS = ("parent_id", "parent_message_id", "parentId", "parent")
CONVERSATION_KEYS = ("conversation_id", "conv_id", "dialogue_id", "dialog_id", "session_id", "thread_id", "chat_id")
RANK = "rank"
Piece = SourceRow | Quarantined
_ROOT, _ALONE = -1, -2


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """The fields by which messages hang together: the `parent` that is named by its `own` id, or a `conversation`."""

    own: str = ""
    parent: str = ""
    conversation: str = ""


def link_keys(raw: dict[str, Any]) -> LinkKeys | None:
    """How a record hangs together with others; None where it is no single message that says so."""
    if speaker(raw) not in SPEAKERS or not any(key in raw for key in SPOKEN_KEYS):
        return None
    own, parent, conversation = (
        next((key for key in keys if key in raw), "") for keys in (ID_KEYS, PARENT_KEYS, CONVERSATION_KEYS)
    )
    if own and parent:
        return LinkKeys(own, parent)
    return LinkKeys(conversation=conversation) if conversation else None


def joined_row(members: Sequence[SourceRow], content: bytes, raw: dict[str, Any], fresh: int) -> SourceRow | None:
    """The row that is made of several records, the last `fresh` of which are in none before it; None where it would be
    larger or deeper than a row may be."""
    if len(content) > MAX_LINE_BYTES or nested_too_deep(content):
        return None
    first = members[-fresh]
    notes = dict.fromkeys(note for row in members for note in row.notes if note not in REWRITTEN)
    lines = tuple(row.line for row in members)
    return SourceRow(first.line, first.offset, content, raw, (*notes, JOINED), lines, fresh)


def listed(members: Sequence[SourceRow]) -> bytes:
    """The records as the inside of a JSON array."""
    return b", ".join(row.content.strip() for row in members)


class _Held:
    """Rows that wait on disk, found again by their place."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=HELD_BYTES)  # noqa: SIM115 - closed by `close`
        self._starts = array("Q", [0])
        self._lines = array("Q")
        self._offsets = array("Q")
        self._notes: dict[int, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def close(self) -> None:
        self._file.close()

    def add(self, row: SourceRow) -> int:
        """The place of a row that is added."""
        place = len(self)
        self._file.write(row.content)
        self._starts.append(self._starts[-1] + len(row.content))
        self._lines.append(row.line)
        self._offsets.append(row.offset)
        if row.notes:
            self._notes[place] = row.notes
        return place

    def size(self, place: int) -> int:
        return self._starts[place + 1] - self._starts[place]

    def row(self, place: int) -> SourceRow:
        self._file.seek(self._starts[place])
        content = self._file.read(self.size(place))
        notes = self._notes.get(place, ())
        return SourceRow(self._lines[place], self._offsets[place], content, json.loads(content), notes)

    def rows(self) -> Iterator[SourceRow]:
        return map(self.row, range(len(self)))


def threads(pieces: Iterator[Piece], keys: LinkKeys) -> Iterator[Piece]:
    """One row a path from a first message to an answer, under `thread`. Of several answers to one message that end
    there, the one of the lowest rank (else the first) is the answer, the others stand beside it under `candidates`."""
    held, links = _Held(), _Links()
    try:
        for piece in pieces:
            if isinstance(piece, Quarantined):
                yield piece
                continue
            held.add(piece)
            links.add(_link(piece.raw.get(keys.own)), _link(piece.raw.get(keys.parent)))
            if len(held) == MOST_RECORDS:
                yield from held.rows()
                yield from pieces
                return
        children, reached = links.children(), links.reached()
        for place, parent in enumerate(links.parents):
            if not children or not reached[place]:
                yield held.row(place)
            elif parent == _ROOT:
                yield from _thread_rows(held, children, place)
    finally:
        held.close()


class _Links:
    """Which message answers which, by their places."""

    def __init__(self) -> None:
        self.parents = array("q")
        self._places: dict[str, int] = {}
        self._waiting: dict[str, list[int]] = {}

    def add(self, own: str | None, parent: str | None) -> None:
        place = len(self.parents)
        if own is None or own in self._places:
            # Of two messages of one name the first is it.
            self.parents.append(_ALONE)
            return
        self.parents.append(_ROOT if parent is None else self._places.get(parent, _ALONE))
        self._places[own] = place
        if self.parents[place] == _ALONE and parent is not None:
            self._waiting.setdefault(parent, []).append(place)
        for child in self._waiting.pop(own, ()):
            self.parents[child] = place

    def children(self) -> dict[int, list[int]]:
        children: dict[int, list[int]] = {}
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                children.setdefault(parent, []).append(place)
        return children

    def reached(self) -> bytearray:
        """1 for each message that hangs on a first one; 0 where a parent is missing, or stands in a circle."""
        known = bytearray(len(self.parents))
        for place in range(len(known)):
            above = []
            at = place
            # Each message is walked over once: what is found out of the end of a walk holds for all of it.
            while at >= 0 and not known[at]:
                known[at] = 3
                above.append(at)
                at = self.parents[at]
            found = 1 if at == _ROOT or (at >= 0 and known[at] == 1) else 2
            for one in above:
                known[one] = found
        return bytearray(state == 1 for state in known)


def _thread_rows(held: _Held, children: dict[int, list[int]], root: int) -> Iterator[SourceRow]:
    """The rows of one tree; its messages one by one where they would be more than a row may hold."""
    places = [root]
    for place in places:
        places += children.get(place, ())
    made = _made_of(held, children, root, places) if sum(map(held.size, places)) <= MAX_LINE_BYTES else None
    yield from map(held.row, sorted(places)) if made is None else made


def _made_of(held: _Held, children: dict[int, list[int]], root: int, places: list[int]) -> list[SourceRow] | None:
    rows = {place: held.row(place) for place in places}
    made: list[SourceRow] = []
    seen: set[int] = set()
    size = 0
    for path, others in _paths(rows, children, root):
        said, further = [rows[place] for place in path], [rows[place] for place in others]
        raw = {"thread": [row.raw for row in said]} | ({"candidates": [row.raw for row in further]} if further else {})
        content = b'{"thread": [%b]' % listed(said) + (b', "candidates": [%b]' % listed(further) if further else b"")
        fresh = len({*path, *others} - seen)
        row = joined_row([*said, *further], content + b"}", raw, fresh)
        size += len(content)
        # Each path holds its beginning anew: a long chat with an answer left at each turn grows with its square.
        if row is None or size > MAX_LINE_BYTES:
            return None
        seen.update(path, others)
        made.append(row)
    return made


def _paths(
    rows: dict[int, SourceRow], children: dict[int, list[int]], root: int
) -> Iterator[tuple[list[int], list[int]]]:
    """(the messages from the first to an answer, other answers to the same message that nobody replied to)."""
    path: list[int] = []
    waiting = [(root, 0)]
    while waiting:
        place, depth = waiting.pop()
        path[depth:] = [place]
        replies = sorted(children.get(place, ()), key=lambda reply: _rank(rows[reply].raw))
        ends = [reply for reply in replies if reply not in children and speaker(rows[reply].raw) in ASSISTANTS]
        if ends:
            yield [*path, ends[0]], ends[1:]
        if not replies:
            yield list(path), []
        waiting += [(reply, depth + 1) for reply in reversed(replies) if reply not in ends]


def _rank(raw: dict[str, Any]) -> float:
    rank = _link(raw.get(RANK))
    try:
        return math.inf if rank is None else float(rank)
    except ValueError:
        return math.inf


def _link(value: Any) -> str | None:
    """An id as text; None where there is none. A table may hold a missing one as '' or NaN, and 7 as 7.0 then."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    if text.lower() in ("", "null", "none", "nan"):
        return None
    return text.removesuffix(".0") if text.removesuffix(".0").isdigit() else text


def conversations(pieces: Iterator[Piece], keys: LinkKeys) -> Iterator[Piece]:
    """One row a conversation, its messages in the order of the source; messages without one are rows of their own."""
    held = _Held()
    groups: dict[str, list[int]] = {}
    try:
        for piece in pieces:
            if isinstance(piece, Quarantined):
                yield piece
                continue
            place = held.add(piece)
            name = _link(piece.raw.get(keys.conversation))
            if name is not None:
                groups.setdefault(name, []).append(place)
            if len(held) == MOST_RECORDS:
                yield from held.rows()
                yield from pieces
                return
        if not any(len(places) > 1 for places in groups.values()):
            yield from held.rows()
            return
        first_of = {places[0]: places for places in groups.values()}
        inside = {place for places in groups.values() for place in places}
        for place in range(len(held)):
            if place in first_of:
                yield from _conversation_rows(held, first_of[place])
            elif place not in inside:
                yield held.row(place)
    finally:
        held.close()


def _conversation_rows(held: _Held, places: list[int]) -> Iterator[SourceRow]:
    if sum(map(held.size, places)) > MAX_LINE_BYTES:
        yield from map(held.row, places)
        return
    said = [held.row(place) for place in places]
    name = list_name(said[0].raw)
    row = joined_row(
        said, b'{"%b": [%b]}' % (name.encode(), listed(said)), {name: [row.raw for row in said]}, len(said)
    )
    yield from said if row is None else (row,)
