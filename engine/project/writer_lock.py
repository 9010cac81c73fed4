"""Which process may write a journal: one at a time; a second may take over, and the first then only reads.

`<journal>.owner` holds the token of the owner, who keeps it flocked for as long as it lives: the kernel frees the lock
however the process ends. Of two that claim at once one gets it: the file comes by an exclusive link, and one that a
dead owner left is replaced under its own lock. Taking over replaces it as well, so that the old owner's lock is on a
file that is no longer there; before each line the owner checks, under a lock on the journal itself, that the token is
still its own, and who claims and folds a journal does that under the same lock. On a network mount, where a lock may
not mean anything, the mere presence of the owner file counts, until somebody takes over.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import LockedError, ProjectError
from engine.files import open_private
from engine.paths import real_path

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "lustre", "beegfs", "ceph", "glusterfs", "fuse.sshfs", "gpfs", "9p", "afs"}
)
MOUNTS = Path("/proc/self/mountinfo")
READ_SECONDS = 1.0
LOCK_SECONDS = 5.0
"""A line takes milliseconds: who does not get the lock of a journal for so long waits for a process that is stopped."""
MAKING = ".owner-"
_HINTS = {
    errno.ENOSPC: "free some space",
    errno.EROFS: "open it where it can be written",
    errno.EACCES: "check the permissions of the folder",
    errno.ENOLCK: "its disk has no locks to give: put the project on another",
}
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system a path is on, from mountinfo; '' where that cannot be told."""
    resolved = real_path(path)
    best, kind = -1, ""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after.split():
            continue
        point = Path(fields[4].replace("\\040", " "))
        if resolved.is_relative_to(point) and len(point.parts) > best:
            best, kind = len(point.parts), after.split()[0]
    return kind


def try_lock(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    """Take the lock of a file where it is free. Raises OSError where there are no locks."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Whoever writes the file is between two lines meanwhile, or takes longer than it ever should. Raises OSError where
    it cannot be read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        until = time.monotonic() + READ_SECONDS
        with suppress(OSError):
            while not try_lock(descriptor, fcntl.LOCK_SH) and time.monotonic() < until:
                time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def is_still_at(path: Path, descriptor: int) -> bool:
    """Whether this open file is the one at `path`. Raises OSError where that cannot be told."""
    try:
        there, here = os.stat(path), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _owner_file(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}.owner")


class Ownership:
    """The right to write one journal, from construction to `release`.

    Raises LockedError where another process has it and `take_over` is False, ProjectError where the folder refuses.
    """

    def __init__(self, journal: Path, *, take_over: bool = False, network: bool | None = None) -> None:
        self._journal = journal
        self._path = _owner_file(journal)
        self._token = secrets.token_hex(8)
        self._on_network = file_system_of(journal.parent) in NETWORK_FILE_SYSTEMS if network is None else network
        made = journal.parent
        try:
            made, self._descriptor = self._make(journal.parent)
            try:
                self._put_in_place(made, take_over)
            except BaseException:
                os.close(self._descriptor)
                raise
        except OSError as error:
            raise ProjectError(
                f"{journal.name} cannot be written",
                error.strerror or "",
                _HINTS.get(error.errno or 0, "check the folder and its disk"),
            ) from error
        finally:
            if made != journal.parent:
                with suppress(OSError):
                    made.unlink()
        self._remove_stale()

    def _make(self, folder: Path) -> tuple[Path, int]:
        """A new owner file in the folder, not in its place yet, and its descriptor, flocked."""
        said = {"token": self._token, "pid": os.getpid(), "host": socket.gethostname()}
        content = json.dumps(said).encode("ascii")
        while True:
            made = folder / f"{MAKING}{secrets.token_hex(8)}"
            descriptor = open_private(made, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            try:
                # Before it was locked somebody may have taken it for what a dead process left.
                if try_lock(descriptor) and os.fstat(descriptor).st_nlink:
                    if os.write(descriptor, content) != len(content):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    return made, descriptor
            except BaseException:
                os.close(descriptor)
                made.unlink(missing_ok=True)
                raise
            os.close(descriptor)

    def _put_in_place(self, made: Path, take_over: bool) -> None:
        if take_over:
            os.replace(made, self._path)
            return
        while not (self._came_first(made) or self._replaced_dead(made)):
            pass

    def _came_first(self, made: Path) -> bool:
        try:
            os.link(made, self._path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without links: the next best is to look first.
            if os.path.lexists(self._path):
                return False
            os.replace(made, self._path)
        return True

    def _replaced_dead(self, made: Path) -> bool:
        """Put ours where a dead owner's is. False where that changed meanwhile; raises LockedError where it lives."""
        try:
            held = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            if self._on_network and not self._is_dead():
                raise LockedError(
                    f"{self.told(self._journal)} is deciding in this project", "", "close it, or open with --take-over"
                )
            if not try_lock(held):
                raise LockedError(
                    "another window is deciding in this project under the same name",
                    self.told(self._journal),
                    "close it, open with --take-over, or go on reading here",
                )
            if not is_still_at(self._path, held):
                return False
            os.replace(made, self._path)
            return True
        finally:
            os.close(held)

    def _is_dead(self) -> bool:
        """Whether the owner was a process of this machine that has ended; of another machine nobody can tell."""
        try:
            said = json.loads(self._path.read_bytes())
            if said["host"] != socket.gethostname():
                return False
            os.kill(said["pid"], 0)
        except ProcessLookupError:
            return True
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return False
        return False

    def _remove_stale(self) -> None:
        """Take away what a process left that was killed while it claimed."""
        for left in self._journal.parent.glob(f"{MAKING}*"):
            with suppress(OSError):
                descriptor = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    if try_lock(descriptor):
                        left.unlink()
                finally:
                    os.close(descriptor)

    @staticmethod
    def told(journal: Path) -> str:
        """Who owns a journal, in words."""
        try:
            said = json.loads(_owner_file(journal).read_bytes())
            return f"process {said['pid']} on {said['host']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def is_mine(self) -> bool:
        """Whether nobody has taken over since. Raises OSError where the disk does not say."""
        try:
            return bool(json.loads(self._path.read_bytes())["token"] == self._token)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False

    def was_taken(self) -> bool:
        """Whether the file says so for sure: a disk that cannot be read for a moment takes nothing away."""
        try:
            return bool(json.loads(self._path.read_bytes())["token"] != self._token)
        except FileNotFoundError:
            # Whoever took over has left since.
            return True
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def release(self) -> None:
        """Give the right back."""
        with suppress(OSError):
            if self.is_mine():
                self._path.unlink()
        os.close(self._descriptor)
