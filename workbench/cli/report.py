"""The commands that measure a set and propose: its report, the gate it has to pass, and a pick of its rows."""

from __future__ import annotations

import argparse
import html
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.export.curated import curate
from engine.jobs.pick import pick_rows, pick_to_json
from engine.jobs.scan import scan_project
from engine.paths import is_project
from engine.phrases import counted
from engine.project.create import create_project
from engine.project.project import Project
from engine.project.row_content import refuse_changed
from engine.report import CountTokens, Line, compared, measure
from engine.scratch import scratch_folder
from engine.select import select_to_decide
from engine.workflows.gate import GateResult, gate, gate_file, gate_json, override_gate
from engine.workflows.wasted_tokens import wasted_in_an_epoch
from workbench.cli.common import (
    find_project,
    given_source,
    open_for_deciding,
    open_to_look,
    refuse_page,
    write_page,
)
from workbench.cli.output import Narrator, narrate, print_json, say
from workbench.cli.train import junk_line
from workbench.render.html import page
from workbench.text.escape import visible, visible_line

# What the gate shows of a check, and of the rows that fail it.
MARKS = {True: "ok", False: "NOT MET", None: "-"}
SHOWN_ROWS = 12
# The topics of a pick, and the width of their bars.
TOPICS_SHOWN, BAR_WIDTH = 12, 20


def report(arguments: argparse.Namespace) -> int:
    """`tamis report PATH [OTHER]`: measures, side by side where two sets are given. Nothing is written beside them."""
    sources = [path for path in (arguments.path, arguments.other) if path is not None]
    if arguments.html is not None:
        refuse_page(arguments.html, sources, force=arguments.force)
    count = _tokenizer(arguments.tokenizer) if arguments.tokenizer else None
    sets = [_measured(path, count, arguments) for path in sources]
    lines = compared(*sets)
    if arguments.html is not None:
        content = html_page(sets, lines, with_text=arguments.with_text)
        write_page(arguments.html, content, sources, force=arguments.force)
    if arguments.json:
        print_json({"sets": sets, "lines": [asdict(line) for line in lines]})
        return 0
    for line in _table(sets, lines):
        say(line)
    for one in sets:
        for junk in one.get("junk", ()):
            say(f"{one['source']}: {junk_line(junk)}")
    return 0


def _measured(path: Path, count: CountTokens | None, arguments: argparse.Namespace) -> dict[str, Any]:
    narrator = Narrator()
    with scratch_folder("report", large=True) as scratch:
        made = path
        if not is_project(path):
            with given_source(path) as source:
                made = create_project(source, scratch / "report.tamis", progress=narrator, encoding=arguments.encoding)
        with open_to_look(made) as project:
            _scanned(project, narrator)
            # Its folder's name alone: a page tells no place on this machine.
            found = measure(project, count, Path(arguments.tokenizer or "").name)
            if arguments.price is not None:
                found["junk"] = _junk(project, arguments)
    narrator.end()
    return found | {"source": path.name}


def _junk(project: Project, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    runs = project.folder / "runs"
    costs = wasted_in_an_epoch(project, model=arguments.model, price=arguments.price, runs_dir=runs)
    return [cost.to_json() for cost in costs]


def _scanned(project: Project, narrator: Narrator) -> None:
    if project.findings is None:
        scan_project(project, narrator, must_keep=False)


def _tokenizer(name: str) -> CountTokens:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UsageError("counting a model's tokens needs the trainer", "", "pip install 'tamis[train]'") from error
    local = Path(name) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(local)) if local.exists() else Tokenizer.from_pretrained(name)
    except Exception as error:
        reason = str(error).splitlines()[0][:200]
        raise UsageError(f"no tokenizer {name!r} here", reason, "name a folder that has tokenizer.json") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _table(sets: list[dict[str, Any]], lines: list[Line]) -> list[str]:
    widths = [
        max(len(str(one["source"])), *(len(line.values[place]) for line in lines)) for place, one in enumerate(sets)
    ]
    heads = [str(one["source"]).rjust(width) for one, width in zip(sets, widths, strict=True)]
    change = max(len(line.difference) for line in lines)
    out = [" " * 20 + "  ".join([*heads, *(["change".rjust(max(change, 6))] if change else [])])]
    for line in lines:
        values = [value.rjust(width) for value, width in zip(line.values, widths, strict=True)]
        values += [line.difference.rjust(max(change, 6))] if change else []
        out.append(f"{line.label:<20}{'  '.join(values)}  {line.sentence}")
    return out


