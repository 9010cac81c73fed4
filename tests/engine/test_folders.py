"""Folders of data files: each file by its own kind, and every row says which one it comes from."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.files.pieces import SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

ROW = '{"prompt": "a", "response": "b", "score": 1.50}\n'


def laid_out(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def rows_of(folder: Path) -> list[SourceRow]:
    return [piece for piece in read_source(folder) if isinstance(piece, SourceRow)]


def splits_of(folder: Path) -> list[Any]:
    return [row.raw.get("split") for row in rows_of(folder)]


def test_files_of_different_kinds_and_columns_are_one_source(tmp_path: Path) -> None:
    folder = laid_out(
        tmp_path / "set",
        {"train.jsonl": ROW, "valid.csv": "question,answer\nc,d\n", "more/test.json": f"[{ROW}, {ROW}]"},
    )
    rows = rows_of(folder)
    assert [row.raw.get("split") for row in rows] == ["more/test", "more/test", "train", "valid"]
    assert rows[3].raw == {"question": "c", "answer": "d", "split": "valid"}
    # The row stays as it was written, but for the one field.
    assert rows[2].content == b'{"prompt": "a", "response": "b", "score": 1.50, "split": "train"}'
    assert all(json.loads(row.content) == row.raw for row in rows)
    assert len({row.line for row in rows}) == 4


def test_what_stands_beside_data_is_no_data(tmp_path: Path) -> None:
    beside = ("README.md", ".hidden.jsonl", ".git/x.json", "dataset_infos.json", "old.tamis/rows.jsonl", "_part.jsonl")
    folder = laid_out(tmp_path / "set", {"data.jsonl": ROW, **dict.fromkeys(beside, ROW)})
    assert splits_of(folder) == [None]


def test_parts_of_one_split_are_one_split(tmp_path: Path) -> None:
    parts = {f"data/train-0000{n}-of-00002.jsonl": ROW for n in range(2)}
    assert splits_of(laid_out(tmp_path / "set", parts)) == [None, None]
    assert splits_of(laid_out(tmp_path / "set", {"data/test-00000-of-00001.jsonl": ROW})) == ["test", "train", "train"]


def test_a_file_that_cannot_be_read_costs_none_of_the_others(tmp_path: Path) -> None:
    files = {"a.jsonl": ROW + "no json\n", "b.jsonl": "", "c.csv": "prompt,response\n", "d.jsonl": "\x00\x01\x02" * 99}
    folder = laid_out(tmp_path / "set", {**files, "e.jsonl": ROW})
    pieces = list(read_source(folder))
    aside = [piece for piece in pieces if isinstance(piece, Quarantined)]
    assert len(pieces) - len(aside) == 2
    told = zip(("(a.jsonl, 2)", "is empty", "column names and no rows", "d.jsonl"), aside, strict=True)
    assert [words in piece.reason for words, piece in told] == [True] * 4


def test_tables_in_a_folder_say_which_one_a_row_comes_from(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    for name in ("test", "train"):
        pq.write_table(pa.table({"prompt": ["a"], "response": ["b"]}), tmp_path / f"{name}.parquet")
    assert splits_of(tmp_path) == ["test", "train"]


def test_a_row_that_has_a_split_keeps_its_own(tmp_path: Path) -> None:
    own = '{"prompt": "a", "response": "b", "split": "mine"}\n'
    assert splits_of(laid_out(tmp_path / "set", {"a.jsonl": own, "b.jsonl": ROW})) == ["mine", "b"]


def test_a_folder_without_data_says_what_is_in_it(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "set", {"notes.txt": "x", "a.png": "x"})
    with pytest.raises(SourceError, match=r"without a data set in it: it holds a\.png, notes\.txt"):
        rows_of(folder)


def test_parts_of_one_data_set_are_no_splits_and_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    def named(*names: str) -> list[str | None]:
        files = {name: ROW.replace('"a"', f'"{name}"') for name in names}
        return splits_of(laid_out(tmp_path / names[0], files))

    assert named("part-0001.jsonl", "part-0002.jsonl") == [None, None]
    assert named("part-00000-ab3c-c000.json", "part-00001-ab3c-c000.json") == [None, None]
    assert named("train_part_1.jsonl", "train_part_2.jsonl", "test.jsonl") == ["test", "train", "train"]
    # Versions are no parts.
    assert named("v1.jsonl", "v2.jsonl") == ["v1", "v2"]
    folder = laid_out(tmp_path / "days", {f"{n}.jsonl": ROW.replace('"a"', f'"{n}"') for n in (10, 9, 1)})
    assert [row.raw["prompt"] for row in rows_of(folder)] == ["1", "9", "10"]


def test_a_folder_of_one_archive_is_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with zipfile.ZipFile(tmp_path / "set/archive.zip", "w") as archive:
        archive.writestr("qa.jsonl", ROW)
    assert len(rows_of(tmp_path / "set")) == 1


def test_the_encoding_of_a_folder_is_asked_for_and_taken(tmp_path: Path) -> None:
    text = "Frage;Antwort\r\nWas ist größer, 3 oder 5?;Fünf\r\nWo liegt Köln?;Am Rhein, natürlich\r\n".encode("cp1252")
    (tmp_path / "set").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "set" / name).write_bytes(text)
    with pytest.raises(SourceError, match=r"a\.csv: is not UTF-8 .*größer.* --encoding cp1252"):
        list(read_source(tmp_path / "set"))
    pieces = list(read_source(tmp_path / "set", source_format(tmp_path / "set", "cp1252")))
    assert [p.raw["Antwort"] for p in pieces if isinstance(p, SourceRow)] == ["Fünf", "Am Rhein, natürlich"] * 2
