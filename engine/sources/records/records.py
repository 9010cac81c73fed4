"""Records of a JSON source as rows: an object is one, so is a list of messages; a list of rows is many."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from engine.model import Quarantined
from engine.nesting import TOO_DEEP, loads, nested_too_deep
from engine.sources.files.no_records import LIST_OF_CELLS
from engine.sources.files.pieces import (
    BETWEEN,
    CUT_BY_VIEWER,
    ON_ONE_LINE,
    REWRITTEN,
    SEVERAL,
    TEXT_IN_TEXT,
    TOO_LONG,
    UNFRAMED,
    WRAPPED,
    Record,
    SourceRow,
    set_aside,
)
from engine.sources.files.text_source import SourceText
from engine.sources.messages.speakers import is_message_list, list_name
from engine.sources.records.arrays import ArrayText
from engine.sources.records.lenient import loose_values

BOM = b"\xef\xbb\xbf"
MARKED, CRLF, TWICE = "byte order mark", "CRLF line end", "key stands twice"
NO_JSON = "not JSON:"
LEFT_BY_CRASH = "as a crash or a copy that broke off leaves them"
ENDS_INSIDE, CUT_OFF = "the array ends inside of this element", f"{NO_JSON} the record is cut off"
TAKEN_OUT = "an object in a comment"
# What stands around JSON in answers of chat programs, between documents, and before what browsers must not run.
_MARKS_OF_FORM = re.compile(rb"\s*(?:`{3,}\s*\w*|-{3,}|\)\]\}',?)\s*")
_CONFLICT = re.compile(r"(?:<{7}|>{7}|\|{7})(?: |\s*$)|={7}\s*$")


def pieces_of(line: int, offset: int, content: bytes, notes: tuple[str, ...] = ()) -> Iterable[SourceRow | Quarantined]:
    """One line or element as its row, or as its rows where it is a list of them or holds several, or set aside with the
    reason; nothing where it is a comment alone.

    A list of messages becomes a row that holds it under `messages` (`conversations` where they say `from`).
    """
    value, said_twice = _value_of(line, offset, content)
    if type(value) is Quarantined:
        return _loose_pieces(value, notes)
    if said_twice or content.endswith(b"\r"):
        notes += ((CRLF,) if content.endswith(b"\r") else ()) + said_twice
    if type(value) is dict and "row_idx" not in value and b"\n" not in content:
        return (SourceRow(line, offset, content, value, notes),)
    return _pieces_of_value(line, offset, content, value, notes)


def _pieces_of_value(
    line: int, offset: int, content: bytes, value: Any, notes: tuple[str, ...]
) -> Iterable[SourceRow | Quarantined]:
    if isinstance(value, dict):
        if "row_idx" in value and isinstance(value.get("row"), dict):
            return (_on_one_line(_unframed(SourceRow(line, offset, content, value, notes))),)
        return (_on_one_line(SourceRow(line, offset, content, value, notes)),)
    if is_message_list(value):
        name = list_name(value[0])
        wrapped = b'{"%b": %b}' % (name.encode(), _one_line(content))
        if nested_too_deep(wrapped):
            return (set_aside(line, offset, TOO_DEEP, content),)
        return (SourceRow(line, offset, wrapped, {name: value}, (*_as_it_stood(notes), WRAPPED)),)
    if isinstance(value, list) and any(map(_holds_objects, value)):
        return _elements_of(line, offset, content, tuple(note for note in notes if note not in (CRLF, TWICE)))
    if isinstance(value, str) and (inside := _text_within(value, notes)):
        return pieces_of(line, offset, *inside)
    reason = LIST_OF_CELLS if isinstance(value, list) else f"a JSON {_json_kind(value)}, not an object"
    return (set_aside(line, offset, reason, content),)


def array_rows(
    text: ArrayText,
    numbers: Iterator[int],
    together: Callable[[Iterator[SourceRow | Quarantined]], Iterator[SourceRow | Quarantined]] = iter,
    *,
    closes: bool = True,
) -> Iterator[SourceRow | Quarantined]:
    """Every element of an array, and of those behind it; `together` looks at those of one. `closes`: a closing bracket
    is wanted at the end."""
    goes_on = True
    while goes_on:
        yield from together(elements_of(text, numbers))
        if text.is_cut:
            return
        if not text.is_closed:
            if closes:
                yield Quarantined(next(numbers), text.offset, text.stream.damage or "the array is not closed", b"")
            return
        goes_on = text.goes_on()
        while not goes_on and (rest := text.rest()) is not None:
            offset, record, goes_on = rest
            if not record.length:
                continue
            yield record.set_aside(next(numbers), offset, text.stream.damage or "stands behind the end of the array")


def elements_of(text: ArrayText, numbers: Iterator[int]) -> Iterator[SourceRow | Quarantined]:
    """The elements of the array that `text` stands in, each by the next of the `numbers`; one that is no JSON ends
    where another one begins."""
    for offset, record, ends in text.elements():
        number = next(numbers)
        pieces = _of_element(number, offset, record, ends)
        if pieces is None or any(isinstance(piece, Quarantined) and piece.reason != TAKEN_OUT for piece in pieces):
            shorter = text.recut(offset, record)
            if shorter is not None:
                record, ends = shorter, True
                pieces = _of_element(number, offset, record, ends)
        if record.is_too_long:
            yield record.set_aside(number, offset, f"element {TOO_LONG}")
        elif pieces is None:
            yield record.set_aside(number, offset, text.stream.damage or ENDS_INSIDE)
        else:
            if all(isinstance(piece, SourceRow) for piece in pieces):
                text.learn(record.content)
            yield from pieces


def _of_element(number: int, offset: int, record: Record, ends: bool) -> list[SourceRow | Quarantined] | None:
    return list(pieces_of(number, offset, record.content)) if ends and not record.is_too_long else None


def fields_of(content: bytes) -> list[tuple[bytes, int, bytes]]:
    """Of each field of a JSON object its name, as it is written, the place of its value, and the value's bytes."""
    text = ArrayText(SourceText(io.BytesIO(content)))
    found = []
    while (key := text.key()) is not None:
        offset, record = text.value()
        found.append((key, offset, record.content))
    return found


