"""Which checkpoint of a run can be trusted. Standard library only: the supervisor and `tamis resume` use it too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .events import read_json, write_json

NOTE = "tamis.json"
PREFIX = "checkpoint-"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz")
"""How files end that hold, or may hold, a pickle."""


def seal(checkpoint: Path, **values: Any) -> None:
    """Note that `checkpoint` is whole: the size of each of its files, and `values` the library does not keep.

    Written last and by a rename, so a checkpoint without the note was never finished.
    """
    sizes = {path.name: path.stat().st_size for path in sorted(checkpoint.iterdir()) if path.name != NOTE}
    write_json(checkpoint / NOTE, {"files": sizes, **values})


def sealed(checkpoint: Path) -> dict[str, Any] | None:
    """The note of a whole checkpoint, or None where it was never finished or a file has another size since."""
    note = read_json(checkpoint / NOTE)
    if note is None or read_json(checkpoint / "trainer_state.json") is None:
        return None
    files = note.get("files")
    if not isinstance(files, dict):
        return None
    for name, size in files.items():
        path = checkpoint / Path(name).name
        if not path.is_file() or path.stat().st_size != size:
            return None
    return note


def pickles_in(checkpoint: Path) -> list[str]:
    """The files of a checkpoint that this trainer neither writes nor reads: reading one could execute anything."""
    return sorted(str(path.relative_to(checkpoint)) for path in checkpoint.rglob("*") if path.suffix in PICKLES)


def last_good_checkpoint(run_dir: Path) -> Path | None:
    """The whole checkpoint of the latest step, or None where the run has none."""
    for checkpoint in sorted((run_dir / "ckpt").glob(f"{PREFIX}*"), key=step_of, reverse=True):
        if sealed(checkpoint) is not None:
            return checkpoint
    return None


def step_of(checkpoint: Path) -> int:
    """The optimizer step in a checkpoint's name; -1 where it has none."""
    number = checkpoint.name.removeprefix(PREFIX)
    return int(number) if number.isascii() and number.isdigit() else -1


def remove_unfinished(run_dir: Path) -> list[str]:
    """Delete the checkpoints that are not whole; returns their names. They hold room and nothing else."""
    torn = [path for path in (run_dir / "ckpt").glob(f"{PREFIX}*") if sealed(path) is None]
    for path in torn:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in torn]


def latest_attempt(run_dir: Path) -> int:
    """The number of the attempt in force: `spec.N.json` of the highest N, or 1."""
    numbers = [path.suffixes[0][1:] for path in run_dir.glob("spec.*.json")]
    return max([1, *(int(number) for number in numbers if number.isascii() and number.isdigit())])
