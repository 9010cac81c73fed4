"""What happens to a terminal under a program: stopped and continued, resized, detached, taken away."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import planted
import pytest
from planted import journal
from pseudo import PATIENCE, Terminal, tamis

# Everything that was turned on for the full screen is off again, and the cursor is back.
RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?7h", b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[?1004l", b"\x1b[<u")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def wait(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def state_of(pid: int) -> str:
    """The state of a process as the kernel names it (T: stopped); empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def verdicts_taken(folder: Path) -> int:
    return sum("acts" in line for line in journal(folder))


def modes(terminal: Terminal) -> list[object]:
    """How the terminal treats keys: line by line and echoed, or raw."""
    return termios.tcgetattr(terminal._master)


@pytest.mark.parametrize("by_key", [True, False], ids=["ctrl+z", "signal"])
def test_a_shell_stops_it_and_brings_it_back(folder: Path, by_key: bool) -> None:
    """With the key also where a script started it, which must be stopped as well: else the shell waits for ever."""
    line = " ".join(tamis(folder))
    with Terminal(["bash", "--norc", "--noprofile", "-i"], environment={"PS1": "shell> "}) as terminal:
        terminal.wait_for("shell>")
        before = modes(terminal)
        terminal.type(f"sh -c '{line}; exit 0'\n" if by_key else f"{line}\n")
        terminal.wait_for("What can be settled")
        terminal.type("\r\r")
        terminal.wait_for("accepted 1 row and rejected 2 rows")
        terminal.settle()
        shown = terminal.cells()
        sent = len(terminal.output)
        (pid,) = children(terminal.pid)
        if by_key:
            (pid,) = children(pid)
        if by_key:
            terminal.type("\x1a")
        else:
            os.kill(pid, signal.SIGTSTP)
        terminal.wait_for("Stopped")
        wait(lambda: state_of(pid) == "T", "it was never stopped")
        assert verdicts_taken(folder) == 1
        left = terminal.output[sent:]
        assert [code for code in RESTORED if code not in left] == []
        terminal.settle()
        assert modes(terminal) == before
        terminal.keys("clear\n")
        terminal.type("fg\n")
        terminal.wait_for("all decided here")
        terminal.wait_for_rest()
        # Every cell was sent anew, and keys go to the program again.
        assert terminal.cells() == shown
        terminal.type("u")
        terminal.wait_for("undone: ")
        terminal.type("q")
        terminal.wait_for("shell>")
        assert state_of(pid) == ""
        assert modes(terminal) == before


def test_its_own_modes_are_those_of_before_while_it_is_stopped(folder: Path) -> None:
    """A shell puts them right by itself; nothing else does."""
    with Terminal(["cat"]) as terminal:
        before = modes(terminal)
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        raw = modes(terminal)
        terminal.signal(signal.SIGTSTP)
        wait(lambda: state_of(terminal.pid) == "T", "it was not stopped")
        assert modes(terminal) == before
        terminal.signal(signal.SIGCONT)
        terminal.wait_for_rest()
        # The key does not stop it here, where there is no shell to bring it back.
        terminal.type("\x1a")
        terminal.wait_for("no shell to go back to")
        assert modes(terminal) == raw != before
        terminal.type("\r")
        terminal.wait_for("kind:exact")
        assert state_of(terminal.pid) != "T"


def test_a_stop_that_nobody_hears_leaves_one_reader_of_keys_and_the_modes_of_before(folder: Path) -> None:
    """SIGSTOP of a job scheduler, or a laptop's debugger: typed meanwhile, arrows among it, is taken whole and once."""
    words = " ".join(tamis(folder))
    with Terminal(["sh", "-c", f"echo first; read x; {words}; echo ended; exec cat"], columns=100) as terminal:
        terminal.wait_for("first")
        before = modes(terminal)
        terminal.type("\n")
        terminal.wait_for("What can be settled")
        terminal.type("/bucket:clean\r")
        terminal.wait_for("match 'bucket:clean'")
        (pid,) = children(terminal.pid)
        for _ in range(3):
            os.kill(pid, signal.SIGSTOP)
            wait(lambda: state_of(pid) == "T", "it was not stopped")
            terminal.keys("\x1b[B\x1b[A" * 40)
            os.kill(pid, signal.SIGCONT)
            terminal.wait_for_rest()
        assert verdicts_taken(folder) == 0
        terminal.type("a")
        terminal.wait_for("✓1 ")
        terminal.type("q")
        terminal.wait_for("ended")
        assert modes(terminal) == before
        assert b"Traceback" not in terminal.output
    assert verdicts_taken(folder) == 1


