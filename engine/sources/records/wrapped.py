"""A JSON object around rows: lists of objects under names, rows under keys, or columns; read row by row.

What stands beside the rows (a version, a licence) is told in a note of the last row. An object that is a row itself,
one that holds a conversation or a request, stays one row.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import SourceError
from engine.model import Quarantined
from engine.numerals import whole_number
from engine.sources.files.pieces import (
    COMMENTED,
    KEY_ADDED,
    OF_COLUMNS,
    PYTHON,
    REWRITTEN,
    SPLIT_ADDED,
    TEXT_IN_TEXT,
    SourceRow,
)
from engine.sources.files.text_source import SourceText
from engine.sources.messages.messages import looks_like_messages
from engine.sources.messages.speakers import is_message_list
from engine.sources.records.arrays import ArrayText
from engine.sources.records.records import array_rows, elements_of, fields_of, pieces_of
from engine.sources.shapes.guess import recognise
from engine.sources.shapes.names import ANSWERS, CHAT_NAMES, REQUESTED, REQUESTS, plain_name
from engine.sources.shapes.shape_table import known_shape

_SPLITS = "train training test testing validation valid val dev eval evaluation holdout heldout"
_STAGES = "train_sft test_sft train_prefs test_prefs train_gen test_gen"
SPLITS = frozenset(f"{_SPLITS} {_STAGES}".split())
LISTS = (
    *("rows", "data", "examples", "instances", "items", "records", "samples", "entries", "dataset", "results"),
    *("hits", "edges", "nodes", "docs", "documents", "objects", "value"),
)
LISTED = frozenset(LISTS)
MOST_NESTED = 4
"""Objects within each other in which rows are looked for."""
HEAD_BYTES = 1 << 20
TOO_LONG_COLUMNS = (
    "write it as lines first: "
    'python -c \'import pandas; pandas.read_json("FILE").to_json("rows.jsonl", orient="records", lines=True)\''
)
# Beside one of these a list belongs to the row.
_OF_A_ROW = frozenset(
    (*REQUESTED - {"description"}, "system", "systemprompt", "answer", "response", "completion", "text")
)
_OF_A_CHAT = frozenset((*CHAT_NAMES, "turns", "history", "rounds")) - {"data", "items"}
Piece = SourceRow | Quarantined


@dataclass(frozen=True, slots=True)
class _Form:
    """How an object holds rows: as `lists` (each with the split it is of, or ''), `rows`, `columns`, `indexed` columns,
    a `table` with its columns' names apart; or `inside` of fields that hold such an object each."""

    kind: str
    lists: dict[str, str]


def document_rows(row: SourceRow, content: bytes, start: int) -> Iterator[Piece] | None:
    """The rows that one object holds which is all of a source; None where it is a row itself. `content` is as the
    source has it."""
    form = _form_of(row.raw)
    if form is None:
        return None
    odd = next((note for note in row.notes if note in (PYTHON, COMMENTED, TEXT_IN_TEXT)), "")
    content = row.content if odd else content
    text = ArrayText(SourceText(io.BytesIO(content)), start)
    if form.kind == "inside":
        held = _told(_rows_inside(content, start, form))
    else:
        held = _told(_rows_in(text, form)) if form.kind in ("lists", "rows") else _of_columns(content, start, form)
    return (_written_anew(piece, start, odd) for piece in held) if odd else held


def is_page(value: dict[str, Any]) -> bool:
    """Whether an object, one of several in a source, is no row but holds a list of them: a page of results."""
    form = _form_of(value)
    if form is None or form.kind != "lists" or known_shape(value) is not None or not LISTED.issuperset(form.lists):
        return False
    return _are_known(value, form)


def streamed_rows(source: SourceText, head: bytes, start: int) -> Iterator[Piece] | None:
    """The same for an object that is damaged, or longer than a row may be; judged by how it begins. Raises SourceError
    for columns, all of which would have to be in memory."""
    form = _form_of_head(head[:HEAD_BYTES])
    if form is None:
        return None
    if form.kind == "columns":
        if len(head) < HEAD_BYTES:
            return None
        raise SourceError("the source is one JSON object of columns, longer than 64 MB", "", TOO_LONG_COLUMNS)
    return _told(_rows_in(ArrayText(source, start), form))


