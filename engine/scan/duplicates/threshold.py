"""The threshold, moved without a rescan: clusters keep how alike each member is to the keeper.

Standard library only: the workbench moves it while it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.model import BucketName, Cluster, Findings
from engine.scan.buckets import buckets_by_number

LOOSENED = ("exact", "near", "conflict")


@dataclass(frozen=True, slots=True)
class Borderline:
    """One member of a cluster and how alike (0-100) its request is to the keeper's."""

    score: float
    cluster: str
    keeper: int
    row: int


def borderline(findings: Findings) -> tuple[Borderline, ...]:
    """Every member of an exact, near or conflict cluster but the keepers, the least alike first: what a threshold
    would loosen next, and what to look at first.
    """
    found = [
        Borderline(score, cluster.id, cluster.keeper, row)
        for cluster in findings.clusters
        if cluster.kind in LOOSENED
        for row, score in zip(cluster.rows, cluster.scores, strict=False)
        if row != cluster.keeper
    ]
    return tuple(sorted(found, key=lambda pair: (pair.score, pair.keeper, pair.row)))


def rethreshold(findings: Findings, threshold: float) -> Findings:
    """The findings as if only requests alike to `threshold` (0-100) and more were the same.

    Members less alike to their keeper are loosened: they leave the cluster and take the bucket of their own flags. A
    cluster of one is none, and a conflict in which all voices left agree is none. Ids stay, so that a person's place is
    kept. Families and prefixes do not move. Never more than the scan found: a threshold below the scan's changes
    nothing.
    """
    clusters = tuple(kept for cluster in findings.clusters if (kept := _loosened(cluster, threshold)) is not None)
    if clusters == findings.clusters:
        return findings
    fresh = buckets_by_number(range(len(findings.buckets)), clusters, findings.flags)
    moved = {
        row for before in findings.clusters for row in before.rows if before.kind in LOOSENED and before not in clusters
    }
    buckets: tuple[BucketName, ...] = tuple(
        fresh[row] if row in moved else bucket for row, bucket in enumerate(findings.buckets)
    )
    return replace(findings, clusters=clusters, buckets=buckets)


def _loosened(cluster: Cluster, threshold: float) -> Cluster | None:
    """The cluster without its members below the threshold; None where nothing is left of it."""
    if cluster.kind not in LOOSENED or len(cluster.scores) != len(cluster.rows):
        return cluster
    kept = [
        place for place, row in enumerate(cluster.rows) if row == cluster.keeper or cluster.scores[place] >= threshold
    ]
    if len(kept) == len(cluster.rows):
        return cluster
    voices = tuple(cluster.voices[place] for place in kept) if cluster.voices else ()
    if len(kept) < 2 or (cluster.voices and len(set(voices)) < 2):
        return None
    loose = len(cluster.rows) - len(kept)
    who = "1 row" if loose == 1 else f"{loose} rows"
    line = f"{who} less alike than {threshold:.0f} of 100 left out"
    return replace(
        cluster,
        rows=tuple(cluster.rows[place] for place in kept),
        scores=tuple(cluster.scores[place] for place in kept),
        voices=voices,
        evidence=(line, *cluster.evidence),
    )
