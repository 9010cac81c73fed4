"""Deciding by key: on a row, a group, marked rows or a line of the overview; what takes its key twice; the recheck; and
the advice to stop. Knows no terminal."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import UsageError
from engine.model import SETTLED_KINDS, Cluster
from engine.phrases import counted
from engine.project.journal import read_lines
from engine.project.project import Project
from engine.review.recheck import TAG, SelfAgreement, answered, asking, draw, self_agreement
from engine.review.remaining import FEWEST_QUIET, stop_advice
from engine.select import select
from workbench.actions.order import RISK
from workbench.state.entries import SECOND_LOOK
from workbench.state.plans import (
    MANY_ROWS,
    DecisionPlan,
    Seen,
    Verb,
    plan_bulk,
    plan_keep,
    plan_keep_within,
    plan_row,
    plan_undecided,
    seen_by,
)
from workbench.state.session import Session

ASKED_WORDS = {
    "accepted": "accept",
    "rejected": "reject",
    "edited": "edit",
    "skipped": "skip",
    "declined": "decline",
    "tagged": "tag",
}
# Rows put up for one recheck.
RECHECKED_AT_ONCE = 20
# Verdicts by eye between two looks at whether to stop.
ADVISED_EVERY = 10


def decide_here(session: Session, verb: Verb) -> None:
    """A verdict on what is under the cursor: marked rows, a row, a group, or what an overview line speaks of."""
    if session.place.screen == "overview":
        _decide_item(session, verb)
    elif session.selection.marked:
        _decide_marked(session, verb)
    elif session.place.entry is None:
        session.say("no row here", "refused")
    elif session.place.entry.is_header and session.place.entry.cluster is not None:
        _decide_group(session, verb, session.place.entry.cluster)
    else:
        decide_row(session, verb, session.place.entry.row)


def _decide_item(session: Session, verb: Verb) -> None:
    item = session.overview.item
    if item is None or not item.bulk:
        one_of_each = "K keeps one row of each group, " if item is not None and item.keeps else ""
        session.say(f"{one_of_each}enter opens these; a verdict on all of them at once is not offered here", "refused")
        return
    plan = plan_undecided(session.project, verb, item.filter_text, seen_here(session))
    if confirmed(session, verb, item.filter_text, plan, always=True):
        session.act(plan, advance=False)


def _decide_marked(session: Session, verb: Verb) -> None:
    plan = plan_bulk(session.project, verb, sorted(session.selection.marked), "marked", seen_here(session))
    if confirmed(session, verb, "marked", plan):
        session.selection.clear()
        session.act(plan)


def _decide_group(session: Session, verb: Verb, cluster: Cluster) -> None:
    why = f"cluster:{cluster.id}"
    plan = plan_bulk(session.project, verb, cluster.rows, why, seen_here(session))
    # Accepting answers that disagree is rarely meant: it is asked, however few they are.
    disagree = verb == "accept" and cluster.kind == "conflict" and len(plan.rows) > 1
    if confirmed(session, verb, why, plan, always=disagree):
        session.act(plan)


def decide_row(session: Session, verb: Verb, row: int) -> None:
    """A verdict on one row, by hand."""
    project = session.project
    if verb == "reset" and project.verdict(row) == "undecided" and not project.is_edited(row):
        session.say(f"row {row} is undecided already", "refused")
        return
    session.act(with_recheck_answered(project, row, plan_row(project, verb, row)))
    if verb in ("accept", "reject"):
        note_outcome(session, verb == "reject")
    _say_agreement(session)


def keep(session: Session) -> None:
    """Accept the keeper of the group and reject the others; on a member, that member is the one to keep."""
    entry = session.place.entry
    if entry is None or entry.cluster is None:
        session.say("this row is in no group: a accepts it", "refused")
        return
    cluster = entry.cluster
    if entry.is_header and cluster.kind not in SETTLED_KINDS:
        session.say("these answers disagree: go to the one to keep (j), then enter", "refused")
        return
    why = f"cluster:{cluster.id}"
    plan = plan_keep(session.project, [cluster], why, None if entry.is_header else entry.row)
    if confirmed(session, "keep", why, plan):
        session.act(plan)


def keep_all(session: Session) -> None:
    """On an overview line of duplicates: keep the keeper of each group that is open, reject the others."""
    item = session.overview.item
    if item is None or not item.keeps:
        raise UsageError("K keeps one row of each group: go to a line of exact, near or prefix groups")
    # Groups whose answers differ have a line of their own.
    plan = plan_keep_within(session.project, item.filter_text, seen_here(session), only_open=True)
    if confirmed(session, "keep-all", item.filter_text, plan, always=True):
        session.act(plan, advance=False)


def accept_rest(session: Session) -> None:
    """Accept what is left of the filter, where the advice to stop stands; the key is taken twice."""
    advice = advice_to_stop(session)
    if advice is None:
        session.say(
            f"no ground to stop yet: by risk (s), the last {FEWEST_QUIET} verdicts must have changed nothing",
            "refused",
        )
        return
    why = f"the rest of {_filter_name(session)}"
    plan = plan_bulk(session.project, "accept", _undecided_in_filter(session), why, seen_here(session))
    if confirmed(session, "accept-rest", why, plan, always=True, word="accept"):
        session.act(plan)
    else:
        session.say(f"{advice} {session.message.text}", "refused")


# What takes its key twice: a verdict on many rows that nobody has looked at.


def confirmed(
    session: Session, verb: str, target: str, plan: DecisionPlan, *, always: bool = False, word: str = ""
) -> bool:
    """Whether to go on: small or seen at once, else on the second press of the same key on the same rows."""
    unseen = sum(1 for row in plan.rows if not _text_was_seen(session, row))
    if not plan.acts or not (always or unseen > MANY_ROWS):
        return True
    done, _, left = plan.sentence.partition(";")
    # A verdict on one kind is its count; where groups are kept both counts are said.
    what = done if verb in ("keep-all", "take", "decline") else f"{word or verb} {counted(len(plan.rows), 'row')}"
    for past, verb_now in ASKED_WORDS.items():
        what = what.replace(past, verb_now)
    question = f"{what}, {unseen:,} not yet seen{',' + left if left else ''}: same key again"
    # Rows that came in since the question were not asked about.
    return session.confirms(f"{verb} {target} {hash(plan.rows)}", question)


def seen_here(session: Session) -> Seen:
    """Whether a row was on the screen, in this sitting or before."""
    return seen_by(session.project, session.on_screen)


def _text_was_seen(session: Session, row: int) -> bool:
    """Whether the row, or the keeper it is an exact copy of, was on the screen."""
    seen = seen_here(session)
    copies = (cluster for cluster in session.project.clusters_of(row) if cluster.kind == "exact")
    return seen(row) or any(seen(cluster.keeper) for cluster in copies)


# Recheck: rows one has decided by eye are put up again, without the first verdict in sight.


def start_recheck(session: Session) -> None:
    """Put rows up for a recheck and show them; those that still wait are taken first."""
    project = session.project
    waiting = select(project, SECOND_LOOK)
    if not waiting:
        drawn = draw(project, RECHECKED_AT_ONCE, seed=project.last_line)
        if not drawn:
            raise UsageError(
                "nothing to look at a second time", "no row was judged by eye yet", "judge some rows first"
            )
        project.decide([asking([project.rows.id(row) for row in drawn])], why="blind re-check")
        session.after_bulk()
        waiting = drawn
    session.set_filter(SECOND_LOOK)
    session.say(f"{counted(len(waiting), 'row')} to judge again, the first verdict is hidden: a or x; u undoes")


def with_recheck_answered(project: Project, row: int, plan: DecisionPlan) -> DecisionPlan:
    """A verdict's plan, with the row taken off the list of rechecks in the same line."""
    if not plan.acts or TAG not in project.tags(row):
        return plan
    return replace(plan, acts=(*plan.acts, answered([project.rows.id(row)])))