def _written_anew(piece: Piece, start: int, note: str) -> Piece:
    """Where all around the rows had to be written as strict JSON, they have no place of their own in the source."""
    if isinstance(piece, Quarantined):
        return replace(piece, offset=start)
    told = () if any(one in REWRITTEN for one in piece.notes) else (note,)
    return replace(piece, offset=start, notes=(*piece.notes, *told))


# -- what it is


def _form_of(value: dict[str, Any], nested: int = 0) -> _Form | None:
    if _is_table(value):
        return _Form("table", {})
    lists = {name: held for name, held in value.items() if _is_list_of_rows(held)}
    if lists:
        beside = [name for name in value if name not in lists]
        if any(plain_name(name) in _OF_A_ROW for name in beside) or not _are_rows(lists):
            return None
        if not any(name in LISTED or name.lower() in SPLITS for name in lists) and known_shape(value) is not None:
            return None
        return _chosen(lists)
    held = list(value.values())
    if held and all(isinstance(one, dict) and one for one in held):
        form = None if all(name.lower() in SPLITS for name in value) else _form_of_objects(value)
        if form is not None:
            return form
    return _Form("columns", {}) if _are_columns(value) else _form_inside(value, nested)


def _form_inside(value: dict[str, Any], nested: int) -> _Form | None:
    """One object inside of it that holds rows, or one for each split."""
    if nested >= MOST_NESTED or any(plain_name(name) in _OF_A_ROW for name in value):
        return None
    forms = {name: _form_of(held, nested + 1) for name, held in value.items() if isinstance(held, dict)}
    found = {name: form for name, form in forms.items() if form is not None and _are_known(value[name], form)}
    if not any(name in LISTED or name.lower() in SPLITS for name in found) and known_shape(value) is not None:
        return None
    if found and all(name.lower() in SPLITS for name in found):
        return _Form("inside", {name: name for name in found})
    return _Form("inside", dict.fromkeys(found, "")) if len(found) == 1 else None


def _are_known(value: dict[str, Any], form: _Form) -> bool:
    """Whether the first of the rows that an object holds is one that can be read."""
    if form.kind not in ("lists", "rows"):
        return True
    first = next(iter(form.lists or value))
    rows = value[first] if form.kind == "lists" else [value[first]]
    return recognise(next(row for row in rows if isinstance(row, dict))).mapping is not None


def _is_list_of_rows(held: object) -> bool:
    return isinstance(held, list) and 2 * sum(isinstance(one, dict) and bool(one) for one in held) > len(held)


def _are_rows(lists: dict[str, Any]) -> bool:
    """Whether lists of objects are rows, and not the messages of one."""
    return not any(
        plain_name(name) in _OF_A_CHAT or is_message_list(held) or looks_like_messages(held)
        for name, held in lists.items()
    )


def _chosen(lists: dict[str, list[dict[str, Any]]]) -> _Form | None:
    layouts = {name: frozenset(next(one for one in held if isinstance(one, dict))) for name, held in lists.items()}
    splits = {name: name for name in lists if name.lower() in SPLITS}
    if splits:
        # A list beside the splits whose rows are laid out as theirs is one more of them.
        of_splits = {layouts[name] for name in splits}
        return _Form("lists", {name: name for name in lists if name in splits or layouts[name] in of_splits})
    if len(lists) == 1:
        return _Form("lists", dict.fromkeys(lists, ""))
    known = next((name for name in LISTS if name in lists), None)
    if known is not None:
        return _Form("lists", {known: ""})
    if len(set(layouts.values())) == 1:
        return _Form("lists", {name: name for name in lists})
    return None


def _form_of_objects(value: dict[str, dict[str, Any]]) -> _Form | None:
    """Objects in an object: rows under keys, or columns under names with the index as keys."""
    first = next(iter(value.values()))
    are_numbers = all(map(_is_number, value))
    indexed = all(list(held) == list(first) for held in value.values())
    if not are_numbers and indexed and (all(map(_is_number, first)) or _are_keyed_columns(value)):
        return _Form("indexed", {})
    if are_numbers or (len(value) > 1 and _are_names(first) and not _are_names(value)):
        return _Form("rows", {})
    return None


