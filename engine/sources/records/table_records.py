"""The records of a table: lines, or several where a cell in quotes goes on over line ends.

One rule says what a record is. A cell that begins with a quote ends at a quote before a separator or a line end. Where
it does not end so, the quote is a stray one: its line is set aside with the lines behind it, up to the next that begins
a record with as many cells as the header has. The same where it does end, but in a record of another number of cells,
behind lines that have that number each. In tables separated by tabs or bars whose header has no quotes, a quote is text
wherever the lines have their number of cells without it.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from engine.sources.files.pieces import MAX_LINE_BYTES, TOO_LONG, Record

MAX_CELLS = 1_000_000
STRAY = "a quote is opened on this line and not closed before a separator or a line end"
# A backslash that escapes nothing is text.
_PLAIN_BACKSLASH = re.compile(r'\\(?!["\\])|\\\\')
# In a cell in quotes that many lines that are records by themselves are no text any more.
_FEWEST_SWALLOWED = 3

Quoting = Literal["doubled", "escaped", "spaced"]
"""A quote in quotes is doubled, or behind a backslash; or cells are in quotes behind a separator and a blank."""


@dataclass(slots=True)
class Cut:
    """A record: its cells, or None and the fault; its bytes, and how many lines they are."""

    cells: list[str] | None
    fault: str = ""
    record: Record = field(default_factory=Record)
    lines: int = 1


class _Unending(Exception):
    """A cell in quotes goes on for longer than a record may be."""


class TableRecords:
    """Cuts lines into records. `width` is the header's number of cells; None: it is not known yet, and nothing is set
    aside for it. `is_damaged` tells whether the source ended because it could be read no further."""

    def __init__(
        self,
        lines: Iterator[str],
        delimiter: str,
        quoting: Quoting = "doubled",
        *,
        width: int | None = None,
        quotes_are_text: bool = False,
        starts_quoted: bool = False,
        is_damaged: Callable[[], bool] = lambda: False,
    ) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._quoting = quoting
        self._width = width
        self._quotes_are_text = quotes_are_text
        self._starts_quoted = starts_quoted
        self._is_damaged = is_damaged
        self._ahead: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0
        self._reader = self._new_reader()
        self.ran_out = False
        """Whether the lines ended inside of quotes."""

    def __iter__(self) -> Iterator[Cut]:
        while (first := self._next()) is not None:
            yield self._cut(first)

    def _next(self) -> str | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _cut(self, first: str) -> Cut:
        if _is_part(first):
            return self._too_long(first)
        if first.count(self._delimiter) > MAX_CELLS:
            return _whole(None, f"a line of more than {MAX_CELLS:,} cells", [first])
        if self._is_plain(first):
            return _whole(self._split(first), "", [first])
        cells = self._quoted(first)
        if cells is None and self.ran_out and self._is_damaged():
            return _whole(None, STRAY, self._taken)
        if self._quotes_are_text and self._reads_without_quotes(cells):
            self._give_back()
            return _whole(self._split(first), "", [first])
        if cells is not None and not self._swallowed(cells):
            return _whole(cells, "", self._taken)
        self._give_back()
        return self._stray(first)

    def _is_plain(self, line: str) -> bool:
        return '"' not in line and not (self._quoting == "escaped" and "\\" in line) and self._quoting != "spaced"

    def _split(self, line: str) -> list[str]:
        return line.rstrip("\r\n").split(self._delimiter)

    def _too_long(self, first: str) -> Cut:
        cut = Cut(None, f"record {TOO_LONG}")
        part: str | None = first
        while part is not None:
            cut.record.add(_bytes(part))
            part = self._next() if _is_part(part) else None
        return cut

    def _new_reader(self) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_LINE_BYTES)
        escaped = self._quoting == "escaped"
        return csv.reader(
            self._fed(),
            delimiter=self._delimiter,
            strict=True,
            escapechar="\\" if escaped else None,
            skipinitialspace=self._quoting == "spaced",
        )

    def _fed(self) -> Iterator[str]:
        """The lines that the csv module asks for; those of the record that it is reading are in `_taken`."""
        while (line := self._next()) is not None:
            self._taken.append(line)
            self._size += len(line)
            if self._size > MAX_LINE_BYTES or line.count(self._delimiter) > MAX_CELLS or _is_part(line):
                raise _Unending
            yield _PLAIN_BACKSLASH.sub(r"\\\\", line) if self._quoting == "escaped" else line
        self.ran_out = bool(self._taken)

    def _quoted(self, first: str) -> list[str] | None:
        """The cells of the record that begins with a line, by the rules of quotes; None where they are broken."""
        self._ahead.appendleft(first)
        self._taken, self._size, self.ran_out = [], 0, False
        try:
            return next(self._reader)
        except (csv.Error, _Unending):
            self._reader = self._new_reader()
            return None

    def _give_back(self) -> None:
        """All lines of the record but its first."""
        self._ahead.extendleft(reversed(self._taken[1:]))

    def _reads_without_quotes(self, cells: list[str] | None) -> bool:
        fits = all(len(self._split(line)) == self._width for line in self._taken[: 1 if cells is None else None])
        # Where a quote is doubled, or quotes hold a separator or a line end, they mean something.
        return fits and (cells is None or len(self._taken) > 1 or '""' not in self._taken[0])

    def _swallowed(self, cells: list[str]) -> bool:
        """Whether a record holds, between its quotes, lines that are records."""
        inside = self._taken[1:-1]
        if self._width is None or len(cells) == self._width or len(inside) < _FEWEST_SWALLOWED:
            return False
        return sum(len(self._split(line)) == self._width for line in inside) * 2 > len(inside)

    def _stray(self, first: str) -> Cut:
        cut = _whole(None, STRAY, [first])
        while self._width is not None and (line := self._next()) is not None:
            if self._begins_record(line):
                self._ahead.appendleft(line)
                break
            cut.record.add(_bytes(line))
            cut.lines += not _is_part(line)
        return cut

    def _begins_record(self, line: str) -> bool:
        if _is_part(line) or (self._starts_quoted and not line.startswith('"')):
            return False
        if self._is_plain(line):
            return len(self._split(line)) == self._width
        cells = self._quoted(line)
        self._give_back()
        return cells is not None and len(cells) == self._width and not self._swallowed(cells)


def _is_part(line: str) -> bool:
    """Whether a line is longer than a record may be, and this a part of it that is not its end."""
    return len(line) >= MAX_LINE_BYTES and not line.endswith(("\n", "\r"))


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def _whole(cells: list[str] | None, fault: str, lines: list[str]) -> Cut:
    cut = Cut(cells, fault, lines=len(lines))
    for line in lines:
        cut.record.add(_bytes(line))
    return cut
