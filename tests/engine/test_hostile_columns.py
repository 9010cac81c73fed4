"""Parquet and Arrow files that are damaged, or lie: a value costs its row, a file its line, and nothing is run."""

from __future__ import annotations

import datetime
import decimal
import json
import pickle
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.records import columns
from engine.sources.records.read import read_source

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def told(path: Path) -> list[Any]:
    """Of each row its value, of what was set aside the reason."""
    return [piece.reason if isinstance(piece, Quarantined) else piece.raw for piece in read_source(path)]


def arrow(path: Path, batch: Any) -> Path:
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, batch.schema) as writer:
        writer.write_batch(batch)
    return path


def test_a_text_that_cannot_be_read_costs_its_own_row_and_a_date_nothing(tmp_path: Path) -> None:
    days = pa.array([1, 2**31 - 1, 3], pa.date32())
    text = pa.array([b"a", b"b", b"\xff"], pa.binary()).view(pa.string())
    batch = pa.record_batch([text, days], names=["output", "at"])
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "t.parquet")
    for path in (arrow(tmp_path / "t.arrow", batch), tmp_path / "t.parquet"):
        row, far, garbled = told(path)
        assert row == {"output": "a", "at": "1970-01-02"}
        # A day in the year 5,881,580: Python has no date for it.
        assert far == {"output": "b", "at": 2**31 - 1}
        assert garbled.startswith("field 'output' holds a value that cannot be read")


def test_a_type_that_json_has_no_form_for_is_read_as_text(tmp_path: Path) -> None:
    """One such column made every row of its row group count as damaged."""
    sent = uuid.UUID("78111357-86e5-4490-9d1e-3e903c270264")
    pixels = pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.int8(), [2]), pa.array([[1, 2]], pa.list_(pa.int8(), 2))
    )
    sents = pa.array([sent.bytes], pa.uuid())
    batch = pa.record_batch(
        {
            "id": sents,
            "ids": pa.ListArray.from_arrays([0, 1], sents),
            "pixels": pixels,
            "price": pa.array([decimal.Decimal("1.50")]),
            "took": pa.array([datetime.timedelta(seconds=90)]),
            "at": pa.array([datetime.time(12, 30)]),
            "sound": pa.array([b"\x00\xff"]),
            "span": pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
            "output": ["a"],
        }
    )
    (row,) = told(arrow(tmp_path / "t.arrow", batch))
    assert row == {
        "id": str(sent),
        "ids": [str(sent)],
        "pixels": [1, 2],
        "price": "1.50",
        "took": "0:01:30",
        "at": "12:30:00",
        "sound": "AP8=",
        "span": [1, 2, 3],
        "output": "a",
    }
    # A Parquet file knows fewer types.
    pq.write_table(pa.Table.from_batches([batch.drop_columns(["span"])]), tmp_path / "t.parquet")
    (row,) = told(tmp_path / "t.parquet")
    assert (row["id"], row["output"]) == (str(sent), "a")


def test_an_offset_that_points_anywhere_is_not_followed(tmp_path: Path) -> None:
    offsets = pa.py_buffer(struct.pack("<4i", 0, 1, 2**31 - 1, 3))
    text = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"abc"))
    path = arrow(tmp_path / "t.arrow", pa.record_batch([text], names=["text"]))
    row, second, third = told(path)
    assert row == {"text": "a"}
    assert "out of bounds" in second
    assert "holds a value that cannot be read" in third


def test_a_row_too_large_or_too_deep_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_LINE_BYTES", 1000)
    notes = {"tamis.json_columns": json.dumps(["x"])}
    deep = "[" * 199 + "]" * 199
    table = pa.table({"text": ["a", "b" * 2000, "c", "d"], "x": [deep, "1", f"[{deep}]", "[" * 300]})
    pq.write_table(table.replace_schema_metadata(notes), tmp_path / "t.parquet")
    first, large, deeper, never_json = told(tmp_path / "t.parquet")
    assert first == {"text": "a", "x": json.loads(deep)}
    assert large == "row longer than 64 MB"
    assert deeper == "nested more than 200 levels"
    # No JSON at all: it stays the text it is.
    assert never_json["x"] == "[" * 300


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return open, ("harmed", "w")


def test_a_pickled_type_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    harm = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(Harmful())}
    schema = pa.schema([pa.field("text", pa.string(), metadata=harm)])
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])], schema=schema), tmp_path / "t.parquet")
    assert told(tmp_path / "t.parquet") == [{"text": "a"}]
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"PAR1" + bytes(40),
        b"PAR1" + b"\xff" * 60 + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
        b"ARROW1\0\0" + b"\xff" * 64,
        b"ARROW1",
    ],
)
def test_a_file_that_only_begins_like_one_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not a readable") as caught:
        told(path)
    assert "\n" not in str(caught.value)


def test_rows_that_only_the_file_says_are_there_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [piece.line for piece in columns._lost_rows(2, 5, "damaged")] == [3, 4, 5]
    (one,) = columns._lost_rows(2, 2**60, "damaged")
    assert (one.line, one.reason) == (3, f"damaged (it says that it holds {2**60 - 2:,} rows more)")


def test_a_split_that_climbs_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["../outside", ".."]}')
    (tmp_path / "outside" / "state.json").write_text('{"_data_files": [{"filename": "x.arrow"}]}')
    with pytest.raises(SourceError, match="a folder without a data set"):
        told(tmp_path / "set")


def test_a_few_kilobytes_that_stand_for_many_megabytes_are_not_unpacked(tmp_path: Path) -> None:
    text = pa.array(["x" * (1 << 20)]).take(pa.array([0] * 150))
    pq.write_table(pa.table({"output": text}), tmp_path / "t.parquet", use_dictionary=False, compression="zstd")
    assert len(told(tmp_path / "t.parquet")) == 150  # many rows of a megabyte are rows
    long = pa.array(["x" * (70 << 20)])
    pq.write_table(pa.table({"output": long}), tmp_path / "t.parquet", use_dictionary=False, compression="zstd")
    assert (tmp_path / "t.parquet").stat().st_size < 1 << 20
    assert told(tmp_path / "t.parquet") == [
        "row group 0 holds a row longer than 64 MB, or gigabytes in a few megabytes"
    ]
