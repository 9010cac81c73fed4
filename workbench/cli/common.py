"""What the commands share: finding the project and its sources, naming the reviewer, writing pages."""

from __future__ import annotations

import grp
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.config import load_config, refuse_withheld
from engine.errors import SourceError, UsageError, shell_command
from engine.files import is_shared, write_atomic
from engine.paths import is_project, project_folder_for, real_path
from engine.places import is_own_page, refuse_place, signed_page
from engine.project.project import Project, open_project
from engine.project.rows import INDEX_FILE, ROWS_FILE
from engine.project.settings import SETTINGS_FILE, read_settings
from engine.project.views import refuse_readonly
from engine.reviewer import checked_reviewer, find_reviewer
from engine.scratch import scratch_folder
from engine.sources.files.hub import fetch, hub_name, is_hub_id, is_hub_name
from workbench.cli.output import ask, narrate


def find_project(path: Path) -> Path:
    """The project folder a person means: itself, or the one beside the data file they named. Raises UsageError."""
    if is_project(path):
        return path
    beside = project_folder_for(path)
    if is_project(beside):
        return beside
    if not os.path.exists(path):
        raise UsageError(f"{path}: no such file or folder", "", "check the name")
    raise UsageError(
        f"{path}: is not a tamis project",
        "",
        f"make one with `{shell_command(path)}` or `{shell_command('scan', path, '--project', beside)}`",
    )


def name_reviewer(named: str | None, project: Path | None = None) -> str:
    """Who decides; asked for where there is a terminal and nobody is known. Raises UsageError."""
    config = load_config(project)
    reviewer = find_reviewer(named, config.reviewer)
    if reviewer is None and sys.stdin.isatty() and sys.stderr.isatty():
        reviewer = checked_reviewer(ask("Who decides? Your name goes into the journal: "))
    if reviewer is None:
        refuse_withheld(config, "reviewer")
        raise UsageError("nobody is named as the reviewer", "", "name yourself: --as NAME, or TAMIS_REVIEWER=NAME")
    return reviewer


@dataclass(frozen=True, slots=True)
class Given:
    """The sources that a person named, each once, and where those of the Hub were fetched from."""

    paths: tuple[Path, ...]
    fetched: dict[Path, str]


@contextmanager
def given_sources(named: Sequence[Path]) -> Iterator[Given]:
    """Files or folders, `-` for standard input, data sets of the Hub. A file that is named twice is read once, and that
    is told. Raises UsageError, SourceError."""
    with ExitStack() as kept:
        found: dict[object, tuple[Path, str]] = {}
        for name in named:
            if is_project(name):
                raise UsageError(
                    f"{name}: is a project, not a file", "", f"`{shell_command('add', name)} FILE` brings rows into it"
                )
            if os.path.exists(name / ROWS_FILE) and os.path.exists(name / INDEX_FILE):
                # Its own files would be read as data.
                raise UsageError(f"{name}: is a project without its {SETTINGS_FILE}", "", "restore that from a copy")
            path, origin = kept.enter_context(_given(name))
            if (place := _identity(path)) in found:
                narrate(f"{name}: named twice, read once")
            found.setdefault(place, (path, origin))
        yield Given(
            tuple(path for path, _ in found.values()), {path: origin for path, origin in found.values() if origin}
        )


def _identity(path: Path) -> object:
    """The same for each name of one file, by whatever links it goes."""
    try:
        known = path.stat()
    except OSError:
        return real_path(path)
    return known.st_dev, known.st_ino


@contextmanager
def given_source(path: Path) -> Iterator[Path]:
    """The same for one."""
    with given_sources([path]) as given:
        yield given.paths[0]


def refuse_other_rows(folder: Path, named: Sequence[Path]) -> None:
    """Raise UsageError where a project that is there already was made without one of several files."""
    known = read_settings(folder).sources
    for name in named:
        of_hub = hub_name(str(name)) if is_hub_name(str(name)) else None
        place = str(real_path(name))
        is_known = any(
            hub_name(source.fetched).id == of_hub.id if of_hub and source.fetched else source.path == place
            for source in known
        )
        if not is_known:
            raise UsageError(
                f"{folder}: is there already, without the rows of {name}",
                "",
                f"`{shell_command('add', folder, name)}` brings them in; --project DIR makes another one",
            )


