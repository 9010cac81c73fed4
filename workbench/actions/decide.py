"""Verdicts by key: on a row, a group, marked rows, an overview line; what takes its key twice. Knows no terminal."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import UsageError
from engine.model import SETTLED_KINDS
from engine.project.journal import read_lines
from engine.project.project import Project
from engine.review.recheck import TAG, SelfAgreement, answered, asking, draw, self_agreement
from engine.review.remaining import FEWEST_QUIET, stop_advice
from engine.select import select
from workbench.actions.order import RISK
from workbench.state.entries import SECOND_LOOK, groups_within
from workbench.state.plans import DecisionPlan, Verb, plan_bulk, plan_keep, plan_keep_bulk, plan_row, seen_by
from workbench.state.session import Session
from workbench.text.phrases import counted

# A verdict on more rows than this that nobody has looked at takes its key twice.
UNSEEN_WITHOUT_ASKING = 20


def judge(session: Session, verb: Verb) -> None:
    """A verdict on what is under the cursor: a row, a whole group, or everything an overview line speaks of."""
    if session.place.screen == "overview":
        _judge_item(session, verb)
        return
    if session.selection.marked:
        seen = seen_by(session.project, session.on_screen)
        plan = plan_bulk(session.project, verb, sorted(session.selection.marked), "marked", seen)
        if confirmed(session, verb, "marked", plan):
            session.selection.clear()
            session.act(plan)
        return
    entry = session.place.entry
    if entry is None:
        session.say("no row here", "refused")
    elif entry.is_header and entry.cluster is not None:
        why = f"cluster:{entry.cluster.id}"
        plan = plan_bulk(session.project, verb, entry.cluster.rows, why, seen_by(session.project, session.on_screen))
        # Accepting answers that disagree is rarely meant: it is asked, however few they are.
        disagree = verb == "accept" and entry.cluster.kind == "conflict" and len(plan.rows) > 1
        if confirmed(session, verb, why, plan, always=disagree):
            session.act(plan)
    elif (
        verb == "reset"
        and session.project.verdict(entry.row) == "undecided"
        and not session.project.is_edited(entry.row)
    ):
        session.say(f"row {entry.row} is undecided already", "refused")
    else:
        plan = plan_row(session.project, verb, entry.row)
        session.act(with_answer(session.project, entry.row, plan))
        if verb in ("accept", "reject"):
            note_outcome(session, verb == "reject")
        say_agreement(session)


def accept_rest(session: Session) -> None:
    """Accept what is left of the filter, where the advice to stop stands; the key is taken twice."""
    advice = advised(session)
    if advice is None:
        session.say(
            f"no ground to stop yet: by risk (s), the last {FEWEST_QUIET} verdicts must have changed nothing",
            "refused",
        )
        return
    project = session.project
    why = f"the rest of {named(session)}"
    plan = plan_bulk(project, "accept", remaining(session), why, seen_by(project, session.on_screen))
    if confirmed(session, "accept-rest", why, plan, always=True, word="accept"):
        session.act(plan)
    else:
        session.say(f"{advice} {session.message.text}", "refused")


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
    project = session.project
    groups = groups_within(project, set(select(project, item.filter_text)), item.filter_text, SETTLED_KINDS)
    still_open = [
        group
        for group in groups
        # Groups whose answers differ have a line of their own.
        if not group.alternatives and any(project.verdict(row) == "undecided" for row in group.rows)
    ]
    plan = plan_keep_bulk(project, still_open, item.filter_text, seen_by(project, session.on_screen))
    if confirmed(session, "keep-all", item.filter_text, plan, always=True):
        session.act(plan, advance=False)


def _judge_item(session: Session, verb: Verb) -> None:
    item = session.overview.item
    if item is None or not item.bulk:
        one_of_each = "K keeps one row of each group, " if item is not None and item.keeps else ""
        session.say(f"{one_of_each}enter opens these; a verdict on all of them at once is not offered here", "refused")
        return
    rows = [row for row in select(session.project, item.filter_text) if session.project.verdict(row) == "undecided"]
    plan = plan_bulk(session.project, verb, rows, item.filter_text, seen_by(session.project, session.on_screen))
    if confirmed(session, verb, item.filter_text, plan, always=True):
        session.act(plan, advance=False)


def confirmed(
    session: Session, verb: str, target: str, plan: DecisionPlan, *, always: bool = False, word: str = ""
) -> bool:
    """Whether to go on: small or seen at once, else on the second press of the same key on the same rows."""
    unseen = sum(1 for row in plan.rows if not _text_was_seen(session, row))
    asked, session.pending = session.pending, None
    if asked == (verb, target) or not plan.acts or not (always or unseen > UNSEEN_WITHOUT_ASKING):
        return True
    session.pending = (verb, target)
    left = plan.sentence.partition(";")[2]
    unseen_words = f"{unseen} not yet seen{',' + left if left else ''}"
    # A verdict on one kind is its count; where groups are kept both counts are told.
    what = plan.sentence.partition(";")[0] if verb == "keep-all" else f"{word or verb} {counted(len(plan.rows), 'row')}"
    session.say(
        f"{what.replace('accepted', 'accept').replace('rejected', 'reject')}, {unseen_words}: same key again", "refused"
    )
    return False


def _text_was_seen(session: Session, row: int) -> bool:
    """Whether the row, or the keeper it is an exact copy of, was on the screen."""
    seen = seen_by(session.project, session.on_screen)
    copies = (cluster for cluster in session.project.clusters_of(row) if cluster.kind == "exact")
    return seen(row) or any(seen(cluster.keeper) for cluster in copies)


# Blind re-check: rows one has judged are put up again, without the first verdict in sight. Knows no terminal.

DRAWN = 20


def start(session: Session) -> None:
    """Put rows up for a second look and show them; those that still wait are taken first."""
    project = session.project
    waiting = select(project, SECOND_LOOK)
    if not waiting:
        drawn = draw(project, DRAWN, seed=project.last_line)
        if not drawn:
            raise UsageError(
                "nothing to look at a second time", "no row was judged by eye yet", "judge some rows first"
            )
        project.decide([asking([project.rows.id(row) for row in drawn])], why="blind re-check")
        session.after_bulk()
        waiting = drawn
    session.set_filter(SECOND_LOOK)
    session.say(f"{counted(len(waiting), 'row')} to judge again, the first verdict is hidden: a or x; u undoes")


def with_answer(project: Project, row: int, plan: DecisionPlan) -> DecisionPlan:
    """A verdict's plan, with the row taken off the list of second looks in the same line."""
    if not plan.acts or TAG not in project.tags(row):
        return plan
    return replace(plan, acts=(*plan.acts, answered([project.rows.id(row)])))


