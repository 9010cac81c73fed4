"""Journals, side files and snapshots that came to harm, a thousand ways: the project says what it said, or tells.

A line with a checksum is never taken for another one; a cut at a line's end is told by what saw more of the journal.
What must never be is a project that says something else and is silent about it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from damages import OF_BYTES, OF_LINES, Harm, damaged
from projects import alpaca, make_project

from engine.errors import TamisError
from engine.model import Act
from engine.project import journal_writer, journals
from engine.project.fold import map_act
from engine.project.journal_ends import FILE
from engine.project.project import Project, open_project
from engine.sources.mapping import Mapping

ROWS = 40
SMALL, WHOLE = 60, 1800


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project of two reviewers, with acts of every kind, side files and a snapshot over a part of its journals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_writer, "INLINE_IDS", 12)
        patch.setattr(journals, "SNAPSHOT_LINES", 20)
        rows = [alpaca(f"Question {number}?", f"Answer {number}.", id=number) for number in range(ROWS)]
        made = make_project(tmp_path_factory.mktemp("damaged"), rows)
        for reviewer, seed in (("ann", 1), ("bob", 2)):
            for part in range(2):
                with open_project(made, reviewer=reviewer) as project:
                    _work(project, random.Random(f"{seed}.{part}"))
        yield made


def _work(project: Project, dice: random.Random) -> None:
    ids = [project.rows.id(number) for number in range(ROWS)]
    for _ in range(12):
        project.decide([Act(dice.choice(("accept", "reject", "skip")), (dice.choice(ids),))], seen=[dice.choice(ids)])
    edited = dice.choice(ids)
    project.decide([Act("edit", (edited,), {edited: alpaca("Asked \u00e9?", "Said.", id=1)})])
    project.decide([Act("tag", (dice.choice(ids),), extra={"tags": ["later", "x"]})])
    project.decide([Act("note", (dice.choice(ids),), extra={"text": "look again"})])
    project.decide([Act("accept", tuple(dice.sample(ids, 15)))], why="bucket:clean")
    project.undo()
    project.redo()
    project.decide([Act("holdout", tuple(dice.sample(ids, 3)))])
    project.decide([map_act(Mapping("alpaca", {"instruction": "instruction", "output": "output"}))])
    project.decide([Act("reject", tuple(dice.sample(ids, 14)))])
    project.undo()


def said(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """(all that a project says of its rows, what it tells of how it was read)."""
    with open_project(folder, readonly=True) as project:
        numbers = range(len(project.rows))
        return {
            "decisions": [project.decision(number) for number in numbers],
            "voices": [project.voices(number) for number in numbers],
            "tags": [sorted(project.tags(number)) for number in numbers],
            "notes": [project.note(number) for number in numbers],
            "seen": [project.is_seen(number) for number in numbers],
            "rows": [project.example(number) for number in numbers],
            "counts": project.counts(),
            "heldout": sorted(project.heldout),
            "mapping": project.mapping,
            "constraints": project.constraints(),
        }, project.notes


@contextmanager
def harmed(path: Path, content: bytes) -> Iterator[None]:
    """The file holds something else for a moment."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def silently_different(
    folder: Path, rounds: int, seed: int, *, is_told: Callable[[bytes, bytes], bool] = lambda _before, _now: True
) -> list[str]:
    """What was done to which file, of all that changed what the project says without a word about it. `is_told` says
    of content before and after whether it must be."""
    dice = random.Random(seed)
    right, told = said(folder)
    assert told == []
    caches = [path for path in (folder / "snapshot.bin", folder / FILE) if path.exists()]
    targets: list[tuple[Path, Sequence[Harm]]] = [(path, OF_BYTES) for path in caches]
    for path in sorted((folder / "decisions").iterdir()):
        if path.suffix == ".jsonl":
            targets += [(path, OF_BYTES), (path, OF_LINES)]
        elif path.suffix == ".ids":
            targets.append((path, OF_BYTES))
    found: list[str] = []
    for number in range(rounds):
        path, ways = dice.choice(targets)
        how, content = damaged(path.read_bytes(), dice, ways)
        if not is_told(path.read_bytes(), content):
            continue
        with harmed(path, content):
            try:
                now, told = said(folder)
            except TamisError:
                continue
        if now != right and not told:
            found.append(f"{number}: {how} of {path.name}")
    return found


def test_a_few_damages_are_told_or_change_nothing(folder: Path) -> None:
    assert silently_different(folder, SMALL, seed=17) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_damage_changes_silently_what_a_project_says(seed: int, folder: Path) -> None:
    assert silently_different(folder, WHOLE, seed) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_lines_alone_tell_all_but_a_cut_at_their_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else remembers how far the journals went."""
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 10**9)
    (folder / "snapshot.bin").unlink()
    (folder / FILE).unlink()
    assert (
        silently_different(folder, WHOLE, seed=3, is_told=lambda before, now: not _is_cut_behind_a_line(before, now))
        == []
    )


def _is_cut_behind_a_line(before: bytes, now: bytes) -> bool:
    return before.startswith(now) and (not now or now.endswith(b"\n"))
