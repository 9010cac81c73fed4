"""The verbs of the workbench without a screen: `tamis do PROJECT 'reject bucket:drop'`. The same rules as the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from engine.errors import UsageError
from engine.model import SETTLED_KINDS, Act, Cluster
from engine.project.project import Project
from engine.select import select
from workbench.actions.tags import plan_note, plan_tags
from workbench.state.entries import groups_within
from workbench.state.plans import (
    RESULT,
    DecisionPlan,
    Verb,
    carry_out,
    plan_bulk,
    plan_fine_together,
    plan_keep,
    plan_keep_bulk,
    plan_row,
    seen_by,
)
from workbench.state.session import Session

APART = {"not-duplicates": "not_duplicates", "split": "split"}
VERBS = (*RESULT, "keep", "both-fine", "drop-both", *APART, "tag", "note")
EXAMPLES = {
    "keep": "keep cluster:ID",
    "both-fine": "both-fine cluster:ID",
    "drop-both": "drop-both cluster:ID",
    "not-duplicates": "not-duplicates row:3 or row:5",
    "split": "split row:5",
    "tag": "tag good,-draft row:17",
    "note": "note row:17 ask the author",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a headless command did: a sentence, how many rows it touched, and the journal line (None: none written)."""

    text: str
    rows: int
    n: int | None


def run_headless(project: Project, line: str, dry_run: bool = False) -> Outcome:
    """Do one command line: `accept row:17`, `reject bucket:drop`, `keep cluster:c1f09`, `skip flag:truncated`, `undo`.

    Raises UsageError for a line that makes no sense, ProjectError where nothing can be written.
    """
    verb, _, selector = line.strip().partition(" ")
    selector = selector.strip()
    if verb in ("undo", "redo"):
        return _headless_undo(project, verb, selector, dry_run)
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join((*VERBS, 'undo', 'redo'))}"
        raise UsageError(f"unknown command {verb!r}", "", known)
    if not selector:
        raise UsageError(f"{verb}: which rows?", "", f"for example: {EXAMPLES.get(verb, f'{verb} row:17')}")
    plan = _plan(project, verb, selector)
    if dry_run:
        return Outcome(f"would have {plan.sentence}" if plan.acts else plan.sentence, len(plan.rows), None)
    number = carry_out(project, plan, ())
    return Outcome(plan.sentence, len(plan.rows), number)


def _plan(project: Project, verb: str, rest: str) -> DecisionPlan:
    if verb == "keep":
        return _headless_keep(project, rest)
    if verb in ("both-fine", "drop-both"):
        return _headless_conflict(project, verb, rest)
    if verb in APART:
        return _headless_apart(project, verb, rest)
    if verb == "tag":
        words, _, selector = rest.partition(" ")
        return plan_tags(project, _selected(project, verb, selector), words.replace(",", " "))
    if verb == "note":
        named, _, text = rest.partition(" ")
        row = _one_row(named)
        if row is None or not 0 <= row < len(project.rows):
            raise UsageError("note: which row?", "", EXAMPLES["note"])
        return plan_note(project, row, text.strip())
    return _headless_verdict(project, cast("Verb", verb), rest)


def _selected(project: Project, verb: str, selector: str) -> list[int]:
    rows = select(project, selector) if selector.strip() else []
    if not rows:
        raise UsageError(f"{verb}: no row matches {selector.strip()!r}", "", f"for example: {EXAMPLES[verb]}")
    return rows


def _headless_conflict(project: Project, verb: str, selector: str) -> DecisionPlan:
    key, _, identifier = selector.partition(":")
    if key != "cluster":
        raise UsageError(f"{verb}: which conflict?", "", f"for example: {EXAMPLES[verb]}")
    cluster = project.cluster(identifier)
    if cluster.kind != "conflict":
        raise UsageError(f"{verb}: cluster {cluster.id} is no conflict, it is {cluster.kind}")
    if verb == "both-fine":
        return plan_fine_together(project, cluster, selector)
    # Who calls a conflict by its name has looked at it.
    return plan_bulk(project, "reject", cluster.rows, selector, lambda row: True)


