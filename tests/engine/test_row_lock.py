"""Who may change the rows: one process at a time, whatever others read or decide meanwhile."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from projects import alpaca, make_project, numbered, write_jsonl

from engine.errors import LockedError, UsageError
from engine.project.add_rows import grow
from engine.project.create import continue_reading, create_project
from engine.project.heldout import reserve_file
from engine.project.new_row import add_row
from engine.project.project import open_project
from engine.project.row_change import changing_rows
from engine.project.row_ids import content_hash
from engine.project.row_lock import READING, locked_rows
from workbench.cli.main import main

# Reads on, and waits in the middle of it until it is told to go on.
SLOW_READING = """
import sys
from pathlib import Path
from engine.project import intake
from engine.project.create import continue_reading
intake.PROGRESS_EVERY = 1
asked = []
def progress(phase, done, of):
    if not asked:
        asked.append(done)
        print("reading", flush=True)
        sys.stdin.readline()
continue_reading(Path(sys.argv[1]), progress)
print("done", flush=True)
"""
ADD = """
import sys
from pathlib import Path
from engine.project.add_rows import grow
print(len(grow(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]).added))
"""


def python(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def every_row_is_what_its_id_says(folder: Path) -> int:
    with open_project(folder, readonly=True) as project:
        for number in range(len(project.rows)):
            assert content_hash(project.rows.raw(number)) == int(project.rows.id(number)[:16], 16)
        assert project.unknown_ids() == 0
        return len(project.rows)


def test_rows_are_added_once_the_source_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = create_project(write_jsonl(tmp_path / "raw.jsonl", numbered(300)), first=20)
    more = write_jsonl(tmp_path / "more.jsonl", [alpaca("New?", "Yes.")])
    reading = python(SLOW_READING, folder)
    assert reading.stdout is not None
    assert reading.stdout.readline() == "reading\n"
    told = f"its source is still being read by process {reading.pid} on {socket.gethostname()}"
    for refused in (
        lambda: grow(folder, more, "ann"),
        lambda: reserve_file(folder, more, "ann"),
        lambda: continue_reading(folder),
    ):
        with pytest.raises(LockedError, match=told):
            refused()
    assert main(["add", str(folder), str(more), "--as", "ann"]) == 2
    assert told in capsys.readouterr().err
    # Who reads meanwhile reads what was there before.
    assert every_row_is_what_its_id_says(folder) == 20
    reading.communicate("go on\n")
    assert reading.returncode == 0
    assert grow(folder, more, "ann").added == (300,)
    assert every_row_is_what_its_id_says(folder) == 301


def test_of_two_additions_at_once_neither_is_lost(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(10))
    files = {
        name: write_jsonl(tmp_path / f"{name}.jsonl", [alpaca(f"{name} asks {n}?", "x" * (n % 70)) for n in range(400)])
        for name in ("ann", "bob")
    }
    both = [python(ADD, folder, path, name) for name, path in files.items()]
    assert [adding.communicate()[0].strip() for adding in both] == ["400", "400"]
    assert every_row_is_what_its_id_says(folder) == 810


def test_a_row_written_by_hand_waits_for_nobody(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    asked, said = {"role": "user", "content": "New?"}, {"role": "assistant", "content": "Yes."}
    with open_project(folder, reviewer="ann") as project:
        with locked_rows(folder, READING), pytest.raises(LockedError, match="still being read by process"):
            add_row(project, (asked, said))
        assert not (folder / "written.jsonl").exists()
        # Another process has added the same row meanwhile: it is not added twice.
        with open_project(folder, reviewer="bob") as other:
            assert add_row(other, (asked, said)) == 3
        with pytest.raises(UsageError, match="row 3 says the same already"):
            add_row(project, (asked, said))
        assert len(project.rows) == 4
    assert len((folder / "written.jsonl").read_text().splitlines()) == 1


def test_on_a_network_mount_another_machine_counts_by_its_file(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    owner = folder / "rows.lock.owner"
    owner.write_text(json.dumps({"pid": 4, "host": "other-box", "doing": READING}))
    with pytest.raises(LockedError, match=r"by process 4 on other-box.*remove"), locked_rows(folder, "", network=True):
        pass
    assert owner.exists()
    # One of this machine is left over: nobody holds the lock.
    owner.write_text(json.dumps({"pid": 4, "host": socket.gethostname(), "doing": READING}))
    with locked_rows(folder, "rows are being added to it", network=True):
        assert json.loads(owner.read_text())["pid"] == os.getpid()
    assert not owner.exists()


def test_what_a_killed_addition_left_is_told_when_the_project_is_opened_to_decide(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    killed = "import os\nfrom engine.project import add_rows\nadd_rows._decide = lambda *_: os._exit(9)\n" + ADD
    more = write_jsonl(tmp_path / "more.jsonl", [alpaca("New?", "Yes.")])
    assert python(killed, folder, more, "ann").wait() == 9
    with open_project(folder, readonly=True) as project:
        assert (len(project.rows), project.notes) == (3, [])
    with open_project(folder, reviewer="bob") as project:
        (note,) = project.notes
        assert "has been taken back" in note
    with open_project(folder, reviewer="bob") as project:
        assert project.notes == []
    assert sorted(path.name for path in folder.glob("*.next")) == []


def test_a_live_addition_is_left_alone_by_who_opens_meanwhile(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with changing_rows(folder):
        (folder / "rows.idx.next").write_bytes(b"being written")
        with open_project(folder, reviewer="bob") as project:
            assert (len(project.rows), project.notes, project.readonly) == (3, [], False)
        assert (folder / "rows.idx.next").exists()
