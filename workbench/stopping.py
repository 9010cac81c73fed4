"""When to stop: verdicts by eye are counted, and what is left is offered once the latest of them changed nothing.

Knows no terminal.
"""

from __future__ import annotations

from engine.queue.estimate import stop_advice
from workbench.ordering import RISK
from workbench.session import Session

ADVISED_EVERY = 10


def note_outcome(session: Session, bad: bool) -> None:
    """Remember a verdict by eye; where the latest ones changed nothing, say what accepting the rest would risk."""
    session.verdicts_since_learnt += 1
    if session.order != RISK:
        return
    latest = session.latest.setdefault(session.filter_text, [])
    latest.append(bad)
    # Counting what is left passes over the whole list, so not with every key.
    advice = advised(session) if len(latest) % ADVISED_EVERY == 0 else None
    if advice is not None:
        # The key and the risk first: a narrow line is cut behind them.
        why, _, risk = advice.partition("? ")
        session.say(f"A accepts the rest, {risk}: {why}?", "done")


def advised(session: Session) -> str | None:
    """The advice to stop with the rows of this filter, or None.

    Only in the order of risk: there the rows that are left are no worse than those just judged.
    """
    latest = session.latest.get(session.filter_text, ())
    if session.order != RISK or not latest or latest[-1]:
        return None
    return stop_advice(latest, len(remaining(session)), named(session))


def remaining(session: Session) -> list[int]:
    """The undecided rows of the filter, outside the held-out set."""
    project = session.project
    rows = (session.view.entry(index).row for index in range(len(session.view)))
    return [row for row in rows if project.verdict(row) == "undecided" and not project.is_heldout(row)]


def named(session: Session) -> str:
    """The filter as advice calls it: `clean` for `bucket:clean`."""
    return session.filter_text.removeprefix("bucket:") or "all rows"
