"""A project: decisions hang on content, are on disk before they are acknowledged, and can all be taken back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from projects import alpaca, make_project, numbered, write_jsonl

from engine.errors import LockedError, ProjectError, SourceError, UsageError
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.create import continue_reading, create_project
from engine.project.project import open_project
from engine.project.replay import replay
from engine.project.writer_lock import Ownership, file_system_of


def test_the_source_is_read_only_and_the_rows_are_its_own_bytes(tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    source.write_bytes(b'{"instruction": "a",  "output": "\\u00e9"}\r\nbroken\n{"instruction":"b","output":"2"}')
    before = (source.read_bytes(), source.stat().st_mtime_ns)
    folder = create_project(source)
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before
    assert folder.stat().st_mode & 0o777 == 0o700
    with open_project(folder, readonly=True) as project:
        assert project.rows.raw_bytes(0) == b'{"instruction": "a",  "output": "\\u00e9"}\r'
        assert project.rows.raw_bytes(1) == b'{"instruction":"b","output":"2"}'
        assert [project.rows.line(n) for n in range(2)] == [1, 3]
        assert project.counts()["quarantined"] == 1
    aside = json.loads((folder / "quarantine.jsonl").read_text())
    assert aside["line"] == 2
    assert aside["bytes"] == "YnJva2Vu"


def test_ids_follow_the_contract(tmp_path: Path) -> None:
    row = alpaca("é?", "b")
    folder = make_project(tmp_path, [row, alpaca("x", "y"), dict(reversed(row.items())), row])
    canonical = json.dumps(row, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    expected = hashlib.blake2b(canonical, digest_size=8).hexdigest()
    with open_project(folder, readonly=True) as project:
        assert [project.rows.id(n) for n in (0, 2, 3)] == [expected, f"{expected}.1", f"{expected}.2"]
        assert [project.rows.number(project.rows.id(n)) for n in range(4)] == [0, 1, 2, 3]
        assert project.rows.number("0" * 16) is None
        assert project.rows.number(f"{expected}.3") is None


def test_nothing_is_made_where_nothing_can_be_read(tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    source.write_text('{"no\njson}\n')
    with pytest.raises(SourceError, match="none of its lines"):
        create_project(source)
    source.write_text('{"title": 1}\n')
    with pytest.raises(SourceError, match="no known shape"):
        create_project(source)
    assert [path.name for path in tmp_path.iterdir()] == ["raw.jsonl"]


def test_a_file_of_no_known_shape_is_told_how_it_might_be_read(tmp_path: Path) -> None:
    """Nothing says which language is asked and which is the answer."""
    source = tmp_path / "raw.jsonl"
    source.write_text('{"id": 7, "translation": {"en": "Good morning.", "fr": "Bonjour."}}\n')
    with pytest.raises(SourceError, match=r"--map prompt=translation\.en,response=translation\.fr"):
        create_project(source)
    with open_project(create_project(source, words="prompt=translation.en,response=translation.fr")) as project:
        assert (project.example(0).prompt, project.example(0).answer) == ("Good morning.", "Bonjour.")


def test_accept_edit_reject_undo_redo_and_coming_back(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(5))
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(5)]
        edited = {**project.rows.raw(2), "output": "Better."}
        project.decide([Act("accept", (ids[0],)), Act("reject", (ids[1], ids[3]))], seen=ids[:1], why="bucket:drop")
        project.decide([Act("edit", (ids[2],), {ids[2]: edited})])
        assert project.undo() == "edit 1 row"
        assert project.current_row(2)["output"] == "Answer 2."
        assert project.redo() == "edit 1 row"
    with open_project(folder, reviewer="ann") as project:
        assert [project.verdict(n) for n in range(5)] == ["accepted", "rejected", "accepted", "rejected", "undecided"]
        assert project.current_row(2)["output"] == "Better."
        assert project.is_edited(2)
        counts = project.counts()
        assert (counts["accepted"], counts["edited"], counts["rejected"], counts["undecided"], counts["seen"]) == (
            2,
            1,
            2,
            1,
            1,
        )
        assert project.undo() == "edit 1 row"
        assert project.undo() == "accept 1 row and reject 2 rows (bucket:drop)"
        assert project.undo() is None
        assert project.counts()["undecided"] == 5
        project.redo()
        project.decide([Act("skip", (ids[4],))])
        assert project.redo() is None, "a new act drops the redo"
    journal = next((folder / "decisions").glob("ann@*.jsonl")).read_text().splitlines()
    assert [json.loads(line)["n"] for line in journal] == list(range(1, len(journal) + 1))


def test_decisions_follow_the_content_into_a_reordered_source(tmp_path: Path) -> None:
    rows = numbered(6)
    folder = make_project(tmp_path, rows)
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("reject", (project.rows.id(1),))])
    other = tmp_path / "other"
    other.mkdir()
    again = make_project(other, [*reversed(rows), alpaca("new", "row")])
    for journal in (folder / "decisions").iterdir():
        (again / "decisions" / journal.name).write_bytes(journal.read_bytes())
    with open_project(again, readonly=True) as project:
        assert [project.verdict(n) for n in range(7)] == ["undecided"] * 4 + ["rejected"] + ["undecided"] * 2


def test_a_torn_last_line_is_set_aside_and_said(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
    journal = next((folder / "decisions").glob("*.jsonl"))
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"v":1,"n":2,"acts":[{"do":"rej')
    with open_project(folder, reviewer="ann") as project:
        assert "torn" in project.notes[0]
        assert project.counts()["accepted"] == 1
        assert journal.read_bytes() == whole
        project.decide([Act("reject", (project.rows.id(1),))])
    assert [aside.read_bytes() for aside in (folder / "decisions").glob("*.torn-*")] == [
        b'{"v":1,"n":2,"acts":[{"do":"rej'
    ]


def test_a_second_window_reads_and_says_so(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as first, open_project(folder, reviewer="ann") as second:
        assert not first.readonly
        assert second.readonly
        assert "another window" in second.readonly_reason
        with pytest.raises(ProjectError, match="only reads"):
            second.decide([Act("accept", (second.rows.id(0),))])
        with open_project(folder, reviewer="bob") as other:
            assert not other.readonly, "two people on one folder do not block each other"


def test_taking_over_turns_the_old_window_read_only(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as old:
        old.decide([Act("accept", (old.rows.id(0),))])
        with open_project(folder, reviewer="ann", take_over=True) as new:
            new.decide([Act("accept", (new.rows.id(1),))])
            with pytest.raises(LockedError, match="took over"):
                old.decide([Act("reject", (old.rows.id(1),))])
            assert old.readonly
            assert old.verdict(1) == "undecided", "what was not written is not shown"
            new.decide([Act("accept", (new.rows.id(2),))])
    with open_project(folder, reviewer="ann") as project:
        assert not project.readonly
        assert project.counts()["accepted"] == 3
        assert project.notes == []
    assert [path.suffix for path in (folder / "decisions").iterdir()] == [".jsonl"]


def test_on_a_network_mount_the_owner_file_counts(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:5 / {tmp_path} rw,a shared:1 - nfs4 box:/export rw\nbroken line\n"
    )
    assert file_system_of(tmp_path / "raw.tamis", mounts) == "nfs4"
    assert file_system_of(Path("/"), mounts) == "ext4"
    journal = tmp_path / "ann@1.jsonl"
    first = Ownership(journal, network=True)
    with pytest.raises(LockedError, match="process"):
        Ownership(journal, network=True)
    second = Ownership(journal, take_over=True, network=True)
    assert not first.is_mine()
    first.release()
    assert second.is_mine()
    second.release()
    Ownership(journal, network=True).release()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    said = {"token": "x", "pid": int(ended.stdout), "host": socket.gethostname()}
    owner_file = tmp_path / "ann@1.jsonl.owner"
    owner_file.write_text(json.dumps(said | {"host": "another box"}))
    with pytest.raises(LockedError, match="on another box"):
        Ownership(journal, network=True)
    owner_file.write_text(json.dumps(said))
    Ownership(journal, network=True).release()


def test_reviewers_who_differ_leave_the_row_disputed(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    for reviewer, verdict in (("ann", "accept"), ("bob", "reject")):
        with open_project(folder, reviewer=reviewer) as project:
            project.decide([Act(verdict, (project.rows.id(0),)), Act("accept", (project.rows.id(1),))])
    with open_project(folder, readonly=True) as project:
        counts = project.counts()
        assert (counts["disputed"], counts["accepted"], counts["reviewers"]) == (1, 1, ["ann", "bob"])


WRITER = """
import sys
from engine.model import Act
from engine.project.project import open_project
project = open_project(sys.argv[1], reviewer="ann")
for number in range(len(project.rows)):
    project.decide([Act("accept", (project.rows.id(number),))])
    print(number, flush=True)
