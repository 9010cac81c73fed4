"""Commands that are typed: `tamis do PROJECT 'reject bucket:drop'`, and the same behind `:` in the workbench.

Verbs and rules are those of the keys (`workbench.state.plans`); a row counts as looked at once the journal says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast

from engine.errors import LockedError, UsageError
from engine.model import SETTLED_KINDS
from engine.numerals import whole_number
from engine.phrases import counted
from engine.project.came_along import by_score, parse_threshold, propose_by_score
from engine.project.project import Project
from engine.project.views import refuse_readonly
from engine.scan.text import shorten
from engine.select import ToDecide, select_to_decide
from workbench.actions.decide import with_recheck_answered
from workbench.actions.preconditions import read_only
from workbench.actions.proposed import Reply, plan_reply, score_sentence
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
    reversal_question,
    seen_by,
)
from workbench.state.session import Session

APART: dict[str, Apart] = {"not-duplicates": "not_duplicates", "split": "split"}
LONGEST_VERB = 40
REPLIES: dict[str, Reply] = {"take": "take", "decline": "decline"}
VERBS = (*RESULT, *REPLIES, "keep", "both-fine", "drop-both", *APART, "tag", "note", "propose")
EXAMPLES = {
    "keep": "keep cluster:ID",
    "both-fine": "both-fine cluster:ID",
    "drop-both": "drop-both cluster:ID",
    "not-duplicates": "not-duplicates row:3 or row:5",
    "split": "split row:5",
    "tag": "tag good,-draft row:17",
    "note": "note row:17 ask the author",
    "take": "take is:proposed",
    "decline": "decline by:import:prodigy",
    "propose": "propose score>=4",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a typed command did: a sentence, how many rows it touched, and the journal line (None: none written).
    `proposed`: it wrote proposals."""

    text: str
    rows: int
    n: int | None
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class TypedPlan:
    """What a line would do, and what its selector negates although no row matches it: `not` of nothing is everything,
    so that is asked about."""

    plan: DecisionPlan
    negates_nothing: tuple[str, ...] = ()

    @property
    def doubt(self) -> str:
        """`no row matches flag:link, so "not" of it is every row`; empty where nothing is to be asked."""
        if not self.plan.acts or not self.negates_nothing:
            return ""
        first, *more = (shorten(text, 40) for text in self.negates_nothing)
        return f"no row matches {first}{''.join(f', none {text}' for text in more)}, so 'not' of it is every row"


def run_headless(project: Project, line: str, dry_run: bool = False, *, yes: bool = False) -> Outcome:
    """Do one command line: `accept row:17`, `reject bucket:drop`, `keep cluster:c1f09`, `skip flag:truncated`, `undo`.

    Raises UsageError for a line that makes no sense, and without `yes` for one that negates what no row matches and for
    an undo or redo that the workbench would ask about; ProjectError where nothing can be written.
    """
    verb, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if verb in ("undo", "redo"):
        return _undo_or_redo(project, "undo" if verb == "undo" else "redo", rest, dry_run, yes)
    if verb not in VERBS:
        near = get_close_matches(verb[:LONGEST_VERB], VERBS, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join((*VERBS, 'undo', 'redo'))}"
        raise UsageError(f"unknown command {verb[:LONGEST_VERB]!r}", "", known)
    if not rest:
        raise UsageError(f"{verb}: which rows?", "", f"for example: {EXAMPLES.get(verb, f'{verb} row:17')}")
    if verb == "propose":
        return _propose(project, rest, dry_run)
    typed = _plan(project, verb, rest)
    plan, doubt = typed.plan, "" if yes else typed.doubt
    if dry_run:
        would = f"would have {plan.sentence}" if plan.acts else plan.sentence
        return Outcome(f"{would}; {doubt}" if doubt else would, len(plan.rows), None)
    if doubt:
        touched = counted(len(plan.rows), "row")
        raise UsageError(f"{verb}: {doubt}, and this would touch {touched}", "", "if that is meant, add --yes")
    number = carry_out(project, plan, ())
    return Outcome(plan.sentence, len(plan.rows), number)


def _undo_or_redo(project: Project, verb: Literal["undo", "redo"], rest: str, dry_run: bool, yes: bool) -> Outcome:
    if rest:
        raise UsageError(f"{verb} takes no rows, got {rest!r}", "", f"write {verb}, as often as needed")
    found = project.next_reversal(verb)
    if found is None:
        return Outcome(f"nothing to {verb}", 0, None)
    if dry_run:
        return Outcome(f"would {verb}: {found.words}", found.rows, None)
    question = reversal_question(verb, found)
    if question and not yes:
        raise UsageError(f"{verb} {question}", "", "add --yes to do it")
    sentence = project.undo() if verb == "undo" else project.redo()
    return Outcome(f"{'undone' if verb == 'undo' else 'done again'}: {sentence}", 0, None)


