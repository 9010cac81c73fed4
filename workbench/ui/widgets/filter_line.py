"""The line to type into, where the message stands: a filter with the number of rows it would show, a tag, a note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.timer import Timer
from textual.widgets import Input

from engine.errors import UsageError
from workbench.text.escape import visible_line
from workbench.text.phrases import counted
from workbench.ui.widgets.key_order import STEADY_CURSOR, act_now, actions_of, hand_back
from workbench.ui.widgets.lines import OneLine

if TYPE_CHECKING:
    from workbench.state.search import Search
    from workbench.state.session import Session

COUNT_AFTER_SECONDS = 0.2
SLICE_SECONDS = 0.006
# The count so far is told after so many slices: each time costs a frame.
TOLD_AFTER = 20
PLACEHOLDERS = {
    "filter": "bucket:drop  flag:refusal  kind:near  is:accepted  row:17-40  turns>4  /regex/  word; empty: all rows",
    "command": "a command, a row number, or a verb with a selector: reject bucket:drop",
    "tag": "tag: one or more words; -word takes a tag off",
    "settings": "settings of the next run: model=NAME epochs=2 learning_rate=1e-4 max_length=2048",
    "compare": "arms=base,raw,random,curated  seeds=3  model=NAME  steps=300  budget=45m  price_per_hour=2",
    "override": "why it is started all the same; the reason goes into the manifest",
    "note": "a note on this row; empty takes it away",
}

ACTIONS = actions_of(Input)


class FilterLine(Input):
    """See the module. `apply` is called with purpose and text on enter, `leave` on escape."""

    cursor_blink = STEADY_CURSOR

    def __init__(self, apply: Callable[[str, str], None], leave: Callable[[], None], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, compact=True)
        self._apply = apply
        self._leave = leave
        self._timer: Timer | None = None
        self.purpose = "filter"
        self._history: Sequence[str] = ()
        self._back = 0

    async def on_key(self, event: events.Key) -> None:
        """Enter and escape act at once; keys that were typed behind them are handed back to the screen."""
        if not self.has_class("open"):
            hand_back(self, event)
        elif event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            self._apply(self.purpose, self.value) if event.key == "enter" else self._leave()
        elif event.key in ("up", "down"):
            event.stop()
            event.prevent_default()
            self._recall(1 if event.key == "up" else -1)
        else:
            await act_now(self, event, ACTIONS)

    def _recall(self, steps: int) -> None:
        """Earlier filters, the latest first; further down than the latest is an empty line."""
        if self.purpose == "filter":
            self._back = max(0, min(self._back + steps, len(self._history)))
            self.value = self._history[-self._back] if self._back else ""
            self.cursor_position = len(self.value)

    def open(self, text: str, purpose: str = "filter", history: Sequence[str] = ()) -> None:
        self.purpose, self._history, self._back = purpose, history, 0
        self.placeholder = PLACEHOLDERS[purpose]
        self.add_class("open")
        self.value = text
        # Focus selects what is there: typing replaces it, an arrow key goes on with it.
        # At once, not with the next message: keys typed behind the `/` belong here.
        self.screen.set_focus(self)

    def close(self) -> None:
        self.remove_class("open")
        if self._timer is not None:
            self._timer.stop()
        self.screen.set_focus(None)

    def count_soon(self, session: Session) -> None:
        """Count when the typing pauses; the number, or what is wrong, goes to the reason line."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(COUNT_AFTER_SECONDS, lambda: self._count(session))

    def _count(self, session: Session) -> None:
        from workbench.state.search import Search

        try:
            counting = Search(session.project, self.value)
        except UsageError as error:
            self.complain(str(error))
            return
        self._go_on_counting(counting, 0)

    def _go_on_counting(self, counting: Search, slices: int) -> None:
        """Count on between the keys; the next one typed counts anew."""
        if counting.go_on(SLICE_SECONDS):
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
        # The message line is under the filter: the reason line, just above, is free while one types.
        self.screen.query_one("#reason", OneLine).show(((f" {visible_line(text)}", role),))
