"""What a command is, and what it may ask of the screen in front. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.state.session import Session


class Stage(Protocol):
    """What a command may ask of the screen in front."""

    @property
    def session(self) -> Session: ...

    def step(self, steps: int) -> None:
        """Move the cursor by lines."""

    def page(self, pages: float) -> None:
        """Move the cursor by pages of the list; infinite goes to the top or the bottom."""

    def scroll_reader(self, pages: float) -> None: ...

    def go(self, screen: str) -> None: ...

    def leave(self) -> None: ...

    def open_editor(self, *, external: bool) -> None: ...

    def merge(self) -> None:
        """Open the answers of a conflict to be merged."""

    def stop_run(self) -> None: ...

    def copy(self) -> None:
        """Copy the row under the cursor."""

    def reserve(self) -> None:
        """Reserve the held-out set that is offered."""

    def change_amount(self, factor: float) -> None:
        """Offer more or fewer."""

    def ask(self, purpose: str) -> None:
        """Open the line to type into: a filter, a tag, a note."""

    def cancel_job(self) -> None: ...

    def confirm(self) -> None:
        """What enter does on a screen of its own (export, train)."""

    def act(self, what: str) -> None:
        """What a key of a screen of its own does there (train, try, judge)."""


Run = Callable[[Stage], None]
WhyNot = Callable[["Session"], str | None]


@dataclass(frozen=True, slots=True)
class Command:
    """`keys` are Textual key names, the first is the one shown; `where` the screens it works on.

    `why_disabled` gives the reason why the command cannot act now, or None. A command that `decides` changes the row on
    the screen: then that row must be on the screen. Behind one that `opens_a_line` the keys are text.
    """

    id: str
    label: str
    help: str
    keys: tuple[str, ...]
    where: tuple[str, ...]
    run: Run
    why_disabled: WhyNot = lambda session: None
    decides: bool = False
    opens_a_line: bool = False


# Where commands work: screens by the name they have in the session.
TRIAGE = ("triage",)
LISTS = ("overview", "triage")
PANES = ("help", "export", "train", "compare", "try", "judge")
OFFER = ("heldout",)