def _propose(project: Project, rest: str, dry_run: bool) -> Outcome:
    """Proposals by a score, once a person has said from where on it is good; nothing is decided by them."""
    threshold = parse_threshold(rest)
    reached, missed = by_score(project.rows, threshold)
    words = score_sentence(threshold, reached, missed)
    if dry_run:
        return Outcome(f"would have proposed: {words}", len(reached) + len(missed), None)
    refuse_readonly(project)
    by = propose_by_score(project.folder, project.rows, threshold, reached, missed)
    project.proposals.follow()
    return Outcome(f"proposed by {by}: {words}; is:proposed shows them", len(reached) + len(missed), None, True)


# From the words behind a verb to its plan.


def _plan(project: Project, verb: str, rest: str) -> TypedPlan:
    if verb in ("both-fine", "drop-both"):
        return TypedPlan(_plan_conflict(project, verb, rest))
    if verb == "note":
        return TypedPlan(_plan_note(project, rest))
    tags, _, behind_tags = rest.partition(" ")
    selector = behind_tags.strip() if verb == "tag" else rest
    named = _plan_named(project, verb, selector)
    if named is not None:
        return TypedPlan(named)
    chosen = _matching_rows(project, verb, selector)
    if verb == "keep":
        plan = plan_keep_within(project, selector, seen_by(project), matched=chosen.rows)
    elif verb in REPLIES:
        plan = plan_reply(project, REPLIES[verb], chosen.rows, selector, seen_by(project))
    elif verb in APART:
        plan = plan_apart(project, APART[verb], chosen.rows, selector, hint=f"for example: {EXAMPLES[verb]}")
    elif verb == "tag":
        plan = plan_tags(project, chosen.rows, tags.replace(",", " "))
    else:
        plan = plan_bulk(project, cast("Verb", verb), chosen.rows, selector, seen_by(project))
    return TypedPlan(plan, chosen.negates_nothing)


def _plan_named(project: Project, verb: str, selector: str) -> DecisionPlan | None:
    """The plan for a row called by its number or a group by its id; None for any other selector."""
    if verb == "keep":
        return _plan_keep(project, selector)
    row = _row_named(selector)
    if verb in REPLIES and row is not None and row < len(project.rows):
        return plan_reply(project, REPLIES[verb], (row,))
    if verb not in RESULT or row is None or row >= len(project.rows):
        return None
    # A row called by its number is decided by hand: this is how held-out rows are decided, too.
    if verb == "reset" and project.verdict(row) == "undecided" and not project.is_edited(row):
        return DecisionPlan((), (), selector)
    return with_recheck_answered(project, row, plan_row(project, verb, row, selector))


def _plan_keep(project: Project, selector: str) -> DecisionPlan | None:
    row = _row_named(selector)
    if row is not None and row < len(project.rows):
        clusters = sorted(project.clusters_of(row), key=lambda cluster: cluster.kind not in SETTLED_KINDS)
        clusters = [cluster for cluster in clusters if cluster.kind != "variant"]
        if not clusters:
            raise UsageError(f"keep: row {row} is in no group", "", f"accept row:{row}")
        return plan_keep(project, clusters[:1], selector, keeper=row)
    key, _, identifier = selector.partition(":")
    if key == "cluster" and identifier.strip(".").isalnum():
        return plan_keep(project, [project.cluster(identifier)], selector)
    return None


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


def _matching_rows(project: Project, verb: str, selector: str) -> ToDecide:
    chosen = select_to_decide(project, selector) if selector else ToDecide([], ())
    if not chosen.rows:
        hint = f"for example: {EXAMPLES[verb]}" if verb in EXAMPLES else ""
        raise UsageError(f"{verb}: no row matches {selector[:60]!r}", "", hint)
    return chosen


def _row_named(selector: str) -> int | None:
    key, _, number = selector.partition(":")
    return whole_number(number) if key == "row" else None


# Behind `:` in the workbench, where a row number and a command by its name are understood as well.


def is_bulk(text: str) -> bool:
    """Whether the text is a verb with a selector."""
    verb, _, selector = text.strip().partition(" ")
    return verb in VERBS and bool(selector.strip())


def decides(text: str) -> bool:
    """Whether a verb with a selector decides about what is trained on."""
    return text.strip().partition(" ")[0] in (*RESULT, *REPLIES, "keep", "both-fine", "drop-both")


def bulk_question(session: Session, text: str) -> str:
    """What a bulk line would do, to be asked before it does it; whether it negates what no row matches, too. Raises
    TamisError, LockedError where this window only reads."""
    refused = read_only(session)
    if refused is not None:
        raise LockedError(refused)
    outcome = run_headless(session.project, text, dry_run=True)
    return f"{outcome.text}: enter again does it"


def do_bulk(session: Session, text: str) -> None:
    """Do a bulk line; one undo takes it back."""
    outcome = run_headless(session.project, text, yes=True)
    session.after_bulk()
    session.say(outcome.text, "done" if outcome.n is not None or outcome.proposed else "refused")
