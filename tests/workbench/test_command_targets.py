"""Every command, on every screen it works on: the screen can do what the command asks of it.

mypy reads the same from the types; here the table is walked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import planted
import pytest

from engine.project.project import Project
from workbench.commands import targets
from workbench.commands.command import Command
from workbench.commands.registry import COMMANDS, perform
from workbench.state.session import Session
from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.judge import JudgeScreen
from workbench.ui.screens.table import SCREENS
from workbench.ui.screens.try_run import TryScreen

CLASSES: dict[str, type[WorkScreen]] = {**SCREENS, targets.TRY: TryScreen, targets.JUDGE: JudgeScreen}
# `TRAIN: ScreenName[TrainTarget]`: the Protocol of every screen, by the name of the screen.
PROTOCOLS: dict[str, type] = {
    getattr(targets, constant): get_args(hint)[0]
    for constant, hint in get_type_hints(targets).items()
    if get_origin(hint) is targets.ScreenName
}


def methods_of(protocol: type) -> dict[str, Callable[..., None]]:
    """What a Protocol asks for, by name; its own and what it has from others."""
    return {
        name: member
        for name, member in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_") and member.__module__ == targets.__name__
    }


class Asked:
    """Stands where a screen of a class would: takes the calls that one would take, and keeps their names."""

    def __init__(self, screen: type[WorkScreen], session: Session) -> None:
        self.session = session
        self.calls: set[str] = set()
        self._screen = screen

    def __getattr__(self, name: str) -> Callable[..., None]:
        method = getattr(self._screen, name)

        def call(*args: object, **named: object) -> None:
            inspect.signature(method).bind(self, *args, **named)
            self.calls.add(name)

        return call


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        yield project


def test_every_screen_of_the_table_has_a_protocol_and_its_own_name() -> None:
    assert set(PROTOCOLS) == {where for command in COMMANDS for where in command.where}
    assert set(CLASSES) == set(PROTOCOLS)
    assert all(name == screen.NAME for name, screen in CLASSES.items())


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_screen_has_what_its_protocol_asks_for_with_the_same_signature(name: str) -> None:
    asked = methods_of(PROTOCOLS[name])
    assert {"go", "leave"} <= set(asked)
    for method, promised in asked.items():
        assert inspect.signature(getattr(CLASSES[name], method)) == inspect.signature(promised), method


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_a_command_asks_for_nothing_that_one_of_its_screens_cannot_do(command: Command[Any], project: Project) -> None:
    for where in command.where:
        asked = run(command, where, project)
        assert asked <= set(methods_of(PROTOCOLS[where]))


def test_no_protocol_asks_for_more_than_commands_do(project: Project) -> None:
    # A second look shows rows, but only where verdicts are there to look at again; taking over needs another window.
    elsewhere = {"go", "leave", "show_rows", "take_over"}
    for where, protocol in PROTOCOLS.items():
        asked = set[str]().union(*(run(command, where, project) for command in COMMANDS if where in command.where))
        assert asked - elsewhere == set(methods_of(protocol)) - elsewhere, where


def run(command: Command[Any], where: str, project: Project) -> set[str]:
    """The names of the methods that a command calls on a screen of that name, with a real session on a conflict, on a
    row, and in the overview on a line of rows."""
    calls: set[str] = set()
    for rows in ("kind:conflict", "row:12"):
        session = Session(project)
        session.set_filter(rows)
        session.place.screen, session.progress.job = where, "scanning"
        session.overview.cursor = next(number for number, item in enumerate(session.overview.items) if item.bulk)
        asked = Asked(CLASSES[where], session)
        perform(asked, command)
        calls |= asked.calls
    return calls
