"""The order of the list, by key. Knows no terminal.

An order is worked out once and then stands: new scores re-sort what lies below the cursor and nothing above it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.phrases import counted
from engine.review.order import ORDERS, resorted
from engine.review.store import Queue, load_queue
from workbench.state.entries import build_view
from workbench.state.session import SETTLE, Session

RISK = "risk"
SURPRISE = "surprise"
NAMES = (SETTLE, *(name for name in ORDERS if name != SURPRISE), RISK, SURPRISE)
LABELS = {
    SETTLE: "groups first, then by bucket",
    "file": "as in the file",
    "cluster": "largest groups first",
    "bucket": "by bucket",
    "length": "longest first",
    "newest": "newest first",
    SURPRISE: "what surprises the trained model most first (L ranks the undecided)",
    RISK: "by learnt risk",
}
RELEARN_AFTER = 20
"""Verdicts after which the queue learns anew: learning after each single one finds hardly more."""


def following(name: str) -> str:
    """The order behind this one, round and round."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)]


def ranking(session: Session, name: str) -> list[int] | None:
    """All rows in an order. "newest" reads every row once, the others none; "risk" needs `session.queue`."""
    project = session.project
    if name == SETTLE:
        return None
    if name == RISK:
        first = list(session.queue.order) if session.queue is not None else []
        held = set(first)
        return first + [row for row in range(len(project.rows)) if row not in held]
    # The held-out set is judged in a sitting of its own, so it comes last in every order.
    return ORDERS[name](project, project.training) + sorted(project.heldout)


def take_order(session: Session, name: str, ranked: Sequence[int] | None) -> None:
    """Show the list in this order; the cursor stays on its row, but in the order of risk goes to the riskiest."""
    entry = session.entry
    session.order, session.ranked = name, ranked
    session.view = build_view(session.project, session.filter_text, ranked)
    found = session.view.find(entry.row, None) if entry is not None and name != RISK else None
    session.cursor = found if found is not None else session.view.open_from(0, session.project) or 0
    session.say(f"order: {LABELS[name]}{learnt(session.queue) if name == RISK else ''}")


def take_queue(session: Session) -> None:
    """Take in what the queue job has found. In the order of risk, rows below the cursor are sorted anew."""
    queue = load_queue(session.project.folder, session.project.scan_key())
    if queue is None:
        return
    session.queue, session.verdicts_since_learnt = queue, 0
    if session.order != RISK or session.ranked is None:
        return
    entry = session.entry
    cursor = session.ranked.index(entry.row) if entry is not None else -1
    shown = list(session.ranked)
    fresh = resorted(shown, cursor, queue.order)
    held = set(fresh)
    session.ranked = fresh + [row for row in shown if row not in held]
    session.view = build_view(session.project, session.filter_text, session.ranked)
    if entry is not None:
        session.cursor = session.view.find(entry.row, None) or 0


def learnt(queue: Queue | None) -> str:
    """What an order of risk rests on, in a few words behind its name."""
    if queue is None:
        return ""
    if not queue.chances:
        return f", by flags until {RELEARN_AFTER} verdicts with both outcomes ({queue.decided} so far)"
    left = queue.left
    rest = f"; {left_words(left['estimate'], left['least'], left['most'])}" if left is not None else ""
    return f" from {counted(queue.decided, 'verdict')}{rest}"


def left_words(estimate: float, least: float, most: float) -> str:
    """`about 40 bad rows left (25 to 61 with 90 % confidence)`."""
    return f"about {estimate:.0f} bad rows left ({least:.0f} to {most:.0f} with 90 % confidence)"
