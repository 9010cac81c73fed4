"""The one writer of a journal file. A line is one turn at the file's lock: see that the right to write is still ours
and the file as long as what we know of it, write the side file, append the line, sync."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import LockedError, ProjectError
from engine.files import NotCutBackError, append_durable, open_private, sync_folder, write_atomic
from engine.project.journal import End, hash_of, now
from engine.project.line_sums import with_sum
from engine.project.side_files import NAMED_BYTES, hashed_name, keep, packed_ids
from engine.project.writer_lock import LOCK_SECONDS, Ownership, is_still_at, try_lock
from engine.reviewer import shortened

INLINE_IDS = 10_000
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class JournalWriter:
    """From construction, which leaves the file locked until `begin`, to `close` or until another window takes over.

    Raises LockedError where another process writes it, ProjectError where it cannot be written.
    """

    def __init__(self, path: Path, *, take_over: bool = False) -> None:
        self.path = path
        try:
            self._descriptor = self._open_locked()
        except OSError as error:
            raise ProjectError(
                f"{path.name} cannot be written", error.strerror or "", "check its permissions and the disk"
            ) from error
        try:
            self._owner = Ownership(path, take_over=take_over)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _open_locked(self) -> int:
        """A descriptor of the file that is at `path` when its lock is had: a merge may have put another one there."""
        while True:
            descriptor = self._open()
            try:
                self._lock(descriptor)
                if is_still_at(self.path, descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self.path, flags)
        except FileNotFoundError:
            with suppress(FileExistsError):
                os.close(open_private(self.path, flags | os.O_CREAT | os.O_EXCL))
                # The file must be there after a power cut, as its lines will.
                sync_folder(self.path.parent)
            descriptor = os.open(self.path, flags)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ProjectError(f"{self.path}: is no file", "", "move it away")
        return descriptor

    def _lock(self, descriptor: int) -> None:
        """Wait for the lock of the file, but not for a process that is stopped. Raises LockedError, OSError."""
        until = time.monotonic() + LOCK_SECONDS
        while not try_lock(descriptor):
            if time.monotonic() > until:
                raise LockedError(
                    f"another process holds {self.path.name} and does not let go",
                    Ownership.told(self.path),
                    "it may be stopped: let it go on, or end it",
                )
            time.sleep(0.005)

    def _lock_for_line(self) -> None:
        try:
            self._lock(self._descriptor)
        except LockedError as error:
            if self.was_taken():
                raise taken_over(unsaved=True) from error
            # Nobody has taken over: this window goes on writing once the lock is free.
            raise ProjectError(f"not saved: {error.title}", error.message, error.hint) from error

    def begin(self) -> None:
        """What the file holds is known: lines may be written from now on. Raises ProjectError where the lock stays."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError as error:
            told = error.strerror or str(error)
            raise ProjectError(f"{self.path.name} cannot be written", told, "mend that, then try again") from error

    def _unlock(self) -> None:
        # What is on disk is not undone by a lock that stays: others wait, and are told who has it.
        with suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One turn at the file: nobody else writes it, and the right to is ours. Nothing may be written outside of one.

        Raises LockedError where another window has taken over or the file is gone, ProjectError for any other reason
        why nothing was saved.
        """
        try:
            self._lock_for_line()
            try:
                if not self._owner.is_mine():
                    raise taken_over(unsaved=True)
                if not is_still_at(self.path, self._descriptor):
                    raise _changed(self.path, "is gone, or another file is in its place")
                yield
            finally:
                self._unlock()
        except NotCutBackError as error:
            raise LockedError(
                f"{self.path.name} cannot be written any more",
                f"{error.strerror}; the last act counts as not saved, and its line may stand in the file",
                "this window only reads now; open the project again",
            ) from error
        except OSError as error:
            raise ProjectError(
                "the decision was not saved",
                error.strerror or str(error),
                "free some disk space, then do it again"
                if error.errno in FULL
                else "see to the disk, then do it again",
            ) from error

    def has_more(self, end: End) -> bool:
        """Whether somebody else has written behind `end`. Raises LockedError where the file is shorter. In a turn."""
        size = os.fstat(self._descriptor).st_size
        if size < end.size:
            raise _changed(self.path, "is shorter than it was")
        return size > end.size

    def write(self, line: dict[str, Any], end: End) -> End:
        """Add one line behind `end`, synced; where the file ends now. Raises OSError, with the file as it was. In a
        turn.

        The ids of a very large act go into a side file that is synced first, so that the journal stays readable.
        """
        if "acts" in line:
            line = line | {"acts": [self._aside(act) for act in line["acts"]]}
        line = line | {"prev": end.last_hash}
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        try:
            # A lone surrogate from the data has no UTF-8; its JSON escape does.
            content = text.encode("utf-8")
        except UnicodeEncodeError:
            content = json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        content = with_sum(content)
        append_durable(self._descriptor, content + b"\n")
        return End(end.size + len(content) + 1, end.lines + 1, hash_of(content))

    def _aside(self, act: dict[str, Any]) -> dict[str, Any]:
        content = packed_ids(act["ids"]) if len(act["ids"]) > INLINE_IDS else None
        if content is None:
            return act
        digest = hashlib.sha256(content).hexdigest()
        name = keep(self.path.parent, hashed_name(self.path.stem, digest), content)
        return act | {"ids": [], "ids_file": name, "ids_sha256": digest, "ids_count": len(act["ids"])}

    def set_torn_aside(self, torn: bytes) -> str:
        """Move a torn last line to a file of its own; the sentence that says so. In a turn, or before `begin`."""
        aside = torn_place(self.path)
        write_atomic(aside, torn)
        os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - len(torn))
        os.fsync(self._descriptor)
        return f"the last line of {self.path.name} was torn (never acknowledged); set aside as {aside.name}"

    def was_taken(self) -> bool:
        """Whether another window has taken the right to write."""
        return self._owner.was_taken()

    def close(self) -> None:
        """Give up the right to write."""
        # Under the lock, so that a window that takes over meanwhile keeps its owner file; closing lets go of it.
        with suppress(OSError):
            try_lock(self._descriptor)
        self._owner.release()
        os.close(self._descriptor)


def torn_place(journal: Path) -> Path:
    """A free name for the torn last line of a journal."""
    stamp = now().replace(":", "")
    name = f"{shortened(journal.stem, NAMED_BYTES)}.torn-{stamp}"
    names = (name, *(f"{name}-{further}" for further in range(2, 10_000)))
    return next(path for path in map(journal.with_name, names) if not os.path.lexists(path))


def taken_over(*, unsaved: bool = False) -> LockedError:
    """What a window is told from which another one has taken the right to write; `unsaved`: in the middle of an act."""
    title = "not saved: another window took over" if unsaved else "another window took over"
    return LockedError(title, "", "this one only reads now; open again with --take-over to go on here")


def _changed(path: Path, what: str) -> LockedError:
    return LockedError(f"not saved: {path.name} {what}", "", "this window only reads now; open the project again")
