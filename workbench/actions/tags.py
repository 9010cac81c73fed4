"""Tags, notes and the flag for later: what a person says about rows without deciding them. Knows no terminal."""

from __future__ import annotations

from engine.phrases import counted
from workbench.state.plans import plan_note, plan_tags
from workbench.state.session import Session

LATER = "later"


def rows_here(session: Session) -> tuple[int, ...]:
    """The rows under the cursor: the marked ones, those of a group, or one."""
    if session.selection.marked:
        return tuple(sorted(session.selection.marked))
    entry = session.place.entry
    if entry is None:
        return ()
    return entry.cluster.rows if entry.is_header and entry.cluster is not None else (entry.row,)


def tag(session: Session, text: str) -> None:
    """Tag the rows under the cursor."""
    rows = rows_here(session)
    plan = plan_tags(session.project, rows, text)
    if plan.acts:
        session.act(plan, advance=False)
        words = text.split()
        put = next((word for word in words if not word.startswith("-")), "")
        found = f"; tag:{put} in the filter finds {'it' if len(rows) == 1 else 'them'}" if put else ""
        session.say(f"{counted(len(rows), 'row')}: {' '.join(words)}{found}", "done")


def note(session: Session, text: str) -> None:
    """Write the note of the row under the cursor."""
    entry = session.place.entry
    if entry is None:
        return
    plan = plan_note(session.project, entry.row, text.strip())
    if plan.acts:
        session.act(plan, advance=False)
        session.say(f"row {entry.row}: {'note written' if text.strip() else 'note taken away'}", "done")


def toggle_later(session: Session) -> None:
    """Flag the rows under the cursor for later, or take the flag off where all of them have it."""
    rows = rows_here(session)
    flagged = all(LATER in session.project.tags(row) for row in rows)
    session.act(plan_tags(session.project, rows, f"-{LATER}" if flagged else LATER), advance=False)
    what = "no longer flagged for later" if flagged else f"flagged for later: tag:{LATER} in the filter finds it"
    session.say(f"{counted(len(rows), 'row')} {what}", "done")
