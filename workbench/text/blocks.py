"""What a document is made of: pieces of styled text, paragraphs, and texts that stand next to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

Styled = tuple[str, str]
"""(visible text, role of the theme)"""

# A longer system prompt is folded.
FOLDED_SYSTEM = 160


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of text before wrapping. `gutter` stands left of its first line; `row` is the row whose text this is."""

    styled: tuple[Styled, ...]
    gutter: Styled = ("", "muted")
    row: int | None = None
    hang: int = 0
    """Columns by which the lines after the first are set in."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One text of several that stand next to each other. `head` opens it, `gutter` names it as a paragraph's does."""

    head: Styled
    gutter: Styled
    paragraphs: Callable[[], Iterable[Paragraph]]
    row: int


@dataclass(frozen=True, slots=True)
class Abreast:
    """Texts to compare: next to each other as far as the reader is wide enough, else one below the other."""

    texts: tuple[Beside, ...]


Block = Paragraph | Abreast
