"""Bringing in another copy: whole or not at all, no line of anybody lost, nothing of the other copy trusted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kills import killed_at
from projects import make_project, numbered

from engine.errors import LockedError, ProjectError
from engine.model import Act
from engine.project import journal_writer, merge_commit
from engine.project.merge import merge
from engine.project.project import open_project

ROWS = 12


def decide(folder: Path, reviewer: str, verdict: str, *rows: int) -> None:
    with open_project(folder, reviewer=reviewer) as project:
        project.decide([Act(verdict, tuple(project.rows.id(row) for row in rows))])


def verdicts(folder: Path) -> str:
    """One letter a row: the verdict's first, or `!` where reviewers differ."""
    with open_project(folder, readonly=True) as project:
        return "".join("!" if project.is_disputed(row) else project.verdict(row)[0] for row in range(len(project.rows)))


def two_copies(tmp_path: Path, rows: int = ROWS) -> tuple[Path, Path]:
    here = make_project(tmp_path, numbered(rows))
    there = tmp_path / "there.tamis"
    shutil.copytree(here, there)
    return here, there


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "decisions").iterdir()}


def test_two_branches_with_a_bulk_act_on_the_same_line_both_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 4)
    here, there = two_copies(tmp_path)
    decide(here, "ann", "accept", *range(10))
    decide(there, "ann", "reject", *range(2, 12))
    found = merge(here, there)
    assert (len(found.parted), found.disputed, found.left_out) == (1, 8, ())
    assert verdicts(here) == "aa!!!!!!!!rr"


def test_side_files_of_an_earlier_version_do_not_collide(tmp_path: Path) -> None:
    """Earlier versions named them by journal and line: two branches meant two files by one name."""
    here, there = two_copies(tmp_path)
    with open_project(here, readonly=True) as project:
        ids = [project.rows.id(row) for row in range(ROWS)]
    for folder, verdict, rows in ((here, "accept", ids[:10]), (there, "reject", ids[2:])):
        content = "".join(f"{one}\n" for one in rows).encode()
        (folder / "decisions" / "ann@1.1-0.ids").write_bytes(content)
        act = {
            "do": verdict,
            "ids": [],
            "ids_file": "ann@1.1-0.ids",
            "ids_sha256": hashlib.sha256(content).hexdigest(),
            "ids_count": 10,
        }
        (folder / "decisions" / "ann@1.jsonl").write_text(
            json.dumps({"v": 1, "n": 1, "by": "ann", "acts": [act]}) + "\n"
        )
    assert merge(here, there).left_out == ()
    assert verdicts(here) == "aa!!!!!!!!rr"
    before = files_of(here)
    again = merge(here, there)
    assert (again.brought, again.grown, again.parted, files_of(here)) == ((), (), (), before)


def test_the_same_copy_merged_again_and_again_leaves_nobody_disagreeing_with_themselves(tmp_path: Path) -> None:
    here = make_project(tmp_path, numbered(ROWS))
    decide(here, "ann", "accept", 0)
    there = tmp_path / "there.tamis"
    shutil.copytree(here, there)
    decide(here, "ann", "accept", 1)
    decide(there, "ann", "accept", 2)
    merge(here, there)
    assert verdicts(here) == "aaa" + "u" * 9
    decide(there, "ann", "reject", 2)
    assert merge(here, there).grown
    assert verdicts(here) == "aar" + "u" * 9
    for row in range(3, 9):
        decide(there, "ann", "accept", row)
        merge(here, there)
        merge(there, here)
    assert verdicts(here) == verdicts(there) == "aaraaaaaa" + "u" * 3
    assert len(list((here / "decisions").glob("*.jsonl"))) == len(list((there / "decisions").glob("*.jsonl"))) == 2


def test_branches_that_earlier_merges_left_behind_a_longer_one_are_taken_away(tmp_path: Path) -> None:
    here, there = two_copies(tmp_path)
    decide(here, "ann", "accept", 0)
    for verdict in ("accept", "reject"):
        decide(there, "ann", verdict, 1)
        (theirs,) = (there / "decisions").glob("*.jsonl")
        shutil.copy(theirs, here / "decisions" / f"{theirs.stem}+{'ab' if verdict == 'accept' else 'cd'}012345.jsonl")
    assert verdicts(here) == "a!" + "u" * 10
    decide(there, "ann", "accept", 2)
    merge(here, there)
    assert verdicts(here) == "ara" + "u" * 9
    assert len(list((here / "decisions").glob("*.jsonl"))) == 2


