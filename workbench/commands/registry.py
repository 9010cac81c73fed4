"""COMMANDS: the one table of what a person can do."""

from __future__ import annotations

from typing import Any

from engine.errors import TamisError
from workbench.commands.command import Command
from workbench.commands.decide import CHOOSE_COMMANDS, DECIDE_COMMANDS
from workbench.commands.inspect import INSPECT_COMMANDS
from workbench.commands.navigate import NAVIGATE_COMMANDS
from workbench.commands.review import REVIEW_COMMANDS
from workbench.commands.screens import SCREEN_COMMANDS
from workbench.commands.targets import CommandTarget
from workbench.commands.training import ANSWER_COMMANDS, TRAINING_COMMANDS

COMMANDS: tuple[Command[Any], ...] = (
    *DECIDE_COMMANDS,
    *CHOOSE_COMMANDS,
    *NAVIGATE_COMMANDS,
    *INSPECT_COMMANDS,
    *REVIEW_COMMANDS,
    *TRAINING_COMMANDS,
    *SCREEN_COMMANDS,
    *ANSWER_COMMANDS,
)
BY_ID: dict[str, Command[Any]] = {command.id: command for command in COMMANDS}


def perform(target: CommandTarget, command: Command[Any]) -> None:
    """Run a command on one of the screens of its `where`.

    What it cannot do it says in the session's message; nothing it raises goes further.
    """
    session = target.session
    reason = command.precondition(session)
    if session.pending is not None and session.pending[0] != command.id:
        session.pending = None
    if reason is not None:
        session.say(reason, "refused")
        return
    session.say("")
    try:
        command.run(target)
    except TamisError as error:
        session.say(str(error), "error")
