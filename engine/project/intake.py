"""Taking rows in: written to `rows.jsonl` one behind the other, the columns of their index kept meanwhile."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from zlib import crc32

from engine.files import write_atomic
from engine.model import Quarantined
from engine.paths import real_path
from engine.project.quarantine import Quarantine
from engine.project.row_ids import content_hash
from engine.project.rows import INDEX_FILE, RowStore, index_bytes, read_columns
from engine.project.settings import ProjectSettings, SourceFile
from engine.sources.files.pieces import SourceRow
from engine.sources.verdicts.verdicts import said_in

Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 5000


@dataclass(slots=True)
class Intake:
    """The columns of `rows.idx` while rows are written: line starts with the end behind them, hashes, source lines,
    checksums; and what is counted of the source that is read: its first row, quarantined and joined records, notes."""

    aside: Quarantine
    starts: array[int] = field(default_factory=lambda: array("Q", [0]))
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    lines: array[int] = field(default_factory=lambda: array("I"))
    sums: array[int] | None = field(default_factory=lambda: array("I"))
    """None behind the rows of an earlier version, whose index has none."""
    notes: Counter[str] = field(default_factory=Counter)
    joined: int = 0
    judged: dict[str, array[int]] = field(default_factory=dict)
    """The rows of which another tool says something, by the tool (`came_along`)."""
    quarantined: int = 0
    first_row: int = 0
    first_reason: str = ""
    """Why the first of the quarantined records of this source is one."""

    def begin(self, known: SourceFile | None = None) -> None:
        """Count for another source from now on: one whose rows begin here, or go on here (`known`)."""
        self.first_row, self.first_reason = len(self.hashes), ""
        self.notes, self.joined, self.quarantined = Counter(), 0, 0
        if known is not None and (known.rows or known.quarantined):
            self.first_row, self.notes = known.first_row, Counter(known.notes)
            self.joined, self.quarantined = known.joined, known.quarantined

    @property
    def rows(self) -> int:
        """How many rows of the source there are."""
        return len(self.hashes) - self.first_row

    def take(self, piece: SourceRow | Quarantined, out: IO[bytes]) -> None:
        """Write a row, or set a line aside."""
        if isinstance(piece, Quarantined):
            self.aside.add(piece)
            self.quarantined += 1
            self.first_reason = self.first_reason or f"line {piece.line}: {piece.reason}"
            return
        if (said := said_in(piece.raw)) is not None:
            self.judged.setdefault(said.tool, array("I")).append(len(self.hashes))
        out.write(piece.content + b"\n")
        self.starts.append(self.starts[-1] + len(piece.content) + 1)
        self.hashes.append(content_hash(piece.raw))
        self.lines.append(piece.line)
        if self.sums is not None:
            self.sums.append(crc32(piece.content))
        self.notes.update(piece.notes)
        self.joined += piece.records - 1

    def take_all(
        self,
        pieces: Iterator[SourceRow | Quarantined],
        out: IO[bytes],
        progress: Progress | None = None,
        first: int | None = None,
    ) -> bool:
        """Take pieces until `first` rows are there; whether the source ended."""
        for piece in pieces:
            self.take(piece, out)
            if progress is not None and len(self.hashes) % PROGRESS_EVERY == 0:
                progress("reading", len(self.hashes), 0)
            if first is not None and len(self.hashes) >= first:
                return False
        return True

    def save(self, folder: Path, out: IO[bytes], index_file: str = INDEX_FILE) -> None:
        """Put what is written so far on disk: the rows first, the index that names them last."""
        out.flush()
        os.fsync(out.fileno())
        write_atomic(folder / index_file, index_bytes(self.starts, self.hashes, self.lines, self.sums))


def intake_behind(folder: Path, settings: ProjectSettings) -> Intake:
    """The columns of a project's index, to be added to."""
    store = RowStore(folder, settings.mapping)
    try:
        aside = Quarantine(folder, sum(source.quarantined for source in settings.sources))
        return Intake(aside, *read_columns(store))
    finally:
        store.close()


def source_files(source: Path) -> list[Path]:
    """The files of a source: itself, or all in its folder."""
    return [path for path in sorted(source.rglob("*")) if path.is_file()] if source.is_dir() else [source]


def source_size(source: Path) -> int:
    """Bytes of a source. Raises OSError."""
    return sum(path.stat().st_size for path in source_files(source))


def described_source(source: Path, format_name: str, intake: Intake, complete: bool = True) -> SourceFile:
    """The source that is read as `project.toml` describes it; its hash is taken once it was read whole."""
    digest = hashlib.sha256()
    for path in source_files(source) if complete else ():
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    hexadecimal = digest.hexdigest() if complete else ""
    return SourceFile(
        str(real_path(source)),
        format_name,
        hexadecimal,
        source_size(source),
        intake.rows,
        intake.quarantined,
        intake.first_row,
        complete,
        dict(intake.notes),
        intake.joined,
    )
