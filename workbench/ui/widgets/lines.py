"""The ground of every widget here: lines of styled text, of which only those that changed are sent again.

Textual's Line API: a widget that knows its lines paints only these, where a stock widget paints its whole area.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from workbench.text.blocks import Styled
from workbench.text.cells import cells, cut, line_breaks
from workbench.text.escape import ascii_text
from workbench.ui.theme import RoleStyles

UNDERLINED_BLANKS = ("added", "flag")


class StyledLines:
    """Turns styled text into strips that are exactly as wide as they say, in terminal columns."""

    def __init__(self, styles: RoleStyles) -> None:
        self._styles = styles
        self.ascii = styles.ascii
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

    def shown(self, styled: Iterable[Styled]) -> Iterable[Styled]:
        """The text as this terminal is to show it: in ASCII where nothing else was asked for."""
        return ((ascii_text(text), role) for text, role in styled) if self.ascii else styled

    def strip(self, styled: Iterable[Styled], width: int, ground: str = "", lit: int | None = None) -> Strip:
        """The text cut or padded to `width` columns, on the ground of a role; where `lit` is given, only so many parts
        of it are."""
        segments: list[Segment] = []
        room = width
        for number, (text, role) in enumerate(self.shown(styled)):
            if number == lit:
                ground = ""
            taken = cells(text)
            if taken > room:
                text = cut(text, room)
                taken = cells(text)
            if text:
                segments += self._segments(text, role, ground)
            room -= taken
            if room <= 0:
                break
        if room > 0:
            segments.append(Segment(" " * room, self.style("text", ground)))
        return Strip(segments, width)

    def _segments(self, text: str, role: str, ground: str) -> list[Segment]:
        """The text in its style; blanks around the words of a label are not underlined, those of a difference are."""
        style = self.style(role, ground)
        if not style.underline or role in UNDERLINED_BLANKS or not (text[0] == " " or text[-1] == " "):
            return [Segment(text, style)]
        plain = self.style("text", ground)
        start, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
        parts = ((text[:start], plain), (text[start:end], style), (text[max(start, end) :], plain))
        return [Segment(part, own) for part, own in parts if part]


class Lines(Widget):
    """A widget whose content is a list of strips. Subclasses make the strips in `make_lines`."""

    def __init__(self, styles: RoleStyles, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
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
            # Hidden (a line to type into stands in its place): made anew once it is shown again.
            self._made_for = None
            self.refresh()
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

    def __init__(self, styles: RoleStyles, *, ground: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(styles, id=id)
        self._ground = ground
        self._left: tuple[Styled, ...] = ()
        self._right: tuple[Styled, ...] = ()

    def show(self, left: Iterable[Styled], right: Iterable[Styled] = ()) -> None:
        """Replace the line; nothing is sent where it is the same."""
        self._left, self._right = tuple(left), tuple(right)
        self.sync()

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        left, right = fitted(tuple(self.styled.shown(self._left)), tuple(self.styled.shown(self._right)), width)
        taken = columns(right)
        if not 0 < taken < width:
            return [self.styled.strip(left, width, self._ground)]
        left_strip = self.styled.strip(left, width - taken, self._ground)
        return [Strip.join([left_strip, self.styled.strip(right, taken, self._ground)])]


# A sentence takes the lines that so many columns need; on a low terminal no more than two.
SENTENCE_COLUMNS = 240
LOW, MOST_WHERE_LOW = 20, 2


class Sentence(OneLine):
    """A line that is a sentence to the person: where it is too long for the line it goes on below, so that what to do,
    which stands last, is not cut off. It takes the room from what stands above it."""

    def show(self, left: Iterable[Styled], right: Iterable[Styled] = ()) -> None:
        self._left, self._right = tuple(left), tuple(right)
        screen = self.screen.size
        most = MOST_WHERE_LOW if screen.height < LOW else max(2, SENTENCE_COLUMNS // max(1, screen.width))
        height = len(self._wrapped(screen.width, most))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
            # What gives or takes the room has it with the layout of the next frame.
            self.call_after_refresh(self.sync)
        self.sync()

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        lines = self._wrapped(width, height)
        if len(lines) <= 1:
            return super().make_lines(width, height)
        return [self.styled.strip(fitted(line, (), width)[0], width, self._ground) for line in lines]

    def _wrapped(self, width: int, most: int) -> list[tuple[Styled, ...]]:
        """The lines of a text of one part, the last with all that is left; a line of several parts stays one line."""
        if len(self._left) != 1 or self._right:
            return [self._left]
        ((text, role),) = tuple(self.styled.shown(self._left))
        lines: list[tuple[Styled, ...]] = []
        start = 0
        while len(lines) < most - 1 and width > 1:
            end, following = line_breaks(text, width, start)
            if following >= len(text):
                break
            lines.append(((text[start:end], role),))
            # Begins below the first letter: one column in.
            text, start = f" {text[following:]}", 0
        return [*lines, ((text[start:], role),)]


def columns(parts: Iterable[Styled]) -> int:
    """How many terminal columns the parts take together."""
    return sum(cells(text) for text, _ in parts)


# No count is longer, so none is ever cut.
SHORTEST_PART = 12


def fitted(
    left: tuple[Styled, ...], right: tuple[Styled, ...], width: int
) -> tuple[tuple[Styled, ...], tuple[Styled, ...]]:
    """The two halves of a line cut to fit: the longest part first, each cut told by an ellipsis.

    The longest part is a name, a filter or a sentence; counts are short, so they stay whole. What is left of the line
    when nothing long remains goes to the left half.
    """
    both = [list(left), list(right)]
    while columns(both[0]) + columns(both[1]) > width:
        half, place = max(
            ((half, place) for half in (0, 1) for place in range(len(both[half]))),
            key=lambda at: cells(both[at[0]][at[1]][0]),
        )
        text, role = both[half][place]
        over = columns(both[0]) + columns(both[1]) - width
        if cells(text) <= SHORTEST_PART:
            return tuple(both[0]), ()
        ending = " " if text.endswith(" ") else ""
        room = max(SHORTEST_PART, cells(text) - over) - 1 - len(ending)
        both[half][place] = (cut(text.rstrip(), room).rstrip() + "\u2026" + ending, role)
    return tuple(both[0]), tuple(both[1])
