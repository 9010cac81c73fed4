"""Making a project folder from a source, and adding further rows to one. The source is only ever read."""

from __future__ import annotations

import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import IO

from engine.errors import ProjectError, SourceError, UsageError
from engine.files import remove_dead, sync_folder, temporary_folder
from engine.model import Quarantined
from engine.paths import project_folder_for
from engine.places import refuse_folder
from engine.project.came_along import take_along
from engine.project.intake import (
    Intake,
    Progress,
    described_source,
    intake_behind,
    source_size,
)
from engine.project.quarantine import QUARANTINE_FILE, Quarantine
from engine.project.row_change import changing_rows, declare, next_name, settle, settle_left_over, staged_rows
from engine.project.row_lock import READING
from engine.project.rows import INDEX_FILE, ROWS_FILE, RowStore, first_rows
from engine.project.settings import SETTINGS_FILE, ProjectSettings, read_settings, write_settings
from engine.sources.formats import source_format
from engine.sources.guess import guess_mapping
from engine.sources.likely import likely_mapping, paths_of, with_role_words
from engine.sources.map_words import MESSAGE_WORDS, mapping_from_words, words_of
from engine.sources.mapping import Mapping
from engine.sources.pieces import SourceRow
from engine.sources.places import places_of
from engine.sources.read import read_source

CHUNK_ROWS = 50_000


def create_project(
    source: Path | str,
    folder: Path | None = None,
    *,
    words: str | None = None,
    key: str | None = None,
    progress: Progress | None = None,
    first: int | None = None,
    propose: bool = False,
    encoding: str | None = None,
) -> Path:
    """Read `source` and make its project folder; the folder appears only when what it says is whole.

    `words` is a mapping as on the command line (`prompt=a.b,response=c`), `encoding` that of a text which is not UTF-8.
    With `first`, only so many rows are read now, so that a large source can be looked at while `continue_reading` reads
    the rest. With `propose`, a file of no known shape is read by a likely mapping, or by one that names no field:
    whoever asks for it shows it. Raises SourceError where no row can be read or no shape is recognised, ProjectError
    where the folder cannot be written or exists already.
    """
    source = Path(source)
    folder = folder or project_folder_for(source)
    if folder.exists():
        raise ProjectError(f"{folder}: already exists", "", "open it, or name another folder with --project")
    refuse_folder(folder, [source])
    format_name = source_format(source, encoding)
    partial, descriptor = _partial_folder(folder)
    try:
        pieces = read_source(source, format_name)
        with (partial / ROWS_FILE).open("wb") as out:
            intake = Intake(Quarantine(partial, 0))
            complete = intake.take_all(pieces, out, progress, first)
            intake.save(partial, out)
            intake.aside.save(partial / QUARANTINE_FILE)
        if not intake.hashes:
            raise SourceError(
                f"{source}: none of its lines can be read as a row",
                intake.aside.first_reason,
                "check that it is the right file",
            )
        mapping = _mapping(partial, source, words, propose=propose)
        described = described_source(source, format_name, intake, 0, complete)
        write_settings(partial, ProjectSettings((described,), mapping, key))
        (partial / "decisions").mkdir(mode=0o700)
        _propose(partial, intake, RowStore(partial, mapping, source.name))
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
        os.close(descriptor)
    return folder


def continue_reading(folder: Path, progress: Progress | None = None) -> int:
    """Read what is left of a project's source; the number of rows it then has. Nothing happens where it is whole.

    Rows become visible to other processes chunk by chunk, the chunks growing with the file. Raises LockedError where
    another process changes the rows, ProjectError where the source changed since the first rows were read.
    """
    settle_left_over(folder)
    described = read_settings(folder).source
    if described.complete:
        return described.rows
    with changing_rows(folder, READING):
        settings = read_settings(folder)
        if settings.source.complete:
            return settings.source.rows
        return _read_on(folder, settings, progress)


def _read_on(folder: Path, settings: ProjectSettings, progress: Progress | None) -> int:
    described = settings.source
    source = Path(described.path)
    if not source.exists() or source_size(source) != described.size:
        raise ProjectError(
            f"{source}: changed while it was being read", "", f"remove {folder} and open the source again"
        )
    intake = intake_behind(folder, settings)
    pieces = islice(read_source(source, described.format), described.rows + described.quarantined, None)
    try:
        with (folder / ROWS_FILE).open("r+b") as out:
            out.seek(intake.starts[-1])
            complete = False
            while not complete:
                goal = len(intake.hashes) + max(CHUNK_ROWS, len(intake.hashes))
                complete = intake.take_all(pieces, out, progress, goal)
                now = replace(
                    described_source(source, described.format, intake, 0, complete),
                    quarantined=described.quarantined + intake.aside.count,
                    notes=dict(intake.notes + Counter(described.notes)),
                    joined=described.joined + intake.joined,
                )
                _stage(folder, intake, out, replace(settings, sources=(now, *settings.sources[1:])))
                declare(folder)
                settle(folder)
    except OSError as error:
        raise _not_added(folder, error) from error
    return len(intake.hashes)


