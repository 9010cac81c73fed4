"""Faults at every call that changes something on disk: a child process is killed there, or told that the disk refuses.

The child is forked, so a point costs milliseconds. What counts as a point: the calls of `os` and `fcntl` that change a
file, a folder or a lock, opening for writing, and every write, flush and close of a file object, before and after each;
a write of a file object that is struck leaves half of its bytes behind.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.export import put

CALLS = (
    *("rename", "replace", "fsync", "write", "pwrite", "ftruncate", "truncate", "unlink", "remove", "mkdir", "rmdir"),
    *("link", "symlink", "fchmod", "chmod"),
)
KILLED, RAISED, PASSED = 9, 7, 5
WRITES = ("w", "a", "x", "+")


class FaultPoint:
    """Counts the points of a run; strikes at the one that was asked for."""

    def __init__(self, at: int, *, kill: bool) -> None:
        self.at = at
        self.kill = kill
        self.count = 0

    def reached(self, torn: Callable[[], object] | None = None) -> None:
        self.count += 1
        if self.count != self.at:
            return
        if torn is not None:
            torn()
        if self.kill:
            os._exit(KILLED)
        raise OSError(errno.ENOSPC, "No space left on device")

    def wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            self.reached()
            found = real(*words, **named)
            # A call that was done and then fails is no fault of a disk: after it, only a kill is planted.
            if self.kill:
                self.reached()
            return found

        return call


class StruckFile:
    """A file opened for writing whose writes, flushes and end are points."""

    def __init__(self, file: Any, point: FaultPoint) -> None:
        self._file, self._point = file, point

    def write(self, content: Any) -> int:
        self._point.reached(lambda: (self._file.write(content[: len(content) // 2]), self._file.flush()))
        return int(self._file.write(content))

    def flush(self) -> None:
        self._point.reached()
        self._file.flush()

    def close(self) -> None:
        self._point.reached()
        self._file.close()

    def __enter__(self) -> StruckFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def plant(point: FaultPoint) -> None:
    """Put the points into this process, for good."""
    # To be told at the end of a descriptor that was read from that the disk is full: no disk does that.
    for name in (*CALLS, "close") if point.kill else CALLS:
        setattr(os, name, point.wrapped(getattr(os, name)))
    real_lock, real_open, real_os_open = fcntl.flock, io.open, os.open
    fcntl.flock = point.wrapped(real_lock)

    def open_file(file: Any, mode: str = "r", *words: Any, **named: Any) -> Any:
        if not any(letter in mode for letter in WRITES):
            return real_open(file, mode, *words, **named)
        point.reached()
        return StruckFile(real_open(file, mode, *words, **named), point)

    def os_open(path: Any, flags: int, *words: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            point.reached()
        return real_os_open(path, flags, *words, **named)

    io.open = open_file  # type: ignore[assignment]
    os.open = os_open
    builtins.open = open_file  # type: ignore[assignment]
    if put._exchange is not None:
        put._exchange = point.wrapped(put._exchange)


def struck(at: int, act: Callable[[], object], *, kill: bool) -> int:
    """Run `act` in a child with a fault at point `at`: 0 where it has no such point, KILLED, RAISED for an error that a
    person is told, PASSED where it ended well all the same. Any other error is printed; the code is 1."""
    child = os.fork()
    if child == 0:
        point = FaultPoint(at, kill=kill)
        try:
            plant(point)
            act()
        except TamisError:
            os._exit(RAISED)
        except BaseException:  # noqa: BLE001 - the child must end here, whatever it is
            traceback.print_exc()
            os._exit(1)
        os._exit(PASSED if point.count >= at else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fresh_copy(base: Path, work: Path) -> Path:
    """The folder `base` once more, at the same place each time."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, work, symlinks=True)
    return work


def left_over(folder: Path) -> list[str]:
    """Hidden and waiting files that nobody will come back to; those of the right to a journal are another matter."""
    found = [
        path for path in folder.rglob("*") if path.name.startswith(".") or path.name.endswith((".next", ".intent"))
    ]
    return [str(path.relative_to(folder)) for path in found if ".owner." not in path.name]
