"""`tamis status` on a project of a million rows with a million decisions: the first time, and every time after it."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.model import Act
from engine.project.create import create_project
from engine.project.journal import act_to_json, now
from engine.project.project import open_project


def made(folder: Path, rows: int) -> Path:
    """A project whose every row was decided by a line of its own, the odd ones rejected."""
    source = folder / "raw.jsonl"
    with source.open("w") as out:
        for number in range(rows):
            out.write(
                json.dumps(
                    {
                        "instruction": f"Question number {number} about {number * 7919 % 1000}?",
                        "output": f"Answer {number}.",
                    }
                )
                + "\n"
            )
    project = create_project(source)
    with open_project(project, readonly=True) as opened:
        journal = project / "decisions" / "ann@00000000.jsonl"
        with journal.open("w") as out:
            for number in range(rows):
                act = Act("reject" if number % 2 else "accept", (opened.rows.id(number),))
                line = {
                    "v": 1,
                    "n": number + 1,
                    "at": now(),
                    "by": "ann",
                    "acts": [act_to_json(act)],
                    "seen": [opened.rows.id(number)],
                }
                out.write(json.dumps(line) + "\n")
    return project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        project = made(Path(scratch), arguments.rows)
        figures = {"rows": arguments.rows, "made_s": time.perf_counter() - started}
        runs = []
        for _ in range(arguments.repeats + 1):
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "workbench.cli.main", "status", str(project), "--json"],
                capture_output=True,
                check=True,
            )
            runs.append(time.perf_counter() - started)
            assert json.loads(done.stdout)["accepted"] == (arguments.rows + 1) // 2
        figures |= {"first_s": runs[0], "then_s": statistics.median(runs[1:])}
        figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(", ".join(f"{name} {value:,.2f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
