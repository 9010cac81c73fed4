"""The rows that are marked, for a verb to act on all of them at once."""

from __future__ import annotations

from collections.abc import Collection


class Selection:
    """`marked` are row numbers; `range_start` is the place in the list where a range of marks was begun."""

    def __init__(self) -> None:
        self.marked: set[int] = set()
        self.range_start: int | None = None

    def toggle(self, rows: Collection[int]) -> None:
        """Mark the rows, or take the marks off where all of them have one."""
        if self.marked.issuperset(rows):
            self.marked.difference_update(rows)
        else:
            self.marked.update(rows)

    def close_range(self, index: int) -> range | None:
        """The places from where a range was begun to `index`; None where none was: it begins here."""
        if self.range_start is None:
            self.range_start = index
            return None
        first, last = sorted((self.range_start, index))
        self.range_start = None
        return range(first, last + 1)

    def clear(self) -> None:
        self.marked.clear()
        self.range_start = None
