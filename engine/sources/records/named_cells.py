"""Lists of cells in JSON, the first of which holds the names of the columns: a table that a sheet's script wrote."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from engine.model import Quarantined
from engine.nesting import loads
from engine.sources.files.no_records import LIST_OF_CELLS
from engine.sources.files.pieces import OF_COLUMNS, SourceRow
from engine.sources.records.tables import is_known_name

Piece = SourceRow | Quarantined


def with_names(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces; where the first is a list of names, which is no record, each list of as many cells as a row."""
    head = list(itertools.islice(pieces, 2))
    names = _cells(head[0]) if len(head) == 2 and len(_cells(head[1])) == len(_cells(head[0])) > 1 else []
    are_texts = all(isinstance(name, str) and name for name in names)
    if not are_texts or len(set(names)) < len(names) or not any(map(is_known_name, names)):
        return itertools.chain(head, pieces)
    return (_named(piece, names) for piece in itertools.chain(head[1:], pieces))


def _cells(piece: Piece) -> list[str]:
    """What a list of cells holds; nothing where the piece is none."""
    if isinstance(piece, SourceRow) or piece.reason != LIST_OF_CELLS or piece.length:
        return []
    found = loads(piece.content.decode("utf-8"))
    return found if isinstance(found, list) else []


def _named(piece: Piece, names: list[str]) -> Piece:
    cells = _cells(piece)
    if isinstance(piece, SourceRow) or not cells or len(cells) != len(names):
        return piece
    raw = dict(zip(names, cells, strict=True))
    return SourceRow(piece.line, piece.offset, json.dumps(raw, ensure_ascii=False).encode(), raw, (OF_COLUMNS,))
