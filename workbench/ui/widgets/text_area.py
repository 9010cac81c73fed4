"""A text area that shows data without obeying it: controls become glyphs one for one, the text stays as it is.

Textual's takes nine characters for ends of lines and writes one kind of end in the place of all of them. Here each but
the line feed has a stand-in while it is edited, and is shown as a glyph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.text import Text
from textual import events
from textual.widgets import TextArea
from textual.widgets.text_area import EditResult, Location

from workbench.text.escape import ascii_one_for_one, one_for_one
from workbench.text.line_ends import stand_ins
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
        self._stand_ins = stand_ins(text)
        super().__init__(
            text.translate(self._stand_ins),
            id=id,
            classes=classes,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
        )
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

    def on_paste(self, event: events.Paste) -> None:
        # Taken here: the screen would take it for one that nobody wants.
        event.stop()

    # -- the text, with its own ends of lines

    @property
    def text(self) -> str:
        return self._own(super().text)

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(value)

    @property
    def selected_text(self) -> str:
        return self._own(super().selected_text)

    def load_text(self, text: str) -> None:
        self._stand_ins = stand_ins(text)
        super().load_text(text.translate(self._stand_ins))

    def replace(
        self, insert: str, start: Location, end: Location, *, maintain_selection_offset: bool = True
    ) -> EditResult:
        """Where a line ends in CR LF, what is typed stands before both, and so do lines that are put in."""
        insert = insert.translate(self._stand_ins)
        if self._returns(max(start, end)[0]):
            insert = insert.replace(f"{self._return}\n", "\n").replace("\n", f"{self._return}\n")
            if start == end:
                start = end = self._before_return(end)
        return super().replace(insert, start, end, maintain_selection_offset=maintain_selection_offset)

    def get_cursor_line_end_location(self) -> Location:
        return self._before_return(super().get_cursor_line_end_location())

    @property
    def _return(self) -> str:
        return chr(self._stand_ins[ord("\r")])

    def _returns(self, row: int) -> bool:
        """Whether the line ends in CR LF."""
        return row + 1 < self.document.line_count and self.document[row].endswith(self._return)

    def _before_return(self, location: Location) -> Location:
        row, column = location
        return (row, column - 1) if self._returns(row) and column == len(self.document[row]) else location

    def _own(self, text: str) -> str:
        return text.translate({stand_in: end for end, stand_in in self._stand_ins.items()})

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        safe = one_for_one(self._own(line.plain))
        if self._ascii:
            safe = ascii_one_for_one(safe)
        if safe != line.plain:
            # Same length by construction, so that cursor and selection stay where they are.
            line.plain = safe
        return line