def _unframed(row: SourceRow) -> SourceRow:
    """A row out of the frame that the Hub's viewer puts around it; what it cut off is told."""
    offset, content = next((start, inside) for key, start, inside in fields_of(row.content) if key == b"row")
    cut = row.raw.get("truncated_cells")
    notes = (*_as_it_stood(row.notes), *((CUT_BY_VIEWER,) if cut else ()), UNFRAMED)
    return SourceRow(row.line, row.offset + offset, content, row.raw["row"], notes)


def _as_it_stood(notes: tuple[str, ...]) -> tuple[str, ...]:
    """A row has one note at most that tells why it is not what stands in the source."""
    return tuple(note for note in notes if note not in REWRITTEN)


def _elements_of(line: int, offset: int, content: bytes, notes: tuple[str, ...]) -> Iterator[SourceRow | Quarantined]:
    for start, record, _ in ArrayText(SourceText(io.BytesIO(content))).elements():
        yield from pieces_of(line, offset + start, record.content, notes)


def is_no_json(piece: SourceRow | Quarantined) -> bool:
    """Whether a record was set aside because of its bytes, not for what they say."""
    reason = "" if isinstance(piece, SourceRow) else piece.reason
    return reason.startswith((NO_JSON, "not UTF-8")) or reason.endswith(LEFT_BY_CRASH)


