"""Making a project folder from a source, and adding further rows to one. The source is only ever read."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO

from engine.errors import ProjectError, SourceError
from engine.files import sync_folder
from engine.model import Quarantined
from engine.paths import project_folder_for
from engine.project.quarantine import Quarantine
from engine.project.row_ids import content_hash
from engine.project.rows import RowStore, read_columns, write_index
from engine.project.settings import ProjectSettings, SourceFile, read_settings, write_settings
from engine.sources.formats import source_format
from engine.sources.guess import guess_mapping
from engine.sources.mapping import Mapping, mapping_from_words
from engine.sources.pieces import SourceRow
from engine.sources.read import read_source

Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 5000
CHUNK_ROWS = 50_000


@dataclass(slots=True)
class _Intake:
    """The columns of `rows.idx` while rows are written: line starts with the end behind them, hashes, source lines."""

    aside: Quarantine
    starts: array[int] = field(default_factory=lambda: array("Q", [0]))
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    lines: array[int] = field(default_factory=lambda: array("I"))
    notes: Counter[str] = field(default_factory=Counter)

    def take(self, piece: SourceRow | Quarantined, out: IO[bytes]) -> None:
        """Write a row, or set a line aside."""
        if isinstance(piece, Quarantined):
            self.aside.add(piece)
            return
        out.write(piece.content + b"\n")
        self.starts.append(self.starts[-1] + len(piece.content) + 1)
        self.hashes.append(content_hash(piece.raw))
        self.lines.append(piece.line)
        self.notes.update(piece.notes)

    def save(self, folder: Path, out: IO[bytes]) -> None:
        """Put what is written so far on disk: the rows first, the index that names them last."""
        out.flush()
        os.fsync(out.fileno())
        self.aside.save()
        write_index(folder, self.starts, self.hashes, self.lines)


def _intake_of(folder: Path, settings: ProjectSettings) -> _Intake:
    """The columns of a project's index, to be added to."""
    store = RowStore(folder, settings.mapping, "")
    try:
        aside = Quarantine(folder, sum(source.quarantined for source in settings.sources))
        return _Intake(aside, *read_columns(store))
    finally:
        store.close()


