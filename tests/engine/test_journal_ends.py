"""A journal that was cut exactly at the end of a line looks whole: what saw more of it tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import make_project, numbered

from engine.model import Act
from engine.project import journals
from engine.project.journal_ends import FILE, losses, seen_by_runs
from engine.project.project import Project, open_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path, numbered(6))


def accept(project: Project, *rows: int) -> None:
    for row in rows:
        project.decide([Act("accept", (project.rows.id(row),))])


def decided(folder: Path, *rows: int) -> Path:
    with open_project(folder, reviewer="ann") as project:
        accept(project, *rows)
        (journal,) = project.journal_ends()
    return journal


def cut(journal: Path, lines: int) -> None:
    """Take away the last lines."""
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-lines]))


def notes_of(folder: Path, reviewer: str | None = None) -> list[str]:
    with open_project(folder, reviewer=reviewer, readonly=reviewer is None) as project:
        return project.notes


def test_lines_that_are_gone_from_the_end_are_told_until_the_person_has_gone_on(folder: Path) -> None:
    journal = decided(folder, 0, 1, 2)
    cut(journal, 2)
    told = f"{journal.name}: lines are missing at its end; it had 3 lines when the project was last left"
    assert notes_of(folder) == [told]
    assert notes_of(folder) == [told], "who only reads does not make it forgotten"
    assert notes_of(folder, "ann") == [told]
    assert notes_of(folder) == []


def test_a_journal_that_is_no_file_any_more_is_told_and_left_out(folder: Path) -> None:
    journal = decided(folder, 0)
    journal.unlink()
    journal.mkdir()
    assert notes_of(folder) == [
        f"{journal.name}: is no file; it was left out",
        f"{journal.name}: is not there; it had 1 line when the project was last left",
    ]


def test_a_cut_that_further_lines_were_written_over_is_told(folder: Path) -> None:
    journal = decided(folder, 0, 1, 2)
    kept = (folder / FILE).read_bytes()
    cut(journal, 1)
    decided(folder, 4, 5)
    (folder / FILE).write_bytes(kept)
    assert notes_of(folder) == [f"{journal.name}: line 3 is another than when the project was last left"]


def test_a_journal_that_is_gone_or_empty_is_told(folder: Path) -> None:
    journal = decided(folder, 0)
    content = journal.read_bytes()
    journal.write_bytes(b"")
    assert notes_of(folder) == [
        f"{journal.name}: lines are missing at its end; it had 1 line when the project was last left"
    ]
    journal.unlink()
    assert notes_of(folder) == [f"{journal.name}: is not there; it had 1 line when the project was last left"]
    journal.write_bytes(content)
    assert notes_of(folder) == []


def test_a_branch_whose_lines_stand_in_a_longer_journal_is_not_missed(folder: Path) -> None:
    journal = decided(folder, 0)
    branch = journal.with_name(f"{journal.stem}+0123abcd.jsonl")
    branch.write_bytes(journal.read_bytes())
    with open_project(folder, reviewer="ann") as project:
        accept(project, 1)
    branch.unlink()
    assert notes_of(folder) == []


def test_a_snapshot_tells_what_it_saw_and_is_not_written_over_by_who_only_reads(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 1)
    journal = decided(folder, 0, 1, 2)
    (folder / FILE).unlink()
    cut(journal, 1)
    told = [f"{journal.name}: lines are missing at its end; it had 3 lines when its snapshot was made"]
    assert [notes_of(folder) for _ in range(3)] == [told] * 3
    assert notes_of(folder, "ann") == told
    assert notes_of(folder) == []
    with open_project(folder, readonly=True) as project:
        assert project.tally()["accepted"] == 2


def test_a_line_of_an_earlier_version_that_a_snapshot_was_made_over_cannot_change_unseen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 1)
    with open_project(folder, readonly=True) as project:
        ids = [project.rows.id(row) for row in range(2)]
    journal = folder / "decisions" / "bob@00000000.jsonl"
    journal.parent.mkdir(exist_ok=True)
    journal.write_text(
        "".join(
            json.dumps({"v": 1, "n": n, "at": "", "by": "bob", "acts": [{"do": "accept", "ids": [one]}]}) + "\n"
            for n, one in enumerate(ids, start=1)
        )
    )
    assert notes_of(folder) == []
    journal.write_text(journal.read_text().replace("accept", "reject", 1))
    assert notes_of(folder) == [f"{journal.name}: lines were changed since its snapshot was made"]


def test_what_a_sitting_saw_that_was_killed_is_told_too(folder: Path) -> None:
    project = open_project(folder, reviewer="ann")
    accept(project, 0, 1)
    project.keep_seen()
    (journal,) = project.journal_ends()
    cut(journal, 1)
    assert "it had 2 lines" in notes_of(folder)[0]
    project.close()
    assert "it had 2 lines" in notes_of(folder)[0], "the window that was open has told nobody"


def test_a_run_tells_what_its_manifest_saw(folder: Path) -> None:
    from engine.export.manifest import manifest

    journal = decided(folder, 0, 1)
    run = folder / "runs" / "20260101-built-in"
    run.mkdir(parents=True)
    with open_project(folder, readonly=True) as project:
        (run / "tamis-manifest.json").write_text(json.dumps(manifest(project, {}, {"override": None})))
    assert losses(folder / "decisions", seen_by_runs(folder)) == []
    cut(journal, 1)
    (loss,) = losses(folder / "decisions", seen_by_runs(folder))
    assert loss.sentence == (
        f"{journal.name}: lines are missing at its end; it had 2 lines when the run {run.name} was started"
    )


def test_a_last_line_that_is_not_whole_is_told_to_who_only_reads(folder: Path) -> None:
    journal = decided(folder, 0, 1)
    (folder / FILE).unlink()
    journal.write_bytes(journal.read_bytes()[:-9])
    (note,) = notes_of(folder)
    assert note.startswith(f"{journal.name}: its last line is not whole")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"journals":[]}', b"\xff" * 30])
def test_what_was_seen_may_be_anything(content: bytes, folder: Path) -> None:
    decided(folder, 0)
    (folder / FILE).write_bytes(content)
    assert notes_of(folder) == []
