"""Bytes that nobody typed as keys: pieces of keys that come late, pastes, answers out of range, floods."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import planted
import pytest
from planted import journal
from pseudo import Terminal, tamis

VERBS = "axaxKaaxx\rAAyyD"
NOTHING_DONE = "what was pasted is no keys"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def in_pieces(terminal: Terminal, *parts: str, gap: float) -> None:
    for part in parts:
        terminal.type(part)
        terminal.read_for(gap)


@pytest.mark.parametrize("keys", ["\x1b[D", "\x1bOD", "\x1b[1;5D", "\x1b]11;a\x07"])
def test_a_key_that_comes_in_pieces_decides_nothing(folder: Path, keys: str) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:11-14\r")
        terminal.wait_for("row 11  line 12")
        in_pieces(terminal, *keys, gap=0.15)
        terminal.wait_for_rest()
        assert journal(folder) == []
        terminal.keys("a")
        terminal.wait_for("✓1 ")


def test_a_paste_on_a_list_does_nothing_and_says_so(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:11-14\r")
        terminal.wait_for("row 11  line 12")
        for parts in (
            (f"\x1b[200~{VERBS}\x1b[201~",),
            ("\x1b[2", f"00~{VERBS}", "\x1b", f"[201~\x1b[200~{VERBS}\x1b[20", "1~"),
            (VERBS * 200,),
        ):
            in_pieces(terminal, *parts, gap=0.3)
            terminal.wait_for(NOTHING_DONE)
            terminal.keys("j")
            assert NOTHING_DONE not in terminal.text
        assert journal(folder) == []


def test_a_paste_without_an_end_is_told_and_ended_by_escape(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:11-14\r")
        terminal.wait_for("row 11  line 12")
        terminal.type(f"\x1b[200~{VERBS}")
        terminal.wait_for("has no end yet")
        terminal.type(VERBS)
        terminal.read_for(0.2)
        terminal.type("\x1b")
        terminal.wait_for("esc ended it")
        assert journal(folder) == []
        terminal.type("x")
        terminal.wait_for("✗1 ")


def test_what_is_pasted_behind_the_key_that_opens_a_line_goes_into_it(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.type("/\x1b[200~row:11-14\x1b[201~\r")
        terminal.wait_for("row 11  line 12")
        terminal.type("e\x1b[200~one\x1b[13utwo\x1b[201~\x13")
        terminal.wait_for("✓1 ")
    with planted.opened(folder) as project:
        assert project.current_row(11)["output"].startswith("one\ntwo")


def test_a_selector_that_was_copied_with_a_line_break_is_taken_whole(folder: Path) -> None:
    """Its first line alone would match more rows than were meant."""
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.type(":\x1b[200~reject row:11-14\r\n  not row:12-14\n\x1b[201~")
        terminal.wait_for("not row:12-14")
        terminal.wait_for_rest()
        terminal.type("\r")
        terminal.wait_for("would have rejected row 11: enter again does it")
        terminal.type("\r")
        terminal.wait_for("✗1 ")
    with planted.opened(folder) as project:
        assert [project.verdict(row) for row in (11, 12, 13, 14)] == ["rejected"] + ["undecided"] * 3


def test_answers_out_of_range_leave_the_keys_alone(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:11-14\r")
        terminal.wait_for("row 11  line 12")
        for odd in ("\x1b[1114112u", "\x1b[1;1:3B", "\x1b[55296u", "\x1b[48;99999;99999;9;9t", "\x00", "\x1b]" + VERBS):
            terminal.type(odd)
        os.write(terminal._master, b"\xff\xfe\xc2\xed\xa0\x80\x9b31m\x90ax\x9c")
        terminal.read_for(1.2)
        terminal.wait_for_rest()
        terminal.type("a")
        terminal.wait_for("✓1 ")
        terminal.type("q")
        assert terminal.wait_for_end() == 0
        assert b"Traceback" not in terminal.output
    assert len(journal(folder)) == 1


def memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def test_a_flood_of_keys_waits_in_the_terminal_and_not_in_memory(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        os.set_blocking(terminal._master, False)
        end = time.monotonic() + 4
        before = 0.0
        while time.monotonic() < end:
            try:
                os.write(terminal._master, b"j" * 4096)
            except BlockingIOError:
                terminal.read_for(0.01)
            if not before and "What can be settled" in terminal.text:
                before = memory_mb(terminal.pid)
        assert before
        assert memory_mb(terminal.pid) < before + 40
        os.set_blocking(terminal._master, True)
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM


def test_a_terminal_that_is_gone_before_a_screen_is_there_ends_it(folder: Path) -> None:
    with Terminal(tamis(folder), ignore_hangup=True) as terminal:
        terminal.type("j" * 200)
        terminal.read_for(0.1)
        terminal.hang_up()
        terminal.wait_for_end()
