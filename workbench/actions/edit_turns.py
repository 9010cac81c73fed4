"""One turn in focus: reading a long conversation turn by turn, and the edits of a whole turn. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.errors import UsageError
from engine.model import Row
from engine.phrases import counted
from engine.sources.conversation.turn_edits import cut_after, drop_turn, toggle_trained
from engine.sources.mapping import Mapping
from workbench.state.plans import plan_edit
from workbench.state.session import Session

TurnEdit = Callable[[Row, Mapping, int], dict[str, Any]]


def focus(session: Session, steps: int) -> None:
    """Put the next turn (or the one before) in focus; a step before the first shows the whole row again."""
    entry = session.place.entry
    if entry is None or entry.is_header:
        raise UsageError("a group has no turns: go to one of its rows (j)")
    turns = len(session.project.example(entry.row).messages)
    at = session.place.turn
    if at is None:
        # From the last turn backwards, from the first one forwards.
        chosen = 0 if steps > 0 else turns - 1
    elif at + steps < 0:
        session.place.focus_turn(None)
        session.say("the whole row")
        return
    else:
        chosen = min(at + steps, turns - 1)
        if chosen == at:
            session.say("the last turn; h goes back, z shows the row as it is")
    session.place.focus_turn(chosen)
    session.place.why_open = session.place.raw_open = False


def cut_rest(session: Session) -> None:
    """Cut off every turn behind the one in focus."""
    row, turn = _here(session)
    gone = len(session.project.example(row).messages) - turn - 1
    if not gone:
        raise UsageError("nothing follows this turn")
    _change(session, cut_after, f"{counted(gone, 'turn')} after turn {turn + 1} cut off")


def drop(session: Session) -> None:
    """Drop the turn in focus."""
    _, turn = _here(session)
    _change(session, drop_turn, f"turn {turn + 1} dropped")


def train_or_not(session: Session) -> None:
    """Leave the turn in focus out of the loss, or take it in again."""
    row, turn = _here(session)
    trained = session.project.example(row).messages[turn].train
    _change(session, toggle_trained, f"turn {turn + 1} is {'not trained on' if trained else 'trained on again'}")


def _here(session: Session) -> tuple[int, int]:
    entry, turn = session.place.entry, session.place.turn
    if entry is None or entry.is_header or turn is None:
        raise UsageError("no turn is in focus: l goes to the first one")
    return entry.row, turn


def _change(session: Session, edit: TurnEdit, sentence: str) -> None:
    row, turn = _here(session)
    project = session.project
    edited = edit(project.current_row(row), project.rows.mapping_of(row), turn)
    session.act(plan_edit(project, row, edited), advance=False)
    session.place.focus_turn(min(turn, len(project.example(row).messages) - 1))
    session.place.why_open = True
    session.say(f"{sentence}; the row is accepted as edited, u takes it back", "done")
