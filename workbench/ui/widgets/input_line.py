"""The line to type into, where the message stands: a filter with the number of rows it would show, a tag, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.timer import Timer

from engine.errors import TamisError
from engine.phrases import counted
from workbench.state.search import Search
from workbench.state.session import Session
from workbench.text.escape import visible_line
from workbench.ui.widgets.key_order import STEADY_CURSOR, act_now, actions_of, hand_back
from workbench.ui.widgets.lines import OneLine
from workbench.ui.widgets.safe_input import SafeInput

COUNT_AFTER_SECONDS = 0.2
SLICE_SECONDS = 0.006
# The count so far is told after so many slices: each time costs a frame.
TOLD_AFTER = 20

ACTIONS = actions_of(SafeInput)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be typed.

    `placeholder` stands in the line while it is empty, `enter` says what the enter key does. `answer` takes the text
    on enter, and closes the line; what it raises as a TamisError is shown and leaves the line open. `typed` is called
    after every change of the text. `earlier` are answers for the arrow keys, the latest last; None: there are none.
    """

    placeholder: str
    answer: Callable[[str], None]
    enter: str = "take it"
    typed: Callable[[], None] | None = None
    earlier: Sequence[str] | None = None


class InputLine(SafeInput):
    """See the module. `answered` is called with the text on enter, `leave` on escape."""

    cursor_blink = STEADY_CURSOR

    def __init__(self, answered: Callable[[str], None], leave: Callable[[], None], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, compact=True)
        self._answered = answered
        self._leave = leave
        self._timer: Timer | None = None
        self._back = 0
        self.question: Question | None = None
        """None while the line is closed."""

    async def on_key(self, event: events.Key) -> None:
        """Enter and escape act at once; keys that were typed behind them are handed back to the screen."""
        if self.question is None:
            hand_back(self, event)
        elif event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            self._answered(self.value) if event.key == "enter" else self._leave()
        elif event.key in ("up", "down"):
            event.stop()
            event.prevent_default()
            self._recall(self.question.earlier, 1 if event.key == "up" else -1)
        else:
            await act_now(self, event, ACTIONS)

    def _recall(self, earlier: Sequence[str] | None, steps: int) -> None:
        """Earlier answers, the latest first; further down than the latest is an empty line."""
        if earlier is not None:
            self._back = max(0, min(self._back + steps, len(earlier)))
            self.value = earlier[-self._back] if self._back else ""
            self.cursor_position = len(self.value)

    def open(self, question: Question, text: str = "") -> None:
        """Ask, with `text` to begin with."""
        self.question, self._back = question, 0
        self.placeholder = question.placeholder
        self.add_class("open")
        self.value = text
        # Focus selects what is there: typing replaces it, an arrow key goes on with it.
        # At once, not with the next message: keys typed behind the `/` belong here.
        self.screen.set_focus(self)

    def close(self) -> None:
        self.question = None
        self.remove_class("open")
        if self._timer is not None:
            self._timer.stop()
        self.screen.set_focus(None)

    # -- what is told of the text, in the reason line: the message line is under this one

    def count_soon(self, session: Session) -> None:
        """Count the rows of a filter when the typing pauses; tell the number, or what is wrong."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(COUNT_AFTER_SECONDS, lambda: self._count(session))

    def _count(self, session: Session) -> None:
        try:
            counting = Search(session.project, self.value)
        except TamisError as error:
            self.complain(str(error))
            return
        self._go_on_counting(counting, 0)

    def _go_on_counting(self, counting: Search, slices: int) -> None:
        """Count on between the keys; the next one typed counts anew."""
        try:
            is_done = counting.go_on(SLICE_SECONDS)
        except TamisError as error:
            self.complain(str(error))
            return
        if is_done:
            self._tell(counted(len(counting.found), "row"), "info")
            return
        if slices % TOLD_AFTER == 0:
            self._tell(counting.progress, "info")
        self._timer = self.set_timer(SLICE_SECONDS, lambda: self._go_on_counting(counting, slices + 1))

    def suggest(self, names: Sequence[str]) -> None:
        """The commands that what is typed may become."""
        self._tell("  ".join(names) if names else "enter a verb with a selector: reject bucket:drop", "info")

    def complain(self, text: str) -> None:
        """Say what is wrong; the line stays open, with what was typed."""
        if self._timer is not None:
            self._timer.stop()
        self._tell(text, "refused")

    def _tell(self, text: str, role: str) -> None:
        self.screen.query_one("#reason", OneLine).show(((f" {visible_line(text)}", role),))
