"""What the last scan found in an open project, and the last run that was read: the part of `Project` that says so."""

from __future__ import annotations

from pathlib import Path

from engine.model import Cluster, Findings, Flag
from engine.project.findings import (
    SECRETS,
    FindingsByRow,
    hold_findings,
    load_findings,
    lost_findings,
    save_findings,
    scan_key,
)
from engine.project.row_states import States
from engine.project.rows import RowStore
from engine.project.settings import ProjectSettings
from engine.project.suspects import Suspects, load_suspects, suspect_flags
from engine.scan.columns import FindingColumns
from engine.sources.mapping import Mapping as RowMapping


class ScannedRows:
    """Rows by number, as findings and suspicions speak of them. `Project` opens what it stands on."""

    folder: Path
    settings: ProjectSettings
    rows: RowStore
    suspects: Suspects
    _states: States
    _findings: FindingsByRow
    _is_staged: bool

    @property
    def mapping(self) -> RowMapping:
        """How rows are read: as the source was opened, or as a journal corrects it."""
        return self._states.mapping or self.settings.mapping

    def scan_key(self) -> str:
        """What findings depend on: the rows, how they are read, and what is held out."""
        return scan_key(self.rows, self.mapping, self._states.heldout)

    def save_findings(self, findings: Findings, *, keep: bool = True) -> None:
        """Keep the findings beside the rows, a cache; or only while the project is open. Raises ProjectError."""
        # Those of rows that wait would take the place of those of the rows that count.
        make = save_findings if keep and not self._is_staged else hold_findings
        self._take_findings(make(self.folder, self.scan_key(), findings))

    def reload_findings(self) -> bool:
        """Read the findings from disk; False where there are none that fit these rows."""
        columns = load_findings(self.folder, self.scan_key())
        self._take_findings(columns)
        return columns is not None

    def _take_findings(self, columns: FindingColumns | None) -> None:
        self.suspects = load_suspects(self.folder)
        notes = lost_findings(self.folder) if columns is None else []
        self._findings = FindingsByRow(columns, suspect_flags(self.suspects, self.rows), notes)

    @property
    def findings(self) -> Findings | None:
        """What the last scan found, or None where no scan fits these rows."""
        return self._findings.findings

    @property
    def is_scanned_for_secrets(self) -> bool:
        """Whether such a scan has looked for secrets in all that a row says; one of an earlier version has not."""
        about = self._findings.columns.about if self._findings.columns is not None else {}
        return self.is_scanned and about.items() >= SECRETS.items()

    @property
    def is_scanned(self) -> bool:
        """Whether a scan of these rows went to its end; one that was cancelled leaves its exact groups behind."""
        return self.findings is not None and self.findings.complete

    @property
    def finding_columns(self) -> FindingColumns | None:
        """The findings in columns, for passes over all of them."""
        return self._findings.columns

    def top_signals(self, among: bytes | bytearray | None = None) -> dict[int, str]:
        """Each row that has flags -> the signal of its first; `among` has 1 for the rows to look at, else 0."""
        return self._findings.top_signals(among)

    def clusters_of(self, number: int) -> tuple[Cluster, ...]:
        return self._findings.clusters_of(number)

    def flags_of(self, number: int) -> tuple[Flag, ...]:
        return self._findings.flags_of(number)

    def bucket(self, number: int) -> str:
        return self.findings.buckets[number] if self.findings is not None else ""

    def is_suspect(self, number: int) -> bool:
        """Whether the last run that was read names the row, and nobody has judged it since."""
        return number in self._findings.suspects and self._states.state(number).at <= self.suspects.at

    def is_leaking(self, number: int) -> bool:
        """Whether a training row is a twin of a held-out one."""
        return number in self._findings.leaking and number not in self._states.heldout

    def cluster(self, identifier: str) -> Cluster:
        """The cluster with this id or unique beginning of an id. Raises ProjectError."""
        return self._findings.cluster(identifier)
