"""Which process may write a journal: one at a time; a second may take over, and the first then only reads.

`<journal>.owner` holds the token of the owner, who keeps it flocked for as long as it lives: the kernel frees the lock
however the process ends. Taking over replaces the file, so the old owner's lock is on a file that is no longer there,
and before each line the owner checks, under a lock on the journal itself, that the token is still its own. On a network
mount, where a lock may not mean anything, the mere presence of the owner file counts, until somebody takes over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
from pathlib import Path

from engine.errors import LockedError, ProjectError

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "lustre", "beegfs", "ceph", "glusterfs", "fuse.sshfs", "gpfs", "9p", "afs"}
)
MOUNTS = Path("/proc/self/mountinfo")


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system a path is on, from mountinfo; '' where that cannot be told."""
    resolved = path.resolve()
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


class Ownership:
    """The right to write one journal, from construction to `release`.

    Raises LockedError where another process has it and `take_over` is False, ProjectError where the folder refuses.
    """

    def __init__(self, journal: Path, *, take_over: bool = False, network: bool | None = None) -> None:
        self._path = journal.with_name(f"{journal.name}.owner")
        self._token = secrets.token_hex(8)
        on_network = file_system_of(journal.parent) in NETWORK_FILE_SYSTEMS if network is None else network
        if not take_over:
            self._refuse_if_owned(on_network)
        self._descriptor = self._claim()

    def _refuse_if_owned(self, on_network: bool) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ProjectError(
                f"{self._path}: cannot be opened", error.strerror or "", "check its permissions"
            ) from error
        try:
            if on_network:
                raise LockedError(
                    f"{self._told()} is deciding in this project", "", "close it, or open with --take-over"
                )
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                "another window is deciding in this project under the same name",
                self._told(),
                "close it, open with --take-over, or go on reading here",
            ) from error
        finally:
            os.close(descriptor)

    def _told(self) -> str:
        try:
            said = json.loads(self._path.read_bytes())
            return f"process {said['pid']} on {said['host']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def _claim(self) -> int:
        """Put a new owner file in place, flocked before anybody else can see it."""
        said = {"token": self._token, "pid": os.getpid(), "host": socket.gethostname()}
        made = self._path.with_name(f".{self._path.name}.{self._token}")
        try:
            descriptor = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, json.dumps(said).encode("ascii"))
            os.replace(made, self._path)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise ProjectError(
                f"{self._path.parent}: the journal cannot be written",
                error.strerror or "",
                "free some space, or check its permissions",
            ) from error
        return descriptor

    def is_mine(self) -> bool:
        """Whether nobody has taken over since."""
        try:
            return bool(json.loads(self._path.read_bytes())["token"] == self._token)
        except (OSError, ValueError, KeyError, TypeError):
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
        if self.is_mine():
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(self._descriptor)
