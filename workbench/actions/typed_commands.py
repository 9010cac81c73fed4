"""Commands that are typed: `tamis do PROJECT 'reject bucket:drop'`, and the same behind `:` in the workbench.

Verbs and rules are those of the keys (`workbench.state.plans`); a row counts as looked at once the journal says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from engine.errors import UsageError
from engine.model import SETTLED_KINDS
from engine.project.project import Project
from engine.select import select
from workbench.state.plans import (
    RESULT,
    Apart,
    DecisionPlan,
    Verb,
    carry_out,
    plan_apart,
    plan_bulk,
    plan_drop_both,
    plan_fine_together,
    plan_keep,
    plan_keep_within,
    plan_note,
    plan_row,
    plan_tags,
    seen_by,
)
from workbench.state.session import Session

APART: dict[str, Apart] = {"not-duplicates": "not_duplicates", "split": "split"}
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
    """What a typed command did: a sentence, how many rows it touched, and the journal line (None: none written)."""

    text: str
    rows: int
    n: int | None


def run_headless(project: Project, line: str, dry_run: bool = False) -> Outcome:
    """Do one command line: `accept row:17`, `reject bucket:drop`, `keep cluster:c1f09`, `skip flag:truncated`, `undo`.

    Raises UsageError for a line that makes no sense, ProjectError where nothing can be written.
    """
    verb, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if verb in ("undo", "redo"):
        return _undo_or_redo(project, verb, rest, dry_run)
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join((*VERBS, 'undo', 'redo'))}"
        raise UsageError(f"unknown command {verb!r}", "", known)
    if not rest:
        raise UsageError(f"{verb}: which rows?", "", f"for example: {EXAMPLES.get(verb, f'{verb} row:17')}")
    plan = _plan(project, verb, rest)
    if dry_run:
        return Outcome(f"would have {plan.sentence}" if plan.acts else plan.sentence, len(plan.rows), None)
    number = carry_out(project, plan, ())
    return Outcome(plan.sentence, len(plan.rows), number)


def _undo_or_redo(project: Project, verb: str, rest: str, dry_run: bool) -> Outcome:
    if rest:
        raise UsageError(f"{verb} takes no rows, got {rest!r}", "", f"write {verb}, as often as needed")
    if dry_run:
        return Outcome(f"would {verb} the last act", 0, None)
    sentence = project.undo() if verb == "undo" else project.redo()
    if sentence is None:
        return Outcome(f"nothing to {verb}", 0, None)
    return Outcome(f"{'undone' if verb == 'undo' else 'done again'}: {sentence}", 0, None)


# From the words behind a verb to its plan.


def _plan(project: Project, verb: str, rest: str) -> DecisionPlan:
    if verb == "keep":
        return _plan_keep(project, rest)
    if verb in ("both-fine", "drop-both"):
        return _plan_conflict(project, verb, rest)
    if verb in APART:
        rows = _matching_rows(project, verb, rest)
        return plan_apart(project, APART[verb], rows, rest, hint=f"for example: {EXAMPLES[verb]}")
    if verb == "tag":
        tags, _, selector = rest.partition(" ")
        return plan_tags(project, _matching_rows(project, verb, selector), tags.replace(",", " "))
    if verb == "note":
        return _plan_note(project, rest)
    return _plan_verdict(project, cast("Verb", verb), rest)


def _plan_verdict(project: Project, verb: Verb, selector: str) -> DecisionPlan:
    rows = select(project, selector)
    if not rows:
        raise UsageError(f"{verb}: no row matches {selector!r}")
    row = _row_named(selector)
    if row is not None:
        # A row called by its number is decided by hand: this is how held-out rows are decided, too.
        return plan_row(project, verb, row, selector)
    return plan_bulk(project, verb, rows, selector, seen_by(project))


def _plan_keep(project: Project, selector: str) -> DecisionPlan:
    row = _row_named(selector)
    if row is not None:
        clusters = sorted(project.clusters_of(row), key=lambda cluster: cluster.kind not in SETTLED_KINDS)
        clusters = [cluster for cluster in clusters if cluster.kind != "variant"]
        if not clusters:
            raise UsageError(f"keep: row {row} is in no group", "", f"accept row:{row}")
        return plan_keep(project, clusters[:1], selector, keeper=row)
    key, _, identifier = selector.partition(":")
    if key == "cluster" and identifier.strip(".").isalnum():
        return plan_keep(project, [project.cluster(identifier)], selector)
    return plan_keep_within(project, selector, seen_by(project))


def _plan_conflict(project: Project, verb: str, selector: str) -> DecisionPlan:
    key, _, identifier = selector.partition(":")
    if key != "cluster":
        raise UsageError(f"{verb}: which conflict?", "", f"for example: {EXAMPLES[verb]}")
    cluster = project.cluster(identifier)
    if cluster.kind != "conflict":
        raise UsageError(f"{verb}: cluster {cluster.id} is no conflict, it is {cluster.kind}")
    plan = plan_fine_together if verb == "both-fine" else plan_drop_both
    return plan(project, cluster, selector)


def _plan_note(project: Project, rest: str) -> DecisionPlan:
    named, _, text = rest.partition(" ")
    row = _row_named(named)
    if row is None or not 0 <= row < len(project.rows):
        raise UsageError("note: which row?", "", EXAMPLES["note"])
    return plan_note(project, row, text.strip())


def _matching_rows(project: Project, verb: str, selector: str) -> list[int]:
    rows = select(project, selector) if selector.strip() else []
    if not rows:
        raise UsageError(f"{verb}: no row matches {selector.strip()!r}", "", f"for example: {EXAMPLES[verb]}")
    return rows


def _row_named(selector: str) -> int | None:
    key, _, number = selector.partition(":")
    return int(number) if key == "row" and number.isdecimal() else None


# Behind `:` in the workbench, where a row number and a command by its name are understood as well.


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
