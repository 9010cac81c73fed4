"""Bringing in the journals of another copy of a project. Nothing of either side is rewritten."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.paths import is_project
from engine.project.project import open_project
from engine.project.writer_lock import Ownership


@dataclass(frozen=True, slots=True)
class Merged:
    """`brought` journals were new here, `grown` ones had more lines there, `parted` ones had gone two ways and stand
    here under a further name; `disputed` rows are decided differently now; `unknown` ids have no row here."""

    brought: tuple[str, ...]
    grown: tuple[str, ...]
    parted: tuple[str, ...]
    disputed: int
    unknown: int


def merge(folder: Path, other: Path) -> Merged:
    """Merge the journals of the project `other` into `folder`.

    Raises ProjectError where one of them is no project, or a journal to be grown is being written here.
    """
    for path in (folder, other):
        if not is_project(path):
            raise ProjectError(f"{path}: is not a tamis project", "", "give two .tamis folders")
    if folder.resolve() == other.resolve():
        raise ProjectError(f"{folder}: is the same project", "", "give another copy of it")
    _refuse_strangers(folder, other)
    brought: list[str] = []
    grown: list[str] = []
    parted: list[str] = []
    for journal in sorted((other / "decisions").glob("*.jsonl")):
        _bring_side_files(journal, folder / "decisions")
        theirs = journal.read_bytes()
        theirs = theirs[: theirs.rfind(b"\n") + 1]
        place = folder / "decisions" / journal.name
        ours = place.read_bytes() if place.exists() else b""
        if not theirs or ours.startswith(theirs):
            continue
        if theirs.startswith(ours):
            _refuse_if_written(place)
            write_atomic(place, theirs)
            (grown if ours else brought).append(journal.name)
        else:
            name = f"{journal.stem}+{hashlib.sha256(theirs).hexdigest()[:8]}.jsonl"
            if not (folder / "decisions" / name).exists():
                write_atomic(folder / "decisions" / name, theirs)
                parted.append(name)
    with open_project(folder, readonly=True) as project:
        return Merged(tuple(brought), tuple(grown), tuple(parted), project.counts()["disputed"], project.unknown_ids())


def _refuse_strangers(folder: Path, other: Path) -> None:
    with open_project(folder, readonly=True) as ours, open_project(other, readonly=True) as theirs:
        shared = any(ours.rows.number(theirs.rows.id(number)) is not None for number in range(len(theirs.rows)))
    if not shared:
        raise ProjectError(f"{other}: shares no row with {folder}", "", "is it a copy of the same project?")


def _bring_side_files(journal: Path, decisions: Path) -> None:
    """The files that hold the ids of very large acts, before the lines that name them."""
    for side in journal.parent.glob(f"{journal.stem}.*.ids"):
        if not (decisions / side.name).exists():
            made = decisions / f".{side.name}"
            shutil.copyfile(side, made)
            made.replace(decisions / side.name)


def _refuse_if_written(journal: Path) -> None:
    Ownership(journal).release()
