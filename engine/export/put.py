"""Putting finished files in their place, so that a manifest never speaks of other files than those beside it.

Everything is made beside its place first. A folder that holds nothing but the export is swapped as a whole, in one
step. Where other files lie in it as well, the old manifest goes first, the files follow one by one, the new manifest
comes last; what is meant is written down before, so that whoever exports there next brings a cut one to its end.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import LockedError, ProjectError
from engine.files import remove_dead, sync_folder, temporary_folder, write_atomic
from engine.paths import real_path
from engine.places import sha256_of

INTENT_FILE = ".tamis-export.intent"
WAITING = ".tamis-new"
REPLACED = ".tamis-old"
PATIENCE_SECONDS = 3.0
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@contextmanager
def folder_to_be(folder: Path, *, swapped: bool) -> Iterator[Path]:
    """A new folder in which an export is made: beside `folder`, where it is to take its place, else in it. It is gone
    after the block unless it was moved. Raises ProjectError where the disk refuses."""
    made: Path | None = None
    try:
        remove_dead(folder.parent, folder.name) if swapped else remove_dead(folder, "tamis-export")
        made, descriptor = temporary_folder(folder if swapped else folder / "tamis-export")
        try:
            (made / "new").mkdir()
            yield made / "new"
        finally:
            # The old export where it was swapped.
            shutil.rmtree(made, ignore_errors=True)
            os.close(descriptor)
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(path: Path, error: OSError) -> ProjectError:
    """What a person is told where the disk refuses."""
    hint = "free space or choose another folder, then export again"
    return ProjectError(f"cannot write {path}", error.strerror or str(error), hint)


# -- a folder as a whole


def can_be_swapped(folder: Path, own_names: frozenset[str]) -> bool:
    """Whether a folder holds nothing but what an export wrote, so that another may take its place. One that somebody
    stands in, a link and a mount keep their place."""
    if not folder.exists():
        return not folder.is_symlink()
    names = {name for name in os.listdir(folder) if not _is_left_over(name)}
    return (
        names <= own_names
        and not folder.is_symlink()
        and not os.path.ismount(folder)
        and os.access(folder.parent, os.W_OK)
        and not _is_stood_in(real_path(folder))
    )


def _is_stood_in(folder: Path) -> bool:
    """Whether a process works in a folder, such as a shell: it would find itself in the old one."""
    for place in Path("/proc").glob("[0-9]*/cwd"):
        # Other people's processes are not told, and some have ended meanwhile.
        with contextlib.suppress(OSError):
            if Path(os.readlink(place)).is_relative_to(folder):
                return True
    return False


def swap_folder(made: Path, folder: Path) -> bool:
    """Put `made` where `folder` is, which then lies where `made` was; False where the file system cannot. Raises
    OSError."""
    sync_tree(made)
    if not folder.exists():
        os.rename(made, folder)
    else:
        os.chmod(made, folder.stat().st_mode & 0o7777)
        if _exchange is None or _exchange(AT_FDCWD, bytes(made), AT_FDCWD, bytes(folder), RENAME_EXCHANGE) != 0:
            return False
    sync_folder(folder.parent)
    return True


def _renameat2() -> Any:
    with contextlib.suppress(OSError, AttributeError):
        return ctypes.CDLL(None, use_errno=True).renameat2
    # A C library without it: files are put in place one by one.
    return None


_exchange = _renameat2()


def sync_tree(folder: Path) -> None:
    """Make everything in a folder outlast a power cut. Raises OSError."""
    for place, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(Path(place) / name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(place))


# -- one by one


def put_beside_others(made: Path, folder: Path, manifest: str, gone: Mapping[str, str]) -> None:
    """Move all that lies in `made` into `folder`, its manifest last, and take away the files of `gone` (name -> hash)
    that are still what they were. Under `placing` only. Raises OSError, with the old files whole up to the moment at
    which all is ready."""
    sync_tree(made)
    names = sorted(os.listdir(made), key=lambda name: (name == manifest, name))
    entries = [{"name": name, "sha256": hashes_of(made / name)} for name in names]
    meant = {"v": 1, "entries": entries, "gone": dict(gone), "manifest": manifest}
    try:
        for name in names:
            os.rename(made / name, folder / _waiting(name))
        sync_folder(folder)
        write_atomic(folder / INTENT_FILE, json.dumps(meant).encode())
    finally:
        # Without the intent, what was prepared is taken away again.
        bring_to_end(folder)


def bring_to_end(folder: Path) -> None:
    """Finish what an interrupted export to `folder` meant, or take away what it prepared. Under `placing` only.

    Raises OSError.
    """
    intent = folder / INTENT_FILE
    meant = _meant(intent)
    if meant is not None:
        manifest = meant["manifest"]
        if (folder / _waiting(manifest)).exists():
            (folder / manifest).unlink(missing_ok=True)
            sync_folder(folder)
            if all(_put(folder, entry["name"], entry["sha256"]) for entry in meant["entries"][:-1]):
                for name, digest in meant["gone"].items():
                    _take_away(folder, name, digest)
                sync_folder(folder)
                _put(folder, manifest, meant["entries"][-1]["sha256"])
                sync_folder(folder)
        intent.unlink()
    for left in [name for name in os.listdir(folder) if name.startswith(".") and name.endswith((WAITING, REPLACED))]:
        path = folder / left
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _put(folder: Path, name: str, hashes: Mapping[str, str]) -> bool:
    """Put a waiting file or folder in place; whether what is there now is what was meant."""
    waiting, place, replaced = folder / _waiting(name), folder / name, folder / f".{name}{REPLACED}"
    if waiting.exists() and hashes_of(waiting) == hashes:
        if place.is_dir() and not place.is_symlink():
            # Another folder cannot be renamed over: the old one goes aside first.
            if replaced.exists():
                shutil.rmtree(replaced)
            os.rename(place, replaced)
        os.rename(waiting, place)
    return place.exists() and hashes_of(place) == hashes


def _take_away(folder: Path, name: str, digest: str) -> None:
    """Remove a file that is still what it was, and its folder (of a split) where that is empty then."""
    path = folder / name
    if path.is_file() and sha256_of(path) == digest:
        path.unlink()
        if path.parent != folder and not os.listdir(path.parent):
            path.parent.rmdir()


def _waiting(name: str) -> str:
    return f".{name}{WAITING}"


def _is_left_over(name: str) -> bool:
    return name.startswith(".") and name.endswith((WAITING, REPLACED))


def _meant(intent: Path) -> dict[str, Any] | None:
    try:
        meant = json.loads(intent.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        # Not ours, or damaged: nothing can be finished by it.
        meant = {}
    known = isinstance(meant, dict) and {"entries", "gone", "manifest"} <= meant.keys()
    return meant if known else {"entries": [], "gone": {}, "manifest": ""}


def hashes_of(path: Path) -> dict[str, str]:
    """The hash of a file under `''`, or of all files of a folder under their paths in it. Raises OSError."""
    if not path.is_dir():
        return {"": sha256_of(path)}
    files = sorted(found for found in path.rglob("*") if found.is_file())
    return {found.relative_to(path).as_posix(): sha256_of(found) for found in files}


@contextmanager
def placing(folder: Path) -> Iterator[None]:
    """Be the one that exports into a folder, a cut export brought to its end before. Raises LockedError, OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait(descriptor, folder)
        bring_to_end(folder)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise LockedError(f"{folder}: another export is being written there", "", "try again") from error
            time.sleep(0.05)
        except OSError:
            # A file system without locks: two exports into one folder at once are not told apart there.
            return
        else:
            return
