"""How rows are read and which are held out, where somebody else's journal says so: it waits for a yes after a merge."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kills import killed_at
from projects import make_project, numbered

from engine.model import Act
from engine.project import journals, merge_commit
from engine.project.merge import merge
from engine.project.project import Project, open_project
from engine.project.waiting import say_yes, waiting_acts
from engine.project.waiting_lines import FILE
from engine.trust import refuse
from engine.workflows.check import check_project
from workbench.cli.main import main

EXCHANGED = {"instruction": "output", "output": "instruction"}
MAP = Act("map", (), extra={"shape": "alpaca", "fields": EXCHANGED})


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    here = make_project(tmp_path, numbered(12))
    there = tmp_path / "there.tamis"
    shutil.copytree(here, there)
    return here, there


def decide(folder: Path, reviewer: str, *acts: Act) -> None:
    with open_project(folder, reviewer=reviewer) as project:
        project.decide(acts)


def holdout(folder: Path, *rows: int) -> Act:
    with open_project(folder, readonly=True) as project:
        return Act("holdout", tuple(project.rows.id(row) for row in rows))


def says(folder: Path) -> tuple[str, list[int]]:
    """(the field of the answers, the rows held out)."""
    with open_project(folder, readonly=True) as project:
        return project.mapping.fields["output"], sorted(project.heldout)


def test_only_what_sets_up_the_whole_project_waits_and_it_is_told(copies: tuple[Path, Path]) -> None:
    here, there = copies
    accepted = Act("accept", holdout(there, 3).ids)
    decide(there, "bob", accepted, holdout(there, *range(11)), MAP)
    found = merge(here, there, "ann")
    (journal,) = found.brought
    told = f"{journal}: read rows as alpaca (instruction=output, output=instruction) and hold out 11 rows"
    assert found.waiting == (told,)
    assert (found.mapping, found.heldout) == ("", None)
    assert says(here) == ("output", [])
    with open_project(here, readonly=True) as project:
        assert project.verdict(3) == "accepted", "all else counts"
        assert project.notes == [f"{told}: waits for your yes or no: tamis trust {here}"]
    assert merge(here, there, "ann").waiting == (told,), "it waits still, and is listed once"
    assert len((here / "decisions" / FILE).read_bytes().splitlines()) == 1


def test_a_yes_is_an_act_of_ones_own_that_an_undo_takes_back(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", holdout(there, 0, 1))
    decide(there, "bob", MAP)
    merge(here, there, "ann")
    reserved, mapped = waiting_acts(here)
    assert json.loads(reserved.content)[0]["ids"] == list(holdout(here, 0, 1).ids)
    assert say_yes(here, "ann", [mapped]) == 1
    assert says(here) == ("instruction", [])
    assert waiting_acts(here) == (reserved,)
    assert say_yes(here, "ann", [reserved, mapped]) == 1, "a yes is said once"
    assert says(here) == ("instruction", [0, 1])
    with open_project(here, reviewer="ann") as project:
        assert project.notes == []
        assert project.undo() == "hold out 2 rows"
        assert project.undo() == (
            "read rows as alpaca (instruction=output, output=instruction) "
            f"(yes to what was merged of {mapped.place.name})"
        )
    assert says(here) == ("output", [])
    assert len(waiting_acts(here)) == 2


def test_a_no_is_told_of_no_more_and_a_yes_may_follow(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", holdout(there, 0, 1))
    merge(here, there, "ann")
    (reserved,) = waiting_acts(here)
    refuse(reserved)
    with open_project(here, readonly=True) as project:
        assert project.notes == []
    assert waiting_acts(here) == (reserved,)
    assert say_yes(here, "ann", [reserved]) == 1
    assert says(here) == ("output", [0, 1])


def test_what_the_other_person_takes_back_waits_no_more(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", holdout(there, 0))
    merge(here, there, "ann")
    with open_project(there, reviewer="bob") as project:
        project.undo()
    assert merge(here, there, "ann").waiting == ()
    with open_project(there, reviewer="bob") as project:
        project.redo()
    decide(there, "bob", holdout(there, 5, 6))
    assert len(merge(here, there, "ann").waiting) == 2
    assert says(here) == ("output", [])


def test_ones_own_journal_of_another_install_and_people_in_one_folder_do_not_wait(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(here, "bob", holdout(here, 0))
    assert says(here) == ("output", [0]), "bob works in this very folder"
    decide(there, "ann", MAP)
    (theirs,) = (there / "decisions").glob("ann@*.jsonl")
    theirs.rename(theirs.with_name("ann@0other00.jsonl"))
    assert merge(here, there, "ann").waiting == ()
    assert says(here) == ("instruction", [0])


def test_a_name_alone_does_not_make_a_journal_ones_own(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "eve", MAP)
    (theirs,) = (there / "decisions").glob("eve@*.jsonl")
    theirs.rename(theirs.with_name("ann@0other00.jsonl"))
    assert len(merge(here, there, "ann").waiting) == 1
    assert says(here) == ("output", [])


@pytest.mark.parametrize("lines", [1, 2000])
def test_a_branch_waits_only_for_what_is_new_in_it_also_from_a_snapshot(
    lines: int, copies: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", lines)
    here, there = copies
    decide(here, "bob", holdout(here, 0))
    shutil.copytree(here / "decisions", there / "decisions", dirs_exist_ok=True)
    decide(here, "bob", Act("accept", holdout(here, 7).ids))
    decide(there, "bob", holdout(there, 1))
    found = merge(here, there, "ann")
    (branch,) = found.parted
    assert found.waiting == (f"{branch}: hold out 1 row",)
    for _ in range(2):
        assert says(here) == ("output", [0])
        assert [one.what for one in waiting_acts(here)] == list(found.waiting)


def test_what_holds_already_is_not_asked_about(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(here, "ann", holdout(here, 0, 1))
    decide(there, "bob", holdout(there, 1))
    assert merge(here, there, "ann").waiting == ()
    decide(there, "bob", holdout(there, 2))
    assert len(merge(here, there, "ann").waiting) == 1
    assert says(here) == ("output", [0, 1])


def test_a_do_written_in_escapes_waits_as_well(copies: tuple[Path, Path]) -> None:
    here, there = copies
    plain = '{"v":1,"n":1,"at":"","by":"eve","acts":[{"\\u0064o":"m\\u0061p","ids":[],"shape":"alpaca","fields":%s}]}\n'
    (there / "decisions").mkdir(exist_ok=True)
    (there / "decisions" / "eve@11111111.jsonl").write_text(plain % json.dumps(EXCHANGED))
    assert len(merge(here, there, "ann").waiting) == 1
    assert says(here) == ("output", [])


@pytest.mark.slow
def test_a_merge_that_is_killed_never_lets_an_act_count_that_waits(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", MAP)
    kept = here.with_name("kept.tamis")
    shutil.copytree(here, kept)
    for call in range(1, 1000):
        shutil.rmtree(here)
        shutil.copytree(kept, here)
        if killed_at(call, lambda: merge(here, there, "ann")) == 0:
            break
        assert says(here) == ("output", []), f"killed at call {call}"
        merge(here, there, "ann")
        assert len(waiting_acts(here)) == 1
    assert not (here / "decisions" / merge_commit.READY).exists()
    assert call > 10


def test_a_file_of_what_waits_that_was_changed_is_told(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", holdout(there, 0))
    merge(here, there, "ann")
    path = here / "decisions" / FILE
    path.write_bytes(path.read_bytes().replace(b'"line":"', b'"line":"0', 1))
    with open_project(here, readonly=True) as project:
        assert project.notes[0].startswith(f"{FILE}: line 1 was changed")


def test_a_window_that_is_open_while_somebody_merges_waits_as_well(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", MAP, Act("accept", holdout(there, 2).ids))
    project: Project
    with open_project(here, reviewer="ann") as project:
        merge(here, there, "ann")
        assert project.follow_journals()
        assert (project.verdict(2), project.mapping.fields["output"]) == ("accepted", "output")


def test_the_command_tells_what_waits_and_the_line_to_run(
    copies: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = copies
    decide(there, "bob", holdout(there, 0))
    assert main(["merge", str(here), str(there), "--as", "ann"]) == 0
    out = capsys.readouterr().out
    assert "hold out 1 row" in out
    assert f"`tamis trust {here}`" in out
    assert main(["merge", str(here), str(there), "--as", "ann", "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert len(told["waiting"]) == 1


@pytest.mark.parametrize(
    "harm", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"{}\n")]
)
def test_where_nobody_knows_any_more_what_waits_it_is_told(
    harm: Callable[[Path], Any], copies: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = copies
    decide(there, "bob", holdout(there, *range(4)))
    merge(here, there, "ann")
    harm(here / "decisions" / FILE)
    for command in (["status", str(here)], ["trust", str(here)]):
        main(command)
        assert f"{FILE}: " in capsys.readouterr().err
    assert any(FILE in told.what for told in check_project(here).wrong)


def test_what_a_merge_brought_and_what_the_other_copy_lost_is_known(copies: tuple[Path, Path]) -> None:
    here, there = copies
    decide(there, "bob", Act("accept", holdout(there, 3).ids))
    decide(there, "bob", Act("reject", holdout(there, 4).ids))
    (journal,) = (there / "decisions").glob("bob@*.jsonl")
    merge(here, there, "ann")
    (here / "decisions" / journal.name).write_bytes(b"")
    with open_project(here, readonly=True) as project:
        assert any(note.startswith(f"{journal.name}: lines are missing") for note in project.notes)
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    (lost,) = merge(here, there, "ann").left_out
    assert (lost.name, "it had 2 lines" in lost.reason) == (journal.name, True)
