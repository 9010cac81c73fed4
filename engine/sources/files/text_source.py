"""The bytes of a text source, unpacked and brought to UTF-8 as they are read; where one is damaged it ends, and says
why."""

from __future__ import annotations

import io
import os
import shlex
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

from engine.errors import SourceError
from engine.sources.files.archives import Member, TarMember, ZipMember, data_member, tar_members, zip_members
from engine.sources.files.encodings import Transcoded
from engine.sources.files.packing import BUFFER_BYTES, PACKINGS, UNPACK_FAULTS, UNPACKERS


class SourceText(io.BufferedReader):
    """A stream that ends where it can be read no further; `damage` says why it does, '' where it is whole. It reads
    from the stream `below`, where there is one, and closes it."""

    def __init__(self, stream: IO[bytes] | io.RawIOBase, below: SourceText | None = None) -> None:
        self._unpacked = _Unpacked(stream, below)
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
    def __init__(self, stream: IO[bytes] | io.RawIOBase, below: SourceText | None) -> None:
        self._stream = cast("Any", stream)
        self._below = below
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
            # The system's own faults have a number; what is wrong with packed bytes has none.
            packed = getattr(error, "errno", None) is None
            where = "the compressed data ends or is damaged here" if packed else "cannot be read from here on"
            self.damage = f"{where} ({getattr(error, 'strerror', None) or error})"
            piece = b""
        if not piece and self._below is not None:
            self.damage = self._below.damage or self.damage
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        if self._below is not None:
            self._below.close()
        super().close()


def open_plain(path: Path) -> io.BufferedReader:
    """A file whose reader never waits: what hands out bytes as they come about (`/proc/kmsg`) has no end."""
    return io.BufferedReader(io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)))


def open_text(path: Path, steps: str) -> SourceText:
    """A text source as UTF-8. The file is opened for reading only.

    `steps` is what follows the kind in a format's name, the outermost last: '' for a plain file, `.gz`, `.tar.xz`,
    `.utf-16.zip`. Raises SourceError where the archive or the encoding is none that can be read.
    """
    return _opened(path, tuple(steps.split(".")[1:]))


def _opened(path: Path, steps: tuple[str, ...]) -> SourceText:
    if not steps:
        return SourceText(open_plain(path))
    step, outer = steps[0], steps[1:]
    if step == "zip":
        return SourceText(cast("IO[bytes]", ZipMember(path, member_of(path, steps).place)))
    below = _opened(path, outer)
    if step == "tar":
        return SourceText(cast("IO[bytes]", TarMember(below, member_of(path, steps))), below)
    layer = UNPACKERS[step](below) if step in PACKINGS else cast("IO[bytes]", Transcoded(below, step))
    return SourceText(layer, below)


def member_of(path: Path, steps: tuple[str, ...]) -> Member:
    """The data file of the archive that the first of the steps opens. Raises SourceError."""
    if steps[0] == "zip" and len(steps) > 1:
        raise SourceError(f"{path}: is a zip archive inside of another packing", "", "unpack the outer one first")
    now = os.stat(path)
    return _member_of(path, steps, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns))


# To list a packed tar is to unpack all of it.
@lru_cache(maxsize=64)
def _member_of(path: Path, steps: tuple[str, ...], _state: tuple[int, ...]) -> Member:
    if steps[0] == "zip":
        member = data_member(path, zip_members(path), f"unzip -p {shlex.quote(str(path))}")
        if member.fault:
            raise SourceError(f"{path}: {member.name} cannot be read", member.fault, "unpack it, and name the file")
        return member
    with _opened(path, steps[1:]) as stream:
        members, fault = tar_members(stream)
        fault = stream.damage or fault
    if fault and not members:
        raise SourceError(f"{path}: is a tar archive that is damaged at its start", fault, "fetch it again")
    return replace(data_member(path, members, f"tar -xOf {shlex.quote(str(path))}"), fault=fault)