def _is_number(name: str) -> bool:
    return whole_number(name) is not None


def _are_keyed_columns(value: dict[str, dict[str, Any]]) -> bool:
    """Whether columns have words for an index: only the outer names are those of fields."""
    first = next(iter(value.values()))
    are_cells = not any(isinstance(cell, dict) for held in value.values() for cell in held.values())
    return len(value) > 1 and len(first) > 1 and are_cells and _are_names(value) and not _are_names(first)


def _are_names(fields: Collection[str]) -> bool:
    """Whether some of them are names of what is asked and answered."""
    return any(plain_name(name) in _KNOWN for name in fields)


_KNOWN = frozenset((*REQUESTS, *ANSWERS, *CHAT_NAMES, "text", "questions", "prompts", "completions", "solutions"))


def _is_table(value: dict[str, Any]) -> bool:
    """pandas' orient `split`."""
    names, held = value.get("columns"), value.get("data")
    return (
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and isinstance(held, list)
        and all(isinstance(row, list) and len(row) == len(names) for row in held)
    )


def _are_columns(value: dict[str, Any]) -> bool:
    """Whether every field is a list of as many values as the others, at least one field under a known name."""
    lengths = {len(held) if isinstance(held, list) else -1 for held in value.values()}
    if len(lengths) != 1 or lengths <= {0, -1} or not _are_names(value):
        return False
    return not any(is_message_list(held) for held in value.values()) and (len(value) > 1 or lengths != {1})


def _form_of_head(head: bytes) -> _Form | None:
    """By the fields before the first list or object, and by the first thing in that."""
    text = ArrayText(SourceText(io.BytesIO(head)))
    while (key := text.key()) is not None:
        name = key.decode("utf-8", "replace")
        begins = head[text.offset :].lstrip()
        if plain_name(name) in _OF_A_ROW and not begins.startswith(b"["):
            return None
        if begins.startswith(b"["):
            inside = begins[1:].lstrip()
            if not inside.startswith(b"{"):
                return _Form("columns", {}) if _are_names([name]) or name == "columns" else None
            first = _first_object(inside)
            if plain_name(name) in _OF_A_CHAT or first is None or is_message_list([first]):
                return None
            if name != "features":
                return _Form("lists", {name: name if name.lower() in SPLITS else ""})
        elif begins.startswith(b"{") and _is_number(name):
            return _Form("rows", {})
        text.value()
    return None


def _first_object(inside: bytes) -> dict[str, Any] | None:
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(inside.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# -- its rows


def _rows_in(text: ArrayText, form: _Form) -> Iterator[Piece | str]:
    """The rows, and the names of the fields beside them."""
    numbers = itertools.count(1)
    names = frozenset(name.encode() for name in SPLITS)
    while (key := text.key()) is not None:
        name = _name(key)
        if form.kind == "rows":
            number = next(numbers)
            offset, record = text.value()
            for piece in pieces_of(number, offset, record.content):
                yield _with_key(piece, name, number) if isinstance(piece, SourceRow) else piece
            continue
        split = form.lists.get(name, name if name.lower() in SPLITS and any(form.lists.values()) else None)
        if split is None or not text.enter_list(names if split else frozenset()):
            text.value()
            yield name
            continue
        for piece in elements_of(text, numbers):
            yield _with_field(piece, "split", split, SPLIT_ADDED) if split and isinstance(piece, SourceRow) else piece
        if not text.is_cut:
            text.leave_list()
    if text.is_cut:
        return
    if not text.ends_object() and text.is_at_end:
        reason = text.stream.damage or "the object around the rows is not closed"
        yield Quarantined(next(numbers), text.offset, reason, b"")
        return
    yield from array_rows(text, numbers, closes=False)


def _rows_inside(content: bytes, start: int, form: _Form) -> Iterator[Piece | str]:
    """The same of the objects in some of its fields."""
    number = 0
    for key, offset, held in fields_of(content):
        name = _name(key)
        if name not in form.lists:
            yield name
            continue
        value, before = json.loads(held), number
        for piece in document_rows(SourceRow(1, start + offset, held, value), held, start + offset) or ():
            number, split = before + piece.line, form.lists[name]
            placed = replace(piece, line=number)
            yield (
                _with_field(placed, "split", split, SPLIT_ADDED) if split and isinstance(placed, SourceRow) else placed
            )


def _told(pieces: Iterable[Piece | str]) -> Iterator[Piece]:
    """The pieces; the last row tells what stood beside them."""
    beside: list[str] = []
    held: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str):
            beside.append(piece)
            continue
        if isinstance(piece, SourceRow):
            yield from held
            held = []
        held.append(piece)
    if beside and held and isinstance(held[0], SourceRow):
        note = f"beside the rows, not read: {', '.join(beside[:12])}{' …' if len(beside) > 12 else ''}"
        held[0] = replace(held[0], notes=(*held[0].notes, note))
    yield from held


