"""What a command is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from workbench.commands.targets import CommandTarget, ScreenName
from workbench.state.session import Session

Target = TypeVar("Target", bound=CommandTarget)
Precondition = Callable[[Session], str | None]


@dataclass(frozen=True, slots=True)
class Command(Generic[Target]):
    """`keys` are Textual key names, the first is the one shown; `where` the screens it works on, `run` what it does
    there: it may ask of a screen what all of these can do.

    `precondition` gives the reason why the command cannot act now, or None. A command that `decides` changes the row on
    the screen: then that row must be on the screen. Behind one that `opens_a_line` the keys are text. One that
    `asks_twice` may want to be given a second time before it acts; one that `steps_back`, given while such a question
    is open, takes the question back and does nothing else.
    """

    id: str
    label: str
    help: str
    keys: tuple[str, ...]
    where: tuple[ScreenName[Target], ...]
    run: Callable[[Target], None]
    precondition: Precondition = lambda session: None
    decides: bool = False
    opens_a_line: bool = False
    asks_twice: bool = False
    steps_back: bool = False
