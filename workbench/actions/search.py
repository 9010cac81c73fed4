"""Looking for the rows of a filter bit by bit, so that a key never waits for the end of it. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from engine.phrases import share
from engine.project.project import Project
from engine.select import parse_selector
from workbench.state.entries import flat_view

if TYPE_CHECKING:
    from workbench.state.session import Session

# A filter that takes longer is gone on with between the keys.
AT_ONCE_SECONDS = 0.006
# As long as nothing is found there is nothing to paint, and a frame costs more than this.
FIRST_HIT_SECONDS = 0.02
# The clock is looked at after so many rows.
ROWS_AT_ONCE = 64


class Search:
    """`found` holds the matching rows among the first `looked_at`. Raises UsageError where the text is no selector."""

    def __init__(self, project: Project, text: str) -> None:
        self._project = project
        self._selector = parse_selector(text)
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
            last = min(self.looked_at + ROWS_AT_ONCE, self.rows)
            test, project = self._selector.test, self._project
            self.found += [row for row in range(self.looked_at, last) if test(project, row)]
            self.looked_at = last
            if clock() >= end or (to_first and self.found):
                break
        return self.is_done

    @property
    def progress(self) -> str:
        """`searching 40 %: 12 so far`."""
        return f"searching {share(self.looked_at / max(1, self.rows))}: {len(self.found):,} so far"


def begin(session: Session, text: str) -> None:
    """Show the rows of a filter as far as they are found at once; `go_on` finds the others.

    Raises UsageError where the text is no selector; the view then stays.
    """
    searching = Search(session.project, text)
    if searching.go_on(AT_ONCE_SECONDS) or (not searching.found and searching.go_on(FIRST_HIT_SECONDS, to_first=True)):
        session.set_filter(text, searching.found)
        return
    session.searching, session.cursor = searching, 0
    show_found(session)


def show_found(session: Session) -> None:
    """Show what the search has found so far; the row under the cursor stays, further ones come behind it."""
    if session.searching is not None:
        session.view = flat_view(session.searching.text, session.searching.found)
        session.say(session.searching.progress)


def go_on(session: Session, seconds: float) -> None:
    """Look for further rows for about so long; at the end groups and order are those of any filter."""
    searching = session.searching
    if searching is None or not searching.go_on(seconds):
        return
    here = session.entry
    session.set_filter(searching.text, searching.found)
    found = session.view.find(here.row, None) if here is not None else None
    session.cursor = session.cursor if found is None else found


def stop(session: Session) -> None:
    """Keep what was found so far."""
    show_found(session)
    session.say(f"stopped {session.message.text}")
    session.searching = None
