"""Is the source of a project still the file that was read, and what are its lines?"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from engine.project.intake import source_files
from engine.project.settings import SourceFile
from engine.sources.files.pieces import MAX_LINE_BYTES
from engine.sources.files.text_source import ResumedText, open_text

Progress = Callable[[str, int, int], None]
BLOCK = 1 << 20
# The one format whose rows are lines of their source.
LINES = "jsonl"
LOOKING = "looking whether the source is as it was"


def source_now(source: SourceFile, progress: Progress | None = None) -> str:
    """What stands against a source being the very bytes that were read: `is not there any more`, `has changed since it
    was read` …; '' where it is. The whole of it is read where its size is right; nothing but files is opened."""
    if not source.complete or not source.sha256:
        return "is not read to its end yet"
    path = Path(source.path)
    try:
        parts = source_files(path)
        known = [os.stat(part) for part in parts]
        if not all(stat.S_ISREG(one.st_mode) for one in known):
            return "is no file any more"
        if sum(one.st_size for one in known) != source.size:
            return "has changed since it was read"
        digest, done = hashlib.sha256(), 0
        for part in parts:
            with part.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
                    done += len(block)
                    if progress is not None:
                        progress(LOOKING, done >> 20, source.size >> 20)
    except FileNotFoundError:
        return "is not there any more"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return "" if digest.hexdigest() == source.sha256 else "has changed since it was read"


class SourceLines:
    """The lines of a source of lines that are asked for, in their order, by their 1-based number; to be closed. Raises
    OSError, SourceError."""

    def __init__(self, source: SourceFile) -> None:
        stream = open_text(Path(source.path), source.format.removeprefix(LINES))
        head = stream.peek()
        # Lines that end with a CR alone are read as the reader of rows does it.
        self._stream = ResumedText(b"", stream, b"\r") if b"\n" not in head and b"\r" in head else stream
        self._below = stream
        self._number = 0
        self._line = b""

    def has(self, number: int, row: bytes) -> bool:
        """Whether line `number` holds a row, which is all of it but for separators around it."""
        while self._number < number and (line := self._next()):
            self._line = line
            self._number += 1
        return self._number == number and row in self._line

    def _next(self) -> bytes:
        """The next line; of one that is longer than a row may be only its end."""
        line = piece = self._stream.readline(MAX_LINE_BYTES + 1)
        while len(line) > MAX_LINE_BYTES and piece and not piece.endswith(b"\n"):
            piece = self._stream.readline(BLOCK)
        return line if piece is line else b"\n"

    def close(self) -> None:
        self._below.close()
