"""JSON text that is no array, line by line: a record is a line, or the lines that one value is laid out over.

A line that is JSON is done with at once. One that opens more than it closes is read on until it is whole; where it
never is, it ends before the next line that begins like a record.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from engine.model import Quarantined
from engine.nesting import STRING
from engine.sources.files.pieces import BEHIND_COMMENT, MAX_LINE_BYTES, TOO_LONG, Record, SourceRow, set_aside
from engine.sources.files.text_source import ResumedText, SourceText
from engine.sources.records.anchors import FIRST_KEY, NextRecord, first_fault, next_record
from engine.sources.records.arrays import CHUNK_BYTES, ArrayText
from engine.sources.records.records import BOM, CUT_OFF, ENDS_INSIDE, MARKED, array_rows, is_no_json, pieces_of
from engine.sources.records.wrapped import document_rows, is_page, streamed_rows

KEY_BYTES = 256
_FRAME = b" \t\r\n\x1e\xef\xbb\xbf"
_OPENS = re.compile(rb"(?:[ \t\r\x1e]|\xef\xbb\xbf)*+[\[{]")
_CARRIAGE_RETURNS = re.compile(rb"\r[\r \t]*+(?:[\x1e\[{]|\Z)")
_LINES = re.compile(rb"[^\n]*+\n|[^\n]++")
# A whole string, a quote that opens one, or a bracket; begun with all that it may begin with, it is found faster.
_MARKS = re.compile(rb'["\[\]{}](?:(?<=")%b)?' % STRING.removeprefix(b'"'), re.DOTALL)
_PYTHON_MARKS = re.compile(STRING + rb"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|[\"\[\]{}]", re.DOTALL)
_PYTHON = re.compile(rb"[\[{( \t\r\n]*+'")
_REST_OF_STRING = re.compile(STRING.removeprefix(b'"'), re.DOTALL)
Piece = SourceRow | Quarantined


def line_rows(source: SourceText) -> Iterator[Piece]:
    """Every record of a source of lines, in order; of a source that is one value around its rows, those."""
    lines = _Lines(_with_line_feeds(source))
    is_first, commented, are_pages = True, False, False
    while raw_line := lines.take():
        line, start = lines.number, lines.offset - len(raw_line)
        if not lines.ends and lines.stream.damage and len(raw_line) <= MAX_LINE_BYTES:
            yield set_aside(line, start, lines.stream.damage, raw_line)
            continue
        if not lines.ends and len(raw_line) > MAX_LINE_BYTES:
            if is_first and (held := streamed_rows(ResumedText(raw_line, lines.stream), raw_line, start)) is not None:
                yield from held
                return
            record = lines.whole(raw_line)
            yield record.set_aside(line, start, lines.stream.damage or f"line {TOO_LONG}")
            continue
        content = raw_line.removeprefix(BOM) if line == 1 else raw_line
        if content.isspace() or not content:
            lines.pass_blank()
            continue
        notes: tuple[str, ...] = ()
        if commented or len(content) < len(raw_line):
            notes = (*((MARKED,) if len(content) < len(raw_line) else ()), *((BEHIND_COMMENT,) if commented else ()))
            commented = False
        pieces = pieces_of(line, start, content.removesuffix(b"\n"), notes)
        if isinstance(pieces, tuple) and (is_first or len(pieces) != 1 or type(pieces[0]) is not SourceRow):
            if _is_bad(pieces) and _OPENS.match(content):
                content, pieces = _laid_out(lines, start, content, pieces, notes)
            if is_first and pieces and (held := _held(lines, start, content, pieces)) is not None:
                yield from held
                if not isinstance(pieces[0], SourceRow):
                    # All of the source was read, what follows included.
                    return
                is_first = False
                continue
            several = _several(lines, line, start, content) if _is_bad(pieces) else None
            if several is not None:
                yield from several
                pieces = ()
            commented = not pieces and several is None
        if is_first and isinstance(pieces, tuple) and len(pieces) == 1 and isinstance(pieces[0], SourceRow):
            are_pages = is_page(pieces[0].raw)
        is_first = is_first and commented
        yield from _rows_of_pages(pieces) if are_pages else pieces
        if not isinstance(pieces, tuple) or (pieces and type(pieces[0]) is SourceRow):
            lines.last = content[:KEY_BYTES]
    if lines.stream.damage and lines.ends:
        yield Quarantined(lines.number + 1, lines.offset, lines.stream.damage, b"")


def _rows_of_pages(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The rows inside of each page."""
    for piece in pieces:
        rows = document_rows(piece, piece.content, piece.offset) if isinstance(piece, SourceRow) else None
        yield from (piece,) if rows is None else (replace(row, line=piece.line) for row in rows)


