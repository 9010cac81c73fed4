"""A terminal of our own: the workbench runs in a pty as it would over SSH, its output is kept and emulated."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte
from wcwidth import wcwidth

PATIENCE = 20.0
QUIET = 0.15
REST = 0.4
READ_BYTES = 65536
# Sequences that pyte would print in part: queries and the keyboard protocol.
PRIVATE = re.compile(r"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")
QUESTION, ANSWER = b"\x1b[5n", b"\x1b[0n"


class Screen(pyte.Screen):
    """pyte's screen; it must not answer queries for us, and private SGR sequences are none of its business."""

    def report_device_status(self, *_: object, **__: object) -> None:
        return None

    def report_device_attributes(self, *_: object, **__: object) -> None:
        return None

    def select_graphic_rendition(self, *attributes: int, **_: object) -> None:
        super().select_graphic_rendition(*attributes)

    def draw(self, data: str) -> None:
        """pyte drops what follows a mark without a combining class, and a mark behind a character of two columns."""
        at = 0
        for index, character in enumerate(data):
            if wcwidth(character) == 0:
                super().draw(data[at:index])
                self._join(character)
                at = index + 1
        super().draw(data[at:])

    def _join(self, mark: str) -> None:
        line = self.buffer[self.cursor.y]
        # A character of two columns has an empty cell behind it.
        x = max(0, self.cursor.x - (1 if line[self.cursor.x - 1].data else 2))
        line[x] = line[x]._replace(data=line[x].data + mark)


def cells_of(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """Every cell as (text, ink, ground, lines through it); the ink of a blank shows nowhere."""
    return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    inked = cell.data.strip() or cell.underscore or cell.reverse or cell.strikethrough
    ink = (cell.fg, cell.bold, cell.italics) if inked else ()
    return (cell.data, ink, cell.bg, cell.underscore, cell.reverse, cell.strikethrough)


class Cut(Screen):
    """Drops what lies behind the last column. Terminals put it on that column, each in its own way; it happens only
    with a frame made for a wider screen, which the next one replaces."""

    def draw(self, data: str) -> None:
        room = self.columns - self.cursor.x
        if len(data) <= room and data.isascii():
            super().draw(data)
            return
        for index, character in enumerate(data):
            size = wcwidth(character)
            if size > room:
                super().draw(data[:index] + " " * room)
                return
            room -= size
        super().draw(data)


class Emulated:
    """A terminal that only shows what it is fed; lines do not wrap, as Textual asks for."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = Cut(width, height)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self._stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> None:
        self._stream.feed(PRIVATE.sub("", text))

    def feed_frame(self, frame: str) -> None:
        """Feed a frame of Textual, cut to the screen: one made for a larger screen would pile up on the last line."""
        for part in re.split(r"\n?(?=\x1b\[\d+;\d+H)", frame):
            place = re.match(r"\x1b\[(\d+);(\d+)H", part)
            if place is None or (int(place[1]) <= self.screen.lines and int(place[2]) <= self.screen.columns):
                self.feed(part)

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)

    def cells(self) -> list[list[tuple[object, ...]]]:
        return cells_of(self.screen)


def _stat(path: str) -> list[str]:
    """The fields of a process or thread behind its name: state, parent, …"""
    return Path(path).read_text().rpartition(")")[2].split()


class Terminal:
    """One program in a pty. Everything waits for what is on the screen, never for a time."""

    def __init__(
        self, argv: list[str], *, columns: int = 80, rows: int = 24, environment: dict[str, str] | None = None,
        ignore_hangup: bool = False, answers: bool = False,
    ) -> None:  # fmt: skip
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("TEXTUAL", "TMUX", "SSH"))}
        inherited.pop("NO_COLOR", None)
        inherited |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"} | (environment or {})
        self.screen = Screen(columns or 80, rows or 24)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        self.answers = answers
        self.questions = 0
        self.status: int | None = None
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            try:
                os.execvpe(argv[0], argv, inherited)
            finally:
                os._exit(127)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def cells(self) -> list[list[tuple[object, ...]]]:
        """What is on the screen, cell by cell."""
        return cells_of(self.screen)

    def keys(self, *keys: str) -> None:
        """Type; each argument goes out by itself."""
        for key in keys:
            self.type(key)
            self.settle()

    def type(self, keys: str) -> None:
        """Type without waiting for anything."""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read until `text` is on the screen."""
        self.wait_until(lambda: text in self.text, repr(text))

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Read until something holds; `what` names it where it never does."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline or (not self._read(0.5) and self.status is not None):
                raise AssertionError(f"{what} never came; the screen:\n{self.text}")

    def settle(self, quiet: float = QUIET) -> None:
        """Read until nothing more comes."""
        while self._read(quiet):
            pass

    def read_for(self, seconds: float) -> None:
        """Read for a time, whatever comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def wait_for_rest(self) -> None:
        """Read until the program has nothing to do: nothing more comes while all of its threads sleep.

        Silence alone does not tell: on a busy machine a program is silent because it does not get to run. A thread
        that wants to is not asleep. Longer than any delay of the program between a key and what is shown for it.
        """
        quiet_since = time.monotonic()
        deadline = quiet_since + PATIENCE
        while time.monotonic() - quiet_since < REST and self.status is None:
            if self._read(0.01) or not self._sleeps():
                quiet_since = time.monotonic()
            assert time.monotonic() < deadline, "the program never came to rest"

    def _sleeps(self) -> bool:
        """Whether every thread of the program, and every process it started, waits for something."""
        try:
            threads = [f"/proc/{self.pid}/task/{thread}" for thread in os.listdir(f"/proc/{self.pid}/task")]
            started = [child for thread in threads for child in Path(thread, "children").read_text().split()]
            for child in started:
                threads += [f"/proc/{child}/task/{thread}" for thread in os.listdir(f"/proc/{child}/task")]
            return all(_stat(f"{thread}/stat")[0] in "SZ" for thread in threads)
        except OSError:
            # One ended while it was looked at.
            return False

    def _read(self, seconds: float) -> bool:
        readable, _, _ = select.select([self._master], [], [], seconds)
        if not readable:
            self._reap(os.WNOHANG)
            return False
        try:
            content = os.read(self._master, READ_BYTES)
        except OSError:
            content = b""
        if not content:
            self._reap(0)
            return False
        self.output += content
        self._stream.feed(content)
        asked = content.count(QUESTION)
        self.questions += asked
        if self.answers:
            self.answer(asked)
        return True

    def answer(self, times: int) -> None:
        """Say that so many frames have arrived."""
        os.write(self._master, ANSWER * times)

    def resize(self, columns: int, rows: int, *, settle: bool = True) -> None:
        self.screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if settle:
            self.settle()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal under the program."""
        os.close(self._master)
        self._master = -1

    def wait_for_end(self) -> int:
        """The exit status of the program, which must end by itself; the output up to then is read."""
        deadline = time.monotonic() + PATIENCE
        while self.status is None:
            if self._master >= 0:
                self._read(0.1)
            else:
                self._reap(os.WNOHANG)
                time.sleep(0.02)
            if time.monotonic() > deadline:
                raise AssertionError("the program did not end")
        return os.waitstatus_to_exitcode(self.status)

    def _reap(self, options: int) -> None:
        if self.status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.status = status

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reap(0)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def tamis(folder: Path, *words: str) -> list[str]:
    """The command line that opens the workbench on a folder."""
    return [sys.executable, "-m", "workbench.cli.main", str(folder), "--as", "ann", *words]
