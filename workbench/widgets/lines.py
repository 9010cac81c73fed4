"""The ground of every widget here: lines of styled text, of which only those that changed are sent again.

Textual's Line API: a widget that knows its lines paints only these, where a stock widget paints its whole area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from workbench.cells import cells, cut
from workbench.document import Styled

Styles = Mapping[str, Style]


class StyledLines:
    """Turns styled text into strips that are exactly as wide as they say, in terminal columns."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._combined: dict[tuple[str, str], Style] = {}

    def style(self, role: str, ground: str = "") -> Style:
        """The style of a role on the ground of another (the cursor line, the status line)."""
        if not ground:
            return self._styles[role]
        key = (role, ground)
        if key not in self._combined:
            over = self._styles[ground]
            # Reversed, every colour would become a patch of its own: a reversed ground stands alone.
            self._combined[key] = over if over.reverse else self._styles[role] + Style(bgcolor=over.bgcolor)
        return self._combined[key]

    def strip(self, styled: Iterable[Styled], width: int, ground: str = "") -> Strip:
        """The text cut or padded to `width` columns."""
        segments: list[Segment] = []
        room = width
        for text, role in styled:
            taken = cells(text)
            if taken > room:
                text = cut(text, room)
                taken = cells(text)
            if text:
                segments.append(Segment(text, self.style(role, ground)))
            room -= taken
            if room <= 0:
                break
        if room > 0:
            segments.append(Segment(" " * room, self.style("text", ground)))
        return Strip(segments, width)


class Lines(Widget):
    """A widget whose content is a list of strips. Subclasses make the strips in `make_lines`."""

    def __init__(self, styles: Styles, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.styled = StyledLines(styles)
        self._lines: Sequence[Strip] = ()
        self._made_for: Size | None = None

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        """The strips to show now, at most `height` of them, each `width` columns wide."""
        raise NotImplementedError

    def sync(self) -> None:
        """Make the lines anew and paint those that changed."""
        size = self.size
        if not size:
            return
        before, self._lines = self._lines, self.make_lines(size.width, size.height)
        if self._made_for != size or len(before) != len(self._lines):
            self._made_for = size
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old is not new and old != new:
                self.refresh(Region(0, y, size.width, 1))

    def render_line(self, y: int) -> Strip:
        if self._made_for != self.size:
            self._made_for = self.size
            self._lines = self.make_lines(self.size.width, self.size.height)
        if y < len(self._lines):
            return self._lines[y]
        return Strip.blank(self.size.width, self.styled.style("text"))


class OneLine(Lines):
    """A line of its own: a left part, and a right part that is shown whole unless it takes most of the line."""

    def __init__(self, styles: Styles, *, ground: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(styles, id=id)
        self._ground = ground
        self._left: tuple[Styled, ...] = ()
        self._right: tuple[Styled, ...] = ()

    def show(self, left: Iterable[Styled], right: Iterable[Styled] = ()) -> None:
        """Replace the line; nothing is sent where it is the same."""
        self._left, self._right = tuple(left), tuple(right)
        self.sync()

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        right = sum(cells(text) for text, _ in self._right)
        if not 0 < right <= width * 2 // 3:
            return [self.styled.strip(self._left, width, self._ground)]
        left_strip = self.styled.strip(self._left, width - right, self._ground)
        return [Strip.join([left_strip, self.styled.strip(self._right, right, self._ground)])]
