"""The findings of a scan, indexed by row and by cluster id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.errors import ProjectError
from engine.model import Cluster, Findings, Flag


class Found:
    """Findings with their indexes, and what training said of rows; built once and never changed."""

    def __init__(self, findings: Findings | None, trained: Mapping[int, Sequence[Flag]] | None = None) -> None:
        self.findings = findings
        self.suspects = {row: tuple(found) for row, found in (trained or {}).items()}
        clusters: dict[int, list[Cluster]] = {}
        flags: dict[int, list[Flag]] = {}
        for cluster in findings.clusters if findings else ():
            for row in cluster.rows:
                clusters.setdefault(row, []).append(cluster)
        for flag in findings.flags if findings else ():
            flags.setdefault(flag.row, []).append(flag)
        for row, suspicions in self.suspects.items():
            # Behind what proposes an act, before what is only worth a look.
            scanned = flags.get(row, [])
            acting = [flag for flag in scanned if flag.severity in ("drop", "fix")]
            flags[row] = [*acting, *suspicions, *(flag for flag in scanned if flag.severity not in ("drop", "fix"))]
        self._clusters = {row: tuple(found) for row, found in clusters.items()}
        self.flagged: dict[int, tuple[Flag, ...]] = {row: tuple(found) for row, found in flags.items()}
        self._by_id = {cluster.id: cluster for cluster in findings.clusters} if findings else {}
        self.leaking = frozenset(leak.row for leak in findings.leaks) if findings else frozenset[int]()

    def clusters_of(self, number: int) -> tuple[Cluster, ...]:
        return self._clusters.get(number, ())

    def flags_of(self, number: int) -> tuple[Flag, ...]:
        return self.flagged.get(number, ())

    def cluster(self, identifier: str) -> Cluster:
        """The cluster with this id or unique beginning of an id. Raises ProjectError."""
        found = self._by_id.get(identifier)
        if found is not None:
            return found
        near = [cluster for key, cluster in self._by_id.items() if key.startswith(identifier)]
        if len(near) != 1:
            how = "more than one cluster" if near else "no cluster"
            raise ProjectError(f"{how} has the id {identifier!r}", "", "the list shows the ids")
        return near[0]
