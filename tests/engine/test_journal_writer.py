"""Who may write a journal, and what is on disk when an act is acknowledged: two windows of one person, files that other
programs change, disks that fail."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from kills import killed_at
from projects import make_project, numbered, rewrite

from engine.errors import LockedError, ProjectError
from engine.model import Act
from engine.project import journal_writer, journals
from engine.project.project import Project, open_project
from engine.project.writer_lock import Ownership
from engine.reviewer import install_id

MANY = 10_020


def decide(project: Project, verdict: str, *rows: int) -> int:
    return project.decide([Act(verdict, tuple(project.rows.id(row) for row in rows))])


def numbers_in(folder: Path) -> list[int]:
    (journal,) = (folder / "decisions").glob("*.jsonl")
    return [json.loads(line)["n"] for line in journal.read_bytes().splitlines()]


# -- two windows of one person


def test_a_window_that_was_taken_over_writes_nothing_at_all(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(MANY + 30))
    with open_project(folder, reviewer="ann") as old, open_project(folder, reviewer="ann", take_over=True) as new:
        decide(new, "accept", *range(MANY))
        before = {path.name: path.read_bytes() for path in (folder / "decisions").iterdir()}
        with pytest.raises(LockedError, match=r"^not saved: another window took over"):
            decide(old, "reject", *range(MANY - 10))
        assert {path.name: path.read_bytes() for path in (folder / "decisions").iterdir()} == before
        assert (old.readonly, old.readonly_reason) == (True, "another window took over")
        assert old.verdict(0) == "undecided", "what was not saved is not shown"
    with open_project(folder, readonly=True) as project:
        assert (project.tally()["accepted"], project.notes) == (MANY, [])


def test_of_many_that_open_at_once_one_writes(tmp_path: Path) -> None:
    journal = tmp_path / "ann@1.jsonl"
    claimers = 6
    for again in range(30):
        start = Barrier(claimers)

        def claim(_: int, start: Barrier = start) -> Ownership | None:
            start.wait()
            try:
                return Ownership(journal)
            except LockedError:
                return None

        with ThreadPoolExecutor(claimers) as pool:
            won = [one for one in pool.map(claim, range(claimers)) if one is not None]
        assert len(won) == 1
        assert won[0].is_mine()
        if again % 3:
            won[0].release()
        else:
            # As the kernel does for a process that was killed: the lock is free, the file stays.
            os.close(won[0]._descriptor)
    assert {path.name for path in tmp_path.iterdir()} <= {"ann@1.jsonl.owner"}


def test_what_a_slow_write_put_into_the_journal_is_folded_in_before_the_next_line(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    with open_project(folder, reviewer="ann") as project:
        assert decide(project, "accept", 0) == 1
        (journal,) = project.journal_ends()
        late = {"v": 1, "n": 2, "by": "ann", "acts": [{"do": "reject", "ids": [project.rows.id(1)]}]}
        with journal.open("a") as stream:
            stream.write(json.dumps(late) + '\n{"torn":')
        with pytest.raises(ProjectError, match="nothing was taken back: another program has written"):
            project.undo()
        assert decide(project, "accept", 2) == 3
        assert [project.verdict(row) for row in range(4)] == ["accepted", "rejected", "accepted", "undecided"]
        assert "torn" in project.notes[0]
        assert project.undo() == "accept 1 row"
        assert project.undo() == "reject 1 row"
    assert numbers_in(folder) == [1, 2, 3, 4, 5]
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(row) for row in range(4)] == ["accepted", "undecided", "undecided", "undecided"]


@pytest.mark.parametrize("fault", ["deleted", "replaced", "cut"])
def test_a_journal_that_is_no_longer_the_one_that_was_opened_takes_no_act(fault: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as project:
        decide(project, "accept", 0)
        decide(project, "accept", 1)
        (journal,) = project.journal_ends()
        content = journal.read_bytes()
        if fault == "cut":
            os.truncate(journal, content.index(b"\n") + 1)
        else:
            journal.unlink()
        if fault == "replaced":
            journal.write_bytes(content)
        left = journal.read_bytes() if journal.exists() else None
        with pytest.raises(LockedError, match=r"^not saved: ann@"):
            decide(project, "reject", 2)
        assert project.readonly
        assert (journal.read_bytes() if journal.exists() else None) == left


def test_who_waits_for_a_stopped_process_is_told_so_and_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "LOCK_SECONDS", 0.1)
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, reviewer="ann") as project:
        (journal,) = project.journal_ends()
        code = (
            f"import fcntl, time; f = open({str(journal)!r}); fcntl.flock(f, 2); print(1, flush=True); time.sleep(99)"
        )
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            holder.send_signal(signal.SIGSTOP)
            try:
                with pytest.raises(ProjectError, match=r"not saved: another process holds ann@.* does not let go"):
                    decide(project, "accept", 0)
                with open_project(folder, reviewer="ann", take_over=True) as second:
                    assert "does not let go" in second.readonly_reason
            finally:
                holder.kill()
        assert decide(project, "accept", 0) == 1


# -- side files


@pytest.mark.parametrize("lines_to_snapshot", [2000, 1])
def test_a_line_whose_side_file_is_away_for_a_while_keeps_its_number_and_comes_back(
    lines_to_snapshot: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 5)
    folder = make_project(tmp_path, numbered(12))
    with open_project(folder, reviewer="ann") as project:
        decide(project, "skip", 11)
        decide(project, "reject", *range(10))
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", lines_to_snapshot)
    (folder / "snapshot.bin").unlink(missing_ok=True)
    (side,) = (folder / "decisions").glob("*.ids")
    side.rename(tmp_path / "kept.ids")
    with open_project(folder, reviewer="ann") as project:
        assert f"line 2 cannot be read ({side.name} is missing)" in project.notes[0]
        assert decide(project, "accept", 0, 1, 2) == 3
        assert project.undo() == "accept 3 rows"
        # The act that is away cannot be seen, so the one before it is taken back: that counts, whatever comes back.
        assert project.undo() == "skip 1 row"
        assert decide(project, "accept", 0, 1, 2) == 6
    (tmp_path / "kept.ids").rename(side)
    with open_project(folder, reviewer="ann") as project:
        assert project.notes == []
        assert [project.verdict(row) for row in (0, 9, 10, 11)] == ["accepted", "rejected", "undecided", "undecided"]
        assert project.undo() == "accept 3 rows"
        assert project.verdict(0) == "rejected"
    assert numbers_in(folder) == list(range(1, 8))


def test_a_side_file_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 2)
    folder = make_project(tmp_path, numbered(6))
    with open_project(folder, reviewer="ann") as project:
        decide(project, "accept", 0, 1, 2)
        (side,) = (folder / "decisions").glob("*.ids")
        decide(project, "reject", 0, 1, 2)
        assert list((folder / "decisions").glob("*.ids")) == [side], "the same ids, the same file"
        side.write_bytes(b"damaged\n")
        decide(project, "skip", 0, 1, 2)
    assert side.read_bytes() == b"damaged\n"
    with open_project(folder, readonly=True) as project:
        assert [len(project.notes), project.verdict(0)] == [2, "skipped"]


# -- kill -9 at every system call


def test_a_bulk_act_that_is_killed_is_there_or_not_and_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 2)
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 1)
    folder = make_project(tmp_path, numbered(6))
    with open_project(folder, reviewer="ann") as project:
        decide(project, "accept", 5)
        (journal,) = project.journal_ends()
    with journal.open("ab") as stream:
        stream.write(b'{"torn')
    kept = tmp_path / "kept.tamis"
    shutil.copytree(folder, kept)

    def act() -> None:
        with open_project(folder, reviewer="ann", take_over=True) as project:
            if project.verdict(0) == "undecided":
                decide(project, "reject", *range(5))

    found = set()
    for call in range(1, 200):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        if killed_at(call, act) == 0:
            break
        with open_project(folder, readonly=True) as project:
            found.add("".join(project.verdict(row)[0] for row in range(6)))
        act()
        with open_project(folder, readonly=True) as project:
            assert [project.verdict(row)[0] for row in range(6)] == list("rrrrra"), f"killed at call {call}"
        assert numbers_in(folder) == [1, 2]
    assert found == {"uuuuua", "rrrrra"}


# -- disks that fail


def test_an_act_that_could_not_be_synced_is_not_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as project:
        decide(project, "accept", 0)
        (journal,) = project.journal_ends()
        before = journal.read_bytes()

        def failing(descriptor: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", failing)
            with pytest.raises(ProjectError, match="the decision was not saved: Input/output error"):
                decide(project, "reject", 1)
        assert (journal.read_bytes(), project.verdict(1), project.readonly) == (before, "undecided", False)
        assert decide(project, "reject", 1) == 2
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", failing)
            patched.setattr(os, "ftruncate", lambda descriptor, size: failing(descriptor))
            with pytest.raises(LockedError, match=r"cannot be written any more: .*counts as not saved"):
                decide(project, "accept", 2)
        assert (project.readonly, project.verdict(2)) == (True, "undecided")


def test_a_write_that_is_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(tmp_path, numbered(2))
    write = os.write
    with open_project(folder, reviewer="ann") as project:
        monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))
        decide(project, "accept", 0)
        decide(project, "accept", 1)
    monkeypatch.undo()
    with open_project(folder, readonly=True) as project:
        assert (project.tally()["accepted"], project.notes) == (2, [])


def test_a_snapshot_made_while_another_person_writes_holds_only_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 1)
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as ann, open_project(folder, reviewer="bob") as bob:
        decide(bob, "accept", 0)
        decide(ann, "accept", 1)
        ann.close()
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(row) for row in range(3)] == ["accepted", "accepted", "undecided"]


def test_a_snapshot_is_not_made_over_a_journal_that_is_another_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 1)
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="bob") as bob:
        decide(bob, "accept", 0)
        (journal,) = bob.journal_ends()
    (folder / "snapshot.bin").unlink()
    with open_project(folder, reviewer="ann") as ann:
        decide(ann, "accept", 1)
        (folder / "snapshot.bin").unlink()
        rewrite(journal, b"accept", b"reject")
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(row) for row in range(3)] == ["rejected", "accepted", "undecided"]


def test_a_torn_line_that_cannot_be_set_aside_makes_the_window_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, reviewer="ann") as project:
        decide(project, "accept", 0)
        (journal,) = project.journal_ends()
    with journal.open("ab") as stream:
        stream.write(b'{"v":1,')

    def full(path: Path, content: bytes) -> None:
        raise ProjectError(f"cannot write {path}", "No space left on device", "")

    monkeypatch.setattr(journal_writer, "write_atomic", full)
    with open_project(folder, reviewer="ann") as project:
        assert "No space left on device" in project.readonly_reason
        assert project.verdict(0) == "accepted"


def test_a_person_with_a_very_long_name_decides_in_bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "INLINE_IDS", 2)
    folder = make_project(tmp_path, numbered(4))
    with open_project(folder, reviewer="\u8b1b" * 90) as project:
        assert not project.readonly, project.readonly_reason
        decide(project, "accept", 0, 1, 2)
        (journal,) = project.journal_ends()
    with journal.open("ab") as stream:
        stream.write(b"torn")
    with open_project(folder, reviewer="\u8b1b" * 90) as project:
        assert (project.tally()["accepted"], len(project.notes)) == (3, 1)


# -- the id of the install


def test_two_first_starts_at_once_agree_on_the_id_and_half_a_one_is_made_anew(tmp_path: Path) -> None:
    code = "import sys; sys.stdin.read(1); from engine.reviewer import install_id; print(install_id())"
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(4)
    ]
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("x")
        start.stdin.flush()
    said = {start.communicate()[0].strip() for start in starts}
    assert len(said) == 1
    assert [path.name for path in (tmp_path / "tamis").iterdir()] == ["install"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../../x\n"])
def test_an_id_that_cannot_be_one_is_made_anew(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "tamis").mkdir()
    (tmp_path / "tamis" / "install").write_bytes(content)
    made = install_id()
    assert len(made) == 8
    assert install_id() == made