def _held(lines: _Lines, start: int, content: bytes, pieces: tuple[Piece, ...]) -> Iterator[Piece] | None:
    """The rows inside of the first record, where it is a value around them and all there is."""
    first = pieces[0]
    if len(pieces) > 1 or not content.lstrip(_FRAME).startswith(b"{"):
        return None
    if isinstance(first, SourceRow):
        is_all = lines.nothing_follows() or FIRST_KEY.match(lines.ahead() or lines.stream.peek()) is None
        return document_rows(first, content, start) if is_all else None
    if not _is_bad(pieces) and len(content) <= MAX_LINE_BYTES:
        return None
    # What is laid out over lines may end too early for a fault in it; records that follow would begin as it does.
    key, behind = FIRST_KEY.match(content), FIRST_KEY.match(lines.ahead() or lines.stream.peek())
    is_like_it = key is None or (behind is not None and behind.group("key") == key.group("key"))
    if not lines.nothing_follows() and (is_like_it or (behind is not None and b"\n" not in content.rstrip())):
        return None
    return streamed_rows(ResumedText(content + lines.ahead(), lines.stream), content, start)


def _several(lines: _Lines, line: int, start: int, content: bytes) -> Iterator[Piece] | None:
    """The records of a line in which another one begins behind a fault, or stray brackets stand; each for itself."""
    fault = first_fault(content, is_whole=True)
    if fault is None:
        return None
    text = ArrayText(SourceText(io.BytesIO(b"[" + content)), start - 1)
    text.learn(lines.last)
    text.learn(content)
    is_all = not lines.last and lines.nothing_follows()
    found = next_record(content, fault, text.keys, is_all=is_all, chains=not lines.last)
    if b"\n" in content.rstrip():
        return _cut_at_next(lines, line, start, content, found)
    is_stray = not content[fault:].strip(_FRAME + b",]}") and content[:fault].strip(_FRAME)
    if not is_stray and found is None:
        return None
    pieces = array_rows(text, itertools.repeat(line), closes=False)
    return map(_told_of_a_line, pieces)


def _told_of_a_line(piece: Piece) -> Piece:
    return replace(piece, reason=CUT_OFF) if isinstance(piece, Quarantined) and piece.reason == ENDS_INSIDE else piece


def _cut_at_next(
    lines: _Lines, line: int, start: int, content: bytes, found: NextRecord | None
) -> Iterator[Piece] | None:
    """Of a record over several lines what stands before the next one, which is read anew with the lines that follow."""
    if found is None:
        return None
    behind = _LINES.findall(content, found.start)
    lines.put_back(behind[1:])
    lines.put_back(behind[:1], int(content[: found.start].endswith(b"\n")))
    lines.offset = start + found.start
    return iter(tuple(pieces_of(line, start, content[: found.end_before])))


def _is_bad(pieces: tuple[Piece, ...]) -> bool:
    return len(pieces) == 1 and is_no_json(pieces[0])


class _Lines:
    """The lines of a source, one after the other, and those that were put back."""

    def __init__(self, stream: SourceText) -> None:
        self.stream = stream
        self.number = 0
        self.offset = 0
        self.ends = True
        """Whether the line taken last has its line feed."""
        self.last = b""
        """The beginning of the last record that was read."""
        self._ahead: list[tuple[bytes, int]] = []

    def take(self) -> bytes:
        """The next line, or what is left of one; b'' at the end."""
        if self._ahead:
            line, counted = self._ahead.pop()
            self.number += counted
        elif line := self.stream.readline(MAX_LINE_BYTES + 1):
            self.number += 1
        else:
            return b""
        self.offset += len(line)
        self.ends = line.endswith(b"\n")
        return line

    def put_back(self, lines: list[bytes], counted: int = 1) -> None:
        """To be taken once more; `counted` is 0 for the rest of a line whose beginning was read."""
        for line in reversed(lines):
            self._ahead.append((line, counted))
            self.number -= counted
            self.offset -= len(line)
        self.ends = True

    def ahead(self) -> bytes:
        """What was put back."""
        return b"".join(line for line, _ in reversed(self._ahead))

    def whole(self, beginning: bytes) -> Record:
        """A line that is longer than one may be, read to its end."""
        record = Record(beginning)
        while piece := self.stream.readline(CHUNK_BYTES):
            record.add(piece)
            self.offset += len(piece)
            if piece.endswith(b"\n"):
                break
        self.ends = record.ends_line
        return record

    def pass_blank(self) -> None:
        """Blank lines that wait in the stream's buffer: a milliard of them is not gone through one by one."""
        if not self._ahead:
            ahead = self.stream.peek()
            blank = ahead[: len(ahead) - len(ahead.lstrip())]
            self._skip(blank.rfind(b"\n") + 1)

    def nothing_follows(self) -> bool:
        """Whether nothing but blanks stands behind what was taken."""
        if any(line.strip() for line, _ in self._ahead):
            return False
        while (ahead := self.stream.peek()) and not ahead.strip():
            self._skip(len(ahead))
        return not ahead

    def _skip(self, count: int) -> None:
        blank = self.stream.read(count)
        self.number += blank.count(b"\n")
        self.offset += len(blank)


