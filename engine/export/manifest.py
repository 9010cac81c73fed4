"""`tamis-manifest.json`: where a curated set came from and how it was decided, so that it can be traced later."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.export.licence import UNKNOWN, source_licence
from engine.paths import real_path
from engine.project.by_source import counts_by_source
from engine.project.journal import now
from engine.project.journal_ends import end_to_json
from engine.version import tamis_version

if TYPE_CHECKING:
    from engine.project.project import Project


def manifest(project: Project, summary: dict[str, Any], gate: dict[str, Any]) -> dict[str, Any]:
    """Sources, journals, reviewers, counts per reason, how many decisions were read against taken in bulk.

    `summary` is what was made of the rows, `gate` what the gate says of them: both stand in the manifest as they are.
    """
    counts = project.counts()
    decided = [number for number in range(len(project.rows)) if project.verdict(number) in ("accepted", "rejected")]
    return {
        "tamis": tamis_version(),
        "made": now(),
        "source": [
            {"name": source.name, "sha256": source.sha256}
            | counts
            | ({"fetched": source.fetched} if source.fetched else {})
            for source, counts in zip(project.settings.sources, counts_by_source(project), strict=True)
        ],
        "licence": _licence(project),
        "journals": {path.name: _hash_of(path, end.size) for path, end in project.journal_ends().items()},
        "journal_ends": {path.name: end_to_json(end) for path, end in project.journal_ends().items() if end.size},
        "reviewers": counts["reviewers"],
        "counts": counts,
        "rejected_because": _reasons(project, "rejected"),
        "accepted_because": _reasons(project, "accepted"),
        "read": counts["seen"],
        "bulk": len(decided) - counts["seen"],
        "gate": gate,
        "export": summary,
    }


def _licence(project: Project) -> str:
    """What all files say that came in from outside; unknown where they differ."""
    places = (Path(source.path) for source in project.settings.sources)
    found = {source_licence(place) for place in places if place.parent != real_path(project.folder)}
    return found.pop() if len(found) == 1 else UNKNOWN


def _hash_of(journal: Path, end: int) -> str:
    """The hash of as much of a journal as the rows stand on: it may have grown since."""
    with journal.open("rb") as stream:
        return hashlib.sha256(stream.read(end)).hexdigest()


def _reasons(project: Project, verdict: str) -> dict[str, int]:
    reasons = Counter(
        project.decision(n).why or "by eye" for n in range(len(project.rows)) if project.verdict(n) == verdict
    )
    return dict(reasons.most_common())
