"""Looking for the rows of a filter bit by bit, so that a key never waits for the end of it. Knows no terminal."""

from __future__ import annotations

from engine.errors import TamisError
from workbench.state.entries import flat_entries
from workbench.state.search import Search
from workbench.state.session import Session

# A filter that takes longer is gone on with between the keys.
AT_ONCE_SECONDS = 0.006
# As long as nothing is found there is nothing to paint, and a frame costs more than this.
FIRST_HIT_SECONDS = 0.02


def begin(session: Session, text: str) -> None:
    """Show the rows of a filter as far as they are found at once; `go_on` finds the others.

    Raises UsageError where the text is no selector; the view then stays.
    """
    searching = Search(session.project, text)
    if searching.go_on(AT_ONCE_SECONDS) or (not searching.found and searching.go_on(FIRST_HIT_SECONDS, to_first=True)):
        session.set_filter(text, searching.found)
        return
    session.place.searching, session.place.cursor = searching, 0
    show_found(session)


def show_found(session: Session) -> None:
    """Show what the search has found so far; the row under the cursor stays, further ones come behind it."""
    if session.place.searching is not None:
        session.place.entries = flat_entries(session.place.searching.text, session.place.searching.found)
        session.say(session.place.searching.progress)


def go_on(session: Session, seconds: float) -> None:
    """Look for further rows for about so long; at the end groups and order are those of any filter.

    A search that cannot go on says so, and leaves what it has found.
    """
    searching = session.place.searching
    if searching is None:
        return
    try:
        if not searching.go_on(seconds):
            return
    except TamisError as error:
        show_found(session)
        session.place.searching = None
        session.say(str(error), "refused")
        return
    here = session.place.entry
    session.set_filter(searching.text, searching.found)
    found = session.place.entries.find(here.row, None) if here is not None else None
    session.place.cursor = session.place.cursor if found is None else found


def stop(session: Session) -> None:
    """Keep what was found so far."""
    show_found(session)
    session.say(f"stopped {session.message.text}")
    session.place.searching = None
