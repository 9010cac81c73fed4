"""What others propose for rows, taken or declined by a person: the line of the journal names the proposal. Knows no
terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from engine.errors import UsageError
from engine.model import Act, Row
from engine.phrases import counted
from engine.project.came_along import Threshold, scores_of
from engine.project.project import Project
from engine.project.proposals import Proposal, waiting, waiting_rows
from workbench.actions.decide import confirmed, note_outcome, seen_here
from workbench.actions.edited_row import can_be_trained_on
from workbench.actions.preconditions import no_verdict
from workbench.state.overview import PROPOSED_BY
from workbench.state.plans import DecisionPlan, Seen, hands_off
from workbench.state.session import Session

Reply = Literal["take", "decline"]
DIFFERING = "row proposed two ways"
UNFIT = "row with an unfit text"
MOST_NAMED = 2
TOLD = "proposals"
"""Under this name it is remembered that a person was told."""


def plan_reply(
    project: Project, reply: Reply, rows: Sequence[int], why: str = "", seen: Seen | None = None
) -> DecisionPlan:
    """Take or decline what waits for these rows: by hand, or with `seen` as a bulk act, which leaves alone what every
    bulk act does. `why` is the selector of a bulk act."""
    ids: dict[tuple[str, str], list[str]] = {}
    named: dict[str, Proposal] = {}
    edited: dict[str, Row] = {}
    left: Counter[str] = Counter()
    touched: list[int] = []
    for row in rows:
        found = waiting(project, row)
        if not found:
            continue
        reason = hands_off(project, row, seen) if seen is not None else ""
        identifier = project.rows.id(row)
        if reply == "take" and not reason:
            chosen, text = _chosen(found, identifier)
            reason = DIFFERING if chosen is None else ""
            if text is not None and not can_be_trained_on(project, row, text):
                reason = UNFIT
            elif text is not None:
                edited[identifier] = text
            found = chosen or ()
        if reason:
            left[reason] += 1
            edited.pop(identifier, None)
            continue
        touched.append(row)
        for one in found:
            named[one.id] = one
            ids.setdefault((one.kind, one.id), []).append(identifier)
    acts = tuple(_act(reply, named[one], kind, found, edited) for (kind, one), found in ids.items())
    return DecisionPlan(acts, tuple(touched), _why(list(named.values()), why), dict(left))


def _chosen(found: Sequence[Proposal], identifier: str) -> tuple[tuple[Proposal, ...] | None, Row | None]:
    """(what is taken of the proposals for a row, the text among it); None where they differ: no machine knows who is
    right."""
    tags = [one for one in found if one.kind == "tag"]
    verdicts = [one for one in found if one.kind != "tag"]
    if not verdicts:
        return tuple(tags), None
    first, *others = verdicts
    text = first.edited(identifier)
    if first.kind == "edit" and text is None:
        return None, None
    if any(one.kind != first.kind or one.edited(identifier) != text for one in others):
        return None, None
    return (first, *tags), text


def _act(reply: Reply, proposal: Proposal, kind: str, ids: list[str], edited: dict[str, Row]) -> Act:
    if reply == "decline":
        # Nothing is decided: a tag act without a tag, which earlier versions fold as well.
        return Act("tag", tuple(ids), extra={"tags": [], "declined": proposal.id})
    texts = {identifier: edited[identifier] for identifier in ids} if kind == "edit" else {}
    extra = {"tags": [proposal.tag]} if kind == "tag" else {}
    return Act(kind, tuple(ids), texts, extra | {"proposal": proposal.id})


def _why(named: Sequence[Proposal], selector: str) -> str:
    authors = ", ".join(sorted({one.by for one in named}))
    if selector:
        return selector if authors and authors in selector else f"{authors}: {selector}"
    said = "; ".join(dict.fromkeys(one.why for one in named if one.why))
    return f"{authors}: {said}" if said else authors


# -- by key


def no_proposal(session: Session) -> str | None:
    """Why nothing can be taken or declined here."""
    refused = no_verdict(session)
    if refused is not None:
        return refused
    if session.place.screen == "overview":
        return None if _author_here(session) else "go to a line of what is proposed: p shows all rows that it is for"
    rows = rows_here(session)
    if rows and any(waiting(session.project, row) for row in rows):
        return None
    return "nothing waits here: / is:proposed shows the rows that something is proposed for"


def rows_here(session: Session) -> Sequence[int]:
    entry = session.place.entry
    if session.selection.marked:
        return sorted(session.selection.marked)
    if entry is None:
        return ()
    return entry.cluster.rows if entry.is_header and entry.cluster is not None else (entry.row,)


def _author_here(session: Session) -> str:
    item = session.overview.item
    return item.label.removeprefix(PROPOSED_BY) if item is not None and item.section == "proposed" else ""


def reply_here(session: Session, reply: Reply) -> None:
    """Take or decline what is proposed for the row, the group, the marked rows, or the line of the overview."""
    project = session.project
    if session.place.screen == "overview":
        author = _author_here(session)
        rows = [row for row, found in waiting_rows(project) if any(one.by == author for one in found)]
        plan = plan_reply(project, reply, sorted(rows), f"by:{author}", seen_here(session))
        if confirmed(session, reply, f"by:{author}", plan, always=True):
            session.act(plan, advance=False)
        return
    rows_chosen = rows_here(session)
    entry = session.place.entry
    if len(rows_chosen) == 1 and entry is not None and not entry.is_header:
        _reply_to_row(session, reply, rows_chosen[0])
        return
    why = "marked" if session.selection.marked else f"cluster:{entry.cluster.id}" if entry and entry.cluster else ""
    plan = plan_reply(project, reply, rows_chosen, why, seen_here(session))
    if confirmed(session, reply, why, plan, always=True):
        session.selection.clear()
        session.act(plan)


def _reply_to_row(session: Session, reply: Reply, row: int) -> None:
    plan = plan_reply(session.project, reply, (row,))
    if not plan.acts:
        reason = {DIFFERING: "its proposals differ", UNFIT: "its proposed text does not fit the row"}
        said = reason.get(next(iter(plan.left_alone), ""), "nothing to take")
        raise UsageError(f"{said}: a, x or e decides it")
    session.selection.clear()
    session.act(plan)
    verdicts = {act.do for act in plan.acts}
    if reply == "take" and verdicts & {"accept", "reject", "edit"}:
        note_outcome(session, "accept" not in verdicts)


# -- told, and scores


def told_once(session: Session) -> str:
    """`214 verdicts came along (import:prodigy): p shows them`; "" where nothing came, or it was told before."""
    where = "p shows them" if session.place.screen == "overview" else "/ is:proposed shows them"
    words = "" if TOLD in session.remembered.asked else came_along_words(session.project, where)
    if words:
        session.remembered.asked.add(TOLD)
    return words


def came_along_words(project: Project, then: str) -> str:
    """What came along with the rows, and the scores of which a person must say from where on they are good."""
    rows = Counter(one.by for _, found in waiting_rows(project) for one in found)
    if rows:
        number = sum(1 for _ in waiting_rows(project))
        named = [by for by, _ in rows.most_common()]
        more = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
        authors = ", ".join([*sorted(named[:MOST_NAMED]), *more])
        return f"{counted(number, 'verdict')} came along ({authors}): {then}"
    return ""


def score_words(project: Project) -> list[str]:
    """For each score that nobody has proposed by: its range, and the command that would."""
    known = project.proposals.authors
    return [
        f"{name} goes from {low:g} to {high:g}: propose {name}>=N says from where on it is good"
        for name, (low, high) in scores_of(project.rows).items()
        if low < high and f"import:{name}" not in known
    ]


def score_sentence(threshold: Threshold, reached: Sequence[int], missed: Sequence[int]) -> str:
    """`accept for 40 rows, reject for 60 (score>=4)`; raises UsageError where no row has that score."""
    if not reached and not missed:
        raise UsageError(f"propose: no row has a number {threshold.name!r}", "", "for example: propose score>=4")
    return f"accept for {counted(len(reached), 'row')}, reject for {counted(len(missed), 'row')} ({threshold})"
