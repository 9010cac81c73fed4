"""Tags, notes and the flag for later: what a person says about rows without deciding them. Knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import UsageError
from engine.model import Act
from engine.project.project import Project
from workbench.state.plans import DecisionPlan
from workbench.state.session import Session
from workbench.text.phrases import counted

LATER = "later"


def rows_here(session: Session) -> tuple[int, ...]:
    """The rows under the cursor: the marked ones, those of a group, or one."""
    if session.selection.marked:
        return tuple(sorted(session.selection.marked))
    entry = session.place.entry
    if entry is None:
        return ()
    return entry.cluster.rows if entry.is_header and entry.cluster is not None else (entry.row,)


def plan_tags(project: Project, rows: Sequence[int], words: str) -> DecisionPlan:
    """`good -draft`: put a tag on, take one off. Raises UsageError where a word cannot be a tag."""
    tags = [word for word in words.split() if not word.startswith("-")]
    gone = [word.removeprefix("-") for word in words.split() if word.startswith("-")]
    for word in (*tags, *gone):
        if not word or any(character in '()"/:' for character in word):
            raise UsageError(f"{word!r} cannot be a tag", "", 'a tag is one word without ( ) " / :')
    if not tags and not gone:
        return DecisionPlan((), (), "tag")
    extra = ({"tags": tags} if tags else {}) | ({"untag": gone} if gone else {})
    ids = tuple(project.rows.id(row) for row in rows)
    return DecisionPlan((Act("tag", ids, extra=extra),), tuple(rows), "tag")


def plan_note(project: Project, row: int, text: str) -> DecisionPlan:
    """The note on a row; an empty text takes it away."""
    if text == project.note(row):
        return DecisionPlan((), (), "note")
    return DecisionPlan((Act("note", (project.rows.id(row),), extra={"text": text}),), (row,), "note")


def tag(session: Session, words: str) -> None:
    """Tag the rows under the cursor."""
    rows = rows_here(session)
    plan = plan_tags(session.project, rows, words)
    if plan.acts:
        session.act(plan, advance=False)
        session.say(
            f"{counted(len(rows), 'row')}: {' '.join(words.split())}; tag:NAME in the filter finds them", "done"
        )


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