def _laid_out(
    lines: _Lines, start: int, first: bytes, bad: tuple[Piece, ...], notes: tuple[str, ...]
) -> tuple[bytes, tuple[Piece, ...]]:
    """The record that begins with a line that is none by itself: its bytes and what it is read as."""
    number = lines.number
    scan = _Scan(first)
    taken, begins, size, checked = [first], [], len(first), 0
    while scan.end is None and size <= MAX_LINE_BYTES and (line := lines.take()):
        if scan.may_begin(line, lines):
            begins.append(len(taken))
            is_sure = scan.is_python or (scan.in_string and FIRST_KEY.match(line) is not None)
            if not is_sure and size >= 2 * checked:
                checked = size
                is_sure = first_fault(b"".join(taken)) is not None
            if is_sure:
                taken.append(line)
                break
        taken.append(line)
        size += len(line)
        scan.feed(line)
    if len(taken) == 1:
        return first, bad
    if scan.end is not None:
        rest = taken[-1][scan.end :]
        record = b"".join(taken)[: -len(rest) or None]
        pieces = tuple(pieces_of(number, start, record, notes))
        if not (_is_bad(pieces) and begins):
            if rest.strip(_FRAME + b",") or (rest and _is_bad(pieces)):
                lines.put_back([rest], 0)
            return record, pieces
    if begins:
        lines.put_back(taken[begins[0] :])
        taken = taken[: begins[0]]
    record = b"".join(taken)
    if len(record) > MAX_LINE_BYTES:
        return record, (set_aside(number, start, f"record {TOO_LONG}", record),)
    damage = "" if begins else lines.stream.damage
    pieces = tuple(pieces_of(number, start, record.removesuffix(b"\n"), notes))
    return record, (set_aside(number, start, damage, record),) if damage else pieces


class _Scan:
    """Brackets and strings of a record, line after line; `end` is where in the line fed last it closed, if it did."""

    def __init__(self, first: bytes) -> None:
        self.is_python = _PYTHON.match(first) is not None
        self.in_string = False
        self.end: int | None = None
        self._marks = _PYTHON_MARKS if self.is_python else _MARKS
        self._depth = 0
        self._indent = _indent(first)
        found = FIRST_KEY.match(first)
        self._key = found.group("key") if found is not None else None
        self.feed(first)

    def feed(self, line: bytes) -> None:
        at = 0
        if self.in_string:
            found = _REST_OF_STRING.match(line)
            if found is None:
                return
            at, self.in_string = found.end(), False
        for found in self._marks.finditer(line, at):
            mark = line[found.start()]
            if mark in b"[{":
                self._depth += 1
            elif mark in b"]}":
                self._depth -= 1
                if self._depth <= 0:
                    self.end = found.end()
                    return
            elif mark == 0x22 and found.end() - found.start() == 1:
                self.in_string = True
                return

    def may_begin(self, line: bytes, lines: _Lines) -> bool:
        """Whether a record may begin with a line: it stands no further in than the first one, and inside of a list of
        this one only if it begins with the same field as other records."""
        if not _OPENS.match(line) or _indent(line) > self._indent:
            return False
        found = FIRST_KEY.match(line)
        if found is None:
            return self._depth < 2 and not self.in_string
        known = FIRST_KEY.match(lines.last)
        is_known = found.group("key") in (self._key, known and known.group("key"))
        return is_known or self._depth < 2 or self.in_string


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))


def _with_line_feeds(stream: SourceText) -> SourceText:
    """A source whose lines end with a CR alone, with line feeds in their place: no byte moves."""
    head = stream.peek()
    if b"\n" in head or b"\r" not in head or not _CARRIAGE_RETURNS.search(head):
        return stream
    return ResumedText(b"", stream, line_end=b"\r")
