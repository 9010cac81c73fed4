"""The commands about decisions: how far they are (status, journal), making them (do), bringing in another's (merge)."""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.config import load_config
from engine.errors import TamisError, UsageError, shell_command
from engine.phrases import counted
from engine.project.by_source import counts_by_source
from engine.project.fold import act_word
from engine.project.journal import read_lines
from engine.project.merge import merge
from engine.project.project import Project
from engine.project.replay import is_journal, replay
from engine.reviewer import find_reviewer
from engine.tokens import ABOUT_TOKENS
from engine.training.runs.status import list_runs
from workbench.actions.typed_commands import run_headless
from workbench.cli.common import (
    find_project,
    open_for_deciding,
    open_for_reading,
    open_to_look,
)
from workbench.cli.output import Narrator, narrate, print_json, say
from workbench.render.training_run import measures
from workbench.text.escape import visible_line

MOST_SOURCES = 20
_BY_TOKENS = re.compile(r"\btokens\s*[<>=!]")


def status(arguments: argparse.Namespace) -> int:
    """`tamis status PROJECT`."""
    with open_to_look(arguments.project) as project:
        counts = project.counts() | {"sources": counts_by_source(project)}
        if arguments.json:
            print_json(counts)
            return 0
        say(f"{project.title}: {counted(counts['rows'], 'row')}, {counts['heldout']:,} of them held out")
        for name in ("accepted", "edited", "rejected", "skipped", "undecided", "disputed"):
            say(f"  {name:<10}{counts[name]:>8,}")
        if project.findings is None:
            say("  open: not known, no scan fits these rows: tamis scan PROJECT")
        else:
            groups = counted(counts["clusters_open"], "duplicate group")
            say(f"  open: {groups}, {counted(counts['conflicts_open'], 'conflict')}")
        if counts["quarantined"]:
            lines = counted(counts["quarantined"], "line")
            say(f"  set aside: {lines}, in {project.folder / 'quarantine.jsonl'}")
        for line in _source_lines(counts["sources"]):
            say(line)
        if counts["agreement"] is not None:
            agreed = counts["agreement"]
            rows = counted(agreed["rows"], "row")
            say(f"  agreement: Cohen's kappa {agreed['kappa']:.2f} over {rows} decided by two")
        say(f"  reviewers: {', '.join(counts['reviewers']) or 'nobody yet'}")
        for state in list_runs(project.folder / "runs"):
            if state.result.get("base") and "nll" in state.result:
                say(
                    f"  last run {state.id}, base \u2192 now: {', '.join(measures(state.result, state.result['base']))}"
                )
                break
    return 0


def _source_lines(sources: list[dict[str, Any]]) -> list[str]:
    """A line a source, where there are several."""
    lines = [
        f"  {visible_line(one['name'])}: {counted(one['rows'], 'row')}, {one['accepted']:,} accepted, "
        f"{one['undecided']:,} undecided"
        for one in (sources if len(sources) > 1 else ())
    ]
    return lines[:MOST_SOURCES] + ([f"  and {len(lines) - MOST_SOURCES} more files"] if lines[MOST_SOURCES:] else [])


def journal(arguments: argparse.Namespace) -> int:
    """`tamis journal PROJECT`: every line of every journal, in the order of its file."""
    with open_to_look(arguments.project) as project:
        lines = [line | {"file": path.name} for path in project.journal_ends() for line in read_lines(path)[0]]
    if arguments.json:
        print_json({"lines": lines})
        return 0
    for line in lines:
        say(f"{line['n']:>5} {line.get('at', '')} {line.get('by', '')}  {_line_text(line)}")
    return 0


def _line_text(line: dict[str, Any]) -> str:
    for word in ("undo", "redo"):
        if word in line:
            return f"{word} of line {line[word]}"
    rows: dict[str, list[str]] = {}
    for act in line.get("acts", ()):
        rows.setdefault(act_word(act), []).extend(act.get("ids", ()))
    acts = " and ".join(f"{word} {_rows_text(ids)}" for word, ids in rows.items())
    return f"{acts}  ({line['why']})" if line.get("why") else acts


def _rows_text(ids: list[str]) -> str:
    return ids[0] if len(ids) == 1 else counted(len(ids), "row")


