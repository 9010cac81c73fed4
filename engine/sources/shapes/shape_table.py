"""The one table of shapes, and which of its entries a row is of. The first entry whose signs all hold counts.

A new shape is an entry and its example, which a test reads; docs/formats.md is written from it
(`python -m engine.sources.shapes.shape_docs`).
"""

from __future__ import annotations

from functools import lru_cache

from engine.model import Row
from engine.sources.mapping import Mapping
from engine.sources.shapes.known_shape import Shape, Sign
from engine.sources.shapes.layouts import FieldsOf, Layout, layout_of
from engine.sources.shapes.names import MOST_OF_NAMES
from engine.sources.shapes.shapes_of_chats import CHATS
from engine.sources.shapes.shapes_of_exports import EXPORTS
from engine.sources.shapes.shapes_of_logs import LOGS
from engine.sources.shapes.shapes_of_rows import BY_NAMES, PAIRS, PREFERENCES

FAMILIES: dict[str, tuple[Shape, ...]] = {
    "Exports of chat programs": EXPORTS,
    "Logs and annotation tools": LOGS,
    "Preferences": PREFERENCES,
    "Chats": CHATS,
    "Pairs": PAIRS,
    "By the names of the fields": BY_NAMES,
}
SHAPES: tuple[Shape, ...] = tuple(shape for family in FAMILIES.values() for shape in family)
_ENTRIES = [(shape, [Sign(sign) for sign in shape.signs]) for shape in SHAPES]
_NAMES = frozenset(name for _, signs in _ENTRIES for sign in signs for name in sign.names)


def known_shape(row: Row) -> Shape | None:
    """The entry that a row is of by its signs; None where only the names of its fields may tell."""
    layout = layout_of(row)
    entries = _entries_for(layout) if layout.size <= MOST_OF_NAMES else _entries_of(layout.only(_NAMES))
    return next((shape for shape, signs in entries if all(sign.stands_in(row) for sign in signs)), None)


def shape_by_names(row: Row, guessed: Mapping) -> Shape:
    """The entry of the last resort for a mapping that the names of the fields gave."""
    return next(
        shape
        for shape, signs in _ENTRIES
        if shape.guessed == guessed.shape and all(sign.stands_in(row) for sign in signs)
    )


@lru_cache(maxsize=512)
def _entries_for(layout: Layout) -> list[tuple[Shape, list[Sign]]]:
    return _entries_of(layout.only(_NAMES))


@lru_cache(maxsize=4096)
def _entries_of(layout: Layout) -> list[tuple[Shape, list[Sign]]]:
    """The entries that rows of this layout can be of, each with the signs that have to be looked at in each row; one
    without any is the last."""
    seen = FieldsOf(layout)
    found: list[tuple[Shape, list[Sign]]] = []
    for shape, signs in _ENTRIES:
        if shape.guessed is not None or any(sign.told_by(seen) is False for sign in signs):
            continue
        found.append((shape, [sign for sign in signs if sign.told_by(seen) is None]))
        if not found[-1][1]:
            break
    return found