def _headless_apart(project: Project, verb: str, selector: str) -> DecisionPlan:
    """Rows that do not belong together (`not-duplicates`), or not to their group (`split`)."""
    rows = _selected(project, verb, selector)
    if verb == "not-duplicates" and len(rows) < 2:
        raise UsageError("one row is no duplicate of itself", "", f"for example: {EXAMPLES[verb]}")
    return DecisionPlan((Act(APART[verb], tuple(map(project.rows.id, rows))),), tuple(rows), selector)


def _headless_undo(project: Project, verb: str, rest: str, dry_run: bool) -> Outcome:
    if rest:
        raise UsageError(f"{verb} takes no rows, got {rest!r}", "", f"write {verb}, as often as needed")
    if dry_run:
        return Outcome(f"would {verb} the last act", 0, None)
    sentence = project.undo() if verb == "undo" else project.redo()
    if sentence is None:
        return Outcome(f"nothing to {verb}", 0, None)
    return Outcome(f"{'undone' if verb == 'undo' else 'done again'}: {sentence}", 0, None)


def _headless_verdict(project: Project, verb: Verb, selector: str) -> DecisionPlan:
    rows = select(project, selector)
    if not rows:
        raise UsageError(f"{verb}: no row matches {selector!r}")
    one = _one_row(selector)
    if one is not None:
        # A row called by its number is judged by hand: this is how held-out rows are judged, too.
        by_hand = plan_row(project, verb, one)
        return DecisionPlan(by_hand.acts, by_hand.rows, selector)
    return plan_bulk(project, verb, rows, selector, seen_by(project))


def _headless_keep(project: Project, selector: str) -> DecisionPlan:
    row = _one_row(selector)
    if row is not None:
        clusters = sorted(project.clusters_of(row), key=lambda cluster: cluster.kind not in SETTLED_KINDS)
        clusters = [cluster for cluster in clusters if cluster.kind != "variant"]
        if not clusters:
            raise UsageError(f"keep: row {row} is in no group", "", f"accept row:{row}")
        return plan_keep(project, clusters[:1], selector, keeper=row)
    found = _named_clusters(project, selector)
    if not found:
        raise UsageError(
            f"keep: no group lies within {selector!r}", "", "for example: keep cluster:ID, keep kind:exact"
        )
    if len(found) == 1 and selector.startswith("cluster:"):
        return plan_keep(project, found, selector)
    return plan_keep_bulk(project, found, selector, seen_by(project))


def _named_clusters(project: Project, selector: str) -> Sequence[Cluster]:
    key, _, identifier = selector.partition(":")
    if key == "cluster" and identifier.strip(".").isalnum():
        return [project.cluster(identifier)]
    return groups_within(project, set(select(project, selector)), selector, SETTLED_KINDS)


def _one_row(selector: str) -> int | None:
    key, _, number = selector.partition(":")
    return int(number) if key == "row" and number.isdigit() else None


# What is typed behind `:`: a row number, a command by name, or a verb with a selector as `tamis do` takes it.


def is_bulk(text: str) -> bool:
    """Whether the text is a verb with a selector."""
    verb, _, selector = text.strip().partition(" ")
    return verb in VERBS and bool(selector.strip())


def bulk_question(session: Session, text: str) -> str:
    """What a bulk line would do, to be asked before it does it. Raises UsageError."""
    outcome = run_headless(session.project, text, dry_run=True)
    return f"{outcome.text}: enter again does it"


def do_bulk(session: Session, text: str) -> None:
    """Do a bulk line; one undo takes it back."""
    outcome = run_headless(session.project, text)
    session.after_bulk()
    session.say(outcome.text, "done" if outcome.n is not None else "refused")


def jump(session: Session, number: int) -> None:
    """Go to a row, in this filter or in all rows. Raises UsageError."""
    if not 0 <= number < len(session.project.rows):
        raise UsageError(f"there is no row {number}", "", f"rows are 0 to {len(session.project.rows) - 1}")
    found = session.place.entries.find(number, None)
    if found is None:
        session.set_filter("")
        found = session.place.entries.find(number, None)
    if found is not None:
        session.place.cursor = found
        session.say(f"row {number}")
