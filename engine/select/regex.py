"""`/pattern/`: rows by regular expression, never for longer than a person would wait.

The patterns are those of Python's `re`, which cannot be stopped once it runs, so it runs in a process of its own that
ends itself (`regex_process.py`): one for all patterns, started with the first, gone with us.
"""

from __future__ import annotations

import atexit
import marshal
import re
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from engine.select.tree import Term
from engine.select.vocabulary import shown, wrong

if TYPE_CHECKING:
    from engine.project.project import Project

PROGRAM = Path(__file__).with_name("regex_process.py")
MOST_CHARACTERS = 1_000
ROW_SECONDS = 0.1
"""Of computing, for the texts of one row; long ones get more."""
CHARACTERS_A_SECOND = 10_000_000
ALL_SECONDS = 60.0
"""For all rows together."""
ROWS_AT_ONCE = 64
CHARACTERS_AT_ONCE = 200_000
# A machine under load gives a process less than the whole of its time.
WAITED_FOR = 20


class RegexProcess:
    """The process, started when it is first asked and again after it has ended itself."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def ask(self, pattern: str, flags: int, rows: Sequence[tuple[str, ...]] = ()) -> list[bool] | str | None:
        """For each row, given by its texts, whether one of them holds the pattern: of the first at least, of the others
        as far as a moment lasts. A sentence where it is no pattern, None where that took too long."""
        timed = tuple((texts, ROW_SECONDS + sum(map(len, texts)) / CHARACTERS_A_SECOND) for texts in rows)
        most = ROW_SECONDS + sum(seconds for _, seconds in timed)
        request = marshal.dumps((pattern, flags, timed))
        with self._lock:
            process = self._started()
            try:
                answer = self._answer(process, len(request).to_bytes(4, "big") + request, most * WAITED_FOR)
            except BrokenPipeError:
                answer = None
            if answer is None:
                self._end(process)
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-I", "-S", str(PROGRAM)]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            try:
                self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, bufsize=0)
            except OSError as error:
                raise wrong(f"the process that searches by /pattern/ does not start ({error})") from error
        return self._process

    @staticmethod
    def _answer(process: subprocess.Popen[bytes], request: bytes, seconds: float) -> list[bool] | str | None:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None
        left = memoryview(request)
        while left:
            left = left[asked.write(left) or 0 :]
        if not select.select([answers], [], [], seconds)[0]:
            return None
        head = answers.read(4)
        if not head or len(head) < 4:
            return None
        found = answers.read(int.from_bytes(head, "big"))
        return marshal.loads(found) if found else None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for end in (process.stdin, process.stdout):
            if end is not None:
                end.close()
        self._process = None

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            if self._process is not None:
                self._end(self._process)


_REGEX = RegexProcess()
atexit.register(_REGEX.close)


def regex_term(token: str) -> Term:
    """`/pattern/` or, whatever the case of letters, `/pattern/i`. Raises UsageError."""
    ignore_case = token.endswith("i")
    pattern = token[1 : -2 if ignore_case else -1]
    flags = int(re.IGNORECASE) if ignore_case else 0
    if len(pattern) > MOST_CHARACTERS:
        raise wrong(f"a pattern of {len(pattern):,} characters is too long", f"at most {MOST_CHARACTERS:,}")
    fault = _REGEX.ask(pattern, flags)
    if fault is None:
        raise wrong(f"{shown(token)} takes too long to be read as a pattern", "write a simpler one")
    if isinstance(fault, str):
        raise wrong(f"{shown(token)} is no regular expression ({fault})")
    return Term(token, lambda project: _search(project, token, pattern, flags), is_slow=True)


def _search(project: Project, token: str, pattern: str, flags: int) -> Callable[[int], bool]:
    """The test of a row. Rows that are asked for one behind the other are looked at some at once, ahead of the asking:
    a word with the process costs more than most patterns do."""
    ahead: dict[int, bool] = {}
    last, at_once, spent = -1, 1, 0.0

    def look(first: int, count: int) -> bool:
        """Whether the rows from `first` on were looked at in time."""
        nonlocal spent
        rows, characters = [], 0
        for number in range(first, min(first + count, len(project.rows))):
            rows.append(tuple(project.example(number).searched))
            characters += sum(map(len, rows[-1]))
            if characters > CHARACTERS_AT_ONCE:
                break
        begun = monotonic()
        found = _REGEX.ask(pattern, flags, rows)
        spent += monotonic() - begun
        if not isinstance(found, list):
            return False
        ahead.clear()
        ahead.update(enumerate(found, first))
        return True

    def test(number: int) -> bool:
        nonlocal last, at_once
        at_once = min(2 * at_once, ROWS_AT_ONCE) if number == last + 1 else 1
        last = number
        # Of several rows that took too long it is told by looking at each alone.
        if number not in ahead and not look(number, at_once) and not (at_once > 1 and look(number, 1)):
            what = f"{shown(token)} takes too long on row {number}"
            raise wrong(what, "write a simpler pattern: no repeat inside a repeat, as in (a+)+")
        if spent > ALL_SECONDS:
            what = f"{shown(token)} has taken {ALL_SECONDS:.0f} s by row {number}"
            raise wrong(what, "put what narrows the rows in front of it: bucket:check /…/")
        return ahead[number]

    return test
