"""What a person says of the group under the cursor, and the marks for the next verb. Knows no terminal."""

from __future__ import annotations

from engine.errors import UsageError
from engine.model import Cluster
from workbench.state.plans import Apart, plan_apart, plan_drop_both, plan_fine_together, plan_keep
from workbench.state.session import Session
from workbench.text.phrases import counted


def group_here(session: Session) -> Cluster:
    """The group under the cursor. Raises UsageError where there is none."""
    entry = session.place.entry
    if entry is None or entry.cluster is None:
        raise UsageError("this row is in no group here", "", "groups stand at the top of the list; g goes there")
    return entry.cluster


def not_duplicates(session: Session) -> None:
    """The marked rows of the group (else all of it) are no duplicates of each other, for this and every later scan."""
    cluster = group_here(session)
    rows = _marked_of(session, cluster) or cluster.rows
    _set_apart(session, "not_duplicates", rows, cluster, f"{counted(len(rows), 'row')} are no duplicates")
    if len(rows) == len(cluster.rows):
        following = session.place.entries.next_header(session.place.cursor)
        session.place.cursor = following if following is not None else session.place.cursor


def split_off(session: Session) -> None:
    """The marked rows leave the group."""
    cluster = group_here(session)
    rows = _marked_of(session, cluster)
    if not rows or len(rows) == len(cluster.rows):
        raise UsageError("mark the rows that do not belong to the group (m), then S splits them off")
    _set_apart(session, "split", rows, cluster, f"{counted(len(rows), 'row')} split off {cluster.id}")


def both_fine(session: Session) -> None:
    """The answers of a conflict do not contradict each other: all are accepted."""
    cluster = group_here(session)
    if cluster.kind != "conflict":
        raise UsageError("only answers that disagree can both be fine", "", "enter keeps one of these")
    plan = plan_fine_together(session.project, cluster, f"cluster:{cluster.id}")
    session.act(plan)
    answers = counted(len(cluster.rows), "answer")
    session.say(f"{answers} are fine beside each other: accepted {len(plan.rows)}", "done")


def drop_both(session: Session) -> None:
    """None of the answers of a conflict is right: all are rejected."""
    cluster = group_here(session)
    if cluster.kind != "conflict":
        raise UsageError("D drops answers that disagree", "", "x on the group rejects all of it")
    session.act(plan_drop_both(session.project, cluster, f"cluster:{cluster.id}"))


def keep_at(session: Session, place: int) -> None:
    """Keep the row at `place` (from 1 on, in the order shown) of the group and reject the rest."""
    cluster = group_here(session)
    order = (cluster.keeper, *cluster.others)
    if place > len(order):
        raise UsageError(f"this group has {counted(len(order), 'row')}")
    session.act(plan_keep(session.project, [cluster], f"cluster:{cluster.id}", order[place - 1]))


def _marked_of(session: Session, cluster: Cluster) -> tuple[int, ...]:
    return tuple(row for row in cluster.rows if row in session.selection.marked)


def _set_apart(session: Session, do: Apart, rows: tuple[int, ...], cluster: Cluster, sentence: str) -> None:
    plan = plan_apart(
        session.project,
        do,
        rows,
        f"cluster:{cluster.id}",
        hint="mark two with m, or none for the whole group",
    )
    session.act(plan, advance=False)
    session.selection.marked -= set(rows)
    session.say(f"{sentence}; enter leaves them alone, the next scan regroups", "done")


def toggle_mark(session: Session) -> None:
    """Mark the row or the group under the cursor, or take the mark off; then go on."""
    entry = session.place.entry
    if entry is None:
        return
    rows = set(entry.cluster.rows) if entry.is_header and entry.cluster is not None else {entry.row}
    session.selection.toggle(rows)
    session.place.move(1)
    marked = session.selection.marked
    session.say(f"{counted(len(marked), 'row')} marked" if marked else "no row is marked")


def mark_all(session: Session) -> None:
    """Mark every row that the filter shows, but for the held-out ones; where all are marked, take the marks off."""
    view, project = session.place.entries, session.project
    rows = {view.entry(index).row for index in range(len(view)) if not view.entry(index).is_header}
    rows = {row for row in rows if not project.is_heldout(row)}
    if rows and rows <= session.selection.marked:
        session.selection.clear()
        session.say("no row is marked")
        return
    session.selection.marked |= rows
    _say_marked(session)


def mark_range(session: Session) -> None:
    """Begin a range; the second time mark everything between."""
    places = session.selection.close_range(session.place.cursor)
    if places is None:
        session.say("a range begins here: move, then v again marks all between")
        return
    for index in places:
        entry = session.place.entries.entry(index)
        if not entry.is_header:
            session.selection.marked.add(entry.row)
    _say_marked(session)


def _say_marked(session: Session) -> None:
    marked = counted(len(session.selection.marked), "row")
    session.say(f"{marked} marked; a verb acts on all of them, escape takes the marks off")
