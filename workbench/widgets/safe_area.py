"""A text area that shows data without obeying it: controls become glyphs one for one, the text stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.text import Text
from textual import events
from textual.widgets import TextArea

from workbench.safe_text import one_for_one
from workbench.widgets.filter_line import hand_back


class SafeArea(TextArea):
    """Stock TextArea but for what reaches the terminal, and for keys that leave it (`leaving`: key -> what it does).

    They act here and now. A binding with priority would act before what was typed last is in the text, one without
    after keys typed behind it had been taken as text.
    """

    def __init__(self, text: str, leaving: Mapping[str, Callable[[], None]], *, id: str, classes: str) -> None:  # noqa: A002
        super().__init__(text, id=id, classes=classes, soft_wrap=True, tab_behavior="focus", show_line_numbers=False)
        self._leaving = leaving

    def on_key(self, event: events.Key) -> None:
        if not self.screen.is_current:
            hand_back(self, event)
        elif event.key in self._leaving:
            event.stop()
            event.prevent_default()
            self._leaving[event.key]()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        safe = one_for_one(line.plain)
        if safe != line.plain:
            # Same length by construction, so that cursor and selection stay where they are.
            line.plain = safe
        return line
