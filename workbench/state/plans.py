"""From a verb and some rows to the acts of one journal line: what a verdict touches, and what it leaves alone.

The same rules for a key, for a whole group and for `tamis do`: a bulk act never touches the held-out set, nor a row of
a conflict or of a family of variants that nobody has looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.errors import UsageError
from engine.model import SETTLED_KINDS, Act, Cluster, Row, VerdictName
from engine.project.project import Project
from workbench.text.phrases import counted

Verb = Literal["accept", "reject", "skip", "reset"]
RESULT: dict[Verb, VerdictName] = {"accept": "accepted", "reject": "rejected", "skip": "skipped", "reset": "undecided"}
DONE_WORD: dict[str, str] = {
    "accept": "accepted",
    "reject": "rejected",
    "skip": "skipped",
    "reset": "set back",
    "edit": "edited",
    "settle": "settled",
    "tag": "tagged",
    "note": "noted",
    "not_duplicates": "set apart",
    "split": "split off",
    "fine_together": "put beside each other",
}
LOOKED_AT_FIRST = ("variant", "conflict")

Seen = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Plan:
    """One journal line to be: its acts, the rows they touch, the reason, and how many rows were left alone and why."""

    acts: tuple[Act, ...]
    rows: tuple[int, ...]
    why: str
    left_alone: dict[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """`accepted row 17`, `accepted 1 row and rejected 4; 2 held-out rows left alone`."""
        if not self.acts:
            done = "nothing to do"
        elif len(self.rows) == 1 and len(self.acts) == 1:
            done = f"{DONE_WORD[self.acts[0].do]} row {self.rows[0]}"
        else:
            done = " and ".join(f"{DONE_WORD[act.do]} {counted(len(act.ids), 'row')}" for act in self.acts)
        left = ", ".join(f"{counted(number, reason)} left alone" for reason, number in self.left_alone.items())
        return f"{done}; {left}" if left else done


def seen_by(project: Project, on_screen: Iterable[int] = ()) -> Seen:
    """Whether a row was on the screen: in this sitting or when a journal line was written."""
    now = on_screen if isinstance(on_screen, set | frozenset) else frozenset(on_screen)
    return lambda row: row in now or project.is_seen(row)


def plan_row(project: Project, verb: Verb, row: int) -> Plan:
    """A verdict on one row, by hand: nothing is left alone. The reason is its top flag, else `by eye`.

    Where reviewers differ it settles the row, whoever said what before.
    """
    if project.is_disputed(row) and verb in ("accept", "reject"):
        settled = Act("settle", (project.rows.id(row),), extra={"verdict": RESULT[verb]})
        return Plan((settled,), (row,), "reviewers differed")
    return Plan((Act(verb, (project.rows.id(row),)),), (row,), project.default_reason(row))


def plan_bulk(project: Project, verb: Verb, rows: Sequence[int], why: str, seen: Seen) -> Plan:
    """A verdict on many rows at once. Rows that already have it are not written again."""
    left: Counter[str] = Counter()
    touched: list[int] = []
    for row in rows:
        reason = _hands_off(project, row, seen)
        if reason:
            left[reason] += 1
        elif project.verdict(row) != RESULT[verb] or (verb == "reset" and project.is_edited(row)):
            touched.append(row)
    acts = (Act(verb, tuple(project.rows.id(row) for row in touched)),) if touched else ()
    return Plan(acts, tuple(touched), why, dict(left))


def _hands_off(project: Project, row: int, seen: Seen) -> str:
    if project.is_heldout(row):
        return "held-out row"
    if project.is_disputed(row):
        return "disputed row"
    for cluster in project.clusters_of(row):
        if needs_a_look(cluster) and not seen(row):
            return f"unseen {'alternative' if cluster.alternatives else cluster.kind} row"
    return ""


def needs_a_look(cluster: Cluster) -> bool:
    """Whether a person must have seen the rows before a key settles them: no machine knows which of them is right."""
    return cluster.alternatives or cluster.kind in LOOKED_AT_FIRST


def plan_keep_bulk(project: Project, clusters: Sequence[Cluster], why: str, seen: Seen) -> Plan:
    """The same for many clusters at once; those that need a look and did not get one are left alone."""
    looked_at = [cluster for cluster in clusters if not needs_a_look(cluster) or all(map(seen, cluster.rows))]
    plan = plan_keep(project, looked_at, why)
    unseen = sum(len(cluster.rows) for cluster in clusters if cluster not in looked_at)
    return replace(plan, left_alone=plan.left_alone | ({"unseen alternative row": unseen} if unseen else {}))


def plan_keep(project: Project, clusters: Sequence[Cluster], why: str, keeper: int | None = None) -> Plan:
    """Accept the keeper of each cluster and reject its other members, as one line with two acts.

    `keeper` names another member of a single cluster. Raises UsageError for a conflict without one: no machine knows
    which answer is right.
    """
    keep: set[int] = set()
    drop: set[int] = set()
    set_apart: set[int] = set()
    for cluster in clusters:
        if cluster.kind not in SETTLED_KINDS and keeper is None:
            raise UsageError(f"cluster {cluster.id} is a {cluster.kind}", "", "choose a row of it: keep row:N")
        chosen = cluster.keeper if keeper is None else keeper
        keep.add(chosen)
        others = {row for row in cluster.rows if row != chosen}
        apart = kept_apart(project, cluster, chosen) & others
        drop |= others - apart
        set_apart |= apart
    # Of two overlapping clusters, one may keep what the other rejects: the keeper of that other one stands for it.
    keep -= drop
    heldout = {row for row in keep | drop if project.is_heldout(row)}
    disputed = {row for row in (keep | drop) - heldout if project.is_disputed(row)}
    accepted = sorted(keep - heldout - disputed)
    rejected = sorted(drop - heldout - disputed)
    left = {"held-out row": len(heldout), "disputed row": len(disputed), "row set apart": len(set_apart - drop - keep)}
    acts = [
        Act(verb, tuple(project.rows.id(row) for row in rows))
        for verb, rows in (("accept", accepted), ("reject", rejected))
        if rows
    ]
    return Plan(tuple(acts), (*accepted, *rejected), why, {reason: rows for reason, rows in left.items() if rows})


def plan_fine_together(project: Project, cluster: Cluster, why: str) -> Plan:
    """The answers of a conflict do not contradict each other: all are accepted but held-out and disputed ones."""
    free = [row for row in cluster.rows if not project.is_heldout(row) and not project.is_disputed(row)]
    ids = project.rows.id
    accepted = (Act("accept", tuple(map(ids, free))),) if free else ()
    return Plan((Act("fine_together", tuple(map(ids, cluster.rows))), *accepted), tuple(free), why)


def kept_apart(project: Project, cluster: Cluster, keeper: int) -> set[int]:
    """The rows of a cluster of which a person said that they do not belong with the keeper."""
    ids = {project.rows.id(row): row for row in cluster.rows}
    apart: set[int] = set()
    for act in project.constraints():
        together = act.do == "not_duplicates" and project.rows.id(keeper) in act.ids
        if act.do == "split" or together:
            apart.update(ids[identifier] for identifier in act.ids if identifier in ids)
    return apart - {keeper}


def plan_edit(project: Project, row: int, edited: Row) -> Plan:
    """A new text for a row; an edited row counts as accepted, and settles a row that reviewers differ on."""
    identifier = project.rows.id(row)
    if project.is_disputed(row):
        settled = Act("settle", (identifier,), {identifier: edited}, {"verdict": "accepted"})
        return Plan((settled,), (row,), "reviewers differed")
    return Plan((Act("edit", (identifier,), {identifier: edited}),), (row,), project.default_reason(row))


def plan_edits(project: Project, edited: Mapping[int, Row], why: str) -> Plan:
    """New texts for several rows in one line: one undo takes all of them back."""
    ids = {row: project.rows.id(row) for row in edited}
    act = Act("edit", tuple(ids.values()), {ids[row]: new for row, new in edited.items()})
    return Plan((act,) if edited else (), tuple(edited), why)


def carry_out(project: Project, plan: Plan, on_screen: Iterable[int]) -> int | None:
    """Write the line; its number, or None where the plan does nothing. Synced when this returns."""
    if not plan.acts:
        return None
    shown = set(on_screen)
    return project.decide(plan.acts, seen=[project.rows.id(row) for row in plan.rows if row in shown], why=plan.why)