def do(arguments: argparse.Namespace) -> int:
    """`tamis do PROJECT 'COMMAND' …`: the workbench's commands, headless."""
    if bool(arguments.commands) == bool(arguments.source):
        raise UsageError("give commands, or a file with --from", "", "for example tamis do P 'reject bucket:drop'")
    opened = (
        open_for_reading(arguments.project, arguments.reviewer)
        if arguments.dry_run
        else open_for_deciding(arguments.project, arguments.reviewer, arguments.take_over)
    )
    with opened as project:
        _scan_if_stale(project)
        _count_tokens_if_asked(project, arguments.commands or [])
        outcomes = _replayed(project, arguments) if arguments.source else _done(project, arguments.commands, arguments)
        if arguments.json:
            print_json({"done": outcomes, "dry_run": arguments.dry_run, "status": project.counts()})
        else:
            for outcome in outcomes:
                say(str(outcome["text"]))
    return 0


def _scan_if_stale(project: Project) -> None:
    """Scan where no findings fit: without them no bulk command would know a contradiction from a clean row."""
    if not project.is_scanned:
        # What scanning needs takes longer to import than most commands take to be done.
        from engine.jobs.scan import scan_project

        narrate("no scan fits these rows: scanning first")
        scan_project(project, Narrator(), must_keep=not project.readonly, tell=narrate)


def _count_tokens_if_asked(project: Project, commands: list[str]) -> None:
    """Where a command selects by tokens: with the chosen model's tokenizer, or say that they are only told about."""
    if not any(_BY_TOKENS.search(command) for command in commands):
        return
    # What training needs takes longer to import than most commands take to be done.
    from engine.workflows.token_counts import count_tokens

    narrator = Narrator()
    try:
        model = count_tokens(project, narrator)
    except TamisError as error:
        narrate(f"tokens are told about: {error}")
        return
    finally:
        narrator.end()
    narrate(f"tokens of {model}" if model else f"tokens are told about, no model is chosen: {ABOUT_TOKENS}")


def _done(project: Project, commands: list[str], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    outcomes, before = [], 0 if project.readonly else project.last_line
    for line in commands:
        yes = arguments.yes or _reverses_own(project, line.strip(), before)
        outcome = run_headless(project, line, dry_run=arguments.dry_run, yes=yes)
        outcomes.append({"command": line, "rows": outcome.rows, "n": outcome.n, "text": outcome.text})
    return outcomes


def _reverses_own(project: Project, line: str, before: int) -> bool:
    """Whether an undo or redo is of an act that the same call made: that is not asked about."""
    if line not in ("undo", "redo"):
        return False
    found = project.next_reversal("undo" if line == "undo" else "redo")
    return found is not None and found.number > before


def _replayed(project: Project, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    path: Path = arguments.source
    if not is_journal(path):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        return _done(project, [line for line in lines if line and not line.startswith("#")], arguments)
    replayed = replay(project, path, dry_run=arguments.dry_run)
    text = f"{replayed.lines} lines on {replayed.rows} rows" + (
        f", {replayed.unknown} rows unknown here" if replayed.unknown else ""
    )
    return [{"command": f"--from {path}", "rows": replayed.rows, "n": None, "text": text}]


def merge_projects(arguments: argparse.Namespace) -> int:
    """`tamis merge PROJECT OTHER`; exit 1 where something of the other copy does not count here."""
    folder = find_project(arguments.project)
    reviewer = find_reviewer(arguments.reviewer, load_config(folder).reviewer)
    found = merge(folder, find_project(arguments.other), reviewer or "")
    code = 1 if found.left_out else 0
    if arguments.json:
        print_json(asdict(found))
        return code
    brought = counted(len(found.brought), "journal")
    say(f"{brought} brought, {len(found.grown)} grown, {len(found.parted)} had gone two ways")
    say(f"  {counted(found.disputed, 'row')} decided differently: is:disputed")
    if found.proposals:
        say(f"  {counted(found.proposals, 'line')} of proposals came along: is:proposed")
    if found.unknown:
        say(f"  {counted(found.unknown, 'decision')} on rows that this project lacks: `tamis add` brings rows")
    if found.mapping:
        say(f"  rows are read otherwise now: {found.mapping}")
    if found.heldout is not None:
        say(f"  {counted(found.heldout, 'row')} held out now")
    for sentence in found.waiting:
        say(f"  waits for your yes: {sentence}")
    if found.waiting:
        say(f"  `{shell_command('trust', folder)}` shows each and takes the yes or the no")
    for one in found.left_out:
        narrate(f"left out: {one.name}: {one.reason}")
    return code
