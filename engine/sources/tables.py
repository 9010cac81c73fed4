"""CSV and TSV: every column is text. No NA words, no numbers, no dates are made of it; a cell says what it says."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.pieces import MAX_LINE_BYTES, TOO_LONG, Record, SourceRow
from engine.sources.text_source import SourceText

SNIFF_CHARS = 65536
MAX_HEADER_CHARS = 4 * 1024 * 1024
MAX_CELLS = 1_000_000
DELIMITERS = ",\t;|"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table separates and quotes its cells, and the names in its header."""

    delimiter: str
    columns: tuple[str, ...]

    def describe(self) -> str:
        """For the person: the guess can be wrong, so it is said."""
        named = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}[self.delimiter]
        return f"{named}-separated, columns {', '.join(self.columns)}"


def guess_delimiter(head: str) -> str:
    """The separator that cuts the first lines into the same number of cells, more cells before fewer; else a comma."""
    best, best_cells = ",", 1
    for delimiter in DELIMITERS:
        rows = [row for row in _reader(head.splitlines(keepends=True)[:50], delimiter) if row]
        # The last row of the sample may be cut in the middle.
        counts = {len(row) for row in (rows[:-1] or rows)}
        if len(counts) == 1 and (cells := counts.pop()) > best_cells:
            best, best_cells = delimiter, cells
    if best_cells == 1:
        first = next(iter(head.splitlines()), "")
        best = max(DELIMITERS, key=first.count) if any(mark in first for mark in DELIMITERS) else ","
    return best


def read_dialect(head: str) -> Dialect:
    """The dialect of a table from its first characters."""
    delimiter = guess_delimiter(head[:SNIFF_CHARS])
    header = next(_reader(io.StringIO(head, newline=""), delimiter), [])
    return Dialect(delimiter, tuple(_unique_names(header)))


def _unique_names(header: list[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for place, name in enumerate(header):
        # Bytes that are not UTF-8 were read as surrogates; a name has to be text.
        readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        plain = readable.strip() or f"column_{place}"
        seen[plain] = seen.get(plain, 0) + 1
        yield plain if seen[plain] == 1 else f"{plain}_{seen[plain]}"


def _reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_LINE_BYTES)
    return csv.reader(lines, delimiter=delimiter, strict=False)


class _Lines:
    """Hands lines to the csv module, and keeps the bytes of the record it is reading.

    `is_open` where the source ended inside of quotes: only there does the csv module ask for a further line.
    """

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._is_whole = True
        self.line = 0
        self.record = Record()
        self.is_open = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            text = next(self._lines)
        except StopIteration:
            self.is_open = self.record.length > 0
            raise
        self._keep(text)
        if self.record.is_too_long or not self._is_whole:
            raise csv.Error(f"record {TOO_LONG}")
        if text.count(self._delimiter) > MAX_CELLS:
            raise csv.Error(f"a line of more than {MAX_CELLS:,} cells")
        return text

    def _keep(self, text: str) -> None:
        self._is_whole = len(text) < MAX_LINE_BYTES or text.endswith("\n")
        self.line += self._is_whole
        self.record.add(text.encode("utf-8", "surrogateescape"))

    def finished(self) -> Record:
        """The record that was read, to the end of its line; the next one begins."""
        while not self._is_whole:
            self._keep(next(self._lines, "\n"))
        record, self.record = self.record, Record()
        return record


def _long_lines(text: io.TextIOWrapper) -> Iterator[str]:
    return iter(lambda: text.readline(MAX_LINE_BYTES), "")


def table_rows(stream: SourceText) -> Iterator[SourceRow | Quarantined]:
    """Every record after the header, as a row of strings or set aside with the reason. Raises SourceError for a header
    that is none.

    Bytes that are not UTF-8 put their record aside, not the file: they are carried through the csv module as
    surrogates and looked for in the cells.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    # To the end of a line, so that what was read for guessing and the rest meet between two lines.
    head = text.read(SNIFF_CHARS) + text.readline(MAX_LINE_BYTES)
    if len(head) > MAX_HEADER_CHARS and "\n" not in head[:MAX_HEADER_CHARS]:
        raise SourceError("the first line of the table is longer than 4 MB", "", "a table begins with its column names")
    bom = head.startswith("\ufeff")
    head = head.removeprefix("\ufeff")
    dialect = read_dialect(head)
    lines = _Lines(itertools.chain(io.StringIO(head, newline=""), _long_lines(text)), dialect.delimiter)
    records = _reader(lines, dialect.delimiter)
    offset = 3 if bom else 0
    is_header = True
    while not lines.is_open:
        start_line = lines.line + 1
        cells, fault = _next_record(records)
        record = lines.finished()
        if cells is None and not fault:
            break
        start, offset = offset, offset + record.length
        if stream.damage and (lines.is_open or not record.ends_line):
            yield record.set_aside(start_line, start, stream.damage)
            return
        if lines.is_open:
            fault = "a quote is opened in this record and never closed: it runs to the end of the file"
        named, is_header = is_header, False
        if (named and not fault) or not (record.is_too_long or record.content.strip()):
            continue
        fault = fault or _fault(cells or [], dialect)
        if fault:
            yield record.set_aside(start_line, start, fault)
        else:
            raw: dict[str, Any] = dict(zip(dialect.columns, cells or [], strict=True))
            yield SourceRow(start_line, start, json.dumps(raw, ensure_ascii=False).encode("utf-8"), raw)
    if stream.damage:
        yield Quarantined(lines.line + 1, offset, stream.damage, b"")


def _next_record(records: Iterator[list[str]]) -> tuple[list[str] | None, str]:
    """(cells, '') of the next record, (None, why) where it cannot be read, (None, '') at the end."""
    try:
        return next(records, None), ""
    except csv.Error as error:
        return None, f"not readable as a table: {error}"
    except MemoryError:
        return None, "needs more memory than there is"


def _fault(cells: list[str], dialect: Dialect) -> str:
    if len(cells) != len(dialect.columns):
        return f"{len(cells)} cells where the header has {len(dialect.columns)}"
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return "not UTF-8"
    return ""
