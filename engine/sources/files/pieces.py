"""What reading yields: rows. What cannot be one is `engine.model.Quarantined`, of which a bounded part is kept."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from engine.model import Quarantined

MAX_LINE_BYTES = 64 * 1024 * 1024
# A record that cannot be read is kept whole up to this; of a longer one both ends are.
KEPT_WHOLE_BYTES = 1024 * 1024
KEPT_END_BYTES = 64 * 1024
TOO_LONG = "longer than 64 MB"
# Rows whose content is not what stands in the source, and why; a row has at most one of these notes.
ON_ONE_LINE = "laid out over several lines, kept on one"
WRAPPED = "a list of messages, kept as the field of a row"
JOINED = "records joined to one conversation"
BEHIND_COMMENT = "a comment before it left out"
SEVERAL = "several records on a line"
BETWEEN = "a comma or a separator beside it"
PYTHON = "Python's or JavaScript's notation, written as JSON"
RAW_CONTROLS = "raw line breaks or tabs in a text, escaped"
COMMENTED = "comments inside of it left out"
LOOSE_COMMA = "a comma behind the last field left out"
TEXT_IN_TEXT = "JSON text inside of a JSON text, unpacked"
UNFRAMED = "the row inside of the frame of the Hub's viewer"
CUT_BY_VIEWER = "cells cut off by the Hub's viewer: fetch the data set itself"
SPLIT_ADDED = "the list it stood in kept as its field `split`"
KEY_ADDED = "the key it stood under kept as a field"
OF_COLUMNS = "put together from columns"
REWRITTEN = (
    ON_ONE_LINE, WRAPPED, JOINED, PYTHON, RAW_CONTROLS, COMMENTED, LOOSE_COMMA, TEXT_IN_TEXT, UNFRAMED, SPLIT_ADDED,
    KEY_ADDED, OF_COLUMNS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: its 1-based line (or array element), byte `offset`, bytes without line end, and value.

    `notes` say what was odd about it and read all the same: `byte order mark`, `CRLF line end`, `key stands twice`, or
    one of REWRITTEN. A row that is made of several records names the `lines` of all of them; `records` counts those
    that no row before it holds, so that all of them together are the records of the source.
    """

    line: int
    offset: int
    content: bytes
    raw: dict[str, Any]
    notes: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    records: int = 1


class Record:
    """The bytes of one record of a source, gathered piece by piece: whole as long as a row may be; of a longer one only
    both ends, the length and the hash, however long it is."""

    def __init__(self, start: bytes = b"") -> None:
        self.length = 0
        self._whole = bytearray()
        self._first = self._last = b""
        self._digest: Any = None
        self.add(start)

    def clear(self) -> None:
        """As if nothing had been added."""
        self.length, self._whole, self._first, self._last, self._digest = 0, bytearray(), b"", b"", None

    @property
    def is_too_long(self) -> bool:
        return self.length > MAX_LINE_BYTES

    @property
    def ends_line(self) -> bool:
        return (self._last or self._whole).endswith(b"\n")

    def add(self, piece: bytes) -> None:
        """The next bytes of the record."""
        self.length += len(piece)
        if not self.is_too_long:
            self._whole += piece
            return
        if self._digest is None:
            self._digest = sha256()
            self._first = bytes(self._whole[:KEPT_END_BYTES])
            self._digest.update(self._whole)
            self._last = bytes(self._whole[-KEPT_END_BYTES:])
            self._whole = bytearray()
        self._first = self._first or piece[:KEPT_END_BYTES]
        self._digest.update(piece)
        self._last = (self._last + piece[-KEPT_END_BYTES:])[-KEPT_END_BYTES:]

    @property
    def content(self) -> bytes:
        """All of it; b'' where it is too long."""
        return bytes(self._whole)

    def set_aside(self, line: int, offset: int, reason: str) -> Quarantined:
        """The record as one that cannot be read."""
        if not self.is_too_long:
            return set_aside(line, offset, reason, self.content)
        return _ends(line, offset, reason, self.length, self._first, self._last, self._digest.hexdigest())


def set_aside(line: int, offset: int, reason: str, content: bytes) -> Quarantined:
    """A record that cannot be read: its bytes, of more than a megabyte both ends with the true length and the hash."""
    if len(content) <= KEPT_WHOLE_BYTES:
        return Quarantined(line, offset, reason, content)
    first, last = content[:KEPT_END_BYTES], content[-KEPT_END_BYTES:]
    return _ends(line, offset, reason, len(content), first, last, sha256(content).hexdigest())


def _ends(line: int, offset: int, reason: str, length: int, first: bytes, last: bytes, digest: str) -> Quarantined:
    told = f"{reason} ({length:,} bytes; the first and last 64 kB are kept, the source has it all)"
    return Quarantined(line, offset, told, first, length, last, digest)
