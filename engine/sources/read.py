"""Reading a source: every line becomes a row or a quarantined piece with its reason; none is lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from engine.model import Quarantined
from engine.sources.arrays import CHUNK_BYTES, ArrayText
from engine.sources.encodings import encoding_of, told_encoding
from engine.sources.formats import BOM, source_format
from engine.sources.joined import array_as_chat, joined
from engine.sources.pieces import MAX_LINE_BYTES, TOO_LONG, Record, SourceRow, set_aside
from engine.sources.records import MARKED, pieces_of
from engine.sources.tables import table_rows
from engine.sources.text_source import SourceText, open_text


def read_source(path: Path, format_name: str | None = None) -> Iterator[SourceRow | Quarantined]:
    """Every non-blank line (array element, record, row) of `path`, in order, as a row or as a quarantined piece; of a
    source that holds one message a record, conversations (joined.py), what is quarantined before them.

    The source is opened for reading only. Raises SourceError as `source_format` does.
    """
    yield from joined(_records(path, format_name))


def _records(path: Path, format_name: str | None) -> Iterator[SourceRow | Quarantined]:
    name = format_name or source_format(path)
    kind, dot, packing = name.partition(".")
    if kind in ("parquet", "arrow", "folder"):
        from engine.sources import columns

        if kind == "folder":
            yield from columns.folder_rows(path)
        else:
            yield from columns.parquet_rows(path) if kind == "parquet" else columns.arrow_rows(path)
        return
    encoding = encoding_of(name)
    with open_text(path, dot + packing) as stream:
        pieces = TEXT_READERS[kind](stream)
        yield from (told_encoding(piece, encoding) for piece in pieces) if encoding else pieces


def _lines(stream: SourceText) -> Iterator[SourceRow | Quarantined]:
    line = offset = 0
    ends = True
    while raw_line := stream.readline(MAX_LINE_BYTES + 1):
        line += 1
        start, offset = offset, offset + len(raw_line)
        ends = raw_line.endswith(b"\n")
        if len(raw_line) > MAX_LINE_BYTES and not ends:
            record = _whole_line(stream, raw_line)
            offset, ends = start + record.length, record.ends_line
            yield record.set_aside(line, start, stream.damage or f"line {TOO_LONG}")
        elif stream.damage and not ends:
            yield set_aside(line, start, stream.damage, raw_line)
        elif (content := raw_line.removeprefix(BOM) if line == 1 else raw_line).strip():
            marked = (MARKED,) if len(content) < len(raw_line) else ()
            yield from pieces_of(line, start, content.removesuffix(b"\n"), marked)
        else:
            blank = _blank_lines_ahead(stream)
            line, offset = line + blank.count(b"\n"), offset + len(blank)
    if stream.damage and ends:
        yield Quarantined(line + 1, offset, stream.damage, b"")


def _whole_line(stream: SourceText, beginning: bytes) -> Record:
    record = Record(beginning)
    while piece := stream.readline(CHUNK_BYTES):
        record.add(piece)
        if piece.endswith(b"\n"):
            break
    return record


def _blank_lines_ahead(stream: SourceText) -> bytes:
    """Blank lines that wait in the stream's buffer: a milliard of them is not gone through one by one."""
    ahead = stream.peek()
    blank = ahead[: len(ahead) - len(ahead.lstrip())]
    return stream.read(blank.rfind(b"\n") + 1)


def _array_elements(stream: SourceText) -> Iterator[SourceRow | Quarantined]:
    text = ArrayText(stream)
    numbers = itertools.count(1)
    goes_on = True
    while goes_on:
        yield from array_as_chat(_elements(text, stream, numbers))
        if text.is_cut:
            return
        if not text.is_closed:
            yield Quarantined(next(numbers), text.offset, stream.damage or "the array is not closed", b"")
            return
        goes_on = text.goes_on()
    for offset, record in text.rest():
        yield record.set_aside(next(numbers), offset, stream.damage or "stands behind the end of the array")


def _elements(text: ArrayText, stream: SourceText, numbers: Iterator[int]) -> Iterator[SourceRow | Quarantined]:
    for offset, record, ends in text.elements():
        element = next(numbers)
        if not ends:
            reason = stream.damage or "the array ends inside of this element"
            yield record.set_aside(element, offset, reason)
        elif record.is_too_long:
            yield record.set_aside(element, offset, f"element {TOO_LONG}")
        else:
            yield from pieces_of(element, offset, record.content)


TEXT_READERS = {"jsonl": _lines, "json": _array_elements, "csv": table_rows, "tsv": table_rows}
