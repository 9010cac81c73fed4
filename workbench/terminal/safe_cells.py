"""The last look at what is drawn: nothing in the cells of any widget is a control, whatever made them.

Views make text of the data visible themselves, so that it wraps and is cut as it is seen. This is for what one of them
forgot: a label, a title, a message of a library.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from workbench.text.escape import ascii_one_for_one, one_for_one


class SafeCells(LineFilter):
    """Every control, and whatever a terminal would not show, becomes one glyph; a line stays as wide as it was. Links
    go: a terminal would follow them. With `only_ascii` whatever is left beyond ASCII goes the same way."""

    def __init__(self, *, only_ascii: bool = False) -> None:
        super().__init__()
        self._spelled = ascii_line if only_ascii else safe_line

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(_is_plain(segment) for segment in segments):
            return segments
        text = "".join(segment.text for segment in segments)
        # All of the line at once: marks pile up over the borders of segments.
        safe = self._spelled(text)
        if safe == text and not any(segment.style and segment.style.link for segment in segments):
            return segments
        width = Segment.get_line_length(segments)
        return Segment.adjust_line_length(list(_cut_like(segments, safe)), width, segments[-1].style)


def _is_plain(segment: Segment) -> bool:
    text, style, _ = segment
    return text.isascii() and text.isprintable() and not (style and style.link)


@lru_cache(1024)
def safe_line(text: str) -> str:
    """The same text with as many characters, none of which a terminal obeys or hides."""
    return one_for_one(text).replace("\n", "\u240a").replace("\t", "\u2409")


@lru_cache(1024)
def ascii_line(text: str) -> str:
    """The same in ASCII."""
    return ascii_one_for_one(safe_line(text))


def _cut_like(segments: list[Segment], text: str) -> Iterator[Segment]:
    at = 0
    for own, style, control in segments:
        if control:
            yield Segment(own, style, control)
        else:
            kept = style.update_link(None) if style and style.link else style
            yield Segment(text[at : at + len(own)], kept)
        at += len(own)
