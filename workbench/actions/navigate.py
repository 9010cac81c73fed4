"""Where the cursor goes: to the next group, section or match, and back; to a row by its number. Knows no terminal."""

from __future__ import annotations

from engine.errors import UsageError
from workbench.state.session import Session


def next_group(session: Session) -> None:
    following = session.place.entries.next_header(session.place.cursor)
    if following is None:
        session.say("no group further down")
    else:
        session.place.cursor = following


def previous_group(session: Session) -> None:
    previous = session.place.entries.previous_header(session.place.cursor)
    if previous is None:
        session.say("no group further up")
    else:
        session.place.cursor = previous


def move_section(session: Session, steps: int) -> None:
    """To the next section of the overview; upwards to the beginning of this one, then to the one before."""
    items, cursor = session.overview.items, session.overview.cursor
    firsts = [index for index, item in enumerate(items) if index == 0 or items[index - 1].section != item.section]
    further = [first for first in firsts if (first > cursor if steps > 0 else first < cursor)]
    if further:
        session.overview.cursor = further[0] if steps > 0 else further[-1]


def next_match(session: Session, steps: int) -> None:
    """The next single row or member (`n`, `p`) of the filter, whatever its verdict, headers passed over."""
    index = session.place.cursor + steps
    while 0 <= index < len(session.place.entries):
        if not session.place.entries.entry(index).is_header:
            session.place.cursor = index
            return
        index += steps
    session.say("no match further down" if steps > 0 else "no match further up")


def go_to_row(session: Session, number: int) -> None:
    """Go to a row, in this filter or in all rows. Raises UsageError."""
    if not 0 <= number < len(session.project.rows):
        raise UsageError(f"there is no row {number}", "", f"rows are 0 to {len(session.project.rows) - 1}")
    found = session.place.entries.find(number, None)
    if found is None:
        session.set_filter("")
        found = session.place.entries.find(number, None)
    if found is not None:
        session.place.cursor = found
        session.say(f"row {number}")
