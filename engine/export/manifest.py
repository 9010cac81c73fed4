"""`tamis-manifest.json`: where a curated set came from and how it was decided, so that it can be traced later."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.export.licence import UNKNOWN, source_licence
from engine.export.redact import Redaction, redaction
from engine.paths import real_path
from engine.project.by_source import counts_by_source
from engine.project.journal import now
from engine.project.journal_ends import end_to_json
from engine.version import tamis_version

if TYPE_CHECKING:
    from engine.project.project import Project


def manifest(
    project: Project, summary: dict[str, Any], gate: dict[str, Any], told: Redaction | None = None
) -> dict[str, Any]:
    """Sources, journals, reviewers, counts per reason, how many decisions were read against taken in bulk.

    `summary` is what was made of the rows, `gate` what the gate says of them: both stand in the manifest, the place on
    this machine aside. `told` says how people and reasons are told; without it neither e-mail addresses nor words.
    """
    told = told or redaction(project)
    counts = told.counts(project.counts())
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
        "journals": {told.journal(path): _hash_of(path, end.size) for path, end in project.journal_ends().items()},
        "journal_ends": {
            told.journal(path): end_to_json(end) for path, end in project.journal_ends().items() if end.size
        },
        "reviewers": counts["reviewers"],
        "counts": counts,
        "rejected_because": _reasons(project, "rejected", told),
        "accepted_because": _reasons(project, "accepted", told),
        "read": counts["seen"],
        "bulk": len(decided) - counts["seen"],
        "gate": gate | {"override": gate["override"] and told.word(gate["override"])},
        "export": _without_places(summary, told),
    }


def _without_places(summary: dict[str, Any], told: Redaction) -> dict[str, Any]:
    """What was made, without where on this machine it was put."""
    place = {"to": Path(summary["to"]).name} if "to" in summary else {}
    let_through = summary.get("secrets_let_through")
    return summary | place | ({"secrets_let_through": told.word(let_through)} if let_through else {})


def _licence(project: Project) -> str:
    """What all files say that came in from outside; unknown where they differ."""
    places = (Path(source.path) for source in project.settings.sources)
    found = {source_licence(place) for place in places if place.parent != real_path(project.folder)}
    return found.pop() if len(found) == 1 else UNKNOWN


def _hash_of(journal: Path, end: int) -> str:
    """The hash of as much of a journal as the rows stand on: it may have grown since."""
    with journal.open("rb") as stream:
        return hashlib.sha256(stream.read(end)).hexdigest()


def _reasons(project: Project, verdict: str, told: Redaction) -> dict[str, int]:
    reasons = Counter(
        told.reason(project.decision(n).why) for n in range(len(project.rows)) if project.verdict(n) == verdict
    )
    return dict(reasons.most_common())
