"""A search through the rows for those of a filter, bit by bit, so that a key never waits for the end of it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from engine.phrases import share
from engine.project.project import Project
from engine.select import parse_selector, row_test

# The clock is looked at after so many rows; after each where one of them may take long.
ROWS_AT_ONCE = 64


class Search:
    """`found` holds the matching rows among the first `looked_at`.

    Raises UsageError where the text is no selector, or names what the project lacks; so may `go_on`, at a row on which
    a pattern takes too long.
    """

    def __init__(self, project: Project, text: str) -> None:
        selector = parse_selector(text)
        self._test = row_test(project, selector)
        self._rows_at_once = 1 if selector.is_slow else ROWS_AT_ONCE
        self.text = text
        self.rows = len(project.rows)
        self.looked_at = 0
        self.found: list[int] = []

    @property
    def is_done(self) -> bool:
        return self.looked_at >= self.rows

    def go_on(self, seconds: float, clock: Callable[[], float] = monotonic, *, to_first: bool = False) -> bool:
        """Look at further rows for about so long, or only until one is found; whether all were looked at."""
        end = clock() + seconds
        while not self.is_done:
            last = min(self.looked_at + self._rows_at_once, self.rows)
            self.found += filter(self._test, range(self.looked_at, last))
            self.looked_at = last
            if clock() >= end or (to_first and self.found):
                break
        return self.is_done

    @property
    def progress(self) -> str:
        """`searching 40 %: 12 so far`."""
        return f"searching {share(self.looked_at / max(1, self.rows))}: {len(self.found):,} so far"
