"""Which process may change the rows of a project: one at a time, whoever decides in it meanwhile.

`rows.lock` is flocked for as long as somebody reads on, adds rows or holds some out; the kernel frees it however the
process ends. It says who has it, for those who are turned away, and is never taken away itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import LockedError, ProjectError
from engine.files import open_private
from engine.project.writer_lock import NETWORK_FILE_SYSTEMS, file_system_of

LOCK_FILE = "rows.lock"
PATIENCE_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.05
READING, ADDING = "its source is still being read", "rows are being added to it"


@contextmanager
def locked_rows(
    folder: Path, doing: str, *, patience: float = PATIENCE_SECONDS, network: bool | None = None
) -> Iterator[None]:
    """Be the one that changes the rows of a project, for the time of the block. `doing` is what others are told.

    On a network mount a lock may not reach other machines, so a file that names the holder counts as well. Raises
    LockedError where another process has the lock after `patience` seconds, ProjectError where the folder refuses.
    """
    path = folder / LOCK_FILE
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        _wait(descriptor, folder, patience)
        on_network = file_system_of(folder) in NETWORK_FILE_SYSTEMS if network is None else network
        with _owner_file(folder, doing) if on_network else contextlib.nullcontext():
            # What others are told; a full disk has nothing to say here.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _told(doing), 0)
            yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, folder: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise _busy(folder, os.pread(descriptor, 4096, 0)) from error
            time.sleep(LOOK_AGAIN_SECONDS)
        except OSError as error:
            raise _refused(folder, error) from error
        else:
            return


@contextmanager
def _owner_file(folder: Path, doing: str) -> Iterator[None]:
    """A file that only one machine can make. One of this machine is left over: the flock says that nobody is there."""
    path = folder / f"{LOCK_FILE}.owner"
    try:
        if path.exists() and _read(path).get("host") == socket.gethostname():
            path.unlink(missing_ok=True)
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(descriptor, _told(doing))
        os.close(descriptor)
    except FileExistsError as error:
        hint = f"try again when it is done; if that machine has crashed, remove {path}"
        raise _busy(folder, path.read_bytes(), hint) from error
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _told(doing: str) -> bytes:
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "doing": doing}).encode("ascii")


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _busy(folder: Path, told: bytes, hint: str = "try again when it is done") -> LockedError:
    try:
        said = json.loads(told)
        holder, doing = f"by process {said['pid']} on {said['host']}", str(said["doing"])
    except (ValueError, KeyError, TypeError):
        holder, doing = "by another process", "its rows are being changed"
    return LockedError(f"{folder}: {doing} {holder}", "", hint)


def _refused(folder: Path, error: OSError) -> ProjectError:
    return ProjectError(
        f"{folder}: its rows cannot be changed", error.strerror or str(error), "check its permissions and the disk"
    )
