"""The files of proposals as lines: read one by one, appended together, synced, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import LockedError, ProjectError
from engine.files import append_durable, make_private_folder, open_private, sync_folder
from engine.project.writer_lock import try_lock

FOLDER = "proposals"
LOCK_SECONDS = 5.0


def proposal_files(folder: Path, *, follow_links: bool = True) -> tuple[list[tuple[Path, os.stat_result]], list[str]]:
    """(the files by name and what is known of them, sentences about what has the name of one and is no file)."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError as error:
        return [], [] if isinstance(error, FileNotFoundError) else [f"{FOLDER}: cannot be read ({error.strerror})"]
    found, notes = [], []
    for path in (folder / name for name in names):
        try:
            known = os.stat(path, follow_symlinks=follow_links)
        except OSError:
            known = None
        if known is not None and stat.S_ISREG(known.st_mode):
            found.append((path, known))
        else:
            notes.append(f"{FOLDER}/{path.name}: is no file; it was left out")
    return found, notes


def lines_in(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(1-based number, byte offset, the line without its line feed) of each line that is not blank. What stands behind
    the last line feed was cut off while it was written: it is no line. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    start = 0
    with os.fdopen(descriptor, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.endswith(b"\n") and line.strip():
                yield number, start, line[:-1]
            start += len(line)


@contextmanager
def appending(path: Path) -> Iterator[Callable[[Sequence[bytes]], None]]:
    """Append lines to a file of proposals, made where there is none, while no other process does: what is given is
    synced when the call returns. Raises ProjectError, LockedError."""
    try:
        make_private_folder(path.parent, exist_ok=True)
        descriptor = open_private(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ProjectError(f"{path}: is no file", "", "move it away")
        _lock(path, descriptor)
        yield lambda lines: _append(path, descriptor, lines)
    finally:
        os.close(descriptor)


def _append(path: Path, descriptor: int, lines: Sequence[bytes]) -> None:
    if not lines:
        return
    try:
        size = os.fstat(descriptor).st_size
        # Behind what was cut off a line of its own begins.
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        append_durable(descriptor, (b"\n" if torn else b"") + b"".join(line + b"\n" for line in lines))
        if not size:
            sync_folder(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error


def _lock(path: Path, descriptor: int) -> None:
    until = time.monotonic() + LOCK_SECONDS
    try:
        while not try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > until:
                raise LockedError(f"{path.name} is being written by another process", "", "try again in a moment")
            time.sleep(0.005)
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> ProjectError:
    what = error.strerror or str(error)
    return ProjectError(
        f"{path}: the proposals cannot be written", what, "see to the disk; nothing was decided by them"
    )
