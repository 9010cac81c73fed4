"""`python -P -m engine.jobs.scan PROJECT`: scan a project and keep the findings beside its rows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import TamisError
from engine.jobs.progress import end_when_parent_does, say
from engine.model import Findings
from engine.project.folder import Project, open_project
from engine.scan import scan

PREFERENCE = {"accepted": 1, "rejected": -1}


def scan_project(project: Project, progress: Callable[[str, int, int], None] | None = None) -> Findings:
    """Scan the rows as they stand (edits applied) and save the findings."""
    started = time.perf_counter()
    examples = [project.example(number) for number in range(len(project.rows))]
    reading = time.perf_counter() - started
    findings = scan(
        examples,
        heldout=project.heldout,
        prefer=lambda number: PREFERENCE.get(project.verdict(number), 0),
        progress=progress,
    )
    findings = Findings(
        findings.clusters,
        findings.flags,
        findings.buckets,
        {"read": round(reading, 3), **findings.seconds},
        findings.leaks,
    )
    project.save_findings(findings)
    return findings


def main() -> int:
    end_when_parent_does()
    try:
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            findings = scan_project(project, lambda phase, done, of: say(phase=phase, progress=done, of=of))
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, clusters=len(findings.clusters), flags=len(findings.flags))
    return 0


if __name__ == "__main__":
    sys.exit(main())
