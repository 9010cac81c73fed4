"""A JSON array cut into its elements as it is read: one element is held at a time, however long the array is.

Elements end where their brackets and strings do, so one that is no JSON costs none of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.nesting import STRING
from engine.sources.pieces import Record
from engine.sources.text_source import SourceText

CHUNK_BYTES = 1 << 20
_BETWEEN = re.compile(rb"[ \t\r\n,]*+")
_BLANK = re.compile(rb"[ \t\r\n]*+")
# A string that ends in this chunk, a quote of one that does not, or a bracket.
_MARKS = re.compile(STRING + rb'|["\[\]{}]', re.DOTALL)
_REST_OF_STRING = re.compile(STRING.removeprefix(b'"'), re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n,\[\]{"]*+')
_OPENING, _CLOSING, _QUOTE, _BEGIN, _END = b"[{", b"]}", ord('"'), ord("["), ord("]")


class ArrayText:
    """The text of an array, from its opening bracket on."""

    def __init__(self, stream: SourceText) -> None:
        self.is_cut = False
        """Whether the source ended inside of an element."""
        self._is_open = True
        self._stream = stream
        self._before = 0
        self._chunk = b""
        self._more()
        self._at = self._chunk.find(b"[") + 1

    @property
    def offset(self) -> int:
        """The byte of the source that comes next."""
        return self._before + self._at

    @property
    def is_closed(self) -> bool:
        """After the last element: whether a closing bracket stands there, or none is missing."""
        return not self._is_open or self._at < len(self._chunk)

    def elements(self) -> Iterator[tuple[int, Record, bool]]:
        """Of each element its byte offset, its bytes, and whether it ends before the source does."""
        while (mark := self._next(_BETWEEN)) is not None and mark != _END:
            start, record = self.offset, Record()
            ends = self._element(record, mark)
            self.is_cut = not ends
            yield start, record, ends

    def goes_on(self) -> bool:
        """After the closing bracket: whether another array, or an object, stands behind it; `elements` then gives
        those."""
        self._at += self._at < len(self._chunk)
        mark = self._next(_BETWEEN)
        self._is_open = mark == _BEGIN
        self._at += self._is_open
        return mark is not None and mark in _OPENING

    def rest(self) -> Iterator[tuple[int, Record]]:
        """What stands behind, if anything does, where it goes on with no rows."""
        if self._next(_BLANK) is None:
            return
        start, record = self.offset, Record()
        self._take(record, len(self._chunk))
        while self._more():
            self._take(record, len(self._chunk))
        yield start, record

    def _more(self) -> bool:
        self._before += len(self._chunk)
        self._at = 0
        self._chunk = self._stream.read(CHUNK_BYTES)
        return bool(self._chunk)

    def _next(self, skipped: re.Pattern[bytes]) -> int | None:
        """Pass over what is `skipped`; the byte that comes then, None at the end."""
        while True:
            found = skipped.match(self._chunk, self._at)
            self._at = found.end() if found is not None else self._at
            if self._at < len(self._chunk):
                return self._chunk[self._at]
            if not self._more():
                return None

    def _take(self, record: Record, end: int) -> None:
        record.add(self._chunk[self._at : end])
        self._at = end

    def _element(self, record: Record, mark: int) -> bool:
        if mark in _OPENING:
            return self._container(record)
        if mark == _QUOTE:
            return self._string(record)
        while True:
            found = _SCALAR.match(self._chunk, self._at)
            self._take(record, found.end() if found is not None else self._at)
            # A number at the very end of the source is whole; that the array is not closed is told by itself.
            if self._at < len(self._chunk) or not self._more():
                return True

    def _container(self, record: Record) -> bool:
        depth = 0
        while True:
            for found in _MARKS.finditer(self._chunk, self._at):
                mark = self._chunk[found.start()]
                if mark in _OPENING:
                    depth += 1
                elif mark in _CLOSING:
                    depth -= 1
                    if not depth:
                        self._take(record, found.end())
                        return True
                elif found.end() - found.start() == 1:
                    self._take(record, found.start())
                    if not self._string(record):
                        return False
                    break
            else:
                self._take(record, len(self._chunk))
                if not self._more():
                    return False

    def _string(self, record: Record) -> bool:
        """From its opening quote to behind its closing one, over as many chunks as it takes."""
        self._take(record, self._at + 1)
        while True:
            # Most chunks of a long text hold no quote at all.
            has_quote = self._chunk.find(b'"', self._at) >= 0
            found = _REST_OF_STRING.match(self._chunk, self._at) if has_quote else None
            if found is not None:
                self._take(record, found.end())
                return True
            rest = self._chunk[self._at :]
            cut_in_escape = (len(rest) - len(rest.rstrip(b"\\"))) % 2
            self._take(record, len(self._chunk))
            if not self._more():
                return False
            self._take(record, self._at + cut_in_escape)
