"""A set over time, to be acted on: rows by year or month, words that die out. Knows no terminal.

The counting is done by a job (`engine.jobs.slices`), which reads every row; what it found is read from `slices.json`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.errors import UsageError
from engine.json_form import is_count, is_text, list_of, object_with
from engine.phrases import counted
from engine.project.project import Project
from engine.small_files import read_cached_json
from workbench.actions.decide import confirmed, seen_here
from workbench.actions.preconditions import no_verdict
from workbench.state.plans import Verb, plan_undecided
from workbench.state.proposals import Bar, SliceBoard, Width
from workbench.state.session import Session

_BARS = list_of(
    object_with({"name": is_text, "note": is_text, "selector": is_text, "rows": is_count, "ten": list_of(is_count)})
)
_is_slices = object_with({"slices": _BARS, "words": _BARS, "undated": is_count})


def open_board(session: Session) -> SliceBoard:
    if session.proposals.slices is None:
        session.proposals.slices = SliceBoard("year")
    return session.proposals.slices


def take_slices(session: Session) -> None:
    """Take in what the job has counted."""
    board = open_board(session)
    found = _read(session.project)
    slices = tuple(_bar(one) for one in found["slices"])
    words = tuple(_bar(one) for one in found["words"])
    cursor = min(board.cursor, max(0, len(slices) + len(words) - 1))
    session.proposals.slices = SliceBoard(board.width, slices, words, int(found["undated"]), cursor, stale=False)
    rest = "only words to look at" if words else "there is nothing to slice by"
    session.say("" if slices else f"no row carries a date: {rest}", "info")


def _bar(one: dict[str, Any]) -> Bar:
    return Bar(str(one["name"]), str(one["note"]), str(one["selector"]), int(one["rows"]), tuple(one["ten"]))


def _read(project: Project) -> dict[str, Any]:
    found = read_cached_json(project.folder / "slices.json")
    if not _is_slices(found):
        raise UsageError("the slices cannot be read", "slices.json is damaged", "m counts them anew")
    return found


def move(session: Session, steps: int) -> None:
    board = open_board(session)
    session.proposals.slices = replace(board, cursor=max(0, min(board.cursor + steps, len(board.bars) - 1)))


def other_width(session: Session) -> None:
    """Count by month where it was by year, and the other way round."""
    board = open_board(session)
    width: Width = "month" if board.width == "year" else "year"
    session.proposals.slices = replace(board, width=width, stale=True)


def why_no_slice(session: Session) -> str | None:
    if session.proposals.slices is None or session.proposals.slices.stale:
        return "the rows are being counted"
    return None if session.proposals.slices.bars else "no row carries a date"


def why_no_verdict(session: Session) -> str | None:
    return no_verdict(session) or why_no_slice(session)


def show_ten(session: Session) -> None:
    """Filter the list to ten rows of the slice under the cursor, drawn at random."""
    here = open_board(session).here
    if here is None or not here.ten:
        raise UsageError("no row here to show")
    session.set_filter(" or ".join(f"row:{row}" for row in here.ten))
    of = f"{len(here.ten)} of {counted(here.rows, 'row')} of {here.name}"
    session.say(f"{of}, drawn at random; H goes back and settles the slice")


def decide_slice(session: Session, verb: Verb) -> None:
    """A verdict on every undecided row of the slice under the cursor, asked first; one undo takes it back."""
    here = open_board(session).here
    if here is None:
        return
    plan = plan_undecided(session.project, verb, here.selector, seen_here(session))
    if confirmed(session, f"slice-{verb}", here.selector, plan, always=True, word=verb):
        session.act(plan, advance=False)
