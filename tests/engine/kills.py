"""A process that is killed at a system call of one's choice."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

CALLS = ("rename", "replace", "link", "fsync", "write", "ftruncate", "unlink", "mkdir", "rmdir")


def killed_at(call: int, work: Callable[[], object]) -> int:
    """Do `work` in a process that ends, as by kill -9, before or after the so-many-th of these calls; its exit status.

    0 says that it ended before it came to so many.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = call

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def made(*words: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os._exit(9)
            done = real(*words, **named)
            left -= 1
            if not left:
                os._exit(9)
            return done

        return made

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    try:
        work()
    finally:
        os._exit(0 if left > 0 else 7)
