"""Writing so that nothing is lost: whole files by rename, journals by appended and synced lines.

What is not whole yet lies beside its place under a name of our own, flocked by the process that makes it: the kernel
frees the lock however the process ends, so what a killed one left is told from what a live one still needs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path

from engine.errors import ProjectError

TEMPORARY = ".tamis-tmp"
# Of a long name only so much, so that the name of the temporary file is none too long.
NAME_KEPT = 40


PRIVATE, SHARED = 0o600, 0o660
SHARED_FOLDER = 0o2770


def is_shared(folder: Path) -> bool:
    """Whether a group works in a folder: what is made in it belongs to the group (2770: `--shared`)."""
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        # Nobody works in what is not there.
        return False
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that nobody else may read, nor write: 0600, in a shared folder 0660, whatever the umask.
    Raises OSError."""
    shared = is_shared(path.parent)
    descriptor = os.open(path, flags | os.O_CLOEXEC, SHARED if shared else PRIVATE)
    if shared:
        _share(descriptor)
    return descriptor


def _share(descriptor: int) -> None:
    known = os.fstat(descriptor)
    # Somebody else's is theirs to change.
    if known.st_uid == os.geteuid() and stat.S_IMODE(known.st_mode) != SHARED:
        os.fchmod(descriptor, SHARED)


def make_private_folder(path: Path, *, exist_ok: bool = False) -> None:
    """A new folder for nobody else: 0700, in a shared folder 2770. Raises OSError."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if exist_ok and path.is_dir():
            return
        raise
    if is_shared(path.parent):
        path.chmod(SHARED_FOLDER)


def write_atomic(path: Path, content: bytes, *, public: bool = False) -> None:
    """Put `content` at `path` whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.

    It is for nobody else (see `open_private`); with `public` as the umask says, or as the file it replaces. Raises
    ProjectError (disk full, folder gone or read-only); the old file then stands untouched.
    """
    temporary: Path | None = None
    try:
        remove_dead(path.parent, path.name)
        temporary, descriptor = temporary_beside(path, public=public)
        with os.fdopen(descriptor, "wb") as stream:
            if public:
                with contextlib.suppress(FileNotFoundError):
                    os.fchmod(stream.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            elif is_shared(path.parent):
                os.fchmod(stream.fileno(), SHARED)
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
            temporary.unlink(missing_ok=True)


def temporary_beside(path: Path, *, public: bool = False) -> tuple[Path, int]:
    """A new file beside `path` and its descriptor, to be closed by the caller: while it is open, the file is in use.
    It is private, with `public` as the umask says.

    Raises OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        made = path.parent / f"{_opening(path.name)}{secrets.token_hex(6)}{TEMPORARY}"
        try:
            descriptor = os.open(made, flags, 0o666 if public else PRIVATE)
        except FileExistsError:
            continue
        if _held(descriptor):
            return made, descriptor
        os.close(descriptor)


def temporary_folder(path: Path) -> tuple[Path, int]:
    """A new folder beside `path` and a descriptor of it: while that is open, the folder is in use. Raises OSError."""
    while True:
        made = Path(tempfile.mkdtemp(TEMPORARY, _opening(path.name), path.parent))
        descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if _held(descriptor):
            return made, descriptor
        os.close(descriptor)


def remove_dead(folder: Path, name: str | None = None) -> None:
    """Take away what killed processes left in `folder` of temporary files and folders: those for `name`, or all."""
    opening = "." if name is None else _opening(name)
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(opening) and entry.name.endswith(TEMPORARY)]
    for path in left:
        # In use, or gone meanwhile: not ours to take away.
        with contextlib.suppress(OSError):
            is_folder = os.path.isdir(path) and not os.path.islink(path)
            way = os.O_RDONLY | os.O_DIRECTORY if is_folder else os.O_RDWR
            descriptor = os.open(path, way | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if is_folder else os.unlink(path)
            finally:
                os.close(descriptor)


def _opening(name: str) -> str:
    return f".{name[:NAME_KEPT]}."


def _held(descriptor: int) -> bool:
    """Lock what was just made; False where somebody took it for a left-over first."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody can tell there what is in use, so nobody takes anything away.
        return True
    return os.fstat(descriptor).st_nlink > 0


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
