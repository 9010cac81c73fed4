"""The bytes of a text source, unpacked as they are read; where one is damaged it ends, and says why."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import IO, Any, cast

import zstandard

BUFFER_BYTES = 1 << 16
UNPACK_FAULTS = (OSError, EOFError, zlib.error, zstandard.ZstdError)


class SourceText(io.BufferedReader):
    """A stream that ends where it can be read no further; `damage` says why it does, '' where it is whole."""

    def __init__(self, stream: IO[bytes] | io.RawIOBase) -> None:
        self._unpacked = _Unpacked(stream)
        super().__init__(self._unpacked, BUFFER_BYTES)

    @property
    def damage(self) -> str:
        return self._unpacked.damage


class ResumedText(SourceText):
    """A source whose beginning was read already; `line_end` is the byte its lines end with, read as a line feed."""

    def __init__(self, beginning: bytes, source: SourceText, line_end: bytes = b"\n") -> None:
        self._source = source
        super().__init__(_Resumed(beginning, source, line_end))

    @property
    def damage(self) -> str:
        return self._source.damage


class _Resumed(io.RawIOBase):
    def __init__(self, beginning: bytes, source: SourceText, line_end: bytes) -> None:
        self._beginning = io.BytesIO(beginning)
        self._source = source
        self._line_end = line_end

    def read1(self, size: int) -> bytes:
        return (self._beginning.read(size) or self._source.read1(size)).replace(self._line_end, b"\n")


class _Unpacked(io.RawIOBase):
    def __init__(self, stream: IO[bytes] | io.RawIOBase) -> None:
        self._stream = cast("Any", stream)
        self.damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.damage:
            return 0
        try:
            # One piece at a time, so that what was unpacked before the damage is not lost with it.
            piece: bytes = self._stream.read1(len(buffer)) or b""
        except UNPACK_FAULTS as error:
            packed = not isinstance(error, OSError) or isinstance(error, gzip.BadGzipFile)
            where = "the compressed data ends or is damaged here" if packed else "cannot be read from here on"
            self.damage = f"{where} ({getattr(error, 'strerror', None) or error})"
            return 0
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()


def open_plain(path: Path) -> io.BufferedReader:
    """A file whose reader never waits: what hands out bytes as they come about (`/proc/kmsg`) has no end."""
    return io.BufferedReader(io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)))


def open_text(path: Path, packing: str) -> SourceText:
    """A text source that is packed as `.gz`, `.zst` or not at all (''). The file is opened for reading only."""
    if packing == ".gz":
        return SourceText(cast("IO[bytes]", gzip.open(path)))
    if packing == ".zst":
        reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
        return SourceText(cast("IO[bytes]", reader))
    return SourceText(open_plain(path))