def say_agreement(session: Session) -> None:
    """Once the last of the rows has got its second verdict, say how often the two were the same."""
    if SECOND_LOOK not in session.place.filter_text or select(session.project, SECOND_LOOK):
        return
    session.say(f"{agreement(session.project)}; / shows other rows", "done")


def agreement(project: Project) -> SelfAgreement:
    """How often this reviewer agrees with themselves, from their own journal."""
    path = project.own_journal
    return self_agreement(read_lines(path)[0] if path is not None else ())


# When to stop: verdicts by eye are counted, and what is left is offered once the latest of them changed nothing.
#
# Knows no terminal.

ADVISED_EVERY = 10


def note_outcome(session: Session, bad: bool) -> None:
    """Remember a verdict by eye; where the latest ones changed nothing, say what accepting the rest would risk."""
    session.queue.verdicts_since_learned += 1
    if session.queue.sorted_by != RISK:
        return
    latest = session.queue.outcomes.setdefault(session.place.filter_text, [])
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
    latest = session.queue.outcomes.get(session.place.filter_text, ())
    if session.queue.sorted_by != RISK or not latest or latest[-1]:
        return None
    return stop_advice(latest, len(remaining(session)), named(session))


def remaining(session: Session) -> list[int]:
    """The undecided rows of the filter, outside the held-out set."""
    project = session.project
    rows = (session.place.entries.entry(index).row for index in range(len(session.place.entries)))
    return [row for row in rows if project.verdict(row) == "undecided" and not project.is_heldout(row)]


def named(session: Session) -> str:
    """The filter as advice calls it: `clean` for `bucket:clean`."""
    return session.place.filter_text.removeprefix("bucket:") or "all rows"
