"""Parquet and Arrow as they come: streams, named classes, values without a form, and files with damaged bytes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.files.pieces import SourceRow
from engine.sources.records.columns import NO_FORM
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
KINDS = ("parquet", "file", "stream")


def written(table: Any, path: Path, kind: str, rows: int = 7) -> Path:
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=rows)
        return path
    make = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as out, make(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_known_by_its_bytes_whatever_it_is_called(tmp_path: Path, kind: str) -> None:
    path = written(pa.table({"prompt": ["a"], "response": ["b"]}), tmp_path / "data.bin", kind)
    assert source_format(path) == ("parquet" if kind == "parquet" else "arrow")
    assert [piece.raw for piece in read_source(path) if isinstance(piece, SourceRow)] == [
        {"prompt": "a", "response": "b"}
    ]


def test_a_column_in_a_zone_that_nobody_knows_costs_no_row(tmp_path: Path) -> None:
    table = pa.table(
        {"prompt": ["a", "b"], "at": pa.array([1, 2], pa.int64()).view(pa.timestamp("s", "Nowhere/At_All"))}
    )
    rows = [
        piece for piece in read_source(written(table, tmp_path / "t.arrow", "file")) if isinstance(piece, SourceRow)
    ]
    assert [(row.raw, row.notes) for row in rows] == [
        ({"prompt": "a", "at": 1}, (NO_FORM,)),
        ({"prompt": "b", "at": 2}, (NO_FORM,)),
    ]


def test_classes_have_their_names_wherever_they_stand(tmp_path: Path) -> None:
    named = {"names": ["neg", "pos"], "_type": "ClassLabel"}
    features = {
        "label": named,
        "labels": {"feature": named, "_type": "Sequence"},
        "old": [named],
        "inside": {"label": named, "n": {"dtype": "int64", "_type": "Value"}},
        "many": {"feature": {"label": named}, "_type": "Sequence"},
    }
    row = {
        "text": "a",
        "label": 1,
        "labels": [0, -1],
        "old": [1],
        "inside": {"label": 0, "n": 1},
        "many": {"label": [1]},
    }
    table = pa.Table.from_pylist([row, row | {"label": None}])
    said = {"huggingface": json.dumps({"info": {"features": features}})}
    first, second = read_source(written(table.replace_schema_metadata(said), tmp_path / "t.parquet", "parquet"))
    assert isinstance(first, SourceRow)
    assert isinstance(second, SourceRow)
    assert first.raw == {
        **{"text": "a", "label": "pos", "labels": ["neg", -1], "old": ["pos"]},
        **{"inside": {"label": "neg", "n": 1}, "many": {"label": ["pos"]}},
    }
    assert second.raw["label"] is None
    # What says nonsense names nothing.
    for nonsense in ("[]", '{"info": 1}', '{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}'):
        path = written(table.replace_schema_metadata({"huggingface": nonsense}), tmp_path / "t.parquet", "parquet")
        assert [piece.raw["label"] for piece in read_source(path) if isinstance(piece, SourceRow)] == [1, None]


def test_a_damaged_batch_of_an_arrow_file_costs_none_of_the_others(tmp_path: Path) -> None:
    table = pa.table({"prompt": [f"{n:04}" * 50 for n in range(30)]})
    path = written(table, tmp_path / "t.arrow", "file", rows=10)
    content = bytearray(path.read_bytes())
    # The head of the second batch: 8 bytes of mark and length stand before each of them.
    heads = [at for at in range(8, len(content)) if content[at : at + 4] == b"\xff\xff\xff\xff"]
    content[heads[2] + 4 : heads[2] + 24] = b"\x7f" * 20
    path.write_bytes(content)
    pieces = list(read_source(path))
    assert sum(isinstance(piece, SourceRow) for piece in pieces) == 20
    assert [piece.reason[:25] for piece in pieces if isinstance(piece, Quarantined)] == ["record batch 1 is damaged"]


def table_of_all_kinds() -> Any:
    return pa.table(
        {
            "prompt": [f"question {n}" for n in range(20)],
            "messages": [[{"role": "user", "content": "a" * n}] for n in range(20)],
            "number": list(range(20)),
            "word": pa.array(["u", "v"] * 10).dictionary_encode(),
            "view": pa.array(["x" * 20] * 20, pa.string_view()),
            "map": pa.array([[("a", 1)]] * 20, pa.map_(pa.string(), pa.int8())),
        }
    )


def mutated(content: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(damaged) + 1)
        match dice.randrange(4):
            case 0 if at < len(damaged):
                damaged[at] = dice.randrange(256)
            case 1:
                del damaged[at : at + dice.randint(1, 20)]
            case 2:
                damaged[at:at] = dice.randbytes(dice.randint(1, 8))
            case _ if dice.random() < 0.3:
                del damaged[at:]
    return bytes(damaged)


def check_damaged(path: Path, kind: str, seeds: range) -> None:
    """Whatever the damage: rows and what is set aside, in a Parquet file as many as its footer says, or one refusal."""
    whole = written(table_of_all_kinds(), path, kind).read_bytes()
    for seed in seeds:
        path.write_bytes(mutated(whole, random.Random(seed)))
        refusal = ""
        try:
            count = sum(1 for _ in read_source(path, "parquet" if kind == "parquet" else "arrow"))
        except SourceError as error:
            refusal = str(error)
        assert "\n" not in refusal, seed
        if not refusal and kind == "parquet":
            assert count == pq.ParquetFile(path).metadata.num_rows, seed


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_bytes_are_told(tmp_path: Path, kind: str) -> None:
    check_damaged(tmp_path / "t.bin", kind, range(60))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_bytes_are_told_thousands_of_times(tmp_path: Path, kind: str) -> None:
    check_damaged(tmp_path / "t.bin", kind, range(60, 3000))
