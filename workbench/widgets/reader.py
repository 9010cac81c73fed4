"""The reader: one document, wrapped only as far as it is shown, repainted only where it changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from textual import events
from textual.strip import Strip

from workbench.ascii_text import ascii_text
from workbench.cells import cells, line_breaks, slices
from workbench.document_parts import Paragraph, Styled
from workbench.widgets.lines import Lines, Styles

# Longer lines are hard to read, however wide the terminal is.
WIDEST_TEXT = 88
GUTTER = 10
NARROW_GUTTER = 5
# A verdict's mark and a blank stand before a row number.
MARK_WIDTH = 3
NARROW = 60
SHORT_ROLES = {"assistant": "asst", "system": "sys", "edited": "edit"}

WrappedLine = tuple[tuple[Styled, ...], int | None]
"""(styled text of one screen line, the row whose text it is)"""


class Reader(Lines):
    """`open` gives it a document; `seen_rows` are those whose text is on the screen now."""

    def __init__(
        self,
        styles: Styles,
        *,
        gutter: int = GUTTER,
        digits: int = 1,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`digits` is how long a row number may be: none is ever cut."""
        super().__init__(styles, id=id)
        numbered = MARK_WIDTH + digits + 1
        self._gutter = max(gutter, numbered) if gutter else 0
        self._narrow_gutter = min(self._gutter, max(NARROW_GUTTER, numbered))
        self._key: Hashable = None
        self._paragraphs: Callable[[], Iterable[Paragraph]] = tuple
        self._wrapped: list[WrappedLine] = []
        self._rest: Iterator[WrappedLine] = iter(())
        self._width = 0
        self.top = 0

    def open(self, key: Hashable, paragraphs: Callable[[], Iterable[Paragraph]]) -> None:
        """Show a document; the same key with a new document stays where it was scrolled to."""
        if key != self._key:
            self.top = 0
        self._key, self._paragraphs, self._width = key, paragraphs, 0
        self.sync()

    def scroll_pages(self, pages: float) -> bool:
        """Scroll by pages, as far as there is text; whether anything moved."""
        height = max(1, self.size.height)
        before = self.top
        self._reach(self.top + int(height * (abs(pages) + 1)) + 1)
        # One line stays for the eye to hold on to.
        step = max(1, int((height - 1) * abs(pages)))
        last = max(0, len(self._wrapped) - height)
        self.top = min(self.top + step, last) if pages > 0 else max(0, self.top - step)
        self.sync()
        return self.top != before

    @property
    def seen_rows(self) -> set[int]:
        """The rows of which at least one line is shown."""
        return {row for _, row in self._wrapped[self.top : self.top + self.size.height] if row is not None}

    @property
    def more_below(self) -> bool:
        """Whether there is text below what is shown."""
        return self._reach(self.top + self.size.height + 1)

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        if width != self._width:
            self._width = width
            self._wrapped = []
            gutter = self._narrow_gutter if width < NARROW else self._gutter
            self._rest = wrap(self._shown(), min(width - 1, WIDEST_TEXT), gutter)
        self._reach(self.top + height)
        self.top = max(0, min(self.top, len(self._wrapped) - 1))
        shown = self._wrapped[self.top : self.top + height]
        lines = [self.styled.strip(((" ", "text"), *styled), width) for styled, _ in shown]
        return lines + [self.styled.strip((), width)] * (height - len(lines))

    def _shown(self) -> Iterator[Paragraph]:
        """The paragraphs as this terminal is to show them: before they are wrapped, since escapes are longer."""
        for paragraph in self._paragraphs():
            if self.styled.ascii:
                name, role = paragraph.gutter
                styled = tuple(self.styled.shown(paragraph.styled))
                paragraph = replace(paragraph, styled=styled, gutter=(ascii_text(name), role))
            yield paragraph

    def _reach(self, count: int) -> bool:
        """Wrap on until `count` lines are there; whether the document is that long."""
        while len(self._wrapped) < count:
            line = next(self._rest, None)
            if line is None:
                return False
            self._wrapped.append(line)
        return True

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.scroll_pages(0.25)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.scroll_pages(-0.25)


def wrap(paragraphs: Iterable[Paragraph], width: int, gutter: int) -> Iterator[WrappedLine]:
    """Screen lines of at most `width` columns, the first `gutter` of them for who speaks."""
    for paragraph in paragraphs:
        name, role = paragraph.gutter
        if gutter < GUTTER:
            name = SHORT_ROLES.get(name, name)
        if len(name) >= gutter:
            # A count cut short would be another count.
            name = name.partition(" ~")[0]
        side: Styled = (name[: max(0, gutter - 1)].ljust(gutter), role)
        room = max(1, width - gutter)
        text = "".join(part for part, _ in paragraph.styled)
        pieces = list(paragraph.styled)
        if cells(text) <= room:
            yield (side, *pieces), paragraph.row
            continue
        at = 0
        while at < len(text):
            end, following = line_breaks(text, room, at)
            yield (side, *slices(pieces, at, end)), paragraph.row
            side, at = (" " * (gutter + paragraph.hang), "text"), following
            room = max(1, width - gutter - paragraph.hang)
