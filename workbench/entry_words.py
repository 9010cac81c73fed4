"""What stands above and below the reader: what is under the cursor, and why it is where it is."""

from __future__ import annotations

from engine.model import Cluster
from engine.project.suspects import KINDS as SUSPECT_KINDS
from workbench.document import GROUP_NAMES, Styled, decision_words, mark_of
from workbench.document_parts import about_tokens
from workbench.ordering import RISK
from workbench.safe_text import visible_line
from workbench.session import Session
from workbench.view import Entry, names_suspects
from workbench.wording import counted


def title_line(session: Session, entry: Entry) -> list[Styled]:
    project = session.project
    if entry.is_header and entry.cluster is not None:
        cluster = entry.cluster
        what = GROUP_NAMES[cluster.kind]
        keeper = "" if cluster.kind == "conflict" else f" \u00b7 keeper row {cluster.keeper}"
        return [(f" {cluster.id} ", "title"), (f" {counted(len(cluster.rows), 'row')}: {what}{keeper}", "muted")]
    example = project.example(entry.row)
    turns, focus = len(example.turns), session.turn
    where = f"turn {focus + 1} of {turns}, {example.turns[focus].role}" if focus is not None else counted(turns, "turn")
    spoken = example.turns if focus is None else (example.turns[focus],)
    tokens = about_tokens(sum(len(turn.text) for turn in spoken))
    title: list[Styled] = [
        (f" row {entry.row} ", "title"),
        (f" line {example.line} \u00b7 {where} \u00b7 {tokens} tokens", "muted"),
    ]
    if project.is_heldout(entry.row):
        title.append((" \u00b7 held out", "heldout"))
    if tags := sorted(project.tags(entry.row)):
        title.append((f" \u00b7 {visible_line(' '.join(f'#{tag}' for tag in tags))}", "key"))
    decided = decision_words(project, entry.row)
    if decided and focus is None:
        verdict, _, rest = decided.partition(" ")
        title += [(f" \u00b7 {verdict}", mark_of(project, entry.row)[1]), (f" {visible_line(rest)}", "muted")]
    return title


def reason_line(session: Session, entry: Entry) -> list[Styled]:
    """Why this entry is where it is: its top finding in one line."""
    project = session.project
    if entry.is_header and entry.cluster is not None:
        sentence = entry.cluster.evidence[0] if entry.cluster.evidence else GROUP_NAMES[entry.cluster.kind]
        role = "conflict" if entry.cluster.kind == "conflict" else "group"
        return [(f" {entry.cluster.kind} ", role), (visible_line(sentence), "reason")]
    flags = project.flags_of(entry.row)
    clusters = project.clusters_of(entry.row)
    risk = _risk(session, entry.row)
    more = len(flags) + len(clusters) - 1
    rest: list[Styled] = [("  w ", "key"), (f"{more} more", "muted")] if more > 0 else []
    if entry.cluster is not None or (clusters and not flags):
        cluster = entry.cluster or clusters[0]
        role = "conflict" if cluster.kind == "conflict" else "group"
        words = _place_in(cluster, entry.row) if entry.cluster is not None else _place_outside(cluster, entry.row)
        return [*risk, (f" {cluster.kind} ", role), (words, "reason"), *rest]
    suspicion = next((flag for flag in flags if flag.signal in SUSPECT_KINDS), None)
    if suspicion is not None and (flags[0] is suspicion or names_suspects(session.filter_text)):
        name = suspicion.signal.replace("_", " ")
        return [*risk, (f" {name} ", "check"), (visible_line(suspicion.reason), "reason"), *rest]
    if flags:
        bucket = project.findings.buckets[entry.row] if project.findings is not None else "check"
        return [
            *risk,
            (f" {bucket} ", bucket),
            (f"{flags[0].signal}: {visible_line(flags[0].reason)}", "reason"),
            *rest,
        ]
    if not project.is_scanned:
        return [(" not scanned yet", "muted")]
    return [*risk, (" no issue found", "clean")]


def _risk(session: Session, row: int) -> list[Styled]:
    """How likely the row is bad, in the order of risk."""
    chance = session.queue.chances.get(row) if session.queue is not None and session.order == RISK else None
    return [(f" risk {chance:.0%}", "muted")] if chance is not None else []


def _place_in(cluster: Cluster, row: int) -> str:
    """What a member is in the group it is shown in, and what enter would do."""
    if cluster.kind == "conflict":
        return f"{len(cluster.rows)} answers disagree: enter keeps this one, rejects the rest"
    if row == cluster.keeper:
        return f"the keeper of {counted(len(cluster.rows), 'row')}: enter keeps it, rejects the rest"
    return f"keeper is row {cluster.keeper}: enter keeps this one instead, rejects the rest"


def _place_outside(cluster: Cluster, row: int) -> str:
    """The same for a row whose group the filter does not show."""
    if cluster.kind == "variant":
        return f"one of {len(cluster.rows)} that differ in a key word or number: judge each by itself"
    if cluster.kind == "conflict":
        return f"one of {len(cluster.rows)} answers that disagree; / cluster:{cluster.id} shows them"
    kept = "the keeper" if row == cluster.keeper else f"row {cluster.keeper} is the keeper"
    return f"{kept} of {len(cluster.rows)}; / cluster:{cluster.id} shows the group"
