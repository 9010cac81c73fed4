"""`tamis export-model`: a run's model for elsewhere, verified, with the commands that serve and convert it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from engine.phrases import counted
from engine.training.runs.registry import find_run
from engine.workflows.export_model import export_model
from workbench.cli.output import Narrator, print_json, say

KINDS = {"adapter": "the adapter", "merged": "the adapter merged into its base", "full": "the whole model"}


def export_run(arguments: argparse.Namespace) -> int:
    """`tamis export-model RUN [--to FOLDER]`."""
    narrator = Narrator()
    try:
        summary = export_model(
            find_run(arguments.run),
            arguments.to,
            merged=arguments.merged,
            best=arguments.best,
            base=arguments.base,
            licence=arguments.license,
            progress=narrator,
        )
    finally:
        narrator.end()
    if arguments.json:
        print_json(summary)
        return 0
    for line in lines_of(summary):
        say(line)
    return 0


def lines_of(summary: Mapping[str, Any]) -> Iterator[str]:
    """An exported model in words."""
    step = f" of step {summary['step']}" if summary["step"] is not None else ""
    written = f", {summary['dtype']}" if summary["dtype"] else ""
    yield f"{KINDS[summary['kind']]}{step} to {summary['to']} ({summary['bytes'] / 1e6:,.1f} MB{written})"
    verified = summary["verified"]
    yield (
        f"  loaded again and compared with the run's model: the same likeliest token at {verified['top1']:.1%} of "
        f"{counted(verified['tokens'], 'place')} in {counted(verified['rows'], 'row')}, "
        f"logits differ by at most {verified['max_abs']:g}"
    )
    yield from (f"  note: {note}" for note in summary["notes"])
    for each in summary["commands"]:
        yield f"{each['what']}:"
        yield from (f"  {words}" for words in each["command"].split("\n"))