def _stage(folder: Path, intake: Intake, out: IO[bytes], settings: ProjectSettings) -> None:
    """Rows on disk, and beside the files in force those that would speak of them."""
    intake.save(folder, out, next_name(INDEX_FILE))
    intake.aside.save(folder / next_name(QUARANTINE_FILE))
    write_settings(folder, settings, next_name(SETTINGS_FILE))
    # Before the rows count: what is proposed for rows that never come is nobody's.
    _propose(folder, intake, staged_rows(folder)[1])


def _propose(folder: Path, intake: Intake, rows: RowStore) -> None:
    """Make proposals of the verdicts that came along with the rows taken in since."""
    try:
        if intake.judged:
            take_along(folder, rows, intake.judged, rows.source)
            intake.judged.clear()
    finally:
        rows.close()


def _not_added(folder: Path, error: OSError) -> ProjectError:
    return ProjectError(f"{folder}: rows cannot be added", error.strerror or str(error), "free some space")


def _partial_folder(folder: Path) -> tuple[Path, int]:
    """A folder of our own beside the project's place; what killed processes left of such is taken away."""
    try:
        remove_dead(folder.parent, folder.name)
        return temporary_folder(folder)
    except OSError as error:
        raise ProjectError(
            f"{folder.parent}: no project can be made here",
            error.strerror or str(error),
            "name another folder with --project",
        ) from error


def _mapping(folder: Path, source: Path, words: str | None, *, propose: bool) -> Mapping:
    store = RowStore(folder, Mapping("alpaca", {}), source.name)
    try:
        if words:
            named = mapping_from_words(words)
            _check_fields(source, named, store)
            return with_role_words(named, list(first_rows(store)))
        mapping = guess_mapping(store.raw(number) for number in range(len(store)))
        if mapping is None:
            sample = list(first_rows(store))
            likely, first = likely_mapping(sample), sample[0]
            if propose:
                return likely or Mapping("alpaca", {})
            words = words_of(likely) if likely is not None else ""
            example = f"for example --map {shlex.quote(words)}" if words else "--map prompt=FIELD,response=FIELD"
            raise SourceError(
                f"{source}: no known shape (its fields: {', '.join(list(first)[:8])})",
                "",
                f"say which field is what, {example}",
            )
        return mapping
    finally:
        store.close()


def _check_fields(source: Path, mapping: Mapping, store: RowStore) -> None:
    """Raises UsageError, with the nearest field, where no row has one that the mapping names: all would be empty."""
    for part in mapping.fields:
        if part in MESSAGE_WORDS or (mapping.shape == "messages" and part in ("prompt", "response")):
            continue
        name = mapping.fields[part]
        if any(places_of(store.raw(number), name) for number in range(len(store))):
            continue
        sample = list(first_rows(store))
        fields = paths_of(sample)
        near = get_close_matches(name, fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"its fields: {', '.join(fields[:8])}"
        raise UsageError(f"{source}: no row has a field {name[:60]!r}", "", hint)


def stage_rows(
    folder: Path,
    source: Path,
    format_name: str,
    pieces: Iterable[SourceRow | Quarantined],
    *,
    same_file: bool = False,
) -> range:
    """Write rows read from `source` behind those of a project, to be declared; their numbers. Under `changing_rows`.

    With `same_file`, rows that follow others of the same file make no source of their own in `project.toml`. Raises
    SourceError, ProjectError.
    """
    settings = read_settings(folder)
    intake = intake_behind(folder, settings)
    first = len(intake.hashes)
    try:
        with (folder / ROWS_FILE).open("r+b") as out:
            out.seek(intake.starts[-1])
            intake.take_all(iter(pieces), out)
            if len(intake.hashes) == first:
                raise SourceError(
                    f"{source}: none of its lines can be read as a row",
                    intake.aside.first_reason,
                    "check that it is the right file",
                )
            added = described_source(source, format_name, intake, first)
            before = settings.sources
            last = before[-1]
            if same_file and last.path == added.path and last.first_row + last.rows == first:
                before = before[:-1]
                rows, joined = last.rows + added.rows, last.joined + added.joined
                added = replace(added, rows=rows, first_row=last.first_row, joined=joined)
            _stage(folder, intake, out, replace(settings, sources=(*before, added)))
    except OSError as error:
        raise _not_added(folder, error) from error
    return range(first, len(intake.hashes))
