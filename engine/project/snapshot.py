"""The folded state of the journals in columns by row number, so that opening replays only what came after.

`snapshot.bin` is a cache: it is keyed by the rows and by how many bytes of which journal it holds, and may be deleted.
Layout: magic, length of the head (u64), the head as JSON, then per journal five columns of one entry a row: verdict
code (u8), seen (u8), index into the table of reasons (u32), time (u32, unix), line that held the row out (u32); at the
end the CRC-32 of all of it.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.model import VERDICTS
from engine.project.fold import Fold, RowState, map_act, mapping_of_act
from engine.project.journal import act_from_json, act_to_json
from engine.project.rows import RowStore
from engine.small_files import read_cache

MAGIC = b"TAMISSN2" if sys.byteorder == "little" else b"TAMISSNC"
CHECKED_BYTES = 4096
CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}


@dataclass(slots=True)
class Columns:
    """One journal's folded state; `get` makes a RowState of the columns of a row."""

    rows: RowStore
    codes: bytes | bytearray
    seen: bytes | bytearray
    reasons: memoryview | array[int]
    times: memoryview | array[int]
    held: memoryview | array[int]
    table: list[list[str]]
    edited: dict[int, Any]
    marks: dict[int, dict[str, Any]]
    vanished: dict[str, RowState]

    def get(self, identifier: str) -> RowState | None:
        number = self.rows.number(identifier)
        if number is None or not self.reasons[number]:
            return self.vanished.get(identifier)
        why, by = self.table[self.reasons[number]]
        marks = self.marks.get(number, {})
        return RowState(
            VERDICTS[self.codes[number]],
            self.edited.get(number),
            why,
            by,
            _stamp(self.times[number]),
            frozenset(marks.get("tags", ())),
            marks.get("note", ""),
            marks.get("settled"),
        )

    def grow(self, rows: RowStore) -> None:
        """Make room for rows that were added since; nothing is said of them."""
        more = len(rows) - len(self.codes)
        self.rows = rows
        self.codes += bytes(more)
        self.seen += bytes(more)
        self.reasons, self.times, self.held = (
            array("I", column.tobytes() + bytes(4 * more)) for column in (self.reasons, self.times, self.held)
        )

    def ids(self) -> Iterator[str]:
        for number, reason in enumerate(self.reasons):
            if reason:
                yield self.rows.id(number)
        yield from self.vanished


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


@lru_cache(4096)
def _seconds(stamp: str) -> int:
    try:
        return int(datetime.fromisoformat(stamp).timestamp())
    except ValueError:
        return 0


def _check_of(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, sys.byteorder)


def check_of(path: Path, size: int) -> str:
    """A short hash of the first and the last 4 KB of the first `size` bytes of a journal."""
    with path.open("rb") as stream:
        head = stream.read(min(CHECKED_BYTES, size))
        stream.seek(max(0, size - CHECKED_BYTES))
        tail = stream.read(min(CHECKED_BYTES, size))
    return blake2b(head + tail, digest_size=8).hexdigest()


def load_snapshot(folder: Path, rows: RowStore) -> dict[str, tuple[Fold, int]]:
    """Journal file name -> (a fold standing on the snapshot, bytes it holds); empty where no snapshot fits."""
    content = read_cache(folder / "snapshot.bin") or b""
    if content[:8] != MAGIC or content[-4:] != _check_of(content[:-4]):
        return {}
    try:
        length = int.from_bytes(content[8:16], sys.byteorder)
        head = json.loads(content[16 : 16 + length])
        if head["rows"] != rows.fingerprint().hex():
            return {}
        at = 16 + length
        folds: dict[str, tuple[Fold, int]] = {}
        for entry in head["journals"]:
            columns, at = _columns(content, at, len(rows), rows, entry)
            path = folder / "decisions" / entry["name"]
            if path.stat().st_size >= entry["bytes"] and check_of(path, entry["bytes"]) == entry["check"]:
                folds[entry["name"]] = (_fold_on(columns, entry, rows), entry["bytes"])
        return folds
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        # Missing or damaged: it is a cache, the journals say it all again.
        return {}


def _columns(content: bytes, at: int, count: int, rows: RowStore, entry: dict[str, Any]) -> tuple[Columns, int]:
    codes, seen = content[at : at + count], content[at + count : at + 2 * count]
    at += 2 * count
    words: list[memoryview] = []
    for _ in range(3):
        words.append(memoryview(content)[at : at + 4 * count].cast("I"))
        at += 4 * count
    if len(words[-1]) != count:
        raise ValueError("cut short")
    columns = Columns(
        rows,
        codes,
        seen,
        words[0],
        words[1],
        words[2],
        entry["table"],
        {int(number): row for number, row in entry["edited"].items()},
        {int(number): marks for number, marks in entry["marks"].items()},
        {identifier: _state(plain) for identifier, plain in entry["vanished"].items()},
    )
    return columns, at


