"""`tamis export`: writing what is left, and saying what left."""

from __future__ import annotations

import argparse
from typing import Any

from engine.export.losses import by_field
from engine.phrases import counted
from engine.project.project import open_project
from engine.workflows.export import export
from workbench.cli.common import Narrator, find_project, open_for_deciding, print_json, tell_notes
from workbench.text.escape import visible_line

# A project that grows by a file a night has many.
MOST_SOURCES = 20


def export_rows(arguments: argparse.Namespace) -> int:
    """`tamis export PROJECT --to PATH`."""
    narrator = Narrator()
    # Letting secrets through is a decision: it needs a name, and a line of the journal.
    opened = (
        open_for_deciding(arguments.project, arguments.reviewer)
        if arguments.override
        else open_project(find_project(arguments.project), readonly=True)
    )
    with opened as project:
        summary = export(
            project,
            arguments.to,
            format_name=arguments.format,
            container=arguments.container,
            include_undecided=arguments.include == "undecided",
            lossy=arguments.lossy,
            override=arguments.override,
            licence=arguments.license,
            force=arguments.force,
            with_names=arguments.with_names,
            with_reasons=arguments.with_reasons,
            csv_safe=arguments.csv_safe,
            progress=narrator,
        )
        narrator.end()
        tell_notes(project)
    if arguments.json:
        print_json(summary)
        return 0
    for line in export_lines(summary):
        print(line)
    return 0


def _written_anew(kind: str, count: int) -> str:
    come = f"{counted(count, 'untouched row')} {'comes' if count == 1 else 'come'} out of"
    if kind == "json":
        return f"{come} a JSON array: on a line each now, with the same values"
    if kind.startswith("text in "):
        return f"{come} a {kind}: written as UTF-8, with the same values"
    return f"{come} a table ({kind}): written as JSON, with the same values"


def export_lines(summary: dict[str, Any]) -> list[str]:
    """An export in words."""
    lines = [
        f"{counted(summary['rows'], 'row')} to {summary['to']} ({summary['format']}), "
        f"{counted(summary['holdout_rows'], 'held-out row')} beside them"
    ]
    if summary["untouched"]:
        identical, untouched = summary["untouched_identical"], summary["untouched"]
        lines.append(f"  {identical:,} of {untouched:,} untouched rows are the source's own lines, byte for byte")
    lines += [f"  {_written_anew(kind, count)}" for kind, count in summary["written_anew"].items()]
    if len(summary["sources"]) > 1:
        lines += [
            f"  {one['of_these']:,} of {counted(one['rows'], 'row')} of {visible_line(one['name'])}"
            for one in summary["sources"][:MOST_SOURCES]
        ]
    for word in ("left behind", "lost"):
        counts = summary[word.replace(" ", "_")]
        for what, names in by_field(counts).items():
            up_to = "up to " if len(names) > 1 else ""
            lines.append(f"  {word}: {what} in {up_to}{counted(max(counts[name] for name in names), 'row')}")
    if summary.get("formula_cells"):
        cells = ", ".join(f"{visible_line(name, 40)} {count:,}" for name, count in summary["formula_cells"].items())
        guard = "an apostrophe guards each" if summary["csv_safe"] else "--csv-safe guards them"
        lines.append(f"  cells that begin a formula in a spreadsheet: {cells}; {guard}")
    lines += [f"  left out: {count:>6,} {reason}" for reason, count in summary["left_out"].items()]
    lines += [f"  sha256 {digest}  {name}" for name, digest in summary["sha256"].items()]
    return lines
