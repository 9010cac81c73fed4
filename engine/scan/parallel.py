"""A part of the work done by a second process where there is a second core: Python runs one thread at a time.

The process is a fork. It sees the rows without being sent them, answers with bytes, and touches no file, no terminal
and no thread of its parent.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def second_core() -> bool:
    """Whether a fork would run at the same time as this process."""
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def has_one_thread() -> bool:
    """Whether no other thread runs in this process: a fork might inherit a lock that one of them holds."""
    return threading.active_count() == 1


@contextmanager
def second_process(work: Callable[[Callable[[], None]], bytes], forked: bool) -> Iterator[Callable[[], bytes]]:
    """Start `work` in a second process; the function that this yields waits for what it answers.

    `work(wanted)` should call `wanted()` now and then: it ends the process once nobody waits any more. Where `forked`
    is False, or the process dies, the work is done here when it is asked for. The process is gone when the context
    ends, whatever happens inside.
    """
    if not forked:
        yield lambda: work(lambda: None)
        return
    process = _Process(work)
    try:
        yield process.answer
    finally:
        process.end()


class _Process:
    """One fork and the pipe it answers through."""

    def __init__(self, work: Callable[[Callable[[], None]], bytes]) -> None:
        self._work = work
        self._receiving, sending = os.pipe()
        parent = os.getpid()
        with warnings.catch_warnings():
            # numpy keeps threads of its own, which the fork does not use.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._id = os.fork()
        if self._id == 0:
            _answer(work, parent, sending)
        os.close(sending)

    def answer(self) -> bytes:
        """What the process sent, or what the work gives here where it ended without an answer."""
        parts: list[bytes] = []
        while part := os.read(self._receiving, 1 << 20):
            parts.append(part)
        if self._wait() == 0:
            return b"".join(parts)
        return self._work(lambda: None)

    def _wait(self) -> int:
        _, status = os.waitpid(self._id, 0)
        self._id = 0
        return status

    def end(self) -> None:
        os.close(self._receiving)
        if self._id:
            os.kill(self._id, signal.SIGKILL)
            self._wait()


def _answer(work: Callable[[Callable[[], None]], bytes], parent: int, sending: int) -> None:
    """The life of the second process. It never returns: nothing of its parent's may run twice."""

    def wanted() -> None:
        if os.getppid() != parent:
            os._exit(1)

    code = 1
    try:
        answer = work(wanted)
        with open(sending, "wb") as pipe:
            pipe.write(answer)
        code = 0
    finally:
        # A fault is met again, and told, where the parent does the work itself.
        os._exit(code)
