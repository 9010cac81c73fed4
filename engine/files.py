"""Writing so that nothing is lost: whole files by rename, journals by appended and synced lines."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from engine.errors import ProjectError


def write_atomic(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` at `path` whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.

    Raises ProjectError (disk full, folder gone or read-only); the old file then stands untouched.
    """
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise ProjectError(
            f"cannot write {path}",
            error.strerror or str(error),
            "free space or choose another folder; nothing was changed",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class NotCutBackError(OSError):
    """A line that could not be written whole and synced may stand in the file: it could not be cut off again."""


def append_durable(descriptor: int, content: bytes) -> None:
    """Append `content` to an O_APPEND descriptor and sync it. Where that fails, OSError, with the file as it was.

    A full disk makes `os.write` return fewer bytes without an exception, so the rest is written until one says why,
    and the size has the last word. What could not be written or synced is cut off again, however it ended;
    NotCutBackError where not even that works.
    """
    before = os.fstat(descriptor).st_size
    try:
        rest = memoryview(content)
        while rest and (written := os.write(descriptor, rest)):
            rest = rest[written:]
        size = os.fstat(descriptor).st_size
        if size != before + len(content):
            raise OSError(28, f"disk full: {size - before} of {len(content)} bytes written")
        os.fsync(descriptor)
    except BaseException as error:
        _cut_back(descriptor, before, error)
        raise


def _cut_back(descriptor: int, size: int, reason: BaseException) -> None:
    try:
        os.ftruncate(descriptor, size)
    except OSError as error:
        what = f"{getattr(reason, 'strerror', None) or reason}, then {error.strerror or error}"
        raise NotCutBackError(error.errno or 5, what) from reason
    with contextlib.suppress(OSError):
        os.fsync(descriptor)
