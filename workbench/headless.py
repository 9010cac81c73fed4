"""The verbs of the workbench without a screen: `tamis do PROJECT 'reject bucket:drop'`. The same rules as the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import UsageError
from engine.model import Cluster
from engine.project.folder import Project
from engine.select import select
from workbench.verdicts import RESULT, Plan, Verb, carry_out, plan_bulk, plan_keep, plan_keep_bulk, plan_row, seen_by
from workbench.view import SETTLED_KINDS, groups_within


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
    if verb != "keep" and verb not in RESULT:
        raise UsageError(f"unknown command {verb!r}", "", f"known: {', '.join((*RESULT, 'keep', 'undo', 'redo'))}")
    if not selector:
        raise UsageError(
            f"{verb}: which rows?", "", f"for example: {verb} {'cluster:ID' if verb == 'keep' else 'row:17'}"
        )
    plan = _headless_keep(project, selector) if verb == "keep" else _headless_verdict(project, verb, selector)  # type: ignore[arg-type]
    if dry_run:
        return Outcome(f"would have {plan.sentence}" if plan.acts else plan.sentence, len(plan.rows), None)
    number = carry_out(project, plan, ())
    return Outcome(plan.sentence, len(plan.rows), number)


def _headless_undo(project: Project, verb: str, rest: str, dry_run: bool) -> Outcome:
    if rest:
        raise UsageError(f"{verb} takes no rows, got {rest!r}", "", f"write {verb}, as often as needed")
    if dry_run:
        return Outcome(f"would {verb} the last act", 0, None)
    sentence = project.undo() if verb == "undo" else project.redo()
    if sentence is None:
        return Outcome(f"nothing to {verb}", 0, None)
    return Outcome(f"{'undone' if verb == 'undo' else 'done again'}: {sentence}", 0, None)


def _headless_verdict(project: Project, verb: Verb, selector: str) -> Plan:
    rows = select(project, selector)
    if not rows:
        raise UsageError(f"{verb}: no row matches {selector!r}")
    one = _one_row(selector)
    if one is not None:
        # A row called by its number is judged by hand: this is how held-out rows are judged, too.
        by_hand = plan_row(project, verb, one)
        return Plan(by_hand.acts, by_hand.rows, selector)
    return plan_bulk(project, verb, rows, selector, seen_by(project))


def _headless_keep(project: Project, selector: str) -> Plan:
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
