"""A terminal of our own: the workbench runs in a pty as it would over SSH, its output is kept and emulated."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

PATIENCE = 20.0
QUIET = 0.15
READ_BYTES = 65536
QUESTION, ANSWER = b"\x1b[5n", b"\x1b[0n"


class Screen(pyte.Screen):
    """pyte's screen; it must not answer queries for us, and private SGR sequences are none of its business."""

    def report_device_status(self, *_: object, **__: object) -> None:
        return None

    def report_device_attributes(self, *_: object, **__: object) -> None:
        return None

    def select_graphic_rendition(self, *attributes: int, **_: object) -> None:
        super().select_graphic_rendition(*attributes)


def cells_of(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """Every cell as (text, ink, ground, lines through it); the ink of a blank shows nowhere."""
    return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    inked = cell.data.strip() or cell.underscore or cell.reverse or cell.strikethrough
    ink = (cell.fg, cell.bold, cell.italics) if inked else ()
    return (cell.data, ink, cell.bg, cell.underscore, cell.reverse, cell.strikethrough)


class Terminal:
    """One program in a pty. Everything waits for what is on the screen, never for a time."""

    def __init__(
        self, argv: list[str], *, columns: int = 80, rows: int = 24, environment: dict[str, str] | None = None,
        ignore_hangup: bool = False, answers: bool = False,
    ) -> None:  # fmt: skip
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("TEXTUAL", "TMUX", "SSH"))}
        inherited |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"} | (environment or {})
        inherited.pop("NO_COLOR", None)
        self.screen = Screen(columns, rows)
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
            os.write(self._master, key.encode())
            self.settle()

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

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
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
    return [sys.executable, "-m", "workbench.cli", str(folder), "--as", "ann", *words]
