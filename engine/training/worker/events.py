"""What a run writes about itself: event lines that are only ever appended, and small files that are only ever renamed.

Standard library only: the supervisor and the readers use this file too.
"""

from __future__ import annotations

import json
import math
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VERSION = 1
MOST_BYTES = 256 << 20


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NaN and infinities become "nan", "inf", "-inf"; unknown things their text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return str(value)


def event_line(ev: str, values: Mapping[str, Any]) -> bytes:
    """One event as one line of UTF-8 JSON, its end-of-line included."""
    event = {"v": VERSION, "t": round(time.time(), 3), "ev": ev, **plain(values)}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def umask_of(folder: Path) -> int:
    """The umask for what is made in a run's folder: for nobody else, or for the group that shares the folder (2770)."""
    mode = os.stat(folder).st_mode
    return 0o007 if mode & stat.S_ISGID and mode & stat.S_IWGRP else 0o077


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that nobody else may read, whatever the umask (see `umask_of`). Raises OSError."""
    mode = 0o666 & ~umask_of(path.parent)
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, mode)
    known = os.fstat(descriptor)
    if mode & stat.S_IWGRP and stat.S_IMODE(known.st_mode) != mode and known.st_uid == os.geteuid():
        os.fchmod(descriptor, mode)
    return descriptor


class LineFile:
    """A file of lines that is only ever appended to; several processes may hold one at a time.

    Each line is one `write` to an O_APPEND descriptor, so lines of two processes never mix. A piece left by a writer
    that died in the middle, or by a full disk, is closed with a line end first.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = open_private(path, os.O_RDWR | os.O_APPEND)
        self._torn = ends_torn(self._descriptor)

    def append(self, lines: bytes) -> bool:
        """Append whole lines; False where they found no room."""
        if self._torn:
            lines = b"\n" + lines
        try:
            written = os.write(self._descriptor, lines)
        except OSError:
            written = 0
        whole = written == len(lines)
        self._torn = not whole and (self._torn or written > 0)
        return whole

    def close(self) -> None:
        """Close the file; later appends are errors."""
        os.close(self._descriptor)


class EventLog:
    """Appends event lines to `events.jsonl`.

    A full disk loses events but never the run: the number lost is told by an alert as soon as there is room again.
    """

    def __init__(self, run_dir: Path) -> None:
        self._file = LineFile(run_dir / "events.jsonl")
        self._lost = 0

    def emit(self, ev: str, **values: Any) -> None:
        """Append one event. Never raises for want of room."""
        line = event_line(ev, values)
        if self._lost:
            line = event_line("alert", {"kind": "events_lost", "detail": f"{self._lost} events found no room"}) + line
        self._lost = 0 if self._file.append(line) else self._lost + 1

    def close(self) -> None:
        """Close the file; later emits are errors."""
        self._file.close()


class SilentLog:
    """The event log of every process but the first: there is one voice a run."""

    def emit(self, ev: str, **values: Any) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def ends_torn(descriptor: int) -> bool:
    """Whether the file's last byte is something else than a line end."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Put `value` at `path` as JSON, whole or not at all. `durable=False` leaves out the syncs (heartbeats)."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_TRUNC)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
        json.dump(plain(value), stream, ensure_ascii=False)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    os.replace(temporary, path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object at `path`, or None where there is none that can be read."""
    try:
        # Without waiting: a pipe under that name may have no writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            known = os.fstat(descriptor)
            value = json.loads(stream.read()) if stat.S_ISREG(known.st_mode) and known.st_size <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
