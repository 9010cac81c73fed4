"""The rows of a project on disk: `rows.jsonl` as they came, `rows.idx` to find any without parsing the rest.

`rows.idx` holds, after a 16-byte head (magic, count), six arrays in native byte order: where each line starts
(u64, count + 1), the content hash (u64), which equal copy it is (u32), the 1-based source line (u32), the row numbers
sorted by (hash, copy) (u32), so that an id is found by bisection and nothing is hashed on opening, and the CRC-32 of
the bytes of each row (u32). Behind them stands the CRC-32 of all that (u32). Indexes of earlier versions, told by their
magic, lack the sixth and may lack the last; they stay as they are when rows are added.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from operator import lt
from pathlib import Path
from typing import Any, Literal

from engine.errors import ProjectError, shell_command
from engine.model import Example, Row
from engine.nesting import loads_row, nested_too_deep
from engine.project.row_ids import content_hash, row_id, split_id
from engine.project.settings import SETTINGS_FILE, SourceFile
from engine.small_files import read_regular
from engine.sources.mapping import SAMPLE_ROWS, Mapping

ROWS_FILE, INDEX_FILE = "rows.jsonl", "rows.idx"
MAGIC = b"TAMISIX2" if sys.byteorder == "little" else b"TAMISIXC"
WITHOUT_SUMS = b"TAMISIX1" if sys.byteorder == "little" else b"TAMISIXB"
HEAD_BYTES, CHECK_BYTES = 16, 4
# The columns behind the line starts, which are one more; the last is that of the sums.
_COLUMNS: tuple[Literal["Q", "I"], ...] = ("Q", "I", "I", "I", "I")
MOST_INDEX = 1 << 40
CACHED_ROWS = 512
MOST_FIRST_BYTES = 64 << 20
UNREADABLE = "what is left of the row"
"""The field under which a row is shown that is no JSON object any more."""
# So many rows, none of them larger than this, tell whether rows and index belong together.
SAMPLED, SAMPLED_BYTES = 3, 1 << 16
# Ids are looked up one by one where there are fewer of them than one in so many rows.
FEW_OF = 40


class RowStore:
    """Random access to the rows of a project by number; reads with `pread`, holds no text but a small cache."""

    def __init__(
        self, folder: Path, mapping: Mapping, sources: Sequence[SourceFile] = (), index_file: str = INDEX_FILE
    ) -> None:
        self._mapping = mapping
        self._sources = [source for source in sources if source.rows]
        self._names = [source.name for source in self._sources]
        self._own = any(source.mapping for source in sources)
        self._raw_cache: OrderedDict[int, dict[str, Any]] = OrderedDict()
        columns = _read_index(folder / index_file)
        self._starts, self._hashes, self._copies, self._lines, self._order = columns[:5]
        self._sums = columns[5] if len(columns) > 5 else None
        self._fingerprint = b""
        path = folder / ROWS_FILE
        try:
            # A pipe under that name would wait for a writer.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(folder, error) from error
        try:
            self._check_belongs(folder, index_file, sources)
        except ProjectError:
            self.close()
            raise

    def _check_belongs(self, folder: Path, index_file: str, sources: Sequence[SourceFile]) -> None:
        """Raises ProjectError where rows, index and settings cannot be those of one project."""
        what, hint = "", f"`{shell_command('check', folder)}` says what can be done"
        counted = sum(source.rows for source in sources)
        if os.fstat(self._descriptor).st_size < self._starts[-1]:
            what = f"{folder / ROWS_FILE}: is shorter than its index says"
        elif sources and len(self) != counted:
            what = f"{folder / index_file}: speaks of {len(self):,} rows, {SETTINGS_FILE} of {counted:,}"
        else:
            spread = dict.fromkeys(part * (len(self) - 1) // max(1, SAMPLED - 1) for part in range(SAMPLED))
            sampled = [number for number in spread if number >= 0 and self.size(number) <= SAMPLED_BYTES]
            if sampled and not any(map(self.is_as_read, sampled)):
                what = f"{folder / ROWS_FILE}: its rows are not those that {index_file} speaks of"
        if what:
            raise ProjectError(what, "", hint)

    def __len__(self) -> int:
        return len(self._hashes)

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read_by(self, mapping: Mapping) -> None:
        """Make turns of the rows by this mapping from now on, but for those of sources with a mapping of their own; the
        rows, their ids and numbers stay."""
        self._mapping = mapping

    def mapping_of(self, number: int) -> Mapping:
        """How a row is read."""
        return (self.source(number).mapping or self._mapping) if self._own else self._mapping

    def source(self, number: int) -> SourceFile:
        """The source that a row came from."""
        return self._sources[self._place(number)]

    def _place(self, number: int) -> int:
        if len(self._sources) == 1:
            return 0
        return max(bisect_right(self._sources, number, key=lambda source: source.first_row) - 1, 0)

    def raw_bytes(self, number: int) -> bytes:
        """The bytes of the row as they came, without the line feed."""
        start, end = self._starts[number], self._starts[number + 1]
        return os.pread(self._descriptor, end - start - 1, start)

    def size(self, number: int) -> int:
        """The bytes of the row as it came; read from the index alone."""
        return int(self._starts[number + 1] - self._starts[number] - 1)

    def size_of(self, numbers: Sequence[int]) -> int:
        """The bytes of all these rows together."""
        starts = self._starts
        return sum(map(starts[1:].__getitem__, numbers)) - sum(map(starts.__getitem__, numbers)) - len(numbers)

    def raw(self, number: int) -> dict[str, Any]:
        """The row in its own shape; treat it as frozen."""
        cached = self._raw_cache.get(number)
        if cached is None:
            cached = _row_of(self.raw_bytes(number))
            self._raw_cache[number] = cached
            if len(self._raw_cache) > CACHED_ROWS:
                self._raw_cache.popitem(last=False)
        return cached

    def is_as_read(self, number: int) -> bool:
        """Whether the bytes of a row are those that were read; in a project of an earlier version, whether they say
        what its id was made of (about 10 µs for a row of half a kilobyte)."""
        content = self.raw_bytes(number)
        if self._sums is not None:
            return zlib.crc32(content) == self._sums[number]
        try:
            # A line feed between two values says nothing in JSON, and cuts a line in two.
            return b"\n" not in content and content_hash(json.loads(content)) == self._hashes[number]
        except (ValueError, AttributeError):
            return False
        except RecursionError:
            # Earlier versions took rows in that are nested deeper than this one can look into.
            return nested_too_deep(content)

    def ends_in_line_feed(self, number: int) -> bool:
        """Whether the line of a row ends where the index says."""
        return os.pread(self._descriptor, 1, self._starts[number + 1] - 1) == b"\n"

    def id(self, number: int) -> str:
        return row_id(self._hashes[number], self._copies[number])

    def fingerprint(self) -> bytes:
        """16 bytes that change when any row does."""
        if not self._fingerprint:
            self._fingerprint = blake2b(self._hashes, digest_size=16).digest()
        return self._fingerprint

    def line(self, number: int) -> int:
        """The 1-based line (or element) of the source."""
        return self._lines[number]

    def number(self, identifier: str) -> int | None:
        """The row number of an id, or None where no row has it."""
        parts = split_id(identifier)
        if parts is None:
            return None
        content, copy = parts
        place = bisect_left(self._order, content, key=self._hashes.__getitem__) + copy
        if place < len(self._order):
            number = self._order[place]
            if self._hashes[number] == content and self._copies[number] == copy:
                return number
        return None

    def numbers(self, identifiers: Sequence[str]) -> list[int | None]:
        """`number` of many ids, in their order."""
        if len(identifiers) * FEW_OF < len(self):
            return list(map(self.number, identifiers))
        order, copies = self._order, self._copies
        # The hashes in their order, for the time of this call: then no step of a bisection is one of Python's.
        hashes = array("Q", map(self._hashes.__getitem__, order))
        found: list[int | None] = []
        count = len(hashes)
        for identifier in identifiers:
            content, copy = split_id(identifier) or (-1, 0)
            place = bisect_left(hashes, content) + copy if content >= 0 else count
            number = order[place] if place < count and hashes[place] == content else -1
            found.append(number if number >= 0 and copies[number] == copy else None)
        return found

    def example(self, number: int, row: Row | None = None) -> Example:
        """The row as turns; `row` stands in for the raw one where it was edited."""
        # Not at the top: the workbench paints its first screen from columns alone.
        from engine.sources.conversation.conversation import conversation_of

        raw = self.raw(number) if row is None else row
        conversation = conversation_of(raw, self.mapping_of(number))
        name = self._names[self._place(number)] if self._names else ""
        return Example(self.id(number), number, conversation, name, self.line(number), raw)


def _row_of(content: bytes) -> dict[str, Any]:
    """The row that these bytes say; what is left of it where they were damaged, so that it can be shown and told."""
    try:
        row = loads_row(content)
        if isinstance(row, dict):
            return row
    except ValueError:
        pass
    return {UNREADABLE: content.decode("utf-8", "backslashreplace")}


def _unreadable(folder: Path, error: OSError) -> ProjectError:
    return ProjectError(f"{folder}: its rows cannot be read", error.strerror or "", "restore the folder from a copy")


def _read_index(path: Path) -> tuple[memoryview[int], ...]:
    """The six columns of an index, or the five of one of an earlier version, looked at where they were read: no number
    is copied. Raises ProjectError for one that is damaged: ids would be those of other rows, and rows seem to end where
    they do not."""
    try:
        index = read_regular(path, MOST_INDEX)
    except OSError as error:
        raise _unreadable(path.parent, error) from error
    if index[:8] not in (MAGIC, WITHOUT_SUMS) or len(index) < HEAD_BYTES:
        raise ProjectError(f"{path}: is damaged, or of another version", "", _hint(path))
    count = int.from_bytes(index[8:HEAD_BYTES], sys.byteorder)
    has_sums = index[:8] == MAGIC
    layout: list[tuple[Literal["Q", "I"], int]] = [("Q", 8 * count + 8)]
    layout += [(code, (8 if code == "Q" else 4) * count) for code in (_COLUMNS if has_sums else _COLUMNS[:-1])]
    end = HEAD_BYTES + sum(size for _, size in layout)
    if len(index) != end + CHECK_BYTES and (has_sums or len(index) != end):
        raise ProjectError(f"{path}: is damaged: not as long as it says", "", _hint(path))
    columns: list[memoryview[int]] = []
    at = HEAD_BYTES
    for code, size in layout:
        columns.append(memoryview(index)[at : at + size].cast(code))
        at += size
    if not (_fits_check(index, end) if len(index) > end else _is_possible(columns)):
        raise ProjectError(f"{path}: is damaged", "", _hint(path))
    return tuple(columns)


def _hint(index: Path) -> str:
    return f"`{shell_command('check', index.parent)}` makes it again from {ROWS_FILE}"


def _fits_check(index: bytes, end: int) -> bool:
    return zlib.crc32(memoryview(index)[:end]).to_bytes(CHECK_BYTES, sys.byteorder) == index[end:]


def _is_possible(columns: Sequence[memoryview[int]]) -> bool:
    """Whether an index without a check has rows that end behind their start, and numbers of rows it has."""
    starts, order = columns[0], columns[4]
    return all(map(lt, starts, starts[1:])) and max(order, default=-1) < len(order)


def index_bytes(starts: Iterable[int], hashes: Iterable[int], lines: Iterable[int], sums: array[int] | None) -> bytes:
    """The whole of `rows.idx`: `starts` has one more entry than rows (the end of the file). Without `sums` it is one of
    an earlier version."""
    start_column, hash_column, line_column = array("Q", starts), array("Q", hashes), array("I", lines)
    copies = array("I", bytes(4 * len(hash_column)))
    seen: dict[int, int] = {}
    for number, content in enumerate(hash_column):
        copies[number] = seen.get(content, 0)
        seen[content] = copies[number] + 1
    # A stable sort keeps equal hashes in row order, which is the order of their copies.
    order = array("I", sorted(range(len(hash_column)), key=hash_column.__getitem__))
    head = (WITHOUT_SUMS if sums is None else MAGIC) + len(hash_column).to_bytes(8, sys.byteorder)
    columns = (start_column, hash_column, copies, line_column, order, *(() if sums is None else (sums,)))
    whole = head + b"".join(column.tobytes() for column in columns)
    return whole + zlib.crc32(whole).to_bytes(CHECK_BYTES, sys.byteorder)


def read_columns(store: RowStore) -> tuple[array[int], array[int], array[int], array[int] | None]:
    """(starts, hashes, lines, sums) of a store, for an index that is about to grow."""
    starts, hashes = array("Q", store._starts.tobytes()), array("Q", store._hashes.tobytes())
    sums = None if store._sums is None else array("I", store._sums.tobytes())
    return starts, hashes, array("I", store._lines.tobytes()), sums


def indexed_end(index: Path) -> int:
    """Where the last row of an index ends in `rows.jsonl`; what stands behind it is no row. Raises ProjectError."""
    return _read_index(index)[0][-1]


def first_rows(store: RowStore) -> Iterator[dict[str, Any]]:
    """The first rows as they came, as many as say what a file is made of and fit into memory together."""
    room = MOST_FIRST_BYTES
    for number in range(min(len(store), SAMPLE_ROWS)):
        room -= store.size(number)
        if number and room < 0:
            return
        yield store.raw(number)
