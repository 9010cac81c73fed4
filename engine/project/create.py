"""Making a project folder from one source or several, and adding further rows to one. Sources are only ever read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO

from engine.errors import ProjectError, shell_command
from engine.files import (
    SHARED_FOLDER,
    make_private_folder,
    open_private,
    remove_dead,
    sync_folder,
    temporary_folder,
)
from engine.model import Quarantined
from engine.paths import project_folder_for, real_path
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
from engine.project.rows import INDEX_FILE, ROWS_FILE, RowStore
from engine.project.settings import SETTINGS_FILE, ProjectSettings, SourceFile, read_settings, write_settings
from engine.project.source_mapping import project_mapping, with_own_mapping
from engine.sources.files.no_records import no_rows
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import SAMPLE_ROWS, Mapping
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.trust import Waiting, is_trusted, trust

CHUNK_ROWS = 50_000
KIND = "source"


def create_project(
    source: Path | str,
    folder: Path | None = None,
    *,
    further: Sequence[Path] = (),
    words: str | None = None,
    key: str | None = None,
    progress: Progress | None = None,
    first: int | None = None,
    propose: bool = False,
    encoding: str | None = None,
    fetched: dict[Path, str] | None = None,
    shared: bool = False,
) -> Path:
    """Read `source`, and the `further` ones behind it, and make their project folder, named after the first; the folder
    appears only when what it says is whole.

    `words` is a mapping as on the command line (`prompt=a.b,response=c`), `encoding` that of texts which are not UTF-8.
    With `first`, only so many rows are read now, so that large sources can be looked at while `continue_reading` reads
    the rest. With `propose`, a first source of no known shape is read by a likely mapping, or by one that names no
    field: whoever asks for it shows it. `fetched` says of a source where it was fetched from. The project is for nobody
    else (0700), with `shared` for the group as well (2770), as is all that is made in it later.

    Raises SourceError, which names the source, where one is of a kind that is not read, where no row of one can be read
    or no shape is recognised, ProjectError where the folder cannot be written or exists already.
    """
    sources = [Path(source), *further]
    folder = folder or project_folder_for(sources[0])
    if folder.exists():
        raise ProjectError(f"{folder}: already exists", "", "open it, or name another folder with --project")
    refuse_folder(folder, sources)
    # All of them before any is read: what is wrong with the last one is not told after an hour.
    formats = [source_format(path, encoding) for path in sources]
    partial, descriptor = _partial_folder(folder)
    try:
        if shared:
            # The group is that of the folder above where that hands its own down, else the person's at the moment.
            partial.chmod(SHARED_FOLDER)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        with os.fdopen(open_private(partial / ROWS_FILE, flags), "wb") as out:
            intake = Intake(Quarantine(partial, 0))
            described = [
                _fetched(path, _take_source(path, kind, intake, out, progress, first), fetched or {})
                for path, kind in zip(sources, formats, strict=True)
            ]
            intake.save(partial, out)
            intake.aside.save(partial / QUARANTINE_FILE)
        mapping = project_mapping(partial, sources[0], described[0].rows, words, propose=propose)
        settings = ProjectSettings(tuple(described), mapping, key)
        for place in range(1, len(described)):
            settings = with_own_mapping(partial, settings, place, mapping if words else None)
        write_settings(partial, settings)
        make_private_folder(partial / "decisions")
        _propose(partial, intake, RowStore(partial, settings.mapping, settings.sources))
        if not settings.is_complete:
            # Before the folder is there: who is killed now reads on as well. Where it cannot be kept, it is asked for.
            with suppress(ProjectError):
                trust(KIND, folder, _named(settings))
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


def _take_source(
    source: Path, format_name: str, intake: Intake, out: IO[bytes], progress: Progress | None, first: int | None
) -> SourceFile:
    """Read a source behind those before it, as far as there is room in the `first` rows. Raises SourceError."""
    intake.begin()
    pieces = read_source(source, format_name)
    complete = False
    if first is None or len(intake.hashes) < first:
        complete = intake.take_all(pieces, out, progress, first)
        has_rows = not complete or intake.rows > 0
    else:
        # Read later, when nobody waits at the command line any more: what is no data is refused now.
        has_rows = any(isinstance(piece, SourceRow) for piece in islice(pieces, SAMPLE_ROWS))
    if not has_rows:
        raise no_rows(source, intake.first_reason)
    return described_source(source, format_name, intake, complete)


def _fetched(path: Path, described: SourceFile, fetched: dict[Path, str]) -> SourceFile:
    """With where it was fetched from; a cache keeps the file itself under a name that says nothing."""
    if path not in fetched:
        return described
    return replace(described, path=str(real_path(path.parent) / path.name), fetched=fetched[path])


def continue_reading(folder: Path, progress: Progress | None = None) -> int:
    """Read what is left of a project's sources; the number of rows it then has. Nothing happens where it is whole.

    Rows become visible to other processes chunk by chunk, the chunks growing with the file. Raises LockedError where
    another process changes the rows, ProjectError where a source changed since the first rows were read.
    """
    settle_left_over(folder)
    settings = read_settings(folder)
    if settings.is_complete:
        return sum(source.rows for source in settings.sources)
    if not is_trusted(KIND, folder, _named(settings)):
        raise ProjectError(
            f"{folder}: was not read to the end, and not begun here",
            f"going on would read {settings.source.path}",
            shell_command("trust", folder),
        )
    with changing_rows(folder, READING):
        settings = read_settings(folder)
        intake = intake_behind(folder, settings)
        try:
            with (folder / ROWS_FILE).open("r+b") as out:
                out.seek(intake.starts[-1])
                for place, source in enumerate(settings.sources):
                    if not source.complete:
                        settings = _read_on(folder, settings, place, intake, out, progress)
        except OSError as error:
            raise _not_added(folder, error) from error
        return len(intake.hashes)


def waiting_sources(folder: Path) -> tuple[Waiting, ...]:
    """The reading of sources that somebody else began: it would read whatever file of this machine they name."""
    settings = read_settings(folder)
    content = _named(settings)
    if settings.is_complete or is_trusted(KIND, folder, content):
        return ()
    words = ", ".join(source.path for source in settings.sources if not source.complete)
    return (Waiting(KIND, f"reading on would bring the rows of {words} into the project", folder, content),)


def _named(settings: ProjectSettings) -> bytes:
    return "\n".join(source.path for source in settings.sources).encode("utf-8", "surrogatepass")


def _read_on(
    folder: Path, settings: ProjectSettings, place: int, intake: Intake, out: IO[bytes], progress: Progress | None
) -> ProjectSettings:
    """Read the source at `place` to its end; the settings that say so."""
    known = settings.sources[place]
    source = Path(known.path)
    if not source.exists() or source_size(source) != known.size:
        raise ProjectError(
            f"{source}: changed while it was being read", "", f"remove {folder} and open the source again"
        )
    intake.begin(known)
    new = place if not known.rows else None
    pieces = islice(read_source(source, known.format), known.rows + known.quarantined, None)
    complete = False
    while not complete:
        goal = len(intake.hashes) + max(CHUNK_ROWS, len(intake.hashes))
        complete = intake.take_all(pieces, out, progress, goal)
        now = described_source(source, known.format, intake, complete)
        now = replace(now, mapping=settings.sources[place].mapping, fetched=known.fetched)
        settings = replace(settings, sources=(*settings.sources[:place], now, *settings.sources[place + 1 :]))
        settings, new = _stage(folder, intake, out, settings, new), None
        declare(folder)
        settle(folder)
    return settings


def _stage(
    folder: Path,
    intake: Intake,
    out: IO[bytes],
    settings: ProjectSettings,
    new: int | None,
    by_hand: Mapping | None = None,
) -> ProjectSettings:
    """Rows on disk, and beside the files in force those that would speak of them; the settings among these, where the
    source at `new`, whose first rows these are, has got its mapping."""
    intake.save(folder, out, next_name(INDEX_FILE))
    intake.aside.save(folder / next_name(QUARANTINE_FILE))
    if new is not None:
        settings = with_own_mapping(folder, settings, new, by_hand, next_name(INDEX_FILE))
    write_settings(folder, settings, next_name(SETTINGS_FILE))
    # Before the rows count: what is proposed for rows that never come is nobody's.
    _propose(folder, intake, staged_rows(folder)[1])
    return settings


def _propose(folder: Path, intake: Intake, rows: RowStore) -> None:
    """Make proposals of the verdicts that came along with the rows taken in since."""
    try:
        if intake.judged:
            take_along(folder, rows, intake.judged)
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


def stage_rows(
    folder: Path,
    source: Path,
    format_name: str,
    pieces: Iterable[SourceRow | Quarantined],
    *,
    same_file: bool = False,
    by_hand: Mapping | None = None,
    fetched: str = "",
) -> range:
    """Write rows read from `source` behind those of a project, to be declared; their numbers. Under `changing_rows`.

    With `same_file`, rows that follow others of the same file make no source of their own in `project.toml`. `by_hand`
    is the mapping in force where a person has said it, `fetched` where the file came from. Raises SourceError,
    ProjectError.
    """
    settings = read_settings(folder)
    if not settings.is_complete:
        # The rest of a source has its place behind its first rows.
        raise ProjectError(f"{folder}: its sources are still being read", "", "open it once, or wait for the reading")
    intake = intake_behind(folder, settings)
    intake.begin()
    first = len(intake.hashes)
    try:
        with (folder / ROWS_FILE).open("r+b") as out:
            out.seek(intake.starts[-1])
            intake.take_all(iter(pieces), out)
            if len(intake.hashes) == first:
                raise no_rows(source, intake.first_reason)
            added = _fetched(
                source, described_source(source, format_name, intake), {source: fetched} if fetched else {}
            )
            before = settings.sources
            new: int | None = len(before)
            last = before[-1]
            if same_file and last.path == added.path and last.first_row + last.rows == first:
                before, new = before[:-1], None
                rows, joined = last.rows + added.rows, last.joined + added.joined
                added = replace(last, rows=rows, joined=joined, sha256=added.sha256, size=added.size)
            _stage(folder, intake, out, replace(settings, sources=(*before, added)), new, by_hand)
    except OSError as error:
        raise _not_added(folder, error) from error
    return range(first, len(intake.hashes))
