"""What is typed behind `:`: a row number, a command by name, or a verb with a selector as `tamis do` takes it."""

from __future__ import annotations

from engine.errors import UsageError
from workbench.headless import VERBS, run_headless
from workbench.session import Session


def is_bulk(text: str) -> bool:
    """Whether the text is a verb with a selector."""
    verb, _, selector = text.strip().partition(" ")
    return verb in VERBS and bool(selector.strip())


def bulk_question(session: Session, text: str) -> str:
    """What a bulk line would do, to be asked before it does it. Raises UsageError."""
    outcome = run_headless(session.project, text, dry_run=True)
    return f"{outcome.text}: enter again does it"


def do_bulk(session: Session, text: str) -> None:
    """Do a bulk line; one undo takes it back."""
    outcome = run_headless(session.project, text)
    session.after_bulk()
    session.say(outcome.text, "done" if outcome.n is not None else "refused")


def jump(session: Session, number: int) -> None:
    """Go to a row, in this filter or in all rows. Raises UsageError."""
    if not 0 <= number < len(session.project.rows):
        raise UsageError(f"there is no row {number}", "", f"rows are 0 to {len(session.project.rows) - 1}")
    found = session.view.find(number, None)
    if found is None:
        session.set_filter("")
        found = session.view.find(number, None)
    if found is not None:
        session.cursor = found
        session.say(f"row {number}")