def test_a_storm_of_resizes_leaves_the_screen_it_began_with(folder: Path) -> None:
    dice = random.Random(5)
    with Terminal(tamis(folder), columns=100, rows=30, answers=True) as terminal:
        terminal.wait_for("What can be settled")
        terminal.type("\rj")
        terminal.wait_for_rest()
        fresh = terminal.cells()
        for _ in range(200):
            terminal.resize(dice.randint(30, 160), dice.randint(8, 50), settle=False)
            terminal.read_for(0.003)
        terminal.resize(30, 8)
        terminal.wait_for("enlarge the terminal")
        terminal.resize(100, 30)
        terminal.wait_for_rest()
        assert terminal.cells() == fresh
        assert b"Traceback" not in terminal.output
        terminal.keys("q")
        assert terminal.wait_for_end() == 0


def test_a_closed_terminal_ends_it_with_every_act_kept(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.type("/bucket:clean\r")
        terminal.wait_for("match 'bucket:clean'")
        for done in (1, 2, 3):
            terminal.type("a")
            terminal.wait_for(f"✓{done} ")
        terminal.hang_up()
        terminal.wait_for_end()
    assert verdicts_taken(folder) == 3
    assert json.loads((folder / "session.json").read_text())["filter"] == "bucket:clean"


class Multiplexer:
    """A tmux server of our own, with the workbench in it."""

    def __init__(self, place: Path, argv: list[str], environment: dict[str, str]) -> None:
        # A socket's path may not be long.
        self._socket = f"tamis-test-{os.getpid()}"
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("TMUX")}
        self._environment |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "TMUX_TMPDIR": str(place)} | environment
        self.command("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", *argv)

    def command(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *words], env=self._environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    @property
    def pane(self) -> int:
        """The process of the workbench."""
        return int(self.command("list-panes", "-F", "#{pane_pid}"))

    def attach(self, columns: int, rows: int) -> Terminal:
        words = ["tmux", "-L", self._socket, "attach"]
        place = {"TMUX_TMPDIR": self._environment["TMUX_TMPDIR"]}
        return Terminal(words, columns=columns, rows=rows, environment=place)

    def end(self) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], env=self._environment, check=False)


@pytest.fixture
def tmux(folder: Path, tmp_path: Path) -> Iterator[Multiplexer]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    # The hang-up is ignored, as under nohup: what ends the program is that its terminal is gone.
    words = " ".join(tamis(folder))
    server = Multiplexer(tmp_path, ["sh", "-c", f"trap '' HUP; exec {words}"], {})
    yield server
    server.end()


def test_in_tmux_it_is_detached_attached_and_ends_with_the_server(tmux: Multiplexer, folder: Path) -> None:
    with tmux.attach(80, 24) as client:
        client.wait_for("What can be settled")
        client.type("/bucket:clean\r")
        client.wait_for("match 'bucket:clean'")
        client.type("a")
        client.wait_for("✓1 ")
        pid = tmux.pane
        tmux.command("detach-client")
        assert client.wait_for_end() == 0
    # Nobody looks on; keys are taken all the same.
    tmux.command("send-keys", "a")
    wait(lambda: verdicts_taken(folder) == 2, "the key was lost")
    with tmux.attach(100, 30) as client:
        client.wait_for("✓2 ")
        client.type("a")
        client.wait_for("✓3 ")
        tmux.command("kill-server")
        client.wait_for_end()
    wait(lambda: state_of(pid) in ("", "Z"), "an orphan is left")
    assert verdicts_taken(folder) == 3


def test_a_scan_that_is_killed_says_so_and_leaves_triage_usable(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path, scanned=False)
    (folder / "session.json").write_text(json.dumps({"v": 1, "asked": ["mapping", "heldout"]}))
    with Terminal(tamis(folder), columns=120) as terminal:
        killed: list[int] = []

        def scan_is_killed() -> bool:
            for pid in children(terminal.pid):
                # Before it runs the job, the new process is still a copy of this one.
                if b"engine.jobs.scan" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            return bool(killed)

        terminal.wait_until(scan_is_killed, "the scan")
        terminal.wait_for("the scan ended early: it was killed")
        terminal.wait_for("start again to go on")
        terminal.type("/row:7\r")
        terminal.wait_for("1 row match")
        terminal.type("a")
        terminal.wait_for("✓1 ")
        terminal.type("q")
        assert terminal.wait_for_end() == 0
    assert verdicts_taken(folder) == 1


def test_the_window_that_was_taken_over_reads_and_says_so(folder: Path) -> None:
    with Terminal(tamis(folder), columns=120) as old:
        old.wait_for("What can be settled")
        old.type("/bucket:clean\r")
        old.wait_for("match 'bucket:clean'")
        old.type("a")
        old.wait_for("✓1 ")
        with Terminal(tamis(folder, "--take-over"), columns=120) as new:
            new.wait_for("✓1 ")
            assert "read-only" not in new.text
            # Without a key: whoever looks at the old window sees that it does not decide any more.
            old.wait_for("read-only")
            old.wait_for("another window decides here")
            old.type("a")
            old.wait_for("read-only: another window")
            new.type("a")
            new.wait_for("✓2 ")
            old.type("q")
            assert old.wait_for_end() == 0
            new.type("a")
            new.wait_for("✓3 ")
    assert verdicts_taken(folder) == 3
