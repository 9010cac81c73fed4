"""The list: knows only how many lines there are, how to get one, and where the cursor is. Turns pages, never scrolls.

A page turn sends a screenful once; a list that scrolls by one sends it with every key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from textual import events
from textual.message import Message
from textual.strip import Strip

from workbench.ui.widgets.lines import Lines, Styles

if TYPE_CHECKING:
    from workbench.text.blocks import Styled


FEWEST_LINES = 3
# Most lines are those of the frame before: they are kept, and not made anew.
MOST_STRIPS = 500


class ListSource(Protocol):
    """What a list shows."""

    def __len__(self) -> int: ...

    @property
    def cursor(self) -> int: ...

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        """The text of one line, at least as wide as it likes; it is cut."""

    def block(self, index: int) -> int:
        """How many lines from this one on belong together and are best seen at once."""


class LineList(Lines):
    """See the module."""

    class Clicked(Message):
        """A line was clicked on."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(
        self,
        styles: Styles,
        source: ListSource,
        *,
        lit: Callable[[int], int] | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`lit` says of how many parts of a line the ground changes under the cursor; None: all of them."""
        super().__init__(styles, id=id)
        self._source = source
        self._lit = lit
        self._strips: dict[tuple[object, ...], Strip] = {}
        self._top = 0

    @property
    def page_size(self) -> int:
        return max(1, self.size.height)

    @property
    def page_start(self) -> int:
        """The index of the line at the top."""
        return self._top

    def no_higher(self, lines: int | None) -> None:
        """Above a reader a short list leaves its lines to it; None: as high as the screen gives it."""
        most = None if lines is None else max(FEWEST_LINES, lines)
        now = self.styles.max_height
        if (now.value if now is not None else None) != most:
            self.styles.max_height = most

    def _turn_page(self, height: int) -> None:
        """Bring the cursor on the page; a page turned downwards begins with it, one turned upwards ends with it."""
        cursor = self._source.cursor
        if not len(self._source):
            self._top = 0
        elif cursor < self._top:
            self._top = max(0, cursor - height + 1)
        elif cursor + min(self._source.block(cursor), height) > self._top + height:
            self._top = cursor
        self._top = max(0, min(self._top, len(self._source) - height))

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        self._turn_page(height)
        start = self._top
        end = min(start + height, len(self._source))
        return [self._line(index, width) for index in range(start, end)] + self._blank(width, height - (end - start))

    def _line(self, index: int, width: int) -> Strip:
        line, at_cursor = self._source.line(index, width - 1), index == self._source.cursor
        key = (line, width, at_cursor)
        if key not in self._strips:
            if len(self._strips) > MOST_STRIPS:
                self._strips.clear()
            self._strips[key] = self._lit_line(index, line, width) if at_cursor else self._plain_line(line, width)
        return self._strips[key]

    def _plain_line(self, line: tuple[Styled, ...], width: int) -> Strip:
        return self.styled.strip(((" ", "text"), *line), width)

    def _lit_line(self, index: int, line: tuple[Styled, ...], width: int) -> Strip:
        lit = self._lit(index) + 1 if self._lit is not None else None
        return self.styled.strip((("\u258c", "title"), *line), width, "cursor", lit)

    def _blank(self, width: int, count: int) -> list[Strip]:
        return [self.styled.strip((), width)] * max(0, count)

    def on_click(self, event: events.Click) -> None:
        index = self.page_start + event.y
        if index < len(self._source):
            self.post_message(self.Clicked(index))
