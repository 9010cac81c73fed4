"""Putting what was trained on disk, also where the disk is full: nothing half-written ever stands under its name."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from .checkpoints import PREFIX, last_good_checkpoint

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What safetensors and torch make of these, as text only.
NO_ROOM_WORDS = (
    "No space left",
    "Disk quota",
    "File too large",
    "os error 28",
    "os error 27",
    "PytorchStreamWriter",
    "unexpected pos",
)


class NoRoom(Exception):
    """What was trained found no room. The last whole checkpoint stands."""


def is_no_room(fault: BaseException | None) -> bool:
    """Whether the fault, or one it came from, is a full disk, a quota or a limit on file size."""
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno in NO_ROOM:
            return True
        if any(words in str(fault) for words in NO_ROOM_WORDS):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def save_folder(write: Callable[[Path], None], run_dir: Path, name: str) -> str:
    """Let `write` fill a folder, then put it at `name` in the run's folder; returns `name`.

    Where there is no room, older checkpoints make some, but for the last whole one. Raises NoRoom.
    """
    unfinished = run_dir / f".{name}"
    for last_try in (False, True):
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            write(unfinished)
        except Exception as fault:  # each library has its own way to say that the disk is full
            shutil.rmtree(unfinished, ignore_errors=True)
            if not is_no_room(fault):
                raise
            if last_try:
                raise NoRoom(f"no room to save {name}: {fault}") from fault
            make_room(run_dir)
        else:
            break
    put(unfinished, run_dir / name)
    return name


def make_room(run_dir: Path) -> None:
    """Delete the checkpoints but for the last whole one."""
    kept = last_good_checkpoint(run_dir)
    for checkpoint in (run_dir / "ckpt").glob(f"{PREFIX}*"):
        if checkpoint != kept:
            shutil.rmtree(checkpoint, ignore_errors=True)


def put(unfinished: Path, target: Path) -> None:
    """Rename `unfinished` to `target`; what an earlier attempt left there goes."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    unfinished.rename(target)
    shutil.rmtree(old, ignore_errors=True)
