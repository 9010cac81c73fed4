"""COMMANDS: the one table of what a person can do."""

from __future__ import annotations

from typing import Any

from engine.errors import LockedError, TamisError
from workbench.actions.preconditions import read_only
from workbench.commands.command import Command
from workbench.commands.decide import CHOOSE_COMMANDS, DECIDE_COMMANDS
from workbench.commands.fields import FIELDS_COMMANDS
from workbench.commands.inspect import INSPECT_COMMANDS
from workbench.commands.navigate import NAVIGATE_COMMANDS
from workbench.commands.review import REVIEW_COMMANDS
from workbench.commands.screens import SCREEN_COMMANDS
from workbench.commands.targets import CommandTarget
from workbench.commands.training import ANSWER_COMMANDS, TRAINING_COMMANDS
from workbench.state.session import Session

COMMANDS: tuple[Command[Any], ...] = (
    *DECIDE_COMMANDS,
    *CHOOSE_COMMANDS,
    *NAVIGATE_COMMANDS,
    *INSPECT_COMMANDS,
    *REVIEW_COMMANDS,
    *FIELDS_COMMANDS,
    *TRAINING_COMMANDS,
    *SCREEN_COMMANDS,
    *ANSWER_COMMANDS,
)
NOT_DONE = "not done, nothing has changed"
"""Said where a question is taken back."""
BY_ID: dict[str, Command[Any]] = {command.id: command for command in COMMANDS}


def is_barred(command: Command[Any], session: Session) -> bool:
    """Whether a command cannot act because this window only reads."""
    refused = read_only(session)
    return refused is not None and command.precondition(session) == refused


def perform(target: CommandTarget, command: Command[Any]) -> None:
    """Run a command on one of the screens of its `where`.

    What it cannot do it says in the session's message; nothing it raises goes further.
    """
    session = target.session
    if session.pending is not None and session.pending.command != command.id:
        session.pending = None
        if command.steps_back:
            session.say(NOT_DONE, "refused")
            return
    reason = command.precondition(session)
    if reason is not None:
        session.say(reason, "refused")
        return
    session.say("")
    session.command = command.id
    try:
        command.run(target)
    except LockedError as error:
        # Taken over this moment: how to go on is worth more than what failed.
        session.say(read_only(session) or str(error), "error")
    except TamisError as error:
        session.say(str(error), "error")
    assert command.asks_twice or session.pending is None, f"{command.id} asks twice: the table must say so"
