"""A text area that shows data without obeying it: controls become glyphs one for one, the text stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.text import Text
from textual import events
from textual.widgets import TextArea

from workbench.text.escape import ascii_one_for_one, one_for_one
from workbench.ui.widgets.key_order import STEADY_CURSOR, act_now, actions_of, hand_back

ACTIONS = actions_of(TextArea)


class SafeArea(TextArea):
    """Stock TextArea but for what reaches the terminal, and for keys that leave it (`leaving`: key -> what it does)."""

    cursor_blink = STEADY_CURSOR

    def __init__(
        self,
        text: str,
        leaving: Mapping[str, Callable[[], None]],
        *,
        id: str,  # noqa: A002
        classes: str,
        only_ascii: bool = False,
    ) -> None:
        super().__init__(text, id=id, classes=classes, soft_wrap=True, tab_behavior="focus", show_line_numbers=False)
        self._leaving = leaving
        self._ascii = only_ascii

    async def on_key(self, event: events.Key) -> None:
        if not self.screen.is_current:
            hand_back(self, event)
        elif event.key in self._leaving:
            event.stop()
            event.prevent_default()
            self._leaving[event.key]()
        else:
            await act_now(self, event, ACTIONS)

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        safe = one_for_one(line.plain)
        if self._ascii:
            safe = ascii_one_for_one(safe)
        if safe != line.plain:
            # Same length by construction, so that cursor and selection stay where they are.
            line.plain = safe
        return line
