"""`tamis report PATH [OTHER]`: measures of a data set, side by side with another where two are given."""

from __future__ import annotations

import argparse
import html
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.files import write_atomic
from engine.jobs.scan import scan_project
from engine.project.create import create_project
from engine.project.folder import Project, open_project
from engine.project.places import is_project
from engine.report import CountTokens, measure
from engine.report_lines import Line, compared
from workbench.cli_common import Narrator, given_source, print_json
from workbench.cli_plan import junk_line
from workbench.safe_text import visible


def report(arguments: argparse.Namespace) -> int:
    """Nothing is written beside the sources."""
    count = _tokenizer(arguments.tokenizer) if arguments.tokenizer else None
    sets = [_measured(path, count, arguments) for path in (arguments.path, arguments.other) if path is not None]
    lines = compared(*sets)
    if arguments.html is not None:
        page = html_page(sets, lines, with_text=arguments.with_text)
        write_atomic(arguments.html, page.encode("utf-8", "xmlcharrefreplace"), mode=0o644)
    if arguments.json:
        print_json({"sets": sets, "lines": [asdict(line) for line in lines]})
        return 0
    for line in _table(sets, lines):
        print(visible(line))
    for one in sets:
        for junk in one.get("junk", ()):
            print(visible(f"{one['source']}: {junk_line(junk)}"))
    return 0


def _measured(path: Path, count: CountTokens | None, arguments: argparse.Namespace) -> dict[str, Any]:
    narrator = Narrator()
    with tempfile.TemporaryDirectory(prefix="tamis-report-") as scratch:
        made = path
        if not is_project(path):
            with given_source(path) as source:
                made = create_project(source, Path(scratch) / "report.tamis", progress=narrator)
        with open_project(made, readonly=True) as project:
            _scanned(project, narrator)
            found = measure(project, count, arguments.tokenizer or "")
            if arguments.price is not None:
                found["junk"] = _junk(project, arguments)
    narrator.end()
    return found | {"source": path.name}


def _junk(project: Project, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from engine.project.junk import junk_of_an_epoch

    runs = project.folder / "runs"
    costs = junk_of_an_epoch(project, model=arguments.model, price=arguments.price, runs_dir=runs)
    return [cost.to_json() for cost in costs]


def _scanned(project: Project, narrator: Narrator) -> None:
    if project.findings is None:
        scan_project(project, narrator)


def _tokenizer(name: str) -> CountTokens:
    from engine.errors import UsageError

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


STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#222;background:#fff}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:left}"
    "td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}}"
)


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
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><table><tr><th></th>{head}<th></th></tr>{body}</table>{texts}</html>\n"
    )


def _texts(name: str, one: dict[str, Any]) -> str:
    items = "".join(
        f"<li>{r['count']:,} times: {html.escape(visible(r['text'][:300]))}</li>" for r in one["repeated_outputs"]
    )
    return f"<h2>Most repeated answers of {name}</h2><ol>{items}</ol>" if items else ""
