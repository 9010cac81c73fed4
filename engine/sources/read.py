"""Reading a source: every line becomes a row or a quarantined piece with its reason; none is lost."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.model import Quarantined
from engine.nesting import TOO_DEEP, nested_too_deep
from engine.sources.arrays import CHUNK_BYTES, ArrayText
from engine.sources.formats import BOM, source_format
from engine.sources.pieces import MAX_LINE_BYTES, TOO_LONG, Record, SourceRow, set_aside
from engine.sources.tables import table_rows
from engine.sources.text_source import SourceText, open_text

MARKED, CRLF, TWICE = "byte order mark", "CRLF line end", "key stands twice"


def read_source(path: Path, format_name: str | None = None) -> Iterator[SourceRow | Quarantined]:
    """Every non-blank line (array element, record, row) of `path`, in order, as a row or as a quarantined piece.

    The source is opened for reading only. Raises SourceError as `source_format` does.
    """
    name = format_name or source_format(path)
    kind, dot, packing = name.partition(".")
    if kind in ("parquet", "arrow", "folder"):
        from engine.sources import columns

        if kind == "folder":
            yield from columns.folder_rows(path)
        else:
            yield from columns.parquet_rows(path) if kind == "parquet" else columns.arrow_rows(path)
        return
    with open_text(path, dot + packing) as stream:
        yield from TEXT_READERS[kind](stream)


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
            yield _parsed(line, start, content.removesuffix(b"\n"), marked)
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


def _parsed(line: int, offset: int, content: bytes, notes: tuple[str, ...] = ()) -> SourceRow | Quarantined:
    """One line or element as a row, or set aside with the reason."""
    watch = _Watch()
    try:
        text = content.decode("utf-8")
        if nested_too_deep(content):
            return set_aside(line, offset, TOO_DEEP, content)
        value = json.loads(text, object_pairs_hook=watch)
    except UnicodeDecodeError as error:
        return set_aside(line, offset, f"not UTF-8 at byte {error.start} of the line", content)
    except json.JSONDecodeError as error:
        return set_aside(line, offset, f"not JSON: {error.msg} at column {error.colno}", content)
    except ValueError:
        # The one other thing the parser refuses, because making such a number takes time in the square of its length.
        return set_aside(line, offset, f"a whole number of more than {sys.get_int_max_str_digits():,} digits", content)
    except MemoryError:
        return set_aside(line, offset, "needs more memory than there is", content)
    if not isinstance(value, dict):
        return set_aside(line, offset, f"a JSON {_json_kind(value)}, not an object", content)
    notes += ((CRLF,) if content.endswith(b"\r") else ()) + ((TWICE,) if watch.twice else ())
    return SourceRow(line, offset, content, value, notes)


class _Watch:
    """Makes objects of pairs as `dict` does (the last of equal keys counts) and notices equal keys."""

    twice = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.twice = self.twice or len(made) != len(pairs)
        return made


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}[type(value)]


def _array_elements(stream: SourceText) -> Iterator[SourceRow | Quarantined]:
    text = ArrayText(stream)
    element = 0
    for offset, record, ends in text.elements():
        element += 1
        if not ends:
            yield record.set_aside(element, offset, stream.damage or "the array ends inside of this element")
            return
        if record.is_too_long:
            yield record.set_aside(element, offset, f"element {TOO_LONG}")
        else:
            yield _on_one_line(_parsed(element, offset, record.content))
    if not text.is_closed:
        yield Quarantined(element + 1, text.offset, stream.damage or "the array is not closed", b"")
        return
    for offset, record in text.rest():
        element += 1
        yield record.set_aside(element, offset, stream.damage or "stands behind the end of the array")


def _on_one_line(piece: SourceRow | Quarantined) -> SourceRow | Quarantined:
    """rows.jsonl holds a row a line. Line breaks of valid JSON stand between its parts, never in a string."""
    if isinstance(piece, Quarantined) or not (b"\n" in piece.content or b"\r" in piece.content):
        return piece
    return replace(piece, content=b" ".join(map(bytes.strip, piece.content.splitlines())))


TEXT_READERS = {"jsonl": _lines, "json": _array_elements, "csv": table_rows, "tsv": table_rows}
