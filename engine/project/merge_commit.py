"""Journals that a merge has ready, put in place all together: one rename of their folder decides, and whoever opens the
project next finishes what a killed merge did not. Nothing that is in a journal meanwhile is lost by it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from engine.errors import LockedError, ProjectError
from engine.files import make_private_folder, sync_folder, write_atomic
from engine.project.journal_writer import torn_place
from engine.project.waiting_lines import FILE as WAITING
from engine.project.writer_lock import LOCK_SECONDS, is_still_at, try_lock
from engine.small_files import read_regular

READY = "merged"
MAKING = ".merging"
FORK_DIGITS = 8
# A folder may have come from anybody: what lies there as decided need be no journal, nor end.
MOST_JOURNAL = 4 << 30


def commit(decisions: Path, contents: Mapping[str, bytes]) -> None:
    """Put these journals and the file of what waits in place, by name: before the call returns, or at the next opening.

    Raises ProjectError.
    """
    making = decisions / MAKING
    try:
        clear(decisions)
        try:
            make_private_folder(making)
            for name, content in contents.items():
                write_atomic(making / name, content)
            sync_folder(making)
            making.rename(decisions / READY)
        finally:
            clear(decisions)
        sync_folder(decisions)
        _finish(decisions)
    except OSError as error:
        raise ProjectError(
            f"{decisions}: the journals cannot be merged",
            error.strerror or str(error),
            "free some space or check its permissions, and merge again",
        ) from error


def clear(decisions: Path) -> None:
    """Take away what a merge has made that was not decided; nobody else merges now."""
    with suppress(FileNotFoundError):
        shutil.rmtree(decisions / MAKING)


def finish_merge(decisions: Path) -> list[str]:
    """Finish a merge that was cut off after it was decided; a sentence where that cannot be done here."""
    try:
        _finish(decisions)
    except (OSError, ProjectError) as error:
        return [f"a merge that was cut off could not be finished ({error}): its journals wait in {decisions / READY}"]
    return []


def _finish(decisions: Path) -> None:
    ready = decisions / READY
    # Somebody who opens the project at the same moment may be doing the same.
    try:
        # Which acts wait stands before the first of them does.
        names = sorted(os.listdir(ready), key=lambda name: (name != WAITING, name))
    except FileNotFoundError:
        return
    for name in names:
        with suppress(FileNotFoundError):
            while not _put(ready / name, decisions):
                pass
    sync_folder(decisions)
    with suppress(FileNotFoundError):
        ready.rmdir()


def _put(made: Path, decisions: Path) -> bool:
    """Move one journal to its place: over what it goes on from, else as a branch beside it.

    False where another file came to the place meanwhile. Raises FileNotFoundError where somebody else has moved it.
    """
    place = decisions / made.name
    # A pipe would be waited for, a link followed.
    if os.path.lexists(place) and not stat.S_ISREG(place.lstat().st_mode):
        raise ProjectError(f"{place}: is no file", "", "take it away")
    content = read_regular(made, MOST_JOURNAL)
    if made.name == WAITING:
        os.replace(made, place)
        return True
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        os.replace(made, place)
        return True
    with os.fdopen(descriptor, "rb") as stream:
        _lock(place, descriptor)
        if not is_still_at(place, descriptor):
            return False
        here = stream.read()
        whole = here[: here.rfind(b"\n") + 1]
        if whole.startswith(content):
            made.unlink()
        elif content.startswith(whole):
            if len(whole) != len(here):
                write_atomic(torn_place(place), here[len(whole) :])
            os.replace(made, place)
        else:
            os.replace(made, fork_place(decisions, place.stem, content))
    return True


def _lock(place: Path, descriptor: int) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while not try_lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > until:
            raise LockedError(f"another process holds {place.name} and does not let go", "", "end it, then try again")
        time.sleep(0.005)


def fork_place(decisions: Path, stem: str, content: bytes) -> Path:
    """Where a branch of the journal `stem` goes: `ann@1+0f3c9a21.jsonl`, by the hash of what it holds now."""
    digest = hashlib.sha256(content).hexdigest()
    names = (f"{stem}+{digest[:digits]}.jsonl" for digits in range(FORK_DIGITS, len(digest) + 1, FORK_DIGITS))
    paths = [decisions / name for name in names]
    return next((path for path in paths if not path.exists() or _holds(path, content)), paths[-1])


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