def _text_within(text: str, notes: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]] | None:
    """What a text holds that is the JSON of an object or a list, on one line, with its note."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        content = text.encode("utf-8")
        found = loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) and not _holds_objects(found):
        return None
    return _one_line(content), (*_as_it_stood(notes), TEXT_IN_TEXT)


def _loose_pieces(bad: Quarantined, notes: tuple[str, ...]) -> Iterable[SourceRow | Quarantined]:
    """A record that is no JSON as the values it plainly means; else set aside as it is."""
    content = bad.content
    if bad.length or not bad.reason.startswith(NO_JSON):
        return (bad,)
    if b"\0" in content:
        return _around_zeros(bad, notes)
    if _MARKS_OF_FORM.fullmatch(content):
        return ()
    values = loose_values(content)
    if values == []:
        # One that was taken out by a mark is no remark.
        return (replace(bad, reason=TAKEN_OUT),) if b"{" in content else ()
    if values is None or not any(value.text[:1] in (b"{", b"[") for value in values):
        return (bad,)
    if BOM in content[: values[0].start]:
        notes += (MARKED,)
    if len(values) > 1:
        notes += (SEVERAL,)
    elif content[values[0].end :].lstrip().startswith(b",") or b"\x1e" in content[: values[0].start]:
        notes += (BETWEEN,)
    found: list[SourceRow | Quarantined] = []
    for value in values:
        start = bad.offset + value.start
        held, said_twice = _value_of(bad.line, start, value.text)
        if isinstance(held, Quarantined):
            return (bad if held.reason.startswith(NO_JSON) else replace(bad, reason=held.reason),)
        told = (value.note,) if value.note else ()
        said = (*notes, *told, *said_twice)
        for piece in _pieces_of_value(bad.line, start, value.text, held, said):
            is_aside = isinstance(piece, Quarantined) and value.note
            found.append(replace(piece, content=content[value.start : value.end]) if is_aside else piece)
    return tuple(found)


def _around_zeros(bad: Quarantined, notes: tuple[str, ...]) -> Iterable[SourceRow | Quarantined]:
    """A run of NUL bytes is one record, set aside; what is whole before and behind it is read."""
    content = bad.content
    first, last = content.index(b"\0"), content.rindex(b"\0") + 1
    zeros = content[first:last].count(b"\0")
    reason = f"{zeros:,} NUL {'byte' if zeros == 1 else 'bytes'}, {LEFT_BY_CRASH}"
    before = _whole_rows(bad.line, bad.offset, content[:first], notes)
    behind = _whole_rows(bad.line, bad.offset + last, content[last:], notes)
    start = first if before else 0
    middle = content[start : last if behind else len(content)]
    return (*before, set_aside(bad.line, bad.offset + start, reason, middle), *behind)


def _whole_rows(line: int, offset: int, content: bytes, notes: tuple[str, ...]) -> list[SourceRow | Quarantined]:
    """The rows of a text, where it holds nothing else."""
    found = list(pieces_of(line, offset, content, notes)) if content.strip() else []
    return found if all(isinstance(piece, SourceRow) for piece in found) else []


def _value_of(line: int, offset: int, content: bytes) -> tuple[Any, tuple[str, ...]]:
    """What JSON text says, with the note that a key stands twice in it, where one does; or why it says nothing."""
    try:
        text = content.decode("utf-8")
        if nested_too_deep(content):
            return set_aside(line, offset, TOO_DEEP, content), ()
        _parser.saw_twice = False
        return _parser.decode(text), (TWICE,) if _parser.saw_twice else ()
    except UnicodeDecodeError as error:
        return set_aside(line, offset, f"not UTF-8 at byte {error.start} of the line", content), ()
    except json.JSONDecodeError as error:
        return set_aside(line, offset, _why(text, error), content), ()
    except ValueError:
        # The one other thing the parser refuses, because making such a number takes time in the square of its length.
        reason = f"a whole number of more than {sys.get_int_max_str_digits():,} digits"
        return set_aside(line, offset, reason, content), ()
    except MemoryError:
        return set_aside(line, offset, "needs more memory than there is", content), ()


class _Parser(threading.local):
    """A parser of JSON that notices equal keys in an object (the last of them counts): one a thread, since to make one
    takes as long as to read a short row."""

    def __init__(self) -> None:
        self.saw_twice = False
        self.decode = json.JSONDecoder(object_pairs_hook=self._made).decode

    def _made(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.saw_twice = True
        return made


_parser = _Parser()


def _why(text: str, error: json.JSONDecodeError) -> str:
    """What is wrong in plain words, and where."""
    if _CONFLICT.match(text):
        return f"{NO_JSON} a mark of a merge conflict of git; both sides of it are read"
    at = f"at column {error.pos + 1}"
    if error.msg.startswith("Unterminated string"):
        return f"{NO_JSON} the record ends inside of a text that begins {at}"
    if error.pos >= len(text.rstrip()):
        return f"{CUT_OFF} {at}"
    if error.msg.startswith("Expecting ',' delimiter") and text[: error.pos].rstrip().endswith('"'):
        return f"{NO_JSON} no comma {at}, probably for a quote inside of a text that is not escaped"
    if error.msg.startswith("Invalid \\escape"):
        return f"{NO_JSON} a backslash {at} that is not doubled: {text[error.pos : error.pos + 2]}"
    if text[error.pos : error.pos + 1] in _CURLY_QUOTES:
        return f"{NO_JSON} a typographic quote {at} in the place of a straight one"
    if not any(bracket in text for bracket in "{["):
        return f"{NO_JSON} a line of text"
    return f"{NO_JSON} {_FAULTS.get(error.msg, error.msg)} {at}"


_CURLY_QUOTES = frozenset("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")
_FAULTS = {
    "Expecting value": "no value",
    "Expecting ',' delimiter": "no comma",
    "Expecting ':' delimiter": "no colon",
    "Expecting property name enclosed in double quotes": "no name in double quotes",
    "Extra data": "more behind the end of the value,",
    "Invalid control character": "a raw control character",
    "Invalid control character at": "a raw control character",
    "Illegal trailing comma before end of object": "a comma too many",
    "Illegal trailing comma before end of array": "a comma too many",
}


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}[type(value)]


def _holds_objects(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def _on_one_line(row: SourceRow) -> SourceRow:
    """rows.jsonl holds a row a line."""
    if b"\n" not in row.content:
        return row
    told = () if any(note in REWRITTEN for note in row.notes) else (ON_ONE_LINE,)
    return replace(row, content=_one_line(row.content), notes=(*row.notes, *told))


def _one_line(content: bytes) -> bytes:
    """Line breaks of valid JSON stand between its parts, never in a string."""
    return b" ".join(filter(None, map(bytes.strip, content.splitlines()))) if b"\n" in content else content.strip()