def create_project(
    source: Path | str,
    folder: Path | None = None,
    *,
    words: str | None = None,
    key: str | None = None,
    progress: Progress | None = None,
    first: int | None = None,
) -> Path:
    """Read `source` and make its project folder; the folder appears only when what it says is whole.

    `words` is a mapping as on the command line (`prompt=a.b,response=c`). With `first`, only so many rows are read
    now, so that a large source can be looked at while `continue_reading` reads the rest. Raises SourceError where no
    row can be read or no shape is recognised, ProjectError where the folder cannot be written or exists already.
    """
    source = Path(source)
    folder = folder or project_folder_for(source)
    if folder.exists():
        raise ProjectError(f"{folder}: already exists", "", "open it, or name another folder with --project")
    format_name = source_format(source)
    partial = _partial_folder(folder)
    try:
        pieces = read_source(source, format_name)
        with (partial / "rows.jsonl").open("wb") as out:
            intake = _Intake(Quarantine(partial, 0))
            complete = _take_all(intake, pieces, out, progress, first)
            intake.save(partial, out)
        if not intake.hashes:
            raise SourceError(
                f"{source}: none of its lines can be read as a row",
                intake.aside.first_reason,
                "check that it is the right file",
            )
        mapping = _mapping(partial, source, words)
        described = _source_file(source, format_name, intake, 0, complete)
        write_settings(partial, ProjectSettings((described,), mapping, key))
        (partial / "decisions").mkdir(mode=0o700)
        os.rename(partial, folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise ProjectError(
            f"{folder}: the project cannot be written",
            error.strerror or str(error),
            "name another folder with --project",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _take_all(
    intake: _Intake,
    pieces: Iterator[SourceRow | Quarantined],
    out: IO[bytes],
    progress: Progress | None,
    first: int | None = None,
) -> bool:
    """Take pieces until `first` rows are there; whether the source ended."""
    for piece in pieces:
        intake.take(piece, out)
        if progress is not None and len(intake.hashes) % PROGRESS_EVERY == 0:
            progress("reading", len(intake.hashes), 0)
        if first is not None and len(intake.hashes) >= first:
            return False
    return True


def continue_reading(folder: Path, progress: Progress | None = None) -> int:
    """Read what is left of a project's source; the number of rows it then has. Nothing happens where it is whole.

    Rows become visible to other processes chunk by chunk, the chunks growing with the file. Raises ProjectError where
    the source changed since the first rows were read.
    """
    settings = read_settings(folder)
    described = settings.source
    if described.complete:
        return described.rows
    source = Path(described.path)
    if not source.exists() or _size(source) != described.size:
        raise ProjectError(
            f"{source}: changed while it was being read", "", f"remove {folder} and open the source again"
        )
    intake = _intake_of(folder, settings)
    pieces = islice(read_source(source, described.format), described.rows + described.quarantined, None)
    try:
        with (folder / "rows.jsonl").open("r+b") as out:
            out.truncate(intake.starts[-1])
            out.seek(intake.starts[-1])
            complete = False
            while not complete:
                goal = len(intake.hashes) + max(CHUNK_ROWS, len(intake.hashes))
                complete = _take_all(intake, pieces, out, progress, goal)
                intake.save(folder, out)
                now = replace(
                    _source_file(source, described.format, intake, 0, complete),
                    quarantined=described.quarantined + intake.aside.count,
                    notes=dict(intake.notes + Counter(described.notes)),
                )
                write_settings(folder, replace(settings, sources=(now, *settings.sources[1:])))
    except OSError as error:
        raise ProjectError(
            f"{folder}: rows cannot be added", error.strerror or str(error), "free some space"
        ) from error
    return len(intake.hashes)


def _partial_folder(folder: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    except OSError as error:
        raise ProjectError(
            f"{folder.parent}: no project can be made here",
            error.strerror or str(error),
            "name another folder with --project",
        ) from error


def _mapping(folder: Path, source: Path, words: str | None) -> Mapping:
    if words:
        return mapping_from_words(words)
    store = RowStore(folder, Mapping("alpaca", {}), source.name)
    try:
        mapping = guess_mapping(store.raw(number) for number in range(len(store)))
        if mapping is None:
            fields = ", ".join(list(store.raw(0))[:8])
            raise SourceError(
                f"{source}: no known shape (its fields: {fields})",
                "",
                "say which field is what: --map prompt=FIELD,response=FIELD",
            )
        return mapping
    finally:
        store.close()


def _files(source: Path) -> list[Path]:
    return [path for path in sorted(source.rglob("*")) if path.is_file()] if source.is_dir() else [source]


def _size(source: Path) -> int:
    return sum(path.stat().st_size for path in _files(source))


def _source_file(source: Path, format_name: str, intake: _Intake, first_row: int, complete: bool = True) -> SourceFile:
    """A source as `project.toml` describes it; its hash is taken once it was read whole."""
    digest = hashlib.sha256()
    for path in _files(source) if complete else ():
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    hexadecimal = digest.hexdigest() if complete else ""
    return SourceFile(
        str(source.resolve()),
        format_name,
        hexadecimal,
        _size(source),
        len(intake.hashes) - first_row,
        intake.aside.count,
        first_row,
        complete,
        dict(intake.notes),
    )


def append_rows(folder: Path, source: Path) -> range:
    """Add all rows of another file to a project; their numbers. Raises SourceError, ProjectError."""
    format_name = source_format(source)
    return append_pieces(folder, source, format_name, read_source(source, format_name))


def append_pieces(folder: Path, source: Path, format_name: str, pieces: Iterable[SourceRow | Quarantined]) -> range:
    """Add rows read from `source` to a project; their numbers.

    The index is replaced last, by rename: until then the project is what it was. Raises SourceError, ProjectError.
    """
    settings = read_settings(folder)
    intake = _intake_of(folder, settings)
    first = len(intake.hashes)
    try:
        with (folder / "rows.jsonl").open("r+b") as out:
            # Anything behind the last indexed row is the rest of an addition that was cut off.
            out.truncate(intake.starts[-1])
            out.seek(intake.starts[-1])
            _take_all(intake, iter(pieces), out, None)
            if len(intake.hashes) == first:
                raise SourceError(
                    f"{source}: none of its lines can be read as a row",
                    intake.aside.first_reason,
                    "check that it is the right file",
                )
            intake.save(folder, out)
    except OSError as error:
        raise ProjectError(
            f"{folder}: rows cannot be added", error.strerror or str(error), "free some space"
        ) from error
    added = _source_file(source, format_name, intake, first)
    write_settings(folder, replace(settings, sources=(*settings.sources, added)))
    return range(first, len(intake.hashes))
