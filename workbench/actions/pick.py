"""The pick as the workbench holds it: what is proposed, what is locked, what was swapped away. Knows no terminal.

The proposal is worked out by a job (`engine.jobs.pick`) and read from `pick.json`. Nothing is accepted by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.errors import UsageError
from engine.json_form import is_count, is_number, is_text, list_of, object_with
from engine.phrases import counted, share
from engine.project.project import Project
from engine.small_files import read_cached_json
from workbench.actions.decide import confirmed, seen_here
from workbench.state.plans import plan_bulk
from workbench.state.proposals import Board, PickedRow, TopicBar
from workbench.state.session import Session

FIRST_WANTED = 300
MOST_SHARE = 0.5
"""Of a small set no more than half is proposed at first: all of it would be no choice."""
_TOPIC = object_with(
    {"words": list_of(is_text), **dict.fromkeys(("rows", "picked", "tokens", "tokens_picked"), is_count)}
)
_is_pick = object_with(
    {
        "rows": list_of(object_with({"row": is_count, "topic": is_count, "reason": is_text})),
        "topics": list_of(_TOPIC),
        "coverage": is_number,
    },
    {"sources": list_of(object_with({"name": is_text, "of_these": is_count, "rows": is_count}))},
)


def open_board(session: Session) -> Board:
    """The board of this sitting, made when it is first asked for."""
    if session.proposals.pick is None:
        left = sum(session.project.verdict(row) in ("undecided", "accepted") for row in session.project.training)
        session.proposals.pick = Board(max(1, min(FIRST_WANTED, int(left * MOST_SHARE))))
    return session.proposals.pick


def take_pick(session: Session) -> None:
    """Take in what the job has proposed; the cursor stays on its place, and a new row says that it is new."""
    board = open_board(session)
    proposal = _read(session.project)
    own = {one.row: one.locked for one in board.rows}
    # While one row is swapped the job was told to keep the others: that does not lock them for good.
    locked = {row for row, is_locked in own.items() if is_locked}
    rows = tuple(
        PickedRow(int(one["row"]), int(one["topic"]), str(one["reason"]), int(one["row"]) in locked)
        for one in proposal["rows"]
    )
    topics = tuple(
        TopicBar(", ".join(map(str, one["words"])), one["rows"], one["picked"], one["tokens"], one["tokens_picked"])
        for one in proposal["topics"]
    )
    fresh = [place for place, one in enumerate(rows) if one.row not in own]
    cursor = min(board.cursor, max(0, len(rows) - 1))
    if board.swapped is not None:
        cursor = fresh[0] if fresh else cursor
        session.say(
            f"row {rows[cursor].row} stands in for row {board.swapped}" if fresh else
            f"row {board.swapped} is out; no other row is left that is unlike these", "done")  # fmt: skip
    else:
        session.say(
            f"{counted(len(rows), 'row')} proposed, {share(proposal['coverage'])} of the topics; nothing is accepted",
            "done",
        )
    # A proposal of an earlier version does not say it.
    sources = tuple((str(one["name"]), one["of_these"], one["rows"]) for one in proposal.get("sources", ()))
    session.proposals.pick = replace(
        board,
        rows=rows,
        topics=topics,
        sources=sources if len(sources) > 1 else (),
        coverage=float(proposal["coverage"]),
        cursor=cursor,
        swapped=None,
        stale=False,
    )


def _read(project: Project) -> dict[str, Any]:
    found = read_cached_json(project.folder / "pick.json")
    if not _is_pick(found) or not all(one["row"] < len(project.rows) for one in found["rows"]):
        raise UsageError("the pick cannot be read", "pick.json is damaged", "+ or - works it out anew")
    return found


def why_no_row(session: Session) -> str | None:
    if session.proposals.pick is None or session.proposals.pick.stale:
        return "the pick is being worked out"
    return None if session.proposals.pick.rows else "nothing is picked"


def move(session: Session, steps: int) -> None:
    board = open_board(session)
    session.proposals.pick = replace(board, cursor=max(0, min(board.cursor + steps, len(board.rows) - 1)))


def toggle_lock(session: Session) -> None:
    """Lock the row under the cursor, or let it go."""
    board = open_board(session)
    rows = tuple(
        replace(one, locked=not one.locked) if place == board.cursor else one for place, one in enumerate(board.rows)
    )
    session.proposals.pick = replace(board, rows=rows)
    session.say(
        f"row {rows[board.cursor].row} {'stays whatever is swapped' if rows[board.cursor].locked else 'is free'}"
    )


def swap(session: Session) -> None:
    """Ask for another row in the place of the one under the cursor; all others stay."""
    board = open_board(session)
    here = board.here
    if here is None:
        return
    if here.locked:
        session.say(f"row {here.row} is locked: l lets it go", "refused")
        return
    rest = tuple(one for one in board.rows if one.row != here.row)
    session.proposals.pick = replace(board, rows=rest, refused=board.refused | {here.row}, swapped=here.row, stale=True)


def change_wanted(session: Session, factor: float) -> None:
    """Pick more or fewer rows; what is locked stays, what was swapped away stays away."""
    board = open_board(session)
    wanted = max(1, len(board.locked), round(board.wanted * factor), board.wanted + 1 if factor > 1 else 1)
    session.proposals.pick = replace(board, wanted=wanted, stale=True)


def accept_pick(session: Session) -> None:
    """Accept the rows of the pick, as one act; the key is taken twice."""
    board = open_board(session)
    if board.stale or not board.rows:
        session.say("nothing is picked yet", "refused")
        return
    rows = [one.row for one in board.rows]
    plan = plan_bulk(session.project, "accept", rows, f"pick of {len(rows)}", seen_here(session))
    if confirmed(session, "pick-accept", f"pick {hash(tuple(rows))}", plan, always=True, word="accept"):
        session.act(plan, advance=False)
