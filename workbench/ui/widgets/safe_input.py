"""The one line that is typed into: text of the data may stand in it, and a terminal would obey it."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.widgets import Input

from workbench.terminal.safe_cells import safe_line


class ShownSafely(Highlighter):
    """For an `Input`: controls become glyphs, one for one, so that the cursor stays where it is; the text itself is
    not changed."""

    def highlight(self, text: Text) -> None:
        safe = safe_line(text.plain)
        if safe != text.plain:
            text.plain = safe


class SafeInput(Input):
    """An `Input` that takes all of what is pasted. Textual's own takes the first line: of a selector that was copied
    with a line break, the half that matches more rows than were meant.

    What is shown is safe; the value stays as it is."""

    def __init__(self, *, id: str | None = None, compact: bool = False) -> None:  # noqa: A002
        super().__init__(id=id, compact=compact, highlighter=ShownSafely())

    def validate_placeholder(self, text: str) -> str:
        return safe_line(text)

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text.splitlines()), *self.selection)
