"""CSV and TSV: every column is text. No NA words, no numbers, no dates are made of it; a cell says what it says."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from engine.model import Quarantined
from engine.sources.pieces import MAX_LINE_BYTES, QUARANTINE_BYTES, SourceRow

SNIFF_CHARS = 65536
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
    delimiter = guess_delimiter(head)
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


class _Counted:
    """Hands lines to the csv module and remembers those of the record it is reading."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.line = 0
        self.record: list[str] = []

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        text = next(self._lines)
        self.line += 1
        self.record.append(text)
        return text


def _long_lines(text: io.TextIOWrapper) -> Iterator[str]:
    return iter(lambda: text.readline(MAX_LINE_BYTES), "")


def table_rows(stream: IO[bytes]) -> Iterator[SourceRow | Quarantined]:
    """Every record after the header, as a row of strings or set aside with the reason.

    Bytes that are not UTF-8 put their record aside, not the file: they are carried through the csv module as
    surrogates and looked for in the cells.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    # To the end of a line, so that what was read for guessing and the rest meet between two lines.
    head = text.read(SNIFF_CHARS) + text.readline(MAX_LINE_BYTES)
    bom = head.startswith("\ufeff")
    head = head.removeprefix("\ufeff")
    dialect = read_dialect(head)
    counted = _Counted(itertools.chain(io.StringIO(head, newline=""), _long_lines(text)))
    records = _reader(counted, dialect.delimiter)
    offset = 3 if bom else 0
    first = True
    while True:
        start_line = counted.line + 1
        try:
            cells = next(records)
            fault = ""
        except StopIteration:
            return
        except csv.Error as error:
            cells, fault = [], f"not readable as a table: {error}"
        content = "".join(counted.record).encode("utf-8", "surrogateescape")
        counted.record.clear()
        start, offset = offset, offset + len(content)
        if first:
            first = False
            continue
        if not content.strip():
            continue
        fault = fault or _fault(cells, dialect)
        if fault:
            yield Quarantined(start_line, start, fault, content[:QUARANTINE_BYTES])
        else:
            raw: dict[str, Any] = dict(zip(dialect.columns, cells, strict=True))
            yield SourceRow(start_line, start, json.dumps(raw, ensure_ascii=False).encode("utf-8"), raw)


def _fault(cells: list[str], dialect: Dialect) -> str:
    if len(cells) != len(dialect.columns):
        return f"{len(cells)} cells where the header has {len(dialect.columns)}"
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return "not UTF-8"
    return ""
