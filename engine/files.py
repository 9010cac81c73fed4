"""Writing so that nothing is lost: whole files by rename, journals by appended and synced lines."""

from __future__ import annotations

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


def append_durable(descriptor: int, content: bytes) -> None:
    """Append `content` to an O_APPEND descriptor and sync it; a short write is taken back and raises OSError.

    A full disk makes `os.write` return fewer bytes without an exception, so the count is checked and the
    torn piece cut off again: the file then holds exactly what it held before.
    """
    before = os.fstat(descriptor).st_size
    try:
        written = os.write(descriptor, content)
        if written != len(content):
            raise OSError(28, f"disk full: {written} of {len(content)} bytes written")
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise
