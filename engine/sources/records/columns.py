"""Parquet and Arrow, read by row group. Loads pyarrow: for jobs and commands, never for the workbench.

The schema in the file is taken as it is: nothing is inferred from values. A value that JSON cannot hold becomes text
(dates and times in ISO form, decimals in full, bytes in base64, anything else as it writes itself out), and the number
of a class its name, where the schema has one. Columns that tamis wrote as JSON text, because their rows differ in
shape, are restored: their names stand in the schema's metadata.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import SourceError
from engine.model import Quarantined
from engine.nesting import TOO_DEEP, loads, nested_too_deep
from engine.sources.files.pieces import MAX_LINE_BYTES, TOO_LONG, SourceRow, set_aside

# Few at a time: a cell may be large, and a column that says the same in all rows is small on disk.
BATCH_ROWS = 64
MOST_LOST = 100_000
MOST_UNPACKED = 200
"""Times its size on disk to which a large row group may unpack."""
NO_FORM = "a value without a form as text, kept as its number or left out"
# Where tamis notes, in the schema's metadata or in the manifest beside a folder, what a table cannot say by itself.
JSON_COLUMNS = "tamis.json_columns"
ABSENT_COLUMNS = "tamis.absent_columns"
JSON_CELLS = "tamis.json_cells"


@dataclass(frozen=True, slots=True)
class Notes:
    """Columns that hold JSON text (a null is an absent field, the text `null` a null), native columns whose nulls are
    absent fields, the features of `datasets` of columns that hold named classes, and of columns of text the rows,
    counted from 1, whose cell is JSON text."""

    json_text: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    json_cells: Mapping[str, frozenset[int]] = field(default_factory=dict)
    classes: Mapping[str, Any] = field(default_factory=dict)


def read_faults() -> tuple[type[BaseException], ...]:
    """What damaged columnar data make pyarrow raise: its own kinds, and Python's where it converts values."""
    import pyarrow as pa

    return (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        NotImplementedError,
        OverflowError,
        MemoryError,
        RecursionError,
        pa.ArrowException,
    )