def test_a_journal_that_is_being_written_here_is_not_merged_over(tmp_path: Path) -> None:
    here, there = two_copies(tmp_path)
    decide(here, "ann", "accept", 0)
    shutil.copytree(here / "decisions", there / "decisions", dirs_exist_ok=True)
    decide(there, "ann", "accept", 1)
    decide(there, "bob", "accept", 2)
    with open_project(here, reviewer="ann") as ann:
        before = files_of(here)
        with pytest.raises(LockedError, match=r"^ann@.*\.jsonl is being written here: process \d+ on .*\. Close"):
            merge(here, there)
        assert files_of(here) == before
        ann.decide([Act("reject", (ann.rows.id(3),))])
    found = merge(here, there)
    assert (len(found.brought), found.grown, len(found.parted)) == (1, (), 1)
    assert verdicts(here) == "aaar" + "u" * 8


def test_a_journal_that_is_being_written_there_is_merged_up_to_its_last_line(tmp_path: Path) -> None:
    here, there = two_copies(tmp_path)
    with open_project(there, reviewer="bob") as bob:
        for row in range(4):
            bob.decide([Act("accept", (bob.rows.id(row),))])
            found = merge(here, there)
            assert found.left_out == ()
            assert verdicts(here) == "a" * (row + 1) + "u" * (ROWS - row - 1)


ODD: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "link": (lambda path, private: path.symlink_to(private), "it is a link, not a file"),
    "device": (lambda path, private: path.symlink_to("/dev/zero"), "it is a link, not a file"),
    "pipe": (lambda path, private: os.mkfifo(path), "it is a pipe, not a file"),
    "folder": (lambda path, private: path.mkdir(), "it is a folder, not a file"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_is_neither_followed_nor_waited_for_but_named(kind: str, tmp_path: Path) -> None:
    here, there = two_copies(tmp_path)
    private = tmp_path / "private.txt"
    private.write_text("a key\n")
    make, reason = ODD[kind]
    decide(there, "bob", "accept", 0)
    make(there / "decisions" / "eve@1.jsonl", private)
    found = merge(here, there)
    assert [(one.name, one.reason) for one in found.left_out] == [("eve@1.jsonl", reason)]
    assert len(found.brought) == 1
    assert not any(b"a key" in content for content in files_of(here).values())


def test_lines_that_do_not_count_and_missing_side_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 2)
    here, there = two_copies(tmp_path)
    decide(there, "bob", "accept", 0, 1, 2)
    decide(there, "bob", "accept", 3)
    (side,) = (there / "decisions").glob("*.ids")
    kept = side.read_bytes()
    side.unlink()
    lines = [
        {"v": 1, "n": 1, "at": "2200-01-01T00:00:00Z", "by": "eve", "acts": []},
        {"v": 1, "n": 2, "by": "eve", "acts": [{"do": "frobnicate", "ids": []}]},
    ]
    (there / "decisions" / "eve@1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"v"')
    for _ in range(2):
        found = merge(here, there)
        said = {f"{one.name}: {one.reason}" for one in found.left_out}
        assert len(said) == 4
        for words in ("is missing", "at is not what it should be", "'frobnicate' is not known", "line is not whole"):
            assert any(words in one for one in said), words
    assert verdicts(here) == "uuua" + "u" * 8
    # Once the file is there it is brought, though the journal itself has nothing new.
    side.write_bytes(kept)
    merge(here, there)
    assert verdicts(here) == "aaaa" + "u" * 8


def test_names_that_file_systems_do_not_like(tmp_path: Path) -> None:
    here, there = two_copies(tmp_path)
    line = json.dumps({"v": 1, "n": 1, "by": "eve", "acts": [{"do": "accept", "ids": ["0" * 16]}]}) + "\n"
    for name in ("a[b]@2.jsonl", "x\ny@3.jsonl", "*.jsonl", ".hidden.jsonl", "e" * 245 + ".jsonl"):
        (there / "decisions" / name).write_text(line)
    found = merge(here, there)
    assert (len(found.brought), found.unknown) == (4, 1)
    assert [one.reason for one in found.left_out] == ["its name is too long"]
    before = files_of(here)
    assert merge(here, there).brought == ()
    assert files_of(here) == before


# -- killed, full, read-only


def test_a_merge_that_is_killed_leaves_the_project_as_before_or_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 2)
    here, there = two_copies(tmp_path)
    decide(here, "ann", "accept", 0)
    decide(here, "cleo", "accept", 10)
    shutil.copytree(here / "decisions", there / "decisions", dirs_exist_ok=True)
    decide(here, "ann", "accept", 1)
    decide(there, "ann", "reject", 2)
    decide(there, "bob", "accept", 3, 4, 5)
    decide(there, "cleo", "reject", 11)
    before, merged = verdicts(here), "aaraaa" + "u" * 4 + "ar"
    kept = tmp_path / "kept.tamis"
    shutil.copytree(here, kept)
    merge(here, there)
    assert verdicts(here) == merged
    whole = files_of(here)
    seen = set()
    for call in range(1, 1000):
        shutil.rmtree(here)
        shutil.copytree(kept, here)
        if killed_at(call, lambda: merge(here, there)) == 0:
            break
        now = verdicts(here)
        assert now in (before, merged), f"killed at call {call}"
        seen.add(now)
        merge(here, there)
        assert verdicts(here) == merged, f"again after a kill at call {call}"
        # Owner and temporary files of a dead process say nothing: who writes the next ones takes them away.
        left = {name: content for name, content in files_of(here).items() if not name.endswith(".owner")}
        assert {name: content for name, content in left.items() if not name.startswith(".")} == whole
        assert not any(name.startswith((".owner-", ".merging")) for name in left)
    assert call > 30
    assert seen == {before, merged}


