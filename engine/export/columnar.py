"""Rows as a table: Parquet, CSV, or a `datasets` folder. Loads pyarrow, so it runs in a command or a job.

A column whose values share one plain type keeps it, and one that is mostly text stays text: what is none of it is JSON
text in its own cell, and reading restores those cells. Anything else travels as JSON text: an Arrow struct would give
every row the fields of all rows (measured: `{"x":1}` comes back as `{"x":1,"y":null}`). The names of such columns are
noted in the table, and reading restores them.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UsageError

Rows = Sequence[Mapping[str, Any]]
JSON_COLUMNS = "tamis.json_columns"
ABSENT_COLUMNS = "tamis.absent_columns"
JSON_CELLS = "tamis.json_cells"
INT64 = 2**63
# Each column of a Parquet file takes time and memory of its own; of a CSV file only its cells do.
MOST_COLUMNS, MOST_CSV_COLUMNS = 20_000, 1_000_000
FEW_COLUMNS, MOST_CELLS = 1000, 50_000_000
MESSAGE_KEYS = {"role", "content"}
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Blanks, and what is not seen, behind which a spreadsheet may find one.
_UNSEEN = "".join(filter(str.isspace, map(chr, range(0x3001)))).translate(dict.fromkeys(b"\t\r\n")) + (
    "\0\xad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How each column is stored, by name, in order; and the native columns in which some rows have no field."""

    kinds: Mapping[str, str]
    absent: tuple[str, ...]

    @property
    def json_text(self) -> tuple[str, ...]:
        return tuple(name for name, kind in self.kinds.items() if kind == "json")


def lay_out(rows: Rows) -> Layout:
    """The layout that keeps every value: text, int, float, bool and messages natively, the rest as JSON text. A column
    that is "mixed" is text but for some cells."""
    names = _columns(rows, MOST_COLUMNS)
    # Arrow keeps names as C strings in places: behind a NUL they end.
    unwritable = next((name for name in names if "\0" in name or not _encodable(name)), None)
    if unwritable is not None:
        number = next(number for number, row in enumerate(rows) if unwritable in row)
        raise UsageError(
            f"row {number} of the export has a field {unwritable!r}, a name that Parquet and Arrow cannot hold",
            "",
            "export as JSONL, or rename it in the source",
        )
    kinds: dict[str, str] = {}
    absent: list[str] = []
    for name in names:
        values = [row[name] for row in rows if name in row]
        missing = len(values) < len(rows)
        kind = _kind(values)
        if missing and any(value is None for value in values):
            # A null would be read as an absent field: only JSON text tells the two apart.
            kind = "mixed" if kind in ("text", "mixed") else "json"
        kinds[name] = kind
        if missing and kind != "json":
            absent.append(name)
    return Layout(kinds, tuple(absent))


