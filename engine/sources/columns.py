"""Parquet, Arrow and folders of them, read by row group. Loads pyarrow: for jobs and commands, never for the workbench.

The schema in the file is taken as it is: nothing is inferred from values. A value that JSON cannot hold becomes text
(dates and times in ISO form, decimals in full, bytes in base64, anything else as it writes itself out). Columns that
tamis wrote as JSON text, because their rows differ in shape, are restored: their names stand in the schema's metadata.
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
from engine.sources.pieces import MAX_LINE_BYTES, TOO_LONG, SourceRow, set_aside

# Few at a time: a cell may be large, and a column that says the same in all rows is small on disk.
BATCH_ROWS = 64
MOST_LOST = 100_000
# Where tamis notes, in the schema's metadata or in the manifest beside a folder, what a table cannot say by itself.
JSON_COLUMNS = "tamis.json_columns"
ABSENT_COLUMNS = "tamis.absent_columns"
JSON_CELLS = "tamis.json_cells"
MANIFEST_NAME = "tamis-manifest.json"
SPLIT_FIELD = "split"


@dataclass(frozen=True, slots=True)
class Notes:
    """Columns that hold JSON text (a null is an absent field, the text `null` a null), native columns whose nulls are
    absent fields, and of columns of text the rows, counted from 1, whose cell is JSON text."""

    json_text: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    json_cells: Mapping[str, frozenset[int]] = field(default_factory=dict)


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
        opened = pq.ParquetFile(_regular(path))
    except read_faults() as error:
        raise SourceError(f"{path}: not a readable Parquet file", _first_line(error), "fetch the file again") from error
    with opened:
        notes = notes or _notes(opened.schema_arrow.metadata)
        row = 0
        for group in range(opened.num_row_groups):
            expected = opened.metadata.row_group(group).num_rows
            start = row
            try:
                for batch in opened.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                    yield from _batch_rows(batch, row, notes)
                    row += batch.num_rows
            except read_faults() as error:
                yield from _lost_rows(row, start + expected, f"row group {group} is damaged: {_first_line(error)}")
            row = start + expected


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
        with pa.memory_map(str(_regular(path)), "r") as mapped:
            try:
                reader: Any = pa.ipc.open_file(mapped)
                batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
            except pa.ArrowInvalid:
                mapped.seek(0)
                reader = pa.ipc.open_stream(mapped)
                batches = iter(reader)
            notes = notes or _notes(reader.schema.metadata)
            for batch in batches:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    few = batch.slice(start, BATCH_ROWS)
                    yield from _batch_rows(few, row, notes)
                    row += few.num_rows
    except read_faults() as error:
        if row == 0:
            raise SourceError(
                f"{path}: not a readable Arrow file", _first_line(error), "fetch the file again"
            ) from error
        yield Quarantined(row + 1, 0, f"damaged from here on: {_first_line(error)}", b"")


def _regular(path: Path) -> Path:
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
        faults = (_value_fault(batch, name) for name in batch.schema.names)
        yield Quarantined(row + 1, 0, next(filter(None, faults), "holds a value that cannot be read"), b"")
        return
    for place, raw in enumerate(rows, 1):
        yield _piece(row + place, raw, notes)


def _value_fault(batch: Any, name: str) -> str:
    try:
        column = batch.column(name)
        column.validate(full=True)
        column.to_pylist()
    except read_faults() as error:
        return f"field {name!r} holds a value that cannot be read: {_first_line(error)}"
    return ""


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]


def _notes(metadata: dict[bytes, bytes] | None) -> Notes:
    found = metadata or {}
    columns = _names(found.get(JSON_COLUMNS.encode())), _names(found.get(ABSENT_COLUMNS.encode()))
    try:
        return Notes(*columns, _cells(json.loads(found.get(JSON_CELLS.encode(), b"{}"))))
    except ValueError:
        return Notes(*columns)


def _cells(said: Any) -> dict[str, frozenset[int]]:
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


def folder_files(folder: Path) -> list[tuple[str | None, str, Path]]:
    """(split, format, file) of a `datasets` folder, a DatasetDict or a Hub-style folder of Parquet; else empty."""
    listed = _saved_splits(folder)
    if listed:
        return [(split, "arrow", path) for split, part in listed for path in _saved_files(part)]
    files = (
        sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet")) or sorted(folder.glob("*/*.parquet"))
    )
    return [(_split_of(path, folder), "parquet", path) for path in files if path.is_file()]


def _saved_splits(folder: Path) -> list[tuple[str | None, Path]]:
    if (folder / "state.json").is_file():
        return [(None, folder)]
    try:
        splits = _said_in(folder / "dataset_dict.json")["splits"]
        # A name that climbs out of the folder is not followed.
        return [(str(split), folder / str(split)) for split in splits if Path(str(split)).name == split != ".."]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _saved_files(folder: Path) -> list[Path]:
    try:
        files = _said_in(folder / "state.json")["_data_files"]
        # A name that climbs out of the folder is not followed.
        return [folder / Path(str(entry["filename"])).name for entry in files]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{folder}: its state.json cannot be read", _first_line(error), "save the data set again"
        ) from error


def _said_in(path: Path) -> Any:
    """What a JSON file beside the data says. Raises OSError (for what is no file, too), ValueError."""
    return loads(_regular(path).read_bytes().decode("utf-8"))


def _split_of(path: Path, folder: Path) -> str | None:
    # `train-00000-of-00002.parquet`, or a folder of the split's name.
    name = path.name.split("-")[0].removesuffix(".parquet") if "-" in path.name else path.parent.name
    return name if path.parent != folder or "-" in path.name else None


def folder_rows(folder: Path) -> Iterator[SourceRow | Quarantined]:
    """All rows of all splits, in the order listed; where there are several, each row names its own in `split`."""
    files = folder_files(folder)
    if not files:
        raise SourceError(f"{folder}: is a folder without a data set in it", "", "point tamis at a data file")
    splits = {split for split, _, _ in files}
    line = 0
    for split, kind, path in files:
        notes = _folder_notes(folder, split)
        for piece in parquet_rows(path, notes) if kind == "parquet" else arrow_rows(path, notes):
            line += 1
            yield _with_split(piece, line, split if len(splits) > 1 or split not in (None, "data") else None)


def _folder_notes(folder: Path, split: str | None) -> Notes | None:
    """What the manifest of an export says of the columns of a split; None where there is no manifest of tamis."""
    try:
        columns = _said_in(folder / MANIFEST_NAME)["export"]["columns"]
        cells = _cells(columns.get("json_cells", {}).get(split))
        return Notes(frozenset(columns["json_text"]), frozenset(columns["absent"]), cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _with_split(piece: SourceRow | Quarantined, line: int, split: str | None) -> SourceRow | Quarantined:
    if isinstance(piece, Quarantined):
        return replace(piece, line=line)
    if split is None or SPLIT_FIELD in piece.raw:
        return SourceRow(line, 0, piece.content, piece.raw)
    raw = piece.raw | {SPLIT_FIELD: split}
    return SourceRow(line, 0, _encoded(raw), raw)
