"""`tamis export`: writing what is left, and saying what left."""

from __future__ import annotations

import argparse
from typing import Any

from engine.export.losses import by_field
from engine.phrases import counted
from engine.project.source_files import LINES
from engine.workflows.export import export
from workbench.cli.common import open_for_deciding, open_to_look
from workbench.cli.output import Narrator, print_json, say
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
        else open_to_look(arguments.project)
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
    if arguments.json:
        print_json(summary)
        return 0
    for line in export_lines(summary):
        say(line)
    return 0


def _written_anew(kind: str, count: int) -> str:
    come = f"{counted(count, 'untouched row')} {'comes' if count == 1 else 'come'} out of"
    if kind == LINES:
        are = "is" if count == 1 else "are"
        return f"{counted(count, 'untouched row')} {are} in other bytes than in the source: with the same values"
    if kind == "json":
        return f"{come} a JSON array: on a line each now, with the same values"
    if kind.startswith("text in "):
        return f"{come} a {kind}: written as UTF-8, with the same values"
    return f"{come} a table ({kind}): written as JSON, with the same values"


def proof_lines(summary: dict[str, Any]) -> list[str]:
    """How many untouched rows are the source's own lines, and what that was proved against."""
    copies = [one for one in summary["proof"] if one["against"] == "copy"]
    untouched = summary["untouched"] - sum(one["untouched"] for one in copies)
    identical = summary["untouched_identical"] - sum(one["identical"] for one in copies)
    lines = []
    if untouched:
        lines.append(f"  {identical:,} of {untouched:,} untouched rows are the source's own lines, byte for byte")
    for one in copies[:MOST_SOURCES]:
        counts = f"{one['identical']:,} of {one['untouched']:,} untouched rows of {visible_line(one['name'])}"
        lines.append(f"  {counts} are byte for byte as the project keeps them: the source {one['why']}")
    if len(copies) > MOST_SOURCES:
        lines.append(f"  and so those of {len(copies) - MOST_SOURCES:,} more files")
    return lines


def export_lines(summary: dict[str, Any]) -> list[str]:
    """An export in words."""
    lines = [
        f"{counted(summary['rows'], 'row')} to {summary['to']} ({summary['format']}), "
        f"{counted(summary['holdout_rows'], 'held-out row')} beside them"
    ]
    lines += proof_lines(summary)
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
    if not summary["scanned"]:
        lines.append("  no scan fits these rows: leaks and secrets were not looked for (`tamis scan PROJECT`)")
    lines += [f"  sha256 {digest}  {name}" for name, digest in summary["sha256"].items()]
    return lines
