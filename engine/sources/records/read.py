"""Reading a source: every line becomes a row or a quarantined piece with its reason; none is lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from engine.model import Quarantined
from engine.sources.files.encodings import encoding_of, told_encoding
from engine.sources.files.pieces import SourceRow
from engine.sources.files.text_source import SourceText, open_text
from engine.sources.records.arrays import ArrayText
from engine.sources.records.columns import arrow_rows, parquet_rows
from engine.sources.records.folders import folder_rows
from engine.sources.records.formats import source_format
from engine.sources.records.joined import array_as_chat, joined
from engine.sources.records.lines import line_rows
from engine.sources.records.named_cells import with_names
from engine.sources.records.question_blocks import block_rows
from engine.sources.records.records import array_rows
from engine.sources.records.tables import table_rows


def read_source(path: Path, format_name: str | None = None) -> Iterator[SourceRow | Quarantined]:
    """Every non-blank line (array element, record, row) of `path`, in order, as a row or as a quarantined piece; of a
    source that holds one message a record, conversations (joined.py), what is quarantined before them.

    The source is opened for reading only. Raises SourceError as `source_format` does.
    """
    yield from joined(_records(path, format_name))


def _records(path: Path, format_name: str | None) -> Iterator[SourceRow | Quarantined]:
    name = format_name or source_format(path)
    kind, dot, packing = name.partition(".")
    if kind == "folder":
        yield from folder_rows(path, _records, packing or None)
        return
    if kind in ("parquet", "arrow"):
        yield from parquet_rows(path) if kind == "parquet" else arrow_rows(path)
        return
    encoding = encoding_of(name)
    with open_text(path, dot + packing) as stream:
        is_table = kind in ("csv", "tsv")
        pieces = table_rows(stream, str(path)) if is_table else with_names(TEXT_READERS[kind](stream))
        yield from (told_encoding(piece, encoding) for piece in pieces) if encoding else pieces


def _array_elements(stream: SourceText) -> Iterator[SourceRow | Quarantined]:
    return array_rows(ArrayText(stream), itertools.count(1), array_as_chat)


TEXT_READERS = {"jsonl": line_rows, "json": _array_elements, "qa": block_rows}
