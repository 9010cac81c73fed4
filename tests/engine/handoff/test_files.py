"""Written files as loaders open them, and what is claimed of their lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from projects import alpaca, write_jsonl

from engine.errors import UsageError
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from engine.sources.files.pieces import SourceRow
from engine.sources.records.read import read_source
from engine.workflows.export import export
from workbench.cli.export import export_lines

ROWS = [alpaca("a", "one"), alpaca("b", "two"), alpaca("c", 3), alpaca("d", "4"), {"instruction": "e", "output": None}]


def exported(source: Path, to: Path, heldout: int = 0, **options: Any) -> dict[str, Any]:
    with open_project(create_project(source, to.with_name(f"{to.name}.tamis")), reviewer="ann") as project:
        ids = tuple(project.rows.id(number) for number in range(len(project.rows)))
        if heldout:
            project.decide([Act("holdout", ids[-heldout:])])
        project.decide([Act("accept", ids)])
        return export(project, to, **options)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [piece.raw for piece in read_source(path) if isinstance(piece, SourceRow)]


def test_one_number_among_the_answers_leaves_the_others_plain_text(tmp_path: Path) -> None:
    exported(write_jsonl(tmp_path / "raw.jsonl", ROWS), tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["output"].to_pylist() == ["one", "two", "3", "4", None]
    assert rows_of(tmp_path / "out.parquet") == ROWS


def test_one_number_among_the_answers_of_a_dataset_folder(tmp_path: Path) -> None:
    import datasets

    exported(write_jsonl(tmp_path / "raw.jsonl", ROWS), tmp_path / "set", heldout=3, container="datasets")
    loaded = datasets.load_from_disk(str(tmp_path / "set"))
    assert loaded["validation"]["output"][:] == ["3", "4", None]
    assert [{key: row[key] for key in row if key != "split"} for row in rows_of(tmp_path / "set")] == ROWS


def test_notes_of_cells_that_are_nonsense_cost_no_row(tmp_path: Path) -> None:
    exported(write_jsonl(tmp_path / "raw.jsonl", ROWS), tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    for nonsense in ("[", "[1]", '{"output": {"a": 1}}', '{"output": [null, {}, "x", true]}'):
        told = table.schema.metadata | {b"tamis.json_cells": nonsense.encode()}
        pq.write_table(table.replace_schema_metadata(told), tmp_path / "odd.parquet")
        assert [row["output"] for row in rows_of(tmp_path / "odd.parquet")] == ["one", "two", "3", "4", None]


@pytest.mark.parametrize("indent", [None, 2], ids=["packed", "pretty-printed"])
def test_elements_of_an_array_are_not_called_the_sources_lines(indent: int | None, tmp_path: Path) -> None:
    rows = [alpaca("a", "b"), alpaca("c", "d")]
    (tmp_path / "raw.json").write_text(json.dumps(rows, indent=indent))
    said = exported(tmp_path / "raw.json", tmp_path / "out.jsonl")
    assert (said["untouched"], said["untouched_identical"], said["written_anew"]) == (2, 0, {"json": 2})
    told = "\n".join(export_lines(said))
    assert "0 of 2 untouched rows are the source's own lines" in told
    assert "2 untouched rows come out of a JSON array" in told
    assert rows_of(tmp_path / "out.jsonl") == rows


def test_rows_of_a_table_and_of_lines_are_counted_apart(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("prompt,completion\r\na,b\r\n")
    said = exported(tmp_path / "raw.csv", tmp_path / "out.jsonl")
    assert (said["untouched"], said["untouched_identical"], said["written_anew"]) == (1, 0, {"csv": 1})
    assert "1 untouched row comes out of a table (csv)" in "\n".join(export_lines(said))
    (tmp_path / "lines.jsonl.gz").write_bytes(gzip.compress(b'{ "prompt":"a","completion":"b"}\n'))
    said = exported(tmp_path / "lines.jsonl.gz", tmp_path / "own.jsonl")
    assert (said["untouched_identical"], said["written_anew"]) == (1, {})


@pytest.mark.parametrize("format_name", ["alpaca", "messages", "sharegpt", "prompt-completion"])
def test_metadata_that_stays_behind_is_counted_and_refuses_nothing(format_name: str, tmp_path: Path) -> None:
    said = exported(
        write_jsonl(tmp_path / "raw.jsonl", [alpaca("a", "b"), alpaca("c", "d")]),
        tmp_path / "out.jsonl",
        format_name=format_name,
    )
    assert said["lost"] == {}
    assert said["rows"] == 2


KTO = [
    {"prompt": "Why?", "completion": "Because.", "label": True},
    {"prompt": "How?", "completion": "Dunno.", "label": False},
]


def test_rows_in_their_own_shape_keep_their_labels(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", KTO)
    said = exported(source, tmp_path / "out.jsonl")
    assert (said["untouched_identical"], said["left_out"]) == (2, {})
    assert (tmp_path / "out.jsonl").read_bytes() == source.read_bytes()


def test_an_answer_that_is_not_wanted_is_left_out_with_its_reason(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", KTO)
    with pytest.raises(UsageError, match=r"would lose label in 1 row \(0\)"):
        exported(source, tmp_path / "out.jsonl", format_name="messages")
    said = exported(source, tmp_path / "lossy.jsonl", format_name="messages", lossy=True)
    assert (said["rows"], said["lost"], said["left_out"]) == (
        1,
        {"label": 1},
        {"its answer is marked as not wanted": 1},
    )
    assert "Dunno." not in (tmp_path / "lossy.jsonl").read_text()
    assert exported(source, tmp_path / "kto.jsonl", format_name="kto")["left_out"] == {}
    assert rows_of(tmp_path / "kto.jsonl") == KTO
    with pytest.raises(UsageError, match="marked as not wanted"):
        exported(write_jsonl(tmp_path / "bad.jsonl", KTO[1:]), tmp_path / "none.jsonl", format_name="alpaca")
