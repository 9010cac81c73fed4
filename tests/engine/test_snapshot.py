"""The snapshot is a cache: with it, without it, or with half of it, a project says the same."""

from __future__ import annotations

import random
from array import array
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project, numbered, rewrite

from engine.model import VERDICTS, Act, VerdictName
from engine.project import journals as journals_module
from engine.project.fold import RowState
from engine.project.project import Project, open_project
from engine.project.reviewers import together
from engine.project.row_states import combined
from engine.project.snapshot import Columns

ROWS = 30


def everything(project: Project) -> list[Any]:
    return [
        project.counts(),
        sorted(project.heldout),
        *(
            (project.decision(n), project.current_row(n), project.is_seen(n), project.tags(n), project.note(n))
            for n in range(ROWS)
        ),
    ]


def act_at_random(project: Project, dice: random.Random) -> None:
    ids = [project.rows.id(n) for n in dice.sample(range(ROWS), dice.randint(1, 6))]
    what = dice.random()
    if what < 0.2:
        project.undo()
    elif what < 0.3:
        project.redo()
    elif what < 0.45:
        project.decide([Act("edit", (ids[0],), {ids[0]: alpaca("edited", str(dice.random()))})], seen=ids[:1])
    elif what < 0.55:
        project.decide([Act("tag", tuple(ids), extra={"tags": [dice.choice("abc")]})])
    elif what < 0.6:
        project.decide([Act("note", (ids[0],), extra={"text": "look"}), Act("not_duplicates", tuple(ids))])
    elif what < 0.65:
        project.decide([Act("holdout", tuple(ids))])
    elif what < 0.7:
        project.decide([Act("settle", tuple(ids[:2]), extra={"verdict": dice.choice(["accepted", "rejected"])})])
    else:
        verdict = dice.choice(["accept", "reject", "skip", "reset"])
        project.decide([Act(verdict, tuple(ids))], seen=ids[:2], why=dice.choice(["", "bucket:drop", "by eye"]))


@pytest.mark.parametrize("seed", range(12))
def test_snapshots_change_nothing(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    folder = make_project(tmp_path, numbered(ROWS))
    for sitting in range(6):
        # A snapshot is written after every sitting of three lines or more.
        monkeypatch.setattr(journals_module, "SNAPSHOT_LINES", 3)
        with open_project(folder, reviewer=dice.choice(["ann", "bob"]) if seed % 2 else "ann") as project:
            for _ in range(dice.randint(0, 9)):
                act_at_random(project, dice)
            said = everything(project)
        with open_project(folder, readonly=True) as project:
            assert everything(project) == said, f"with the snapshot, sitting {sitting}"
        monkeypatch.setattr(journals_module, "SNAPSHOT_LINES", 10**9)
        snapshot = folder / "snapshot.bin"
        kept = snapshot.read_bytes() if snapshot.exists() else b""
        snapshot.unlink(missing_ok=True)
        with open_project(folder, readonly=True) as project:
            assert everything(project) == said, f"without the snapshot, sitting {sitting}"
        snapshot.write_bytes(kept[: dice.randint(0, len(kept))])
        with open_project(folder, readonly=True) as project:
            assert everything(project) == said, f"with a torn snapshot, sitting {sitting}"
        snapshot.write_bytes(kept)


def test_undo_reaches_back_behind_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals_module, "SNAPSHOT_LINES", 2)
    folder = make_project(tmp_path, numbered(ROWS))
    with open_project(folder, reviewer="ann") as project:
        for number in range(5):
            project.decide([Act("accept", (project.rows.id(number),))])
        project.undo()
    assert (folder / "snapshot.bin").exists()
    with open_project(folder, reviewer="ann") as project:
        assert project.redo() == "accept 1 row"
        assert [project.undo() for _ in range(6)] == ["accept 1 row"] * 5 + [None]
        assert project.counts()["undecided"] == ROWS


def test_a_journal_that_was_replaced_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals_module, "SNAPSHOT_LINES", 1)
    folder = make_project(tmp_path, numbered(ROWS))
    with open_project(folder, reviewer="ann") as project:
        for number in range(4):
            project.decide([Act("accept", (project.rows.id(number),))])
    journal = next((folder / "decisions").glob("*.jsonl"))
    rewrite(journal, b'"accept"', b'"reject"')
    with open_project(folder, readonly=True) as project:
        assert project.counts()["rejected"] == 4


@pytest.mark.parametrize("seed", range(6))
def test_several_journals_in_columns_say_what_they_say_row_by_row(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three reviewers, also blind ones: with all of it in the snapshot as replayed line by line without one."""
    dice = random.Random(seed)
    folder = make_project(tmp_path, numbered(ROWS))
    for _ in range(9):
        with open_project(folder, reviewer=dice.choice(["ann", "bob", "eve"])) as project:
            for _ in range(dice.randint(1, 5)):
                act_at_random(project, dice)
    for blind in (False, True):
        said = []
        for lines in (10**6, 0):
            (folder / "snapshot.bin").unlink(missing_ok=True)
            monkeypatch.setattr(journals_module, "SNAPSHOT_LINES", lines)
            # The first opening leaves the snapshot, if any; the second stands on it.
            for _ in range(2):
                with open_project(folder, reviewer="ann", blind=blind) as project:
                    now = [everything(project), [project.voices(n) for n in range(ROWS)], sorted(project.disputed)]
            assert (folder / "snapshot.bin").exists() == (lines == 0)
            said.append(now)
        assert said[0] == said[1]


@pytest.mark.parametrize("seed", range(20))
def test_verdicts_of_columns_come_together_as_states_do(seed: int) -> None:
    dice = random.Random(seed)
    rows, journals = 200, dice.randint(1, 4)
    verdicts = [[dice.choice([None, *VERDICTS]) for _ in range(rows)] for _ in range(journals)]
    codes, disputed_rows = together([columns_of(column) for column in verdicts])
    for row in range(rows):
        state, disputed = combined([RowState(column[row]) for column in verdicts if column[row] is not None])
        assert (VERDICTS[codes[row]], row in disputed_rows) == (state.verdict, disputed)


def columns_of(verdicts: list[VerdictName | None]) -> Columns:
    """A journal that says this of each row, None where it says nothing."""
    codes = bytes(VERDICTS.index(verdict or "undecided") for verdict in verdicts)
    spoken = array("I", [verdict is not None for verdict in verdicts])
    rows: Any = None  # nobody asks for an id here
    return Columns(rows, codes, b"", spoken, spoken, spoken, [], {}, {}, {})
