"""Texts side by side, each wrapped in a column of its own; where the terminal is narrow the last ones stand below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from textual.strip import Strip

from workbench.text.blocks import Styled
from workbench.text.cells import cells, fitted, line_breaks
from workbench.text.escape import visible
from workbench.ui.widgets.lines import Lines, Styles

NARROWEST = 30
GAP = 3
MOST_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """A title with its role, and a text as it came: it is made visible here."""

    title: str
    role: str
    text: str


class Columns(Lines):
    """`show` gives it the columns; it scrolls them together."""

    def __init__(self, styles: Styles, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(styles, id=id)
        self._columns: tuple[Column, ...] = ()
        self._rows: list[tuple[Styled, ...]] = []
        self._width = 0
        self.top = 0

    def show(self, columns: Iterable[Column]) -> None:
        """Show other texts; from their beginning, unless they are the same."""
        fresh = tuple(columns)
        if fresh != self._columns:
            self._columns, self._width, self.top = fresh, 0, 0
        self.sync()

    def scroll_pages(self, pages: float) -> bool:
        """Scroll by pages, as far as there is text; whether anything moved."""
        height = max(2, self.size.height)
        last = max(0, len(self._rows) - height)
        before = self.top
        self.top = max(0, min(last, self.top + int((height - 1) * pages) or (1 if pages > 0 else -1)))
        self.sync()
        return self.top != before

    @property
    def more_below(self) -> bool:
        """Whether there is text below what is shown."""
        return self.top + self.size.height < len(self._rows)

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        if width != self._width:
            self._width = width
            self._rows = list(beside(self._columns, width))
        self.top = max(0, min(self.top, max(0, len(self._rows) - height)))
        shown = self._rows[self.top : self.top + height]
        lines = [self.styled.strip(styled, width) for styled in shown]
        return lines + [self.styled.strip((), width)] * (height - len(lines))


def beside(columns: Sequence[Column], width: int) -> Iterator[tuple[Styled, ...]]:
    """Screen lines with as many columns next to each other as have room, the others below them."""
    abreast = max(1, min(len(columns), (width - 1 + GAP) // (NARROWEST + GAP)))
    for start in range(0, len(columns), abreast):
        group = columns[start : start + abreast]
        room = (width - 1 - GAP * (len(group) - 1)) // len(group)
        wrapped = [wrapped_text(column.text, room) for column in group]
        yield joined([(fitted(column.title, room), column.role) for column in group])
        for number in range(max(len(lines) for lines in wrapped)):
            yield joined([(fitted(lines[number] if number < len(lines) else "", room), "text") for lines in wrapped])


def joined(parts: Sequence[Styled]) -> tuple[Styled, ...]:
    """Parts with a line between them."""
    out: list[Styled] = [(" ", "text")]
    for number, part in enumerate(parts):
        out += [*([(" \u2502 ", "muted")] if number else []), part]
    return tuple(out)


def wrapped_text(text: str, width: int) -> list[str]:
    """The text made visible, in lines of at most `width` columns; an endless one is cut, and says so."""
    lines: list[str] = []
    shown = visible(text[:MOST_CHARACTERS])
    for paragraph in shown.split("\n"):
        at = 0
        if cells(paragraph) <= width:
            lines.append(paragraph)
            continue
        while at < len(paragraph):
            end, following = line_breaks(paragraph, max(1, width), at)
            lines.append(paragraph[at:end])
            at = following
    if len(text) > MOST_CHARACTERS:
        lines.append(f"({len(text) - MOST_CHARACTERS:,} further characters)")
    return lines
