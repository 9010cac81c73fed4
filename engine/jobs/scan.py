"""`python -P -m engine.jobs.scan PROJECT`: scan a project and keep the findings beside its rows.

Exact clusters are saved as soon as they are known (progress line `{"stage": "exact", "clusters": n}`), the rest when
all is done; a scan that is cancelled in between keeps the exact ones. What was worked out by content stays in
`scan.cache`, so that the next scan works out what changed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.config import load_config
from engine.errors import ProjectError, TamisError
from engine.jobs.protocol import end_when_parent_does, say
from engine.model import Findings
from engine.project.project import Project, open_project
from engine.project.row_content import changed_words
from engine.review.outcomes import demoted, outcomes, records
from engine.scan.pipeline import scan
from engine.scan.signals.settings import configured
from engine.scan.signals.signal import Signal

PREFERENCE = {"accepted": 1, "rejected": -1}
# Progress while rows are read: now and then is often enough.
READ_SPACING = 0.1


def scan_project(
    project: Project,
    progress: Callable[[str, int, int], None] | None = None,
    exact_found: Callable[[Findings], None] | None = None,
    processes: int | None = None,
    *,
    must_keep: bool = True,
    tell: Callable[[str], None] | None = None,
) -> Findings:
    """Scan the rows as they stand (edits applied, a person's word on pairs kept) and save the findings.

    `exact_found` is called once the exact clusters are saved. They are not saved over findings of the same rows.
    `processes` as for `engine.scan.pipeline.scan`. Without `must_keep` a disk that refuses is no fault: the findings
    then last as long as `project` is open. `tell` is given a sentence where rows are not what was read.
    """
    from engine.scan.cache import load_cache, save_cache

    started = time.perf_counter()
    examples, changed = [], []
    last = 0.0
    for number in range(len(project.rows)):
        examples.append(project.example(number))
        if not project.rows.is_as_read(number):
            changed.append(number)
        if progress is not None and number % 200 == 0 and time.perf_counter() - last > READ_SPACING:
            last = time.perf_counter()
            progress("reading", number, len(project.rows))
    if changed and tell is not None:
        tell(changed_words(project.folder, changed))
    reading = round(time.perf_counter() - started, 3)
    apart = _sets_of_rows(project)

    def timed(findings: Findings) -> Findings:
        return Findings(
            findings.clusters,
            findings.flags,
            findings.buckets,
            {"read": reading, **findings.seconds},
            findings.leaks,
            findings.complete,
        )

    def keep_exact(findings: Findings) -> None:
        if must_keep and (project.findings is None or not project.findings.complete):
            project.save_findings(timed(findings))
        if exact_found is not None:
            exact_found(findings)

    cache = load_cache(project.folder)
    findings = timed(
        scan(
            examples,
            heldout=project.heldout,
            prefer=lambda number: PREFERENCE.get(project.verdict(number), 0),
            not_duplicates=apart["not_duplicates"],
            fine_together=apart["fine_together"],
            split=apart["split"],
            exact_first=keep_exact,
            cache=cache,
            signals=_signals(project),
            progress=progress,
            processes=processes,
        )
    )
    try:
        project.save_findings(findings)
        save_cache(project.folder, cache)
    except ProjectError:
        if must_keep:
            raise
        project.save_findings(findings, keep=False)
    return findings


def _signals(project: Project) -> tuple[Signal, ...]:
    """The table as the settings want it; signals that this person's verdicts contradict only inform."""
    flags = project.findings.flags if project.findings is not None else ()
    found = ((flag.row, flag.signal) for flag in flags)
    wrong = demoted(records(found, outcomes(project))) if flags else frozenset()
    return configured(load_config(project.folder).signals, wrong)


def _sets_of_rows(project: Project) -> dict[str, list[frozenset[int]]]:
    """What people said about rows that look the same, as sets of row numbers; ids without a row are left out."""
    found: dict[str, list[frozenset[int]]] = {"not_duplicates": [], "fine_together": [], "split": []}
    for act in project.constraints():
        numbers = (project.rows.number(identifier) for identifier in act.ids)
        found[act.do].append(frozenset(number for number in numbers if number is not None))
    return found


def main() -> int:
    end_when_parent_does()
    told: list[str] = []
    try:
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            findings = scan_project(
                project,
                lambda phase, done, of: say(phase=phase, progress=done, of=of),
                lambda found: say(stage="exact", clusters=len(found.clusters)),
                # The other thread only waits for stdin to close.
                processes=2,
                tell=told.append,
            )
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, clusters=len(findings.clusters), flags=len(findings.flags), told=told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