@contextmanager
def _given(path: Path) -> Iterator[tuple[Path, str]]:
    if str(path) == "-":
        with scratch_folder("stdin", large=True) as scratch:
            spooled = scratch / "stdin"
            try:
                with spooled.open("wb") as out:
                    shutil.copyfileobj(sys.stdin.buffer, out)
            except OSError as error:
                raise SourceError(
                    f"standard input: cannot be kept in {scratch}",
                    error.strerror or str(error),
                    "save it to a file where there is room, and name that",
                ) from error
            yield spooled, ""
        return
    text = str(path)
    if not os.path.exists(path) and (is_hub_name(text) or is_hub_id(text)):
        found = fetch(text)
        yield found.path, found.origin
    else:
        yield path, ""


def refuse_unshared(folder: Path | None) -> None:
    """Raise UsageError where `--shared` can do nothing: it is about a project that is made now."""
    if folder is None:
        raise UsageError("--shared is about a project", "", "name its folder: --project DIR")
    if is_project(folder) and not is_shared(folder):
        raise UsageError(
            f"{folder}: is there already, and keeps its permissions",
            "",
            "share it by hand: chgrp -R GROUP DIR; chmod -R g+rwX DIR; find DIR -type d -exec chmod 2770 {} +",
        )


def tell_shared(folder: Path) -> None:
    """Say who can work in a project that is shared, and how others join."""
    narrate(
        f"{folder}: shared with the group {_group_of(folder)} (2770, files 0660). Each member names themselves "
        "(--as NAME) and opens the same folder, on a disk where they may enter the folders above it; "
        "for another group: newgrp GROUP before the project is made"
    )


def _group_of(folder: Path) -> str:
    number = folder.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        # A group without a name on this machine.
        return str(number)


@contextmanager
def open_for_deciding(path: Path, named: str | None, take_over: bool = False) -> Iterator[Project]:
    """The project, with the right to write; what `open_to_look` tells is told. Raises LockedError where another window
    has it."""
    folder = find_project(path)
    with open_project(folder, reviewer=name_reviewer(named, folder), take_over=take_over) as project:
        refuse_readonly(project, "close the other window first, or add --take-over")
        yield project
        tell_notes(project)


def refuse_page(path: Path, of: Sequence[Path], *, force: bool) -> None:
    """Raise UsageError where no page about these projects or data files may be written at `path`."""
    refuse_place(path, [source for each in of for source in _sources_of(each)], is_own_page, force=force)


def write_page(path: Path, html: str, of: Sequence[Path], *, force: bool) -> None:
    """Write a page, whole or not at all. Raises UsageError as `refuse_page` does, ProjectError."""
    refuse_page(path, of, force=force)
    write_atomic(path, signed_page(html), public=True)


def _sources_of(path: Path) -> list[Path]:
    """A data file, or the sources of a project."""
    return [Path(source.path) for source in read_settings(path).sources] if is_project(path) else [path]


@contextmanager
def open_to_look(path: Path, reviewer: str | None = None) -> Iterator[Project]:
    """The project, read-only, as this reviewer sees it. Once a command has had its say, what could not be read of the
    project is told on stderr, whatever the command is: what it said lacks that. A refusal stands alone."""
    with open_project(find_project(path), reviewer=reviewer, readonly=True) as project:
        yield project
        tell_notes(project)


def open_for_reading(path: Path, named: str | None) -> AbstractContextManager[Project]:
    """The same for a command that decides, where it is only tried: it needs a name, and no right to write."""
    return open_to_look(path, name_reviewer(named, find_project(path)))


def on_a_terminal() -> bool:
    """Whether a screen can be shown."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def tell_notes(project: Project) -> None:
    """On stderr, what could not be read of the journals: counts and exports lack it."""
    for note in project.notes:
        narrate(note)


def some(numbers: Sequence[int]) -> str:
    """The first few of a longer list of row numbers."""
    return ", ".join(map(str, numbers[:8])) + (", …" if len(numbers) > 8 else "")
