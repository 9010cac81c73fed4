"""The order of the list, by key. Knows no terminal.

An order is worked out once and then stands: new scores re-sort what lies below the cursor and nothing above it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.phrases import counted
from engine.review.order import ORDERS, resorted
from engine.review.store import Queue, load_queue
from workbench.state.queue import GROUPS_FIRST
from workbench.state.session import Session

RISK = "risk"
SURPRISE = "surprise"
NAMES = (GROUPS_FIRST, *(name for name in ORDERS if name != SURPRISE), RISK, SURPRISE)
LABELS = {
    GROUPS_FIRST: "groups first, then by bucket",
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
    """All rows in an order. "newest" reads every row once, the others none; "risk" needs `session.queue.learned`."""
    project = session.project
    if name == GROUPS_FIRST:
        return None
    if name == RISK:
        first = list(session.queue.learned.order) if session.queue.learned is not None else []
        held = set(first)
        return first + [row for row in range(len(project.rows)) if row not in held]
    # The held-out set is judged in a sitting of its own, so it comes last in every order.
    return ORDERS[name](project, project.training) + sorted(project.heldout)


def take_order(session: Session, name: str, ranked: Sequence[int] | None) -> None:
    """Show the list in this order; the cursor stays on its row, but in the order of risk goes to the riskiest."""
    session.queue.sorted_by, session.queue.ranked = name, ranked
    session.place.rebuild(ranked, stay=name != RISK)
    session.say(f"order: {LABELS[name]}{learned_words(session.queue.learned) if name == RISK else ''}")


def take_queue(session: Session) -> None:
    """Take in what the queue job has found. In the order of risk, rows below the cursor are sorted anew."""
    queue = load_queue(session.project.folder, session.project.scan_key())
    rows = range(len(session.project.rows))
    if queue is None or not all(row in rows for row in queue.order):
        return
    session.queue.take_learned(queue)
    if session.queue.sorted_by != RISK or session.queue.ranked is None:
        return
    entry = session.place.entry
    cursor = session.queue.ranked.index(entry.row) if entry is not None else -1
    shown = list(session.queue.ranked)
    fresh = resorted(shown, cursor, queue.order)
    held = set(fresh)
    session.queue.ranked = fresh + [row for row in shown if row not in held]
    session.place.rebuild(session.queue.ranked, stay=True)


def learned_words(queue: Queue | None) -> str:
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
