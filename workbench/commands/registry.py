"""COMMANDS: the one table of what a person can do."""

from __future__ import annotations

from engine.errors import TamisError
from workbench.commands.command import Command, Stage
from workbench.commands.decide import DECIDING
from workbench.commands.inspect import LOOKING
from workbench.commands.navigate import MOVING
from workbench.commands.review import QUEUEING
from workbench.commands.screens import PLACES
from workbench.commands.training import ANSWERING, TRAINING

COMMANDS: tuple[Command, ...] = (*DECIDING, *MOVING, *LOOKING, *QUEUEING, *TRAINING, *PLACES, *ANSWERING)
BY_ID: dict[str, Command] = {command.id: command for command in COMMANDS}


def perform(stage: Stage, command: Command) -> None:
    """Run a command. What it cannot do it says in the session's message; nothing it raises goes further."""
    session = stage.session
    reason = command.why_disabled(session)
    if session.pending is not None and session.pending[0] != command.id:
        session.pending = None
    if reason is not None:
        session.say(reason, "refused")
        return
    session.say("")
    try:
        command.run(stage)
    except TamisError as error:
        session.say(str(error), "error")
