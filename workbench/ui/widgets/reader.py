"""The reader: one document, wrapped only as far as it is shown, repainted only where it changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from textual import events
from textual.strip import Strip

from workbench.text.blocks import Abreast, Beside, Block, Paragraph, Styled
from workbench.text.cells import cells, line_breaks, slices
from workbench.text.escape import ascii_text
from workbench.ui.theme import RoleStyles
from workbench.ui.widgets.lines import Lines

# Longer lines are hard to read, however wide the terminal is.
WIDEST_TEXT = 88
GUTTER = 10
NARROW_GUTTER = 5
# A verdict's mark and a blank stand before a row number.
MARK_WIDTH = 3
NARROW = 60
SHORT_ROLES = {
    **{"assistant": "asst", "system": "sys", "edited": "edit", "reasoning": "rsn", "rejected": "rej"},
    **{"candidate": "cand", "tools": "fns", "not here": "gone", "other": "else", "label": "mark"},
}

# Texts beside each other: no column is narrower, so many columns lie between two.
NARROWEST_COLUMN = 30
GAP = 3

WrappedLine = tuple[tuple[Styled, ...], tuple[int, ...]]
"""(styled text of one screen line, the rows whose text it is)"""


class Reader(Lines):
    """`open` gives it a document; `seen_rows` are those whose text is on the screen now."""

    def __init__(
        self,
        styles: RoleStyles,
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
        self._paragraphs: Callable[[], Iterable[Block]] = tuple
        self._wrapped: list[WrappedLine] = []
        self._rest: Iterator[WrappedLine] = iter(())
        self._width = 0
        self.top = 0

    def open(self, key: Hashable, paragraphs: Callable[[], Iterable[Block]]) -> None:
        """Show a document; the same key with a new document stays where it was scrolled to."""
        if key != self._key:
            self.top = 0
        self._key, self._paragraphs, self._width = key, paragraphs, 0
        self.sync()

    @property
    def key(self) -> Hashable:
        """What the document was opened as."""
        return self._key

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
        return {row for _, rows in self._wrapped[self.top : self.top + self.size.height] for row in rows}

    @property
    def more_below(self) -> bool:
        """Whether there is text below what is shown."""
        return self._reach(self.top + self.size.height + 1)

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        if width != self._width:
            self._width = width
            self._wrapped = []
            gutter = self._narrow_gutter if width < NARROW else self._gutter
            self._rest = wrap(self._shown(), width - 1, gutter)
        self._reach(self.top + height)
        self.top = max(0, min(self.top, len(self._wrapped) - 1))
        shown = self._wrapped[self.top : self.top + height]
        lines = [self.styled.strip(((" ", "text"), *styled), width) for styled, _ in shown]
        return lines + [self.styled.strip((), width)] * (height - len(lines))

    def _shown(self) -> Iterator[Block]:
        """The paragraphs as this terminal is to show them: before they are wrapped, since escapes are longer."""
        return map(self._in_ascii, self._paragraphs()) if self.styled.ascii else iter(self._paragraphs())

    def _in_ascii(self, block: Block) -> Block:
        if isinstance(block, Abreast):
            return Abreast(tuple(map(self._text_in_ascii, block.texts)))
        return self._paragraph_in_ascii(block)

    def _text_in_ascii(self, text: Beside) -> Beside:
        (head, head_role), (name, role) = text.head, text.gutter
        return Beside(
            (ascii_text(head), head_role),
            (ascii_text(name), role),
            lambda: map(self._paragraph_in_ascii, text.paragraphs()),
            text.row,
        )

    def _paragraph_in_ascii(self, paragraph: Paragraph) -> Paragraph:
        name, role = paragraph.gutter
        return replace(paragraph, styled=tuple(self.styled.shown(paragraph.styled)), gutter=(ascii_text(name), role))

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


def wrap(blocks: Iterable[Block], width: int, gutter: int) -> Iterator[WrappedLine]:
    """Screen lines of at most `width` columns, the first `gutter` of them for who speaks."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield from _wrapped(block, min(width, WIDEST_TEXT), gutter)
        else:
            yield from _abreast(block.texts, width, gutter)


def _abreast(texts: Sequence[Beside], width: int, gutter: int) -> Iterator[WrappedLine]:
    """As many texts next to each other as have room, in bands of about equally many; a single one as paragraphs."""
    fit = max(1, min(len(texts), (width + GAP) // (NARROWEST_COLUMN + GAP)))
    if fit == 1:
        yield from wrap((part for text in texts for part in _below(text)), width, gutter)
        return
    bands = -(-len(texts) // fit)
    across = -(-len(texts) // bands)
    room = min(WIDEST_TEXT, (width - GAP * (across - 1)) // across)
    for start in range(0, len(texts), across):
        if start:
            yield (), ()
        columns = [_column(text, room) for text in texts[start : start + across]]
        for lines in zip_longest(*columns, fillvalue=((), ())):
            styled: list[Styled] = []
            for place, (line, _) in enumerate(lines):
                left = room - sum(cells(part) for part, _ in line)
                styled += [*([(" \u2502 ", "line")] if place else []), *line]
                if place < len(lines) - 1:
                    styled.append((" " * left, "text"))
            yield tuple(styled), tuple(row for _, rows in lines for row in rows)


def _column(text: Beside, room: int) -> Iterator[WrappedLine]:
    """One of several texts: a line that names it, then the text."""
    name, role = text.gutter
    yield (text.head, (name, role)), ()
    for paragraph in text.paragraphs():
        named = (paragraph.gutter, (" ", "muted")) if paragraph.gutter[0] else ()
        yield from _wrapped(replace(paragraph, styled=(*named, *paragraph.styled)), room, 0)


def _below(text: Beside) -> Iterator[Paragraph]:
    """The same where there is no room beside: in the words of any other paragraph."""
    for place, paragraph in enumerate(text.paragraphs()):
        yield paragraph if place else replace(paragraph, styled=(text.head, *paragraph.styled), gutter=text.gutter)
    yield Paragraph(())


def _wrapped(paragraph: Paragraph, width: int, gutter: int) -> Iterator[WrappedLine]:
    name, role = paragraph.gutter
    if 0 < gutter < GUTTER:
        name = SHORT_ROLES.get(name, name)
    if len(name) >= gutter:
        # A count cut short would be another count.
        name = name.partition(" ~")[0]
    rows = () if paragraph.row is None else (paragraph.row,)
    side: Styled = (name[: max(0, gutter - 1)].ljust(gutter), role)
    room = max(1, width - gutter)
    text = "".join(part for part, _ in paragraph.styled)
    pieces = list(paragraph.styled)
    if cells(text) <= room:
        yield (side, *pieces), rows
        return
    at = 0
    while at < len(text):
        end, following = line_breaks(text, room, at)
        yield (side, *slices(pieces, at, end)), rows
        side, at = (" " * (gutter + paragraph.hang), "text"), following
        room = max(1, width - gutter - paragraph.hang)