def test_what_was_decided_between_a_killed_merge_and_its_end_is_not_lost(tmp_path: Path) -> None:
    here, there = two_copies(tmp_path)
    decide(here, "ann", "accept", 0)
    shutil.copytree(here / "decisions", there / "decisions", dirs_exist_ok=True)
    decide(there, "ann", "accept", 1)
    (theirs,) = (there / "decisions").glob("*.jsonl")
    # Decided, not put in place yet; an earlier version, which knows nothing of this folder, adds a line.
    ready = here / "decisions" / merge_commit.READY
    decide(here, "ann", "accept", 2)
    ready.mkdir()
    shutil.copy(theirs, ready / theirs.name)
    assert verdicts(here) == "aaa" + "u" * 9
    assert not ready.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize("at", ["merged/eve@1.jsonl", "eve@1.jsonl"])
def test_a_pipe_where_a_merge_was_cut_off_is_named_and_not_waited_for(at: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    (folder / "decisions" / "merged").mkdir()
    (folder / "decisions" / "merged" / "eve@1.jsonl").write_text("")
    (folder / "decisions" / at).unlink(missing_ok=True)
    os.mkfifo(folder / "decisions" / at)
    with open_project(folder, readonly=True) as project:
        assert any("could not be finished" in note for note in project.notes)


def test_a_target_that_is_full_or_read_only_is_one_clear_line(tmp_path: Path) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        here = make_project(place, numbered(ROWS))
        there = tmp_path / "there.tamis"
        shutil.copytree(here, there)
        decide(there, "bob", "accept", 0)
        before = files_of(here)
        subprocess.run(["dd", "if=/dev/zero", f"of={place / 'fill'}"], capture_output=True, check=False)
        with pytest.raises(ProjectError, match="No space left on device"):
            merge(here, there)
        assert files_of(here) == before
        (place / "fill").unlink()
        assert len(merge(here, there).brought) == 1
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        decide(there, "bob", "accept", 1)
        with pytest.raises(ProjectError, match="Read-only file system"):
            merge(here, there)
    finally:
        subprocess.run(["umount", place], check=True)
