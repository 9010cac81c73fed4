"""From a verb and some rows or a group to the acts of one journal line: what it touches, and what it leaves alone.

Each verb is planned here once, for a key and for `tamis do` alike. A bulk act never touches the held-out set, nor a row
of a conflict or of a family of variants that nobody has looked at; who has looked at what is told by `seen`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.errors import UsageError
from engine.model import SETTLED_KINDS, Act, Cluster, Row, VerdictName
from engine.phrases import counted
from engine.project.fold import Reversal
from engine.project.project import Project
from engine.select import select
from workbench.state.entries import groups_within

Apart = Literal["not_duplicates", "split"]
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
class DecisionPlan:
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
            done = f"{_done_word(self.acts[0])} row {self.rows[0]}"
        else:
            rows: Counter[str] = Counter()
            for act in self.acts:
                rows[_done_word(act)] += len(act.ids)
            done = " and ".join(f"{word} {counted(number, 'row')}" for word, number in rows.items())
        left = ", ".join(f"{_rows(number, reason)} left alone" for reason, number in self.left_alone.items())
        return f"{done}; {left}" if left else done


def _rows(number: int, reason: str) -> str:
    # `36 rows proposed two ways`, but `2 held-out rows`.
    return counted(number, reason, f"rows {reason.removeprefix('row ')}" if reason.startswith("row ") else "")


def _done_word(act: Act) -> str:
    return "declined what was proposed for" if "declined" in act.extra else DONE_WORD[act.do]


# What touches more rows than this, with nobody looking at them, is asked before it is done.
MANY_ROWS = 20


def reversal_question(verb: Literal["undo", "redo"], found: Reversal) -> str:
    """What an undo or redo would do, where that is asked first: of many rows, of the held-out set, of how rows are
    read. Else ""."""
    if found.rows <= MANY_ROWS and not found.is_basic:
        return ""
    return f"{'takes back' if verb == 'undo' else 'does again'}: {found.words}"


def seen_by(project: Project, on_screen: Iterable[int] = ()) -> Seen:
    """Whether a row was on the screen: in this sitting or when a journal line was written."""
    now = on_screen if isinstance(on_screen, set | frozenset) else frozenset(on_screen)
    return lambda row: row in now or project.is_seen(row)


# Verdicts.


def plan_row(project: Project, verb: Verb, row: int, why: str = "") -> DecisionPlan:
    """A verdict on one row, by hand: nothing is left alone. Without `why` the reason is its top flag, else `by eye`.

    Where reviewers differ it resolves that, whoever said what before.
    """
    if project.is_disputed(row) and verb in ("accept", "reject"):
        resolved = Act("settle", (project.rows.id(row),), extra={"verdict": RESULT[verb]})
        return DecisionPlan((resolved,), (row,), why or "reviewers differed")
    return DecisionPlan((Act(verb, (project.rows.id(row),)),), (row,), why or project.default_reason(row))


def plan_bulk(project: Project, verb: Verb, rows: Sequence[int], why: str, seen: Seen) -> DecisionPlan:
    """A verdict on many rows at once. Rows that already have it are not written again."""
    left: Counter[str] = Counter()
    touched: list[int] = []
    for row in rows:
        reason = hands_off(project, row, seen)
        if reason:
            left[reason] += 1
        elif project.verdict(row) != RESULT[verb] or (verb == "reset" and project.is_edited(row)):
            touched.append(row)
    acts = (Act(verb, tuple(project.rows.id(row) for row in touched)),) if touched else ()
    return DecisionPlan(acts, tuple(touched), why, dict(left))


def plan_undecided(project: Project, verb: Verb, selector: str, seen: Seen) -> DecisionPlan:
    """A verdict on the rows of a selector that have none yet. Raises UsageError where the text is no selector."""
    return plan_bulk(project, verb, undecided_rows(project, selector), selector, seen)


def undecided_rows(project: Project, selector: str) -> list[int]:
    """The rows of a selector without a verdict."""
    return [row for row in select(project, selector) if project.verdict(row) == "undecided"]


def hands_off(project: Project, row: int, seen: Seen) -> str:
    """Why a bulk act leaves a row alone; "" where it does not."""
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


# Groups.


def plan_keep(project: Project, clusters: Sequence[Cluster], why: str, keeper: int | None = None) -> DecisionPlan:
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
    left = {reason: rows for reason, rows in left.items() if rows}
    acts = [
        Act(verb, tuple(project.rows.id(row) for row in rows))
        for verb, rows in (("accept", accepted), ("reject", rejected))
        if rows
    ]
    return DecisionPlan(tuple(acts), (*accepted, *rejected), why, left)


def plan_keep_within(
    project: Project, selector: str, seen: Seen, *, matched: Collection[int] | None = None, only_open: bool = False
) -> DecisionPlan:
    """Keep one row of each group of duplicates within a selector; groups that need a look and did not get one are left
    alone. `matched` are the rows of the selector where they are known already. With `only_open` nothing is said of
    groups that are decided, nor of those whose answers differ.

    Raises UsageError where no group lies within the selector.
    """
    rows = select(project, selector) if matched is None else matched
    groups = groups_within(project, set(rows), selector, SETTLED_KINDS)
    if not groups:
        raise UsageError(
            f"keep: no group lies within {selector!r}", "", "for example: keep cluster:ID, keep kind:exact"
        )
    if only_open:
        groups = [
            group
            for group in groups
            if not group.alternatives and any(project.verdict(row) == "undecided" for row in group.rows)
        ]
    looked_at = [group for group in groups if not needs_a_look(group) or all(map(seen, group.rows))]
    plan = plan_keep(project, looked_at, selector)
    unseen = sum(len(group.rows) for group in groups if group not in looked_at)
    return replace(plan, left_alone=plan.left_alone | ({"unseen alternative row": unseen} if unseen else {}))


def plan_fine_together(project: Project, cluster: Cluster, why: str) -> DecisionPlan:
    """The answers of a conflict do not contradict each other: all are accepted but held-out and disputed ones."""
    free = [row for row in cluster.rows if not project.is_heldout(row) and not project.is_disputed(row)]
    ids = project.rows.id
    accepted = (Act("accept", tuple(map(ids, free))),) if free else ()
    return DecisionPlan((Act("fine_together", tuple(map(ids, cluster.rows))), *accepted), tuple(free), why)


def plan_drop_both(project: Project, cluster: Cluster, why: str) -> DecisionPlan:
    """None of the answers of a conflict is right: all are rejected. Who says so of one conflict has looked at it."""
    return plan_bulk(project, "reject", cluster.rows, why, lambda row: True)


def plan_apart(project: Project, do: Apart, rows: Sequence[int], why: str, *, hint: str = "") -> DecisionPlan:
    """The rows are no duplicates of each other (`not_duplicates`), or do not belong to their group (`split`).

    Raises UsageError, with the hint, where one row alone is to be no duplicate.
    """
    if do == "not_duplicates" and len(rows) < 2:
        raise UsageError("one row is no duplicate of itself", "", hint)
    return DecisionPlan((Act(do, tuple(map(project.rows.id, rows))),), tuple(rows), why)


def kept_apart(project: Project, cluster: Cluster, keeper: int) -> set[int]:
    """The rows of a cluster of which a person said that they do not belong with the keeper."""
    ids = {project.rows.id(row): row for row in cluster.rows}
    apart: set[int] = set()
    for act in project.constraints():
        together = act.do == "not_duplicates" and project.rows.id(keeper) in act.ids
        if act.do == "split" or together:
            apart.update(ids[identifier] for identifier in act.ids if identifier in ids)
    return apart - {keeper}


# Edits.


def plan_edit(project: Project, row: int, edited: Row) -> DecisionPlan:
    """A new text for a row; an edited row counts as accepted, and resolves what reviewers differ on."""
    identifier = project.rows.id(row)
    if project.is_disputed(row):
        resolved = Act("settle", (identifier,), {identifier: edited}, {"verdict": "accepted"})
        return DecisionPlan((resolved,), (row,), "reviewers differed")
    return DecisionPlan((Act("edit", (identifier,), {identifier: edited}),), (row,), project.default_reason(row))


def plan_edits(project: Project, edited: Mapping[int, Row], why: str) -> DecisionPlan:
    """New texts for several rows in one line: one undo takes all of them back."""
    ids = {row: project.rows.id(row) for row in edited}
    act = Act("edit", tuple(ids.values()), {ids[row]: new for row, new in edited.items()})
    return DecisionPlan((act,) if edited else (), tuple(edited), why)


# Tags and notes: no decision.


def plan_tags(project: Project, rows: Sequence[int], text: str) -> DecisionPlan:
    """`good -draft`: put a tag on, take one off. Raises UsageError where a word cannot be a tag."""
    tags = [word for word in text.split() if not word.startswith("-")]
    gone = [word.removeprefix("-") for word in text.split() if word.startswith("-")]
    for word in (*tags, *gone):
        if not word or any(character in '()"/:' for character in word):
            raise UsageError(f"{word!r} cannot be a tag", "", 'a tag is one word without ( ) " / :')
    if not tags and not gone:
        return DecisionPlan((), (), "tag")
    extra = ({"tags": tags} if tags else {}) | ({"untag": gone} if gone else {})
    ids = tuple(project.rows.id(row) for row in rows)
    return DecisionPlan((Act("tag", ids, extra=extra),), tuple(rows), "tag")


def plan_note(project: Project, row: int, text: str) -> DecisionPlan:
    """The note on a row; an empty text takes it away."""
    if text == project.note(row):
        return DecisionPlan((), (), "note")
    return DecisionPlan((Act("note", (project.rows.id(row),), extra={"text": text}),), (row,), "note")


def carry_out(project: Project, plan: DecisionPlan, on_screen: Iterable[int]) -> int | None:
    """Write the line; its number, or None where the plan does nothing. Synced when this returns."""
    if not plan.acts:
        return None
    shown = set(on_screen)
    return project.decide(plan.acts, seen=[project.rows.id(row) for row in plan.rows if row in shown], why=plan.why)