def plain(value: Any) -> Any:
    """A value as JSON holds it, numbers and text untouched; what JSON has no form for as text."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    # Types of their own may be made of numpy's arrays and numbers (tensors do).
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)


def parquet_rows(path: Path, notes: Notes | None = None) -> Iterator[SourceRow | Quarantined]:
    """The rows of one Parquet file; a damaged row group is set aside, the others are read."""
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(regular(path))
    except read_faults() as error:
        raise SourceError(f"{path}: not a readable Parquet file", first_line(error), "fetch the file again") from error
    with opened:
        notes = _notes(opened.schema_arrow.metadata, notes)
        row = 0
        for group in range(opened.num_row_groups):
            expected = opened.metadata.row_group(group).num_rows
            start = row
            if _is_too_large(opened.metadata.row_group(group)):
                reason = f"row group {group} holds a row {TOO_LONG}, or gigabytes in a few megabytes"
                yield from _lost_rows(row, start + expected, reason)
                row = start + expected
                continue
            try:
                for batch in opened.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                    yield from _batch_rows(batch, row, notes)
                    row += batch.num_rows
                reason = f"row group {group} ends before this row"
            except read_faults() as error:
                reason = f"row group {group} is damaged: {first_line(error)}"
            yield from _lost_rows(row, start + expected, reason)
            row = max(row, start + expected)


def _is_too_large(group: Any) -> bool:
    """Whether a row group says that its rows are longer than a row may be, or unpacks as no text of many rows does: a
    few kilobytes may stand for gigabytes, which would be in memory all at once."""
    chunks = [group.column(number) for number in range(group.num_columns)]
    unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
    packed = sum(chunk.total_compressed_size for chunk in chunks)
    return bool(unpacked > MAX_LINE_BYTES) and (
        unpacked > MAX_LINE_BYTES * group.num_rows or unpacked > max(1 << 30, MOST_UNPACKED * packed)
    )


def _lost_rows(row: int, end: int, reason: str) -> Iterator[Quarantined]:
    """A line for each row of a damaged part. How many there are is only said by the file, and it may say anything."""
    if end - row > MOST_LOST:
        yield Quarantined(row + 1, 0, f"{reason} (it says that it holds {end - row:,} rows more)", b"")
    else:
        yield from (Quarantined(lost, 0, reason, b"") for lost in range(row + 1, end + 1))


def arrow_rows(path: Path, notes: Notes | None = None) -> Iterator[SourceRow | Quarantined]:
    """The rows of one Arrow file, in the file or the stream form."""
    import pyarrow as pa

    row = 0
    try:
        with pa.memory_map(str(regular(path)), "r") as mapped:
            try:
                reader: Any = pa.ipc.open_file(mapped)
                batches = (_file_batch(reader, index) for index in range(reader.num_record_batches))
            except pa.ArrowInvalid:
                mapped.seek(0)
                reader = pa.ipc.open_stream(mapped)
                batches = iter(reader)
            notes = _notes(reader.schema.metadata, notes)
            for batch in batches:
                if isinstance(batch, Quarantined):
                    row += 1
                    yield replace(batch, line=row)
                    continue
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    few = batch.slice(start, BATCH_ROWS)
                    yield from _batch_rows(few, row, notes)
                    row += few.num_rows
    except read_faults() as error:
        if row == 0:
            raise SourceError(
                f"{path}: not a readable Arrow file", first_line(error), "fetch the file again"
            ) from error
        yield Quarantined(row + 1, 0, f"damaged from here on: {first_line(error)}", b"")


def _file_batch(reader: Any, index: int) -> Any:
    """A record batch of an Arrow file; one that is damaged, of which nobody knows how many rows it held, set aside."""
    try:
        return reader.get_batch(index)
    except read_faults() as error:
        return Quarantined(0, 0, f"record batch {index} is damaged: {first_line(error)}", b"")


def regular(path: Path) -> Path:
    """The path of a file that has an end. Raises OSError for a pipe, a device and a name that is not there."""
    if path.exists() and not path.is_file():
        raise OSError("is no regular file")
    return path


def _batch_rows(batch: Any, row: int, notes: Notes) -> Iterator[SourceRow | Quarantined]:
    """The rows of a record batch, the first of them row number `row` of the source counted from 0."""
    try:
        # Arrow files are taken as they lie in memory: a damaged offset would be followed anywhere.
        batch.validate(full=True)
        rows = batch.to_pylist()
    except read_faults():
        if batch.num_rows > 1:
            # A value that Python has no form for (a date beyond year 9999, text that is not UTF-8) costs its own row.
            for place in range(batch.num_rows):
                yield from _batch_rows(batch.slice(place, 1), row + place, notes)
            return
        yield _one_row(batch, row + 1, notes)
        return
    for place, raw in enumerate(rows, 1):
        yield _piece(row + place, raw, notes)


def _one_row(batch: Any, row: int, notes: Notes) -> SourceRow | Quarantined:
    """A row of which a value has no form in Python: that one as text, or left out and told; set aside where damaged."""
    raw: dict[str, Any] = {}
    told: tuple[str, ...] = ()
    for name in batch.schema.names:
        column = batch.column(name)
        try:
            column.validate(full=True)
        except read_faults() as error:
            return Quarantined(row, 0, f"field {name!r} holds a value that cannot be read: {first_line(error)}", b"")
        form, values = _values(column)
        told = (NO_FORM,) if form else told
        if values:
            raw[name] = values[0]
    piece = _piece(row, raw, notes)
    return replace(piece, notes=told) if isinstance(piece, SourceRow) else piece


def _values(column: Any) -> tuple[Any, list[Any]]:
    """(None, the values of a column) as Python holds them; else (a type of numbers, the same as those: of a date beyond
    year 9999, a time in a zone that is not known here), else without values."""
    import pyarrow as pa

    for form in (None, pa.int64(), pa.int32()):
        try:
            return form, (column if form is None else column.view(form)).to_pylist()
        except read_faults():
            continue
    return pa.null(), []


def first_line(error: BaseException) -> str:
    """What an error says, for a reason of one line."""
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]


def _notes(metadata: dict[bytes, bytes] | None, beside: Notes | None) -> Notes:
    """What the schema notes, or what is noted `beside` the file in its place."""
    found = metadata or {}
    classes = _classes(found.get(b"huggingface"))
    if beside is not None:
        return replace(beside, classes=classes)
    columns = _names(found.get(JSON_COLUMNS.encode())), _names(found.get(ABSENT_COLUMNS.encode()))
    try:
        return Notes(*columns, json_cells(json.loads(found.get(JSON_CELLS.encode(), b"{}"))), classes)
    except ValueError:
        return Notes(*columns, classes=classes)


def _classes(said: bytes | None) -> dict[str, Any]:
    """The features of the columns in which `datasets` keeps named classes as numbers."""
    try:
        features = loads(said.decode("utf-8"))["info"]["features"] if said else {}
        return {str(name): feature for name, feature in features.items() if '"ClassLabel"' in json.dumps(feature)}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _by_name(value: Any, feature: Any) -> Any:
    """A value with the names of its classes. A number without a name (-1 where there is no label) stays."""
    if isinstance(value, list):
        inner: Any = feature[0] if isinstance(feature, list) and feature else feature
        return [_by_name(item, inner) for item in value]
    if not isinstance(feature, dict):
        return value
    if isinstance(value, dict):
        inside = feature.get("feature", feature)
        fields = inside if isinstance(inside, dict) else {}
        return {key: _by_name(item, fields.get(key)) for key, item in value.items()}
    if feature.get("_type") != "ClassLabel":
        return _by_name(value, feature["feature"]) if "feature" in feature else value
    names = feature.get("names")
    if isinstance(names, list) and type(value) is int and 0 <= value < len(names):
        return str(names[value])
    return value


def json_cells(said: Any) -> dict[str, frozenset[int]]:
    """The rows of each column whose cells are JSON text, as they are noted beside a table."""
    if not isinstance(said, dict):
        return {}
    return {
        name: frozenset(filter(lambda row: type(row) is int, rows)) for name, rows in said.items() if type(rows) is list
    }


def _names(content: bytes | None) -> frozenset[str]:
    try:
        return frozenset(map(str, json.loads(content))) if content else frozenset()
    except (ValueError, TypeError):
        return frozenset()


def _piece(row: int, raw: dict[str, Any], notes: Notes) -> SourceRow | Quarantined:
    value: dict[str, Any] = {}
    for name, item in raw.items():
        if item is None and (name in notes.json_text or name in notes.absent):
            continue
        is_json = name in notes.json_text or row in notes.json_cells.get(name, ())
        value[name] = _restored(item) if is_json else plain(item)
        if name in notes.classes:
            value[name] = _by_name(value[name], notes.classes[name])
    content = _encoded(value)
    if len(content) > MAX_LINE_BYTES:
        return set_aside(row, 0, f"row {TOO_LONG}", content)
    if nested_too_deep(content):
        return set_aside(row, 0, TOO_DEEP, content)
    return SourceRow(row, 0, content, value)


def _restored(item: Any) -> Any:
    try:
        return loads(item)
    except (ValueError, TypeError):
        return plain(item)


def _encoded(value: dict[str, Any]) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True).encode("ascii")
