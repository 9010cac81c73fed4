"""`tamis PATH`: make the project where there is none yet, and open the workbench on it."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from engine.config import Config, load_config
from engine.errors import UsageError, shell_command
from engine.paths import is_project, project_folder_for
from engine.sources.files.hub import hub_name, is_hub_name
from engine.trust import remember_made, was_refused
from workbench.cli.common import given_sources, name_reviewer, refuse_other_rows, refuse_unshared, tell_shared
from workbench.cli.options import WORDS
from workbench.cli.output import Narrator, narrate
from workbench.terminal.capabilities import check_terminal, speaks_unicode

if TYPE_CHECKING:
    from workbench.ui.screens.base import WorkScreen

# A source larger than this is shown after its first rows; a job reads the rest while one looks at them.
LARGE_SOURCE_BYTES = 32 * 1024 * 1024
FIRST_ROWS = 20_000


def nothing_there(path: Path) -> UsageError:
    """What is said of a word that is no command and no path, with the nearest command."""
    near = get_close_matches(str(path), WORDS, n=1)
    hint = f"did you mean tamis {near[0]}?" if near else "see `tamis --help`"
    return UsageError(f"{path}: no such file or folder, and no command of that name", "", hint)


def open_workbench(arguments: argparse.Namespace) -> int:
    """The handler of `tamis PATH`."""
    paths: list[Path] = arguments.paths
    if len(paths) == 1 and is_project(paths[0]):
        folder = paths[0]
    else:
        folder = arguments.project or folder_for(paths[0])
    if arguments.shared:
        refuse_unshared(folder)
    if is_project(folder):
        if len(paths) > 1:
            refuse_other_rows(folder, paths)
        check_terminal()
    else:
        for path in paths:
            if not path.exists() and not is_hub_name(str(path)):
                raise nothing_there(path)
        check_terminal()
        make_project(paths, folder, arguments)
    return show(folder, arguments, mapping_given=bool(arguments.map))


def folder_for(path: Path) -> Path:
    """Where the project of sources lives of which this is the first: beside it; what is fetched, in the folder one is
    in."""
    return project_folder_for(Path(hub_name(str(path)).name) if is_hub_name(str(path)) else path)


def make_project(paths: list[Path], folder: Path, arguments: argparse.Namespace) -> None:
    """Make one project of all that was named, its large sources read in part. Raises SourceError, ProjectError."""
    from engine.project.create import create_project

    narrator = Narrator()
    with given_sources(paths) as given:
        create_project(
            given.paths[0],
            folder,
            further=given.paths[1:],
            words=arguments.map,
            key=arguments.key,
            progress=narrator,
            first=_first_rows(given.paths),
            propose=True,
            encoding=arguments.encoding,
            fetched=given.fetched,
            shared=arguments.shared,
        )
    narrator.end()
    remember_made(folder)
    if arguments.shared:
        tell_shared(folder)
    if len(given.paths) > 1:
        narrate(f"{len(given.paths)} files in one project: {folder}")


def _first_rows(sources: Sequence[Path]) -> int | None:
    """How many rows to read before the workbench opens; None: all of them."""
    size = sum(source.stat().st_size for source in sources if source.is_file())
    return FIRST_ROWS if size > LARGE_SOURCE_BYTES else None


def show(
    folder: Path,
    arguments: argparse.Namespace,
    *,
    reviewer: str | None = None,
    mapping_given: bool = False,
    opening: Callable[[], WorkScreen] | None = None,
) -> int:
    """The workbench on a project folder, with the screen options of the command line; `opening` is on top at first."""
    if not arguments.readonly and reviewer is None:
        reviewer = name_reviewer(arguments.reviewer, folder)
    # What is made up to the first paint stays: looking for garbage among it takes a third of the time. The application
    # turns it on again (`start_collecting`).
    gc.disable()
    from workbench.ui.app import run_workbench

    config = load_config(folder)
    return run_workbench(
        folder,
        reviewer=reviewer,
        theme=arguments.theme or config.theme,
        only_ascii=arguments.ascii or config.ascii or not speaks_unicode(),
        goal=(config.goal, config.goal_tokens),
        readonly=arguments.readonly,
        mouse=arguments.mouse,
        take_over=arguments.take_over,
        blind=config.blind,
        mapping_given=mapping_given,
        keymap=config.keymap,
        stock_driver=arguments.driver == "stock",
        opening=opening,
        notes=waiting_words(folder, config),
    )


def waiting_words(folder: Path, config: Config) -> tuple[str, ...]:
    """What is said at opening of settings that wait for a yes or a no; nothing where none does."""
    names = ", ".join(name for name, each in config.withheld.items() if not was_refused(each))
    return (
        (f"set by this folder, and waiting for your yes or no: {names}: {shell_command('trust', folder)}",)
        if names
        else ()
    )
