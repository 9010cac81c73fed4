"""Progress out, cancellation in: both are asked for often and cost something only now and then."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import TamisError

Progress = Callable[[str, int, int], None]
"""Called as `progress(phase, done, of)`; phases are "duplicates", "signals", "clusters"."""
SPACING = 0.1
"""Seconds between two calls of the listener; a phase always reports its end."""


class ScanCancelled(TamisError):
    """The caller's `cancelled()` said stop; nothing was kept."""


class Ticker:
    """Passes progress on at most ten times a second and raises ScanCancelled once the caller wants to stop."""

    def __init__(self, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._last = 0.0

    def tick(self, phase: str, done: int, of: int) -> None:
        """Report `done` of `of` in `phase`. Raises ScanCancelled."""
        now = time.perf_counter()
        if now - self._last < SPACING and done < of:
            return
        self._last = now
        if self._cancelled is not None and self._cancelled():
            raise ScanCancelled("the scan was cancelled", "", "nothing was changed; scan again when you like")
        if self._progress is not None:
            self._progress(phase, done, of)


@contextmanager
def without_collector() -> Iterator[None]:
    """Garbage is not searched for while this runs, and searched for again after.

    A scan makes hundreds of thousands of small objects and no cycles: looking through all of them again and again takes
    a fifth of its time and finds nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
