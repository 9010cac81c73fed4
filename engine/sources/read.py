"""Reading a source: every line becomes a row or a quarantined piece with its reason; none is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from engine.model import Quarantined
from engine.sources.formats import BOM, UNPACK_FAULTS, open_text, source_format
from engine.sources.pieces import MAX_LINE_BYTES, QUARANTINE_BYTES, SourceRow
from engine.sources.tables import table_rows

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


def _lines(stream: IO[bytes]) -> Iterator[SourceRow | Quarantined]:
    line = offset = 0
    while True:
        line += 1
        try:
            raw_line = stream.readline(MAX_LINE_BYTES + 1)
        except UNPACK_FAULTS as error:
            yield Quarantined(line, offset, f"the compressed data ends or is damaged here ({error})", b"")
            return
        if not raw_line:
            return
        start, offset = offset, offset + len(raw_line)
        if len(raw_line) > MAX_LINE_BYTES and not raw_line.endswith(b"\n"):
            offset += _skip_line(stream)
            yield Quarantined(line, start, "line longer than 64 MB (its first MB is kept)", raw_line[:QUARANTINE_BYTES])
            continue
        content = raw_line.removesuffix(b"\n")
        marked = line == 1 and content.startswith(BOM)
        content = content.removeprefix(BOM) if marked else content
        if content.strip():
            yield _parsed(line, start, content, marked)


def _skip_line(stream: IO[bytes]) -> int:
    skipped = 0
    while piece := stream.readline(MAX_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _parsed(line: int, offset: int, content: bytes, marked: bool) -> SourceRow | Quarantined:
    watch = _Watch()
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=watch)
    except UnicodeDecodeError as error:
        return Quarantined(line, offset, f"not UTF-8 at byte {error.start} of the line", content)
    except json.JSONDecodeError as error:
        return Quarantined(line, offset, f"not JSON: {error.msg} at column {error.colno}", content)
    except (RecursionError, ValueError) as error:
        return Quarantined(line, offset, f"not readable JSON: {error}", content)
    if not isinstance(value, dict):
        return Quarantined(line, offset, f"a JSON {_json_kind(value)}, not an object", content)
    notes = ((MARKED,) if marked else ()) + ((CRLF,) if content.endswith(b"\r") else ())
    return SourceRow(line, offset, content, value, notes + ((TWICE,) if watch.twice else ()))


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


def _array_elements(stream: IO[bytes]) -> Iterator[SourceRow | Quarantined]:
    try:
        content = stream.read().removeprefix(BOM)
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        yield Quarantined(1, error.start, f"not UTF-8 at byte {error.start}", content[error.start :][:QUARANTINE_BYTES])
        return
    except UNPACK_FAULTS as error:
        yield Quarantined(1, 0, f"the compressed data ends or is damaged ({error})", b"")
        return
    decoder = json.JSONDecoder()
    position = text.index("[") + 1
    element = 0
    while True:
        position = _skip(text, position, " \t\r\n,")
        if position >= len(text):
            yield Quarantined(element + 1, len(content), "the array is not closed", b"")
            return
        if text[position] == "]":
            break
        element += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError, ValueError) as error:
            rest = text[position:].encode("utf-8")
            offset = len(content) - len(rest)
            yield Quarantined(
                element, offset, f"not JSON from here to the end of the array: {error}", rest[:QUARANTINE_BYTES]
            )
            return
        piece = text[position:end]
        if not isinstance(value, dict):
            offset = len(text[:position].encode("utf-8"))
            yield Quarantined(element, offset, f"a JSON {_json_kind(value)}, not an object", piece.encode("utf-8"))
        else:
            # An element that spans lines cannot stand in rows.jsonl as it is; its value can.
            one_line = piece if "\n" not in piece and "\r" not in piece else json.dumps(value, ensure_ascii=True)
            yield SourceRow(element, position, one_line.encode("utf-8"), value)
        position = end


def _skip(text: str, position: int, what: str) -> int:
    while position < len(text) and text[position] in what:
        position += 1
    return position


TEXT_READERS = {"jsonl": _lines, "json": _array_elements, "csv": table_rows, "tsv": table_rows}