def _with_key(row: SourceRow, key: str, number: int) -> SourceRow:
    """A row under a key that is more than its number."""
    if whole_number(key) in (number, number - 1):
        return row
    name = next((name for name in ("id", "key") if row.raw.get(name, key) == key), "_key")
    return row if name in row.raw else _with_field(row, name, key, KEY_ADDED)


def _with_field(row: SourceRow, name: str, value: str, note: str) -> SourceRow:
    if name in row.raw:
        return row
    inside = row.content.strip().removesuffix(b"}").rstrip()
    comma = b"" if not row.raw else b", "
    content = b"%b%b%b: %b}" % (inside, comma, _json(name), _json(value))
    notes = tuple(told for told in row.notes if told not in REWRITTEN)
    return replace(row, content=content, raw=row.raw | {name: value}, notes=(*notes, note))


def _of_columns(content: bytes, start: int, form: _Form) -> Iterator[Piece]:
    """Rows put together from columns, each value as it is written."""
    fields = {_name(key): (offset, held) for key, offset, held in fields_of(content)}
    if form.kind == "table":
        names = [_json(name) for name in json.loads(fields["columns"][1])]
        index = [held for _, held in _items(*fields["index"])] if "index" in fields else []
        for number, (offset, held) in enumerate(_items(*fields["data"])):
            cells = [cell for _, cell in _items(offset, held)]
            named = list(zip(names, cells, strict=False))
            if number < len(index) and index[number] not in (b"%d" % number, b"%d" % (number + 1)):
                named.append((b'"index"', index[number]))
            yield from pieces_of(number + 1, start + offset, _row(named), (OF_COLUMNS,))
        return
    columns: list[tuple[bytes, list[tuple[int, bytes]]]] = []
    keys: list[bytes] = []
    for name, (offset, held) in fields.items():
        if form.kind == "indexed":
            keyed = fields_of(held)
            keys = [key for key, _, _ in keyed]
            columns.append((_json(name), [(offset + place, cell) for _, place, cell in keyed]))
        else:
            columns.append((_json(name), _items(offset, held)))
    for number, found in enumerate(zip(*(column for _, column in columns), strict=False)):
        row = _row([(columns[place][0], cell) for place, (_, cell) in enumerate(found)])
        for piece in pieces_of(number + 1, start + found[0][0], row, (OF_COLUMNS,)):
            yield _with_key(piece, _name(keys[number]), number + 1) if keys and isinstance(piece, SourceRow) else piece


def _items(offset: int, content: bytes) -> list[tuple[int, bytes]]:
    text = ArrayText(SourceText(io.BytesIO(content)), offset)
    return [(start, record.content) for start, record, _ in text.elements()]


def _row(named: list[tuple[bytes, bytes]]) -> bytes:
    return b"{%b}" % b", ".join(b"%b: %b" % pair for pair in named)


def _json(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _name(key: bytes) -> str:
    try:
        return str(json.loads(b'"%b"' % key))
    except ValueError:
        return key.decode("utf-8", "replace")
