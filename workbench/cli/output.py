"""All that the commands say: the one place that writes to standard output and standard error.

Whatever is said may hold words of somebody else: names of files and fields, reasons, messages of libraries. It is made
safe here, once, however it came together. What is said is never why a command fails: a stream that cannot spell a
character gets its escape, one that takes no more is left alone, and the command does the whole of its work.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from workbench.terminal.capabilities import no_colour
from workbench.text.escape import ascii_text, visible

REDRAW_SECONDS = 0.2
DIM, UNDIMMED = "\x1b[2m", "\x1b[22m"
LIT, UNLIT = "\x1b[1;32m", "\x1b[22;39m"
SPECIAL, UNSPECIAL = "\x1b[4m", "\x1b[24m"
"""Put around a part of a line that is said with `dims`."""
_OWN_STYLES = re.compile(f"({'|'.join(map(re.escape, (DIM, UNDIMMED, LIT, UNLIT, SPECIAL, UNSPECIAL)))})")
_CLEAR_LINE = "\r\x1b[K"
STANDARD_OUTPUT = 1
# Why standard output takes nothing any more: at most one reason.
_deaf: list[OSError] = []


def say(line: str, *, now: bool = False, dims: bool = False) -> None:
    """One line on standard output, at once where `now`; a line feed within it is shown, tabs stay. With `dims` the line
    may hold the styles above."""
    pieces = _OWN_STYLES.split(line) if dims else [line]
    safe = "".join(piece if at % 2 else _in_one_line(piece) for at, piece in enumerate(pieces))
    _write(sys.stdout, f"{safe}\n", now)


def in_colour() -> bool:
    """Whether standard output is a terminal that shows colours, and nobody asked for none."""
    return sys.stdout.isatty() and not no_colour() and os.environ.get("TERM") != "dumb"


def narrate(sentence: str) -> None:
    """One line on standard error."""
    _write(sys.stderr, f"{_in_one_line(sentence)}\n", True)


def print_json(value: Any, *, now: bool = False) -> None:
    """One JSON value on a line of standard output. Whatever is not ASCII is escaped, and so is DEL."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n", now)


def ask(question: str) -> str:
    """What a person types behind a question, which stands on standard error: one line."""
    _write(sys.stderr, _in_one_line(question), True)
    return sys.stdin.buffer.readline().decode("utf-8", "replace")


class Narrator:
    """Progress on standard error: one line that is redrawn on a terminal, silent elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, phase: str, done: int, of: int) -> None:
        if not self._live or time.monotonic() - self._last < REDRAW_SECONDS:
            return
        self._last = time.monotonic()
        amount = f"{done:,} of {of:,}" if of else f"{done:,}"
        _write(sys.stderr, f"{_CLEAR_LINE}{_in_one_line(phase)} {amount}", True)

    def end(self) -> None:
        """Clear the line."""
        if self._live:
            _write(sys.stderr, _CLEAR_LINE, True)


def is_heard() -> bool:
    """Whether standard output still takes what is said: whoever goes on for ever asks."""
    return not _deaf


class Guarded:
    """A standard stream as libraries see it: what they write by themselves (warnings, logs, progress) is made safe."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        # A carriage return draws a bar anew.
        safe = "\r".join("\t".join(map(visible, part.split("\t"))) for part in text.split("\r"))
        _write(self.stream, safe, False)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Nobody writes to standard output and standard error by another way; what is left there is written at the end."""
    _open_streams()
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, Guarded(out)), cast(TextIO, Guarded(err))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def _open_streams() -> None:
    """The three streams are there: the next file to be opened would take the place of one that was closed, and what a
    library or a child process prints go into it. What is said to standard output where none is, is told as lost."""
    for descriptor, place in ((0, os.devnull), (1, "/dev/full"), (2, os.devnull)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(place, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def last_words() -> str:
    """Write what is still held back; what is wrong if not all of it could be written, or nothing. A reader that went
    away (`tamis journal P | head`) is no fault."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "", True)
    reason = _deaf.pop() if _deaf else None
    if reason is None or isinstance(reason, BrokenPipeError):
        return ""
    return f"standard output: {reason.strerror or reason}. The command did its work, but not all of it could be told"


def _in_one_line(text: str) -> str:
    return "\t".join(visible(part) for part in text.split("\t")).replace("\n", "\u240a")


def _write(stream: TextIO, text: str, at_once: bool) -> None:
    if isinstance(stream, Guarded):
        stream = stream.stream
    try:
        stream.write(_spelled(text, stream.encoding))
        if at_once:
            stream.flush()
    except OSError as error:
        if stream.fileno() == STANDARD_OUTPUT and not _deaf:
            _deaf.append(error)
        # What waits in its buffer must not be tried again at the end, where Python would complain.
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def _spelled(text: str, encoding: str | None) -> str:
    """The text in characters that an encoding has."""
    spelling = encoding or "utf-8"
    return text if _has(spelling, text) else "".join(c if _has(spelling, c) else ascii_text(c) for c in text)


def _has(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