def html_page(sets: list[dict[str, Any]], lines: list[Line], *, with_text: bool) -> str:
    """One self-contained page; texts of rows are in it only where they were asked for."""
    names = [html.escape(str(one["source"])) for one in sets]
    head = "".join(f"<th>{name}</th>" for name in [*names, *(["change"] if len(sets) > 1 else [])])
    body = "".join(
        f"<tr><td>{html.escape(line.label)}</td>"
        + "".join(f'<td class="n">{html.escape(value)}</td>' for value in line.values)
        + (f'<td class="n">{html.escape(line.difference)}</td>' if len(sets) > 1 else "")
        + f"<td>{html.escape(line.sentence)}</td></tr>"
        for line in lines
    )
    texts = "".join(_texts(name, one) for name, one in zip(names, sets, strict=True)) if with_text else ""
    title = " against ".join(names)
    return page(title, f"<h1>{title}</h1><table><tr><th></th>{head}<th></th></tr>{body}</table>{texts}")


def _texts(name: str, one: dict[str, Any]) -> str:
    items = "".join(
        f"<li>{r['count']:,} times: {html.escape(visible(r['text'][:300]))}</li>" for r in one["repeated_outputs"]
    )
    return f"<h2>Most repeated answers of {name}</h2><ol>{items}</ol>" if items else ""


def run_gate(arguments: argparse.Namespace) -> int:
    """`tamis gate PROJECT`: may this set be trained on? For CI, and before a run.

    Exit code 1 where a limit is not kept and was not set aside in words.
    """
    folder = find_project(arguments.project)
    if arguments.override:
        with open_for_deciding(folder, arguments.reviewer) as project:
            result = override_gate(project, arguments.override)
            payload = gate_json(project, result)
    else:
        with open_to_look(folder) as project:
            refuse_changed(project, curate(project).training)
            result = gate(project)
            payload = gate_json(project, result)
            if not result.has_file:
                narrate(f"no {gate_file(project)}: nothing is asked for, so nothing is refused; docs/gate.md has one")
    if arguments.json:
        print_json(payload)
    else:
        for line in gate_lines(result):
            say(line)
    return 0 if result.is_open else 1


def gate_lines(result: GateResult) -> list[str]:
    """The checks in words, each failed one with the rows to look at."""
    lines = []
    for check in result.checks:
        lines.append(f"{MARKS[check.passed]:<8} {check.sentence()}")
        if check.passed is False and check.measure.rows:
            rows = check.measure.rows
            more = f" and {len(rows) - SHOWN_ROWS:,} more: --json names all" if len(rows) > SHOWN_ROWS else ""
            lines.append(f"         rows {', '.join(map(str, rows[:SHOWN_ROWS]))}{more}")
    if result.failed and result.override:
        lines.append(f"set aside by {result.override['by']}, {result.override['at']}: {result.override['why']}")
    elif result.failed:
        lines.append(f"{counted(len(result.failed), 'limit')} not kept")
    elif result.has_file:
        lines.append("every limit is kept")
    return lines


def pick(arguments: argparse.Namespace) -> int:
    """`tamis pick PROJECT N`: rows with their reasons on stdout, the coverage of topics on stderr. Accepts nothing."""
    with open_to_look(arguments.project) as project:
        if project.findings is None:
            narrate("not scanned yet: duplicates and faults are not kept out (`tamis scan` first)")
        locked = select_to_decide(project, arguments.lock).rows if arguments.lock else []
        refused = select_to_decide(project, arguments.swap).rows if arguments.swap else []
        found = pick_rows(project, arguments.count, locked=locked, refused=refused, must_keep=False)
        shown = pick_to_json(project, found)
    if arguments.json:
        print_json(shown)
        return 0
    for row in found.rows:
        say(f"row:{row.number}\t{row.reason}")
    if len(found.rows) < arguments.count:
        narrate(f"only {counted(len(found.rows), 'row')}: the rest are too much like these, or there are no more")
    covered = Counter(topic.picked > 0 for topic in found.topics)
    narrate(f"{covered[True]} of {len(found.topics)} topics covered; nothing was decided")
    for source in shown["sources"][:TOPICS_SHOWN] if len(shown["sources"]) > 1 else ():
        name = visible_line(source["name"])
        narrate(f"  {source['of_these']:,} of the {counted(source['rows'], 'row')} of {name}")
    for topic in found.topics[:TOPICS_SHOWN]:
        filled = round(BAR_WIDTH * topic.picked / topic.rows)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        tokens = f"{topic.tokens_picked:>7,} of {topic.tokens:,} tokens"
        narrate(f"  {bar} {topic.picked:>4,} of {topic.rows:<6,} {tokens}  {', '.join(topic.words)}")
    return 0