"""


def test_kill_9_loses_no_acknowledged_act(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3000))
    acknowledged = -1
    for stop_after in (1, 40, 155):
        for journal in (folder / "decisions").iterdir():
            journal.unlink()
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged >= stop_after:
                writer.send_signal(signal.SIGKILL)
                break
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        writer.wait()
        with open_project(folder, reviewer="ann") as project:
            assert all(project.verdict(number) == "accepted" for number in range(acknowledged + 1))


def test_a_full_disk_refuses_the_act_and_keeps_the_journal_whole(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(50))
    code = (
        "import resource, signal, sys\n"
        "from engine.errors import ProjectError\nfrom engine.model import Act\n"
        "from engine.project.project import open_project\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "project = open_project(sys.argv[1], reviewer='ann')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "done = 0\n"
        "try:\n"
        "    for number in range(50):\n"
        "        project.decide([Act('accept', (project.rows.id(number),))]); done += 1\n"
        "except ProjectError as error:\n"
        "    print(done, project.counts()['accepted'], error)\n"
    )
    finished = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    done, accepted, *sentence = finished.stdout.split()
    assert done == accepted
    assert int(done) > 3
    assert "not saved" in " ".join(sentence)
    journal = next((folder / "decisions").glob("ann@*.jsonl")).read_bytes()
    assert journal.endswith(b"\n")
    assert journal.count(b"\n") == int(done)


def test_an_addition_that_was_cut_off_leaves_the_project_as_it_was(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    with (folder / "rows.jsonl").open("ab") as rows:
        rows.write(b'{"instruction": "half')
    with open_project(folder, readonly=True) as project:
        assert len(project.rows) == 4
        assert project.rows.raw(3)["output"] == "Answer 3."
    grow(folder, write_jsonl(tmp_path / "more.jsonl", [alpaca("n", "m")]), "ann")
    with open_project(folder, readonly=True) as project:
        assert project.rows.raw(4) == alpaca("n", "m")


def test_replaying_a_journal_reaches_the_same_state(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(8))
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(8)]
        project.decide([Act("reject", tuple(ids[:3]))], why="kind:near")
        project.decide([Act("edit", (ids[4],), {ids[4]: alpaca("Q", "A")})], seen=[ids[4]])
        project.decide([Act("accept", (ids[5],))])
        project.undo()
        expected = [(project.verdict(n), project.current_row(n), project.decision(n).why) for n in range(8)]
    (tmp_path / "again").mkdir()
    again = make_project(tmp_path / "again", numbered(8))
    with open_project(again, reviewer="bob") as project:
        done = replay(project, next((folder / "decisions").glob("*.jsonl")))
        assert (done.lines, done.rows, done.unknown) == (4, 5, 0)
        assert [(project.verdict(n), project.current_row(n), project.decision(n).why) for n in range(8)] == expected


def test_a_journal_with_an_act_of_a_later_version_is_not_replayed_as_if_it_were_nothing(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(1))
    with open_project(folder, reviewer="ann") as project:
        line = {"v": 1, "n": 1, "acts": [{"do": "frobnicate", "ids": [project.rows.id(0)]}]}
        journal = tmp_path / "later.jsonl"
        journal.write_text(json.dumps(line) + "\n")
        with pytest.raises(UsageError, match="the act 'frobnicate' is not known"):
            replay(project, journal)
        assert project.last_line == 0


def test_a_readonly_folder_opens_for_reading(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere; the file-size limit above plants the same fault")
    folder = make_project(tmp_path, numbered(2))
    (folder / "decisions").chmod(0o500)
    with open_project(folder, reviewer="ann") as project:
        assert project.readonly


def test_a_journal_from_a_future_version_keeps_its_unknown_keys(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, readonly=True) as project:
        identifier = project.rows.id(0)
    line = {
        "v": 1,
        "n": 1,
        "by": "ann",
        "acts": [{"do": "accept", "ids": [identifier]}, {"do": "frobnicate", "ids": [], "x": 1}],
        "new": 2,
    }
    path = folder / "decisions" / "ann@00000000.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with open_project(folder, reviewer="ann") as project:
        assert project.verdict(0) == "accepted"
        project.decide([Act("reject", (project.rows.id(1),))])
    assert json.loads(path.read_text()) == line


def test_a_large_bulk_act_is_one_line_and_one_undo(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(20_000))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("reject", tuple(project.rows.id(n) for n in range(20_000)))])
        assert project.counts()["rejected"] == 20_000
        assert project.undo() == "reject 20,000 rows"
        assert project.counts()["undecided"] == 20_000
    journal = next((folder / "decisions").glob("*.jsonl"))
    assert journal.read_bytes().count(b"\n") == 2
    assert journal.stat().st_size < 1000, "the ids of a very large act stand in a file of their own"
    with open_project(folder, reviewer="ann") as project:
        assert project.redo() == "reject 20,000 rows"
    side = next((folder / "decisions").glob("*.ids"))
    side.write_bytes(side.read_bytes()[:-20])
    (folder / "snapshot.bin").unlink(missing_ok=True)
    with open_project(folder, readonly=True) as project:
        assert "is not the file" in project.notes[0]


@pytest.mark.slow
def test_a_bulk_act_on_300_000_rows_is_one_line_and_one_undo(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(300_000))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(300_000)))], why="bucket:clean")
        assert project.counts()["accepted"] == 300_000
        assert project.undo() == "accept 300,000 rows (bucket:clean)"
        assert project.counts()["undecided"] == 300_000
    journal = next((folder / "decisions").glob("*.jsonl"))
    assert journal.read_bytes().count(b"\n") == 2
    with open_project(folder, reviewer="ann") as project:
        assert project.redo() == "accept 300,000 rows (bucket:clean)"
        assert project.counts()["accepted"] == 300_000


def test_a_large_source_opens_before_it_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.project import create

    monkeypatch.setattr(create, "CHUNK_ROWS", 7)
    rows: list[object] = [*numbered(40), numbered(3)[1]]
    rows.insert(5, "no object")
    rows.insert(30, "no object")
    source = write_jsonl(tmp_path / "raw.jsonl", rows)
    folder = create_project(source, first=10)
    (tmp_path / "whole").mkdir()
    whole = make_project(tmp_path / "whole", rows)
    with open_project(folder, reviewer="ann") as project, open_project(whole, readonly=True) as expected:
        assert (len(project.rows), project.is_complete, project.counts()["quarantined"]) == (10, False, 1)
        late = expected.rows.id(40)
        project.decide([Act("accept", (project.rows.id(3), late))])
        assert continue_reading(folder) == 41
        assert project.refresh_rows() == 31
        assert project.is_complete
        assert [project.rows.id(n) for n in range(41)] == [expected.rows.id(n) for n in range(41)]
        assert [project.verdict(n) for n in (3, 39, 40)] == ["accepted", "undecided", "accepted"]
        assert project.counts()["quarantined"] == 2
        assert project.settings.source.sha256 == expected.settings.source.sha256
    assert (folder / "rows.jsonl").read_bytes() == (whole / "rows.jsonl").read_bytes()
    assert (folder / "rows.idx").read_bytes() == (whole / "rows.idx").read_bytes()
    assert (folder / "quarantine.jsonl").read_bytes() == (whole / "quarantine.jsonl").read_bytes()


def test_a_source_that_changes_while_it_is_read_is_said(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", numbered(40))
    folder = create_project(source, first=10)
    write_jsonl(source, numbered(50))
    with pytest.raises(ProjectError, match="changed while it was being read"):
        continue_reading(folder)
