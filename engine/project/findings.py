"""The findings of a scan: kept beside the rows, asked by row and by cluster, what training said laid over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import compress
from pathlib import Path

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.model import Cluster, Findings, Flag
from engine.project.journal import now
from engine.project.rows import RowStore
from engine.scan.columns import FindingColumns
from engine.scan.store import pack_findings, read_findings
from engine.small_files import read_cache
from engine.sources.mapping import Mapping as RowMapping

SCAN_VERSION = 2
"""Findings of another version of the scan do not hold."""
SCAN_FILE = "scan.bin"
SECRETS = {"secrets": "in all that a row says"}
"""Where the scan has looked for secrets; those of earlier versions looked at the turns alone, and do not say so."""
# What findings were kept in up to version 1; nobody reads it any more.
OLD_SCAN_FILE = "scan.jsonl"


def scan_key(rows: RowStore, mapping: RowMapping, heldout: Iterable[int]) -> str:
    """What findings depend on: the rows, how they are read, and which are held out."""
    # A field may be called by what is no character: JSON writes "\\ud800".
    said = f"{SCAN_VERSION} {len(rows)} {mapping.describe()} {sorted(heldout)}".encode("utf-8", "surrogatepass")
    digest = blake2b(said, digest_size=16)
    digest.update(rows.fingerprint())
    return digest.hexdigest()


def save_findings(folder: Path, key: str, findings: Findings) -> FindingColumns | None:
    """Keep findings that hold for `key`, and give them back in columns. Raises ProjectError where the disk refuses."""
    content = pack_findings(findings, _about(key))
    write_atomic(folder / SCAN_FILE, content)
    (folder / OLD_SCAN_FILE).unlink(missing_ok=True)
    return read_findings(content, {"key": key})


def hold_findings(_folder: Path, key: str, findings: Findings) -> FindingColumns | None:
    """Findings in columns as `save_findings` gives them, kept nowhere."""
    return read_findings(pack_findings(findings, _about(key)), {"key": key})


def _about(key: str) -> dict[str, str]:
    return {"key": key, "at": now(), **SECRETS}


def load_findings(folder: Path, key: str) -> FindingColumns | None:
    """The findings on disk, or None where there are none that hold for `key`."""
    content = read_cache(folder / SCAN_FILE)
    try:
        return read_findings(content, {"key": key}) if content is not None else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Missing or damaged: it is a cache, a new scan makes it again.
        return None


def lost_findings(folder: Path) -> list[str]:
    """What is told where the findings were lost by a damage, not by rows that came since."""
    if not is_damaged(folder):
        return []
    return [f"{SCAN_FILE} is damaged: nothing is known of groups, leaks and flags until the next scan"]


def is_damaged(folder: Path) -> bool:
    """Whether there are findings on disk that cannot be believed, whatever they belong to."""
    content = read_cache(folder / SCAN_FILE)
    try:
        return content is not None and read_findings(content, {}) is None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return True


class FindingsByRow:
    """Findings in columns, and the suspicions of the last run that was read; built once and never changed."""

    def __init__(
        self,
        columns: FindingColumns | None,
        trained: Mapping[int, Sequence[Flag]] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.notes = tuple(notes)
        self.columns = columns
        self.findings: Findings | None = columns.findings if columns is not None else None
        self.suspects = {row: tuple(found) for row, found in (trained or {}).items()}
        self.leaking = frozenset(leak.row for leak in columns.leaks) if columns is not None else frozenset[int]()

    def clusters_of(self, number: int) -> tuple[Cluster, ...]:
        return self.columns.clusters_of(number) if self.columns is not None else ()

    def flags_of(self, number: int) -> tuple[Flag, ...]:
        """The flags of a row; what training says stands behind what proposes an act and before what is only worth a
        look."""
        scanned = self.columns.flags_of(number) if self.columns is not None else ()
        suspicions = self.suspects.get(number)
        if suspicions is None:
            return scanned
        acting = [flag for flag in scanned if flag.severity in ("drop", "fix")]
        return (*acting, *suspicions, *(flag for flag in scanned if flag.severity not in ("drop", "fix")))

    def top_signals(self, among: bytes | bytearray | None = None) -> dict[int, str]:
        """Row -> the signal of its first flag, for passes over all rows that have one; `among` has 1 for those to look
        at."""
        found: dict[int, str] = {}
        if self.columns is not None:
            rows, codes = self.columns.top_signals()
            names = map(self.columns.signals.__getitem__, codes)
            pairs = zip(rows, names, strict=True)
            found = dict(pairs if among is None else compress(pairs, map(among.__getitem__, rows)))
        for row in self.suspects:
            if among is None or among[row]:
                found[row] = self.flags_of(row)[0].signal
        return found

    def cluster(self, identifier: str) -> Cluster:
        """The cluster with this id or unique beginning of an id. Raises ProjectError."""
        number_by_id = self.columns.number_by_id if self.columns is not None else {}
        if identifier in number_by_id:
            near = [number_by_id[identifier]]
        else:
            near = [number for key, number in number_by_id.items() if key.startswith(identifier)]
        if len(near) != 1 or self.columns is None:
            how = "more than one cluster has an id that begins with" if near else "no cluster has the id"
            raise ProjectError(f"{how} {identifier!r}", "", "the list shows the ids")
        return self.columns.cluster(near[0])
