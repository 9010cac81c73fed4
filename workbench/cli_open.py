"""`tamis PATH`: make the project where there is none yet, and open the workbench on it."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.config import load_config
from engine.errors import UsageError
from engine.project.create import create_project, is_project, project_folder_for
from workbench.cli_common import Narrator, name_reviewer
from workbench.guard import check_terminal


def open_workbench(arguments: argparse.Namespace) -> int:
    """The handler of `tamis PATH`."""
    path: Path = arguments.path
    check_terminal()
    folder = path if is_project(path) else (arguments.project or project_folder_for(path))
    if not is_project(folder):
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder, and no command of that name", "", "see `tamis --help`")
        narrator = Narrator()
        create_project(path, folder, words=arguments.map, key=arguments.key, progress=narrator)
        narrator.end()
    return show(folder, arguments)


def show(folder: Path, arguments: argparse.Namespace, *, reviewer: str | None = None) -> int:
    """The workbench on a project folder, with the screen options of the command line."""
    if not arguments.readonly and reviewer is None:
        reviewer = name_reviewer(arguments.reviewer, folder)
    from workbench.app import run_workbench

    theme = arguments.theme or load_config(folder).theme
    return run_workbench(folder, reviewer=reviewer, theme=theme, readonly=arguments.readonly, mouse=arguments.mouse)