def agreement(project: Project) -> SelfAgreement:
    """How often this reviewer agrees with themselves, from their own journal."""
    path = project.own_journal
    return self_agreement(read_lines(path)[0] if path is not None else ())


def _say_agreement(session: Session) -> None:
    """Once the last of the rows has got its second verdict, say how often the two were the same."""
    if SECOND_LOOK not in session.place.filter_text or select(session.project, SECOND_LOOK):
        return
    session.say(f"{agreement(session.project)}; / shows other rows", "done")


# When to stop: verdicts by eye are counted, and what is left is offered once the latest of them changed nothing.


def note_outcome(session: Session, bad: bool) -> None:
    """Remember a verdict by eye; where the latest ones changed nothing, say what accepting the rest would risk."""
    session.queue.verdicts_since_learned += 1
    if session.queue.sorted_by != RISK:
        return
    latest = session.queue.outcomes.setdefault(session.place.filter_text, [])
    latest.append(bad)
    # Counting what is left passes over the whole list, so not with every key.
    advice = advice_to_stop(session) if len(latest) % ADVISED_EVERY == 0 else None
    if advice is not None:
        # The key and the risk first: a narrow line is cut behind them.
        why, _, risk = advice.partition("? ")
        session.say(f"A accepts the rest, {risk}: {why}?", "done")


def advice_to_stop(session: Session) -> str | None:
    """The advice to stop with the rows of this filter, or None.

    Only in the order of risk: there the rows that are left are no worse than those just judged.
    """
    latest = session.queue.outcomes.get(session.place.filter_text, ())
    if session.queue.sorted_by != RISK or not latest or latest[-1]:
        return None
    return stop_advice(latest, len(_undecided_in_filter(session)), _filter_name(session))


def _undecided_in_filter(session: Session) -> list[int]:
    """The undecided rows of the filter, outside the held-out set."""
    project = session.project
    rows = (session.place.entries.entry(index).row for index in range(len(session.place.entries)))
    return [row for row in rows if project.verdict(row) == "undecided" and not project.is_heldout(row)]


def _filter_name(session: Session) -> str:
    """The filter as advice calls it: `clean` for `bucket:clean`."""
    return session.place.filter_text.removeprefix("bucket:") or "all rows"
