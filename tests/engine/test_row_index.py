"""A `rows.idx` that rotted is told, and never believed: ids would be those of other rows, and rows would be cut off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from projects import alpaca, as_of_before, make_project, numbered, write_jsonl

from engine.errors import TamisError
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.merge import merge
from engine.project.project import open_project
from engine.workflows.check import check_project

ROWS = 12
HEAD = 16
COLUMNS = {"starts": 8 * (ROWS + 1), "hashes": 8 * ROWS, "copies": 4 * ROWS, "lines": 4 * ROWS, "order": 4 * ROWS}
COLUMNS |= {"sums": 4 * ROWS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_project(tmp_path, numbered(ROWS))
    with open_project(made, reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(3),))])
    return made


def rot(folder: Path, column: str, byte: int) -> None:
    """Every byte of a column becomes another."""
    content = bytearray((folder / "rows.idx").read_bytes())
    names = list(COLUMNS)
    at = HEAD + sum(COLUMNS[name] for name in names[: names.index(column)])
    content[at : at + COLUMNS[column]] = bytes([byte]) * COLUMNS[column]
    (folder / "rows.idx").write_bytes(content)


@pytest.mark.parametrize(
    ("column", "byte"),
    # No row has a copy here: that column is zero as it is.
    [(column, byte) for column in COLUMNS for byte in (0x00, 0x7F, 0xFF) if (column, byte) != ("copies", 0x00)],
)
def test_an_index_that_rotted_is_told_and_no_row_is_cut_off(
    folder: Path, column: str, byte: int, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_project(tmp_path / "other", numbered(ROWS))
    rows = (folder / "rows.jsonl").read_bytes()
    journals = sorted(path.read_bytes() for path in (folder / "decisions").glob("*.jsonl"))
    rot(folder, column, byte)
    more = tmp_path / "more.jsonl"
    more.write_text('{"instruction": "New?", "output": "Yes."}\n')
    for use in (
        lambda: open_project(folder, readonly=True).close(),
        lambda: grow(folder, more, "ann"),
        lambda: merge(folder, other),
        lambda: merge(other, folder),
    ):
        with pytest.raises(TamisError, match=r"rows\.idx: is damaged"):
            use()
    assert (folder / "rows.jsonl").read_bytes() == rows
    assert sorted(path.read_bytes() for path in (folder / "decisions").glob("*.jsonl")) == journals


def test_an_index_of_an_earlier_version_has_no_check_and_opens(folder: Path) -> None:
    index = as_of_before(folder, checked=False) / "rows.idx"
    with open_project(folder, readonly=True) as project:
        assert project.verdict(3) == "accepted"
    for column, byte in (("starts", 0x00), ("order", 0xFF)):
        whole = index.read_bytes()
        rot(folder, column, byte)
        with pytest.raises(TamisError, match=r"rows\."):
            open_project(folder, readonly=True)
        index.write_bytes(whole)


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_an_index_without_its_end_is_not_taken_for_one_of_an_earlier_version(folder: Path, cut: int) -> None:
    index = folder / "rows.idx"
    index.write_bytes(index.read_bytes()[:-cut])
    with pytest.raises(TamisError, match=r"rows\.idx: is damaged"):
        open_project(folder, readonly=True)


def test_rows_are_added_to_a_project_of_an_earlier_version_and_its_index_is_made_again(
    folder: Path, tmp_path: Path
) -> None:
    more = write_jsonl(tmp_path / "more.jsonl", [alpaca("New?", "Yes.")])
    grow(as_of_before(folder), more, "ann")
    index = folder / "rows.idx"
    before = index.read_bytes()
    index.write_bytes(before[:20] + b"\xff" + before[21:])
    (told,) = check_project(folder).mended
    assert "its own check fits again" in told.do
    assert index.read_bytes() == before


@pytest.mark.parametrize("name", ["rows.idx", "rows.jsonl"])
def test_a_pipe_where_rows_should_be_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(TamisError, match=r"cannot be read|is shorter"):
        open_project(folder, readonly=True)