def _state(plain: dict[str, Any]) -> RowState:
    return RowState(**{**plain, "tags": frozenset(plain["tags"])})


def _fold_on(columns: Columns, entry: dict[str, Any], rows: RowStore) -> Fold:
    fold = Fold(base=columns)
    fold.last_number = entry["last"]
    fold.reviewers = set(entry["reviewers"])
    if columns.held.tobytes() != bytes(4 * len(columns.held)):
        fold.heldout = {rows.id(number): line for number, line in enumerate(columns.held) if line}
    fold.standing = {int(number): [act_from_json(act) for act in acts] for number, acts in entry["relations"].items()}
    for number, act in entry["mappings"].items():
        mapping = mapping_of_act(act_from_json(act))
        if mapping is not None:
            fold.mappings[int(number)] = mapping
    return fold


def save_snapshot(folder: Path, rows: RowStore, folds: Mapping[Path, tuple[Fold, int]]) -> None:
    """Write the snapshot of these folds; a folder that cannot be written simply has none."""
    head: dict[str, Any] = {"v": 1, "rows": rows.fingerprint().hex(), "journals": []}
    body: list[bytes] = []
    for path, (fold, size) in folds.items():
        if size:
            columns = _columns_of(fold, rows)
            head["journals"].append(_entry(path, size, fold, columns))
            body += [bytes(columns.codes), bytes(columns.seen)]
            body += [columns.reasons.tobytes(), columns.times.tobytes(), columns.held.tobytes()]
    packed = json.dumps(head).encode("ascii")
    try:
        whole = MAGIC + len(packed).to_bytes(8, sys.byteorder) + packed + b"".join(body)
        write_atomic(folder / "snapshot.bin", whole + _check_of(whole))
    except ProjectError:
        return


def _entry(path: Path, size: int, fold: Fold, columns: Columns) -> dict[str, Any]:
    return {
        "name": path.name,
        "bytes": size,
        "check": check_of(path, size),
        "last": fold.last_number,
        "reviewers": sorted(fold.reviewers),
        "relations": {str(n): [act_to_json(act) for act in acts] for n, acts in fold.standing.items()},
        "mappings": {str(n): act_to_json(map_act(mapping)) for n, mapping in fold.mappings.items()},
        "table": columns.table,
        "edited": {str(number): row for number, row in columns.edited.items()},
        "marks": {str(number): marks for number, marks in columns.marks.items()},
        "vanished": {
            identifier: {
                name: sorted(state.tags) if name == "tags" else getattr(state, name) for name in RowState.__slots__
            }
            for identifier, state in columns.vanished.items()
        },
    }


def _columns_of(fold: Fold, rows: RowStore) -> Columns:
    """The columns of a fold: those it stands on, with what came since written over them."""
    count = len(rows)
    base = fold.base if isinstance(fold.base, Columns) else None
    codes, seen = (bytearray(base.codes), bytearray(base.seen)) if base else (bytearray(count), bytearray(count))
    nothing = bytes(4 * count)
    reasons, times = (array("I", column.tobytes() if column is not None else nothing)
                      for column in ((base.reasons, base.times) if base else (None, None)))  # fmt: skip
    held = array("I", nothing)
    table = [list(pair) for pair in base.table] if base else [["", ""]]
    columns = Columns(
        rows, codes, seen, reasons, times, held, table,
        dict(base.edited) if base else {}, dict(base.marks) if base else {}, dict(base.vanished) if base else {},
    )  # fmt: skip
    places = {tuple(pair): place for place, pair in enumerate(table) if place}
    numbers = rows.numbers(tuple(fold.changed))
    for (identifier, state), number in zip(fold.changed.items(), numbers, strict=True):
        if number is None:
            columns.vanished[identifier] = state
            continue
        pair = (state.why, state.by)
        place = places.get(pair)
        if place is None:
            place = places[pair] = len(table)
            table.append(list(pair))
        codes[number] = CODE[state.verdict]
        reasons[number] = place
        times[number] = _seconds(state.at)
        if state.edited is not None or number in columns.edited:
            _put(columns.edited, number, state.edited)
        if state.tags or state.note or state.before_settling is not None or number in columns.marks:
            _put(columns.marks, number, _marks(state))
    for number in rows.numbers(tuple(fold.seen)):
        if number is not None:
            seen[number] = 1
    for identifier, line in fold.heldout.items():
        number = rows.number(identifier)
        if number is not None:
            held[number] = line
    return columns


def _put(table: dict[int, Any], number: int, value: Any) -> None:
    if value is None:
        table.pop(number, None)
    else:
        table[number] = value


def _marks(state: RowState) -> dict[str, Any] | None:
    marks: dict[str, Any] = {}
    if state.tags:
        marks["tags"] = sorted(state.tags)
    if state.note:
        marks["note"] = state.note
    if state.settled:
        marks["settled"] = state.before_settling
    return marks or None