def _columns(rows: Rows, most: int) -> list[str]:
    """The fields of all rows, in order. Raises UsageError where a table of them would be mostly empty cells, and
    take memory and hours: rows whose keys are data (`{"user 17": …}`) have as many columns as keys."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) > most or (len(names) > FEW_COLUMNS and len(names) * len(rows) > MOST_CELLS):
        raise UsageError(
            f"the rows have {len(names):,} different fields: too many for the columns of a table of {len(rows):,} rows",
            "",
            "export as JSONL",
        )
    return names


def _kind(values: Sequence[Any]) -> str:
    present = [value for value in values if value is not None]
    types = {type(value) for value in present}
    if str in types:
        texts = sum(_is_text(value) for value in present)
        # One number among ten thousand answers must not make each of them quoted JSON for whoever loads the table.
        return "text" if texts == len(present) else "mixed" if texts * 2 >= len(present) else "json"
    if types == {bool}:
        return "bool"
    if types == {int}:
        return "int" if all(-INT64 <= value < INT64 for value in present) else "json"
    if types == {float}:
        return "float"
    if types == {list} and all(_is_message(item) for value in present for item in value):
        return "messages"
    return "json"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and _encodable(value)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_message(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and item.keys() == MESSAGE_KEYS
        and all(isinstance(text, str) and _encodable(text) for text in item.values())
    )


def to_table(rows: Rows, layout: Layout) -> Any:
    """A `pyarrow.Table` with explicit types; nothing is inferred."""
    import pyarrow as pa

    message = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    types = {
        "text": pa.string(),
        "mixed": pa.string(),
        "json": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "messages": message,
    }
    columns = {
        name: pa.array([_cell(row, name, kind, name in layout.absent) for row in rows], type=types[kind])
        for name, kind in layout.kinds.items()
    }
    schema = pa.schema([(name, types[kind]) for name, kind in layout.kinds.items()])
    metadata = {JSON_COLUMNS: json.dumps(layout.json_text), ABSENT_COLUMNS: json.dumps(layout.absent)}
    cells = json_cells(rows, layout)
    metadata |= {JSON_CELLS: json.dumps(cells)} if cells else {}
    return pa.table(columns, schema=schema).replace_schema_metadata(metadata)


def json_cells(rows: Rows, layout: Layout) -> dict[str, list[int]]:
    """Of each mixed column the rows, counted from 1, whose cell is JSON text."""
    mixed = [name for name, kind in layout.kinds.items() if kind == "mixed"]
    found = {
        name: [
            place
            for place, row in enumerate(rows, 1)
            if name in row and _is_json_cell(row[name], name in layout.absent)
        ]
        for name in mixed
    }
    return {name: places for name, places in found.items() if places}


def _is_json_cell(value: Any, some_are_absent: bool) -> bool:
    return some_are_absent if value is None else not _is_text(value)


def _cell(row: Mapping[str, Any], name: str, kind: str, some_are_absent: bool) -> Any:
    if name not in row:
        return None
    value = row[name]
    as_json = kind == "json" or (kind == "mixed" and _is_json_cell(value, some_are_absent))
    return json.dumps(value, ensure_ascii=True) if as_json else value


def parquet_bytes(rows: Rows) -> bytes:
    """One Parquet file."""
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(to_table(rows, lay_out(rows)), out, compression="zstd")
    return out.getvalue()


def begins_formula(value: Any) -> bool:
    """Whether a spreadsheet may run a cell: text that begins with `=`, `+`, `-`, `@`, also full-width and behind blanks
    or what is not seen, or with a tab or an end of line, behind which one may stand."""
    return isinstance(value, str) and value.lstrip(_UNSEEN).startswith(FORMULA_SIGNS)


def formula_cells(rows: Rows) -> Counter[str]:
    """How many cells of each field begin a formula; a name of a field counts as a cell of it."""
    found = Counter(name for name in dict.fromkeys(name for row in rows for name in row) if begins_formula(name))
    found.update(name for row in rows for name, value in row.items() if begins_formula(value))
    return found


def csv_bytes(rows: Rows, *, safe: bool = False) -> bytes:
    """One CSV file: text as it is, anything else as JSON text, an absent field as an empty cell. With `safe` an
    apostrophe stands before text that begins a formula: spreadsheets take it for text then, and readers see it."""
    names = _columns(rows, MOST_CSV_COLUMNS)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([f"'{name}" if safe and begins_formula(name) else name for name in names])
    for row in rows:
        values = (row.get(name, "") for name in names)
        cells = [f"'{value}" if safe and begins_formula(value) else _csv_cell(value) for value in values]
        # A row of one empty cell would be a blank line, which is no record.
        if len(cells) == 1 and not cells[0]:
            out.write('""\r\n')
        else:
            writer.writerow(cells)
    return out.getvalue().encode("utf-8", "backslashreplace")


def _csv_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def save_dataset_dict(splits: Mapping[str, Rows], folder: Path) -> dict[str, Any]:
    """Write a `datasets.DatasetDict` that `load_from_disk` reads; the names of its JSON-text and absent columns, and
    by split the cells that are JSON text.

    All splits share one layout, so that they have the same features.
    """
    import datasets

    layout = lay_out([row for rows in splits.values() for row in rows])
    tables = {name: datasets.Dataset(to_table(rows, layout)) for name, rows in splits.items()}
    # One file a split: cells are noted by their place in it.
    datasets.DatasetDict(tables).save_to_disk(str(folder), num_shards=dict.fromkeys(splits, 1))
    cells = {name: found for name, rows in splits.items() if (found := json_cells(rows, layout))}
    noted: dict[str, Any] = {"json_text": list(layout.json_text), "absent": list(layout.absent)}
    return noted | ({"json_cells": cells} if cells else {})
