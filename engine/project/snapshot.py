"""The folded state of the journals in columns by row number, so that opening replays only what came after.

`snapshot.bin` is a cache: it is keyed by the rows and by how many bytes of which journal it holds, and may be deleted.
Layout: magic, length of the head (u64), the head as JSON, then per journal five columns of one entry a row: verdict
code (u8), seen (u8), held out (u8), index into the table of reasons (u32), time (u32; unix seconds + 1, 0 for none);
at the end the CRC-32 of all of it.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import compress
from pathlib import Path
from typing import Any

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.model import VERDICTS
from engine.project.fold import Fold, RowState, map_act, mapping_of_act
from engine.project.journal import End, act_from_json, act_to_json, hash_of
from engine.project.journal_ends import Seen, seen_in
from engine.project.line_checks import ACTS
from engine.project.rows import RowStore
from engine.small_files import read_cache

MAGIC = b"TAMISSN2" if sys.byteorder == "little" else b"TAMISSNC"
VERSION = 4
SNAPSHOT = "when its snapshot was made"
LATEST = 2**32 - 1
BLOCK_BYTES = 1 << 20
CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}


@dataclass(slots=True)
class Columns:
    """One journal's folded state; `get` makes a RowState of the columns of a row."""

    rows: RowStore
    codes: bytes | bytearray
    seen: bytes | bytearray
    reasons: memoryview | array[int]
    times: memoryview | array[int]
    held: bytes | bytearray
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
        self.held += bytes(more)
        self.reasons, self.times = (
            array("I", column.tobytes() + bytes(4 * more)) for column in (self.reasons, self.times)
        )

    def ids(self) -> Iterator[str]:
        for number, reason in enumerate(self.reasons):
            if reason:
                yield self.rows.id(number)
        yield from self.vanished


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds - 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


@lru_cache(4096)
def _seconds(stamp: str) -> int:
    return min(int(datetime.fromisoformat(stamp).timestamp()) + 1, LATEST) if stamp else 0


def _check_of(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, sys.byteorder)


def check_of(path: Path, size: int) -> str:
    """A short hash of the first `size` bytes of a journal: of all of them, since any line can have been changed."""
    digest = blake2b(digest_size=8)
    with path.open("rb") as stream:
        while size > 0 and (block := stream.read(min(BLOCK_BYTES, size))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


@dataclass(slots=True)
class Snapshot:
    """`folds` stand on it, by the name of the journal file; none where it does not fit. `seen` is what it saw of the
    journals, and `changed` names those that are as long still, and other than they were."""

    folds: dict[str, Fold] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def load_snapshot(folder: Path, rows: RowStore) -> Snapshot:
    """The snapshot of a project; an empty one where there is none or it is damaged: the journals say it all again."""
    content = read_cache(folder / "snapshot.bin") or b""
    found = Snapshot()
    if content[:8] != MAGIC or content[-4:] != _check_of(content[:-4]):
        return found
    try:
        length = int.from_bytes(content[8:16], sys.byteorder)
        head = json.loads(content[16 : 16 + length])
        found.seen = seen_in({entry["name"]: entry | {"size": entry["bytes"]} for entry in head["journals"]}, SNAPSHOT)
        # A version that knows other acts folds the journals anew, and so does one that keeps more of them.
        if head["rows"] != rows.fingerprint().hex() or head["acts"] != sorted(ACTS) or head["v"] != VERSION:
            return found
        at = 16 + length
        folds: dict[str, Fold] = {}
        changed: list[str] = []
        for entry in head["journals"]:
            columns, at = _columns(content, at, len(rows), rows, entry)
            path = folder / "decisions" / entry["name"]
            if not path.exists() or path.stat().st_size < entry["bytes"]:
                continue
            if check_of(path, entry["bytes"]) == entry["check"]:
                folds[entry["name"]] = _fold_on(columns, entry, rows)
            else:
                changed.append(entry["name"])
        found.folds, found.changed = folds, changed
        return found
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return found


def is_damaged(folder: Path) -> bool:
    """Whether a snapshot lies there that cannot be believed, or is of another version."""
    content = read_cache(folder / "snapshot.bin")
    return content is not None and (content[:8] != MAGIC or content[-4:] != _check_of(content[:-4]))


def _columns(content: bytes, at: int, count: int, rows: RowStore, entry: dict[str, Any]) -> tuple[Columns, int]:
    codes, seen, held = (content[at + place * count : at + (place + 1) * count] for place in range(3))
    at += 3 * count
    words: list[memoryview] = []
    for _ in range(2):
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
        held,
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
    fold.end = End(entry["bytes"], entry["lines"], entry["last_hash"])
    fold.notes = list(entry["notes"])
    fold.reviewers = set(entry["reviewers"])
    fold.heldout = {rows.id(number): -1 for number in compress(range(len(rows)), columns.held)}
    # Which line said it is known to the journal alone; the order stays.
    fold.standing = {-1 - place: [act_from_json(act) for act in acts] for place, acts in enumerate(entry["relations"])}
    for place, act in enumerate(entry["mappings"]):
        mapping = mapping_of_act(act_from_json(act))
        if mapping is not None:
            fold.mappings[-1 - place] = mapping
    return fold


def save_snapshot(folder: Path, rows: RowStore, folds: Mapping[Path, Fold]) -> None:
    """Write the snapshot of these folds; a folder that cannot be written simply has none.

    A journal that waits for a side file is not in it: it is read anew until the file is there.
    """
    head: dict[str, Any] = {"v": VERSION, "rows": rows.fingerprint().hex(), "acts": sorted(ACTS), "journals": []}
    body: list[bytes] = []
    try:
        for path, fold in folds.items():
            if fold.end.size and not fold.is_waiting and _is_as_folded(path, fold):
                columns = _columns_of(fold, rows)
                head["journals"].append(_entry(path, fold, columns))
                body += [bytes(columns.codes), bytes(columns.seen), bytes(columns.held)]
                body += [columns.reasons.tobytes(), columns.times.tobytes()]
        packed = json.dumps(head).encode("ascii")
        whole = MAGIC + len(packed).to_bytes(8, sys.byteorder) + packed + b"".join(body)
        write_atomic(folder / "snapshot.bin", whole + _check_of(whole))
    except (ProjectError, OSError):
        return


def _is_as_folded(path: Path, fold: Fold) -> bool:
    """Whether the file still holds what was folded: another program may have put another one there."""
    with path.open("rb") as stream:
        content = stream.read(fold.end.size)
    last = content[:-1].rpartition(b"\n")[2]
    return len(content) == fold.end.size and hash_of(last) == fold.end.last_hash


def _entry(path: Path, fold: Fold, columns: Columns) -> dict[str, Any]:
    return {
        "name": path.name,
        "bytes": fold.end.size,
        "lines": fold.end.lines,
        "last_hash": fold.end.last_hash,
        "notes": fold.notes,
        "check": check_of(path, fold.end.size),
        "last": fold.last_number,
        "reviewers": sorted(fold.reviewers),
        "relations": [[act_to_json(act) for act in acts] for acts in fold.standing.values()],
        "mappings": [act_to_json(map_act(mapping)) for mapping in fold.mappings.values()],
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
    held = bytearray(count)
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
    for number in rows.numbers(tuple(fold.heldout)):
        if number is not None:
            held[number] = 1
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
