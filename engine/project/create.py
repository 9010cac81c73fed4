"""Making a project folder from a source, and adding further rows to one. The source is only ever read."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from engine.errors import ProjectError, SourceError
from engine.files import sync_folder, write_atomic
from engine.model import Quarantined
from engine.project.ids import content_hash
from engine.project.rows import RowStore, read_columns, write_index
from engine.project.settings import ProjectSettings, SourceFile, read_settings, write_settings
from engine.sources.formats import source_format
from engine.sources.guess import guess_mapping
from engine.sources.mapping import Mapping, mapping_from_words
from engine.sources.pieces import SourceRow
from engine.sources.read import read_source

Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 5000


@dataclass(slots=True)
class _Intake:
    """What writing one source's rows into `rows.jsonl` yields."""

    starts: list[int] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    first_reason: str = ""


def project_folder_for(source: Path) -> Path:
    """Where the project of a source lives unless another place is named: `data/raw.jsonl.gz` -> `data/raw.tamis`."""
    name = source.name
    for suffix in (".gz", ".zst", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow"):
        name = name.removesuffix(suffix)
    return source.with_name(f"{name or source.name}.tamis")


def is_project(path: Path) -> bool:
    """Whether `path` is a project folder."""
    return (path / "project.toml").is_file()


def create_project(
    source: Path,
    folder: Path | None = None,
    *,
    words: str | None = None,
    key: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Read `source` whole and make its project folder; the folder appears only when it is complete.

    `words` is a mapping as on the command line (`prompt=a.b,response=c`). Raises SourceError where no row can be
    read or no shape is recognised, ProjectError where the folder cannot be written or already holds another project.
    """
    folder = folder or project_folder_for(source)
    if folder.exists():
        raise ProjectError(f"{folder}: already exists", "", "open it, or name another folder with --project")
    format_name = source_format(source)
    partial = _partial_folder(folder)
    try:
        with (partial / "rows.jsonl").open("wb") as out:
            intake = _write_rows(read_source(source, format_name), out, 0, progress)
            end = out.tell()
            out.flush()
            os.fsync(out.fileno())
        if not intake.hashes:
            raise SourceError(
                f"{source}: none of its lines is a JSON object", intake.first_reason, "check that it is the right file"
            )
        write_index(partial, [*intake.starts, end], intake.hashes, intake.lines)
        mapping = _mapping(partial, source, words)
        settings = ProjectSettings((_source_file(source, format_name, intake, 0),), mapping, key)
        write_settings(partial, settings)
        _write_quarantine(partial, intake.quarantined)
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


def _partial_folder(folder: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    except OSError as error:
        raise ProjectError(
            f"{folder.parent}: no project can be made here",
            error.strerror or str(error),
            "name another folder with --project",
        ) from error


def _write_rows(
    pieces: Iterator[SourceRow | Quarantined], out: IO[bytes], start: int, progress: Progress | None
) -> _Intake:
    intake = _Intake()
    at = start
    for piece in pieces:
        if isinstance(piece, Quarantined):
            intake.quarantined.append(piece)
            intake.first_reason = intake.first_reason or f"line {piece.line}: {piece.reason}"
            continue
        intake.starts.append(at)
        intake.hashes.append(content_hash(piece.raw))
        intake.lines.append(piece.line)
        at += out.write(piece.content + b"\n")
        if progress is not None and len(intake.hashes) % PROGRESS_EVERY == 0:
            progress("reading", len(intake.hashes), 0)
    return intake


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


def _source_file(source: Path, format_name: str, intake: _Intake, first_row: int) -> SourceFile:
    digest = hashlib.sha256()
    size = 0
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.is_file():
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
                    size += len(block)
    return SourceFile(
        str(source.resolve()),
        format_name,
        digest.hexdigest(),
        size,
        len(intake.hashes),
        len(intake.quarantined),
        first_row,
    )


def _write_quarantine(folder: Path, pieces: list[Quarantined]) -> None:
    existing = folder / "quarantine.jsonl"
    before = existing.read_bytes() if existing.exists() else b""
    lines = [
        json.dumps(
            {
                "line": piece.line,
                "offset": piece.offset,
                "reason": piece.reason,
                "bytes": base64.b64encode(piece.content).decode("ascii"),
            },
            ensure_ascii=False,
        )
        for piece in pieces
    ]
    if lines:
        write_atomic(existing, before + "".join(line + "\n" for line in lines).encode("utf-8"))


def append_rows(folder: Path, source: Path) -> range:
    """Add all rows of another file to a project; their numbers. Raises SourceError, ProjectError."""
    format_name = source_format(source)
    return append_pieces(folder, source, format_name, read_source(source, format_name))


def append_pieces(folder: Path, source: Path, format_name: str, pieces: Iterable[SourceRow | Quarantined]) -> range:
    """Add rows read from `source` to a project; their numbers.

    The index is replaced last, by rename: until then the project is what it was. Raises SourceError, ProjectError.
    """
    settings = read_settings(folder)
    store = RowStore(folder, settings.mapping, "")
    try:
        starts, hashes, lines = read_columns(store)
    finally:
        store.close()
    first = len(hashes)
    try:
        with (folder / "rows.jsonl").open("r+b") as out:
            # Anything behind the last indexed row is the rest of an addition that was cut off.
            out.truncate(starts[-1])
            out.seek(starts[-1])
            intake = _write_rows(iter(pieces), out, starts[-1], None)
            end = out.tell()
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise ProjectError(
            f"{folder}: rows cannot be added", error.strerror or str(error), "free some space"
        ) from error
    if not intake.hashes:
        raise SourceError(
            f"{source}: none of its lines is a JSON object", intake.first_reason, "check that it is the right file"
        )
    write_index(folder, [*starts[:-1], *intake.starts, end], hashes + intake.hashes, lines + intake.lines)
    _write_quarantine(folder, intake.quarantined)
    added = _source_file(source, format_name, intake, first)
    write_settings(folder, replace(settings, sources=(*settings.sources, added)))
    return range(first, first + len(intake.hashes))
