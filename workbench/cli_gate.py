"""`tamis gate PROJECT`: may this set be trained on? For CI, and before a run."""

from __future__ import annotations

import argparse

from engine.project.folder import open_project
from engine.project.gate import GateResult, gate, gate_file, gate_json, override_gate
from workbench.cli_common import find_project, narrate, open_for_deciding, print_json
from workbench.safe_text import visible

MARKS = {True: "ok", False: "NOT MET", None: "-"}
SHOWN_ROWS = 12


def run_gate(arguments: argparse.Namespace) -> int:
    """Exit code 1 where a limit is not kept and was not set aside in words."""
    folder = find_project(arguments.project)
    if arguments.override:
        with open_for_deciding(folder, arguments.reviewer) as project:
            result = override_gate(project, arguments.override)
            told = gate_json(project, result)
    else:
        with open_project(folder, readonly=True) as project:
            result = gate(project)
            told = gate_json(project, result)
            if not result.has_file:
                narrate(f"no {gate_file(project)}: nothing is asked for, so nothing is refused; docs/gate.md has one")
    if arguments.json:
        print_json(told)
    else:
        for line in gate_lines(result):
            print(visible(line))
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
        lines.append(f"{len(result.failed)} limits are not kept")
    elif result.has_file:
        lines.append("every limit is kept")
    return lines
