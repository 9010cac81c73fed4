"""The workbench in a real pseudo-terminal at 80x24: what a person over SSH gets, and what they can rely on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import planted
import pytest
from planted import journal
from pseudo import Terminal, tamis

from engine.model import Findings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def test_a_sitting_ends_and_goes_on_at_the_same_row(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("\r")
        terminal.wait_for("kind:exact")
        terminal.keys("\r")
        terminal.wait_for("accepted 1 row and rejected 2 rows")
        terminal.keys("/", "is:undecided", "\r", "x")
        terminal.wait_for("✓1 ✗5")
        terminal.keys("u")
        terminal.wait_for("✓1 ✗2")
        terminal.keys("G", "e")
        terminal.wait_for("editing row 19")
        terminal.keys("\x1b[F", "!", "\x13")
        terminal.wait_for("✓2 ✗2")
        terminal.keys("u", "k")
        terminal.wait_for("row 18  line 19")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
        assert terminal.output.rstrip().endswith(b"\x1b[?1004l") or b"\x1b[?1049l" in terminal.output
    acts = [[act["do"] for act in line["acts"]] if "acts" in line else "undo" for line in journal(folder)]
    assert acts == [["accept", "reject"], ["reject"], "undo", ["edit"], "undo"]
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("row 18  line 19")
        assert terminal.lines[0].startswith(" raw.jsonl  ✓1 ✗2")


def test_what_was_painted_survives_a_kill(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/", "bucket:clean", "\r")
        for done in range(1, 6):
            os.write(terminal._master, b"a")
            terminal.wait_for(f"✓{done} ")
        # The place is written once the keys pause.
        identifier = planted.opened_id(folder, 15)
        deadline = time.monotonic() + 10
        while json.loads((folder / "session.json").read_text()).get("row") != identifier:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        terminal.signal(signal.SIGKILL)
        terminal.wait_for_end()
    assert len(journal(folder)) == 5
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("✓5 ")
        terminal.wait_for("row 15  line 16")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_terminal_as_it_was(folder: Path, number: signal.Signals) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("\r")
        terminal.signal(number)
        assert terminal.wait_for_end() == 128 + number
        assert b"\x1b[?1049l" in terminal.output
        assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")
    assert json.loads((folder / "session.json").read_text())["filter"] == "kind:exact"


def test_an_orphan_ends_even_where_the_hang_up_is_ignored(folder: Path) -> None:
    with Terminal(tamis(folder), ignore_hangup=True) as terminal:
        terminal.wait_for("What can be settled")
        terminal.hang_up()
        terminal.wait_for_end()


HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x1b[31m\x9b2J\u202e[/x][bold]\x00\u200b end"


def test_hostile_rows_send_nothing_of_their_own(tmp_path: Path) -> None:
    content = [{"instruction": f"{HOSTILE} {n}", "input": HOSTILE, "output": HOSTILE} for n in range(3)]
    folder = planted.make_folder(tmp_path, content, Findings.empty(3))
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("/", "\r", "j", "w", "e")
        terminal.wait_for("editing row 1")
        terminal.keys("\x1b", "/", "row:2", "\r", "a")
        terminal.wait_for("✓1 ")
        assert b"\x1b]52" not in terminal.output
        assert b"\xc2\x9b" not in terminal.output
        assert "\u202e".encode() not in terminal.output
        assert b"\x00" not in terminal.output
        # The only clearing of the screen is Textual's own, if any; ours would come with each of the rows.
        assert terminal.output.count(b"\x1b[2J") <= 1
        assert "␛]52;c;aGk=␇␛[2J␛[31m⟨9B⟩2J⟨RLO⟩[/x][bold]␀⟨ZWSP⟩ end" in terminal.text.replace("\n", "")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0


def test_the_persons_own_editor(folder: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/thre$/three/" "$1"\n')
    editor.chmod(0o755)
    with Terminal(tamis(folder), environment={"VISUAL": str(editor)}) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/", "row:11-12", "\r", "\x05")
        terminal.wait_for("edited row 11")
        terminal.keys("\x05")
        terminal.wait_for("nothing was changed: no decision taken")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
    lines = journal(folder)
    assert [act["do"] for line in lines for act in line["acts"]] == ["edit"]
    assert next(iter(lines[0]["acts"][0]["edited"].values()))["output"] == "one two three"
    assert not list(folder.glob("row-*"))


def test_an_edit_that_breaks_the_fences_is_refused_and_kept(folder: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho "only this" > "$1"\n')
    editor.chmod(0o755)
    with Terminal(tamis(folder), environment={"VISUAL": str(editor)}) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/", "row:11", "\r", "\x05")
        terminal.wait_for("the edit was not taken")
        assert journal(folder) == []
        kept = list(folder.glob("row-11-*.txt"))
        assert [path.read_text() for path in kept] == ["only this\n"]


def test_a_second_window_reads_and_says_so(folder: Path) -> None:
    with Terminal(tamis(folder)) as first:
        first.wait_for("What can be settled")
        with Terminal(tamis(folder)) as second:
            second.wait_for("read-only")
            second.keys("\r", "a")
            second.wait_for("read-only: another window decides here")


def test_resizing_settles(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("\r", "j", "j")
        for size in ((120, 40), (30, 8), (79, 23), (200, 50), (80, 24)):
            terminal.resize(*size)
        terminal.wait_for("row 1  line 2")
        assert terminal.lines[3].startswith("▌  ·   1 2 copy")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_do_it_is_told_in_one_line(folder: Path, term: str) -> None:
    with Terminal(tamis(folder), environment={"TERM": term}) as terminal:
        assert terminal.wait_for_end() == 2
        assert terminal.output.count(b"\n") == 1
        assert b"TERM=" in terminal.output
        assert b"\x1b" not in terminal.output


def test_without_a_terminal_there_is_one_line(folder: Path) -> None:
    done = subprocess.run(tamis(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"tamis: the workbench needs a terminal.*\n", done.stderr)


def test_the_first_paint_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys; import workbench.ui.app, textual.app; "
        "print([n for n in ('numpy', 'pyarrow', 'torch', 'rapidfuzz', 'markdown_it', 'engine.scan.pipeline')"
        " if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_filter_that_shows_nothing_can_be_left(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/", "nowhere", "\r", "j", "a")
        terminal.wait_for("no row here")
        terminal.keys("/", "row:3", "\r")
        terminal.wait_for("row 3  line 4")


def test_a_fault_of_our_own_is_one_line_and_no_stack(folder: Path, tmp_path: Path) -> None:
    starter = tmp_path / "start.py"
    starter.write_text(
        "import sys\nfrom workbench.cli.main import main\nfrom workbench.actions import navigate\n"
        "def broken(session):\n    secret = 'a row of the data'\n    raise KeyError('planted')\n"
        "navigate.next_group = broken\nsys.exit(main(sys.argv[1:]))\n"
    )
    words = [sys.executable, str(starter), str(folder), "--as", "ann"]
    root = str(Path(__file__).parent.parent.parent)
    with Terminal(words, environment={"PYTHONPATH": root}) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("\r", "a", "]")
        terminal.wait_for_end()
        said = terminal.output.rpartition(b"\x1b[?1004l")[2]
        assert b"a fault inside tamis: KeyError: 'planted'" in said
        assert b"secret" not in terminal.output
        assert b"Traceback" not in terminal.output
    assert len(journal(folder)) == 1
