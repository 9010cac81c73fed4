"""Sources that are huge, broken or endless: each costs bounded memory, and a line that says what and where."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import random
from pathlib import Path

import pytest
from projects import alpaca, write_jsonl

from engine.errors import ProjectError, SourceError
from engine.model import Quarantined
from engine.project.add_rows import grow
from engine.project.create import create_project
from engine.project.project import open_project
from engine.sources.files import pieces
from engine.sources.files.pieces import SourceRow
from engine.sources.files.text_source import SourceText
from engine.sources.records import arrays, table_records, tables
from engine.sources.records.arrays import ArrayText
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source


def read(path: Path) -> tuple[list[SourceRow], list[Quarantined]]:
    every = list(read_source(path))
    return [p for p in every if isinstance(p, SourceRow)], [p for p in every if isinstance(p, Quarantined)]


def elements_of(content: bytes) -> list[bytes]:
    return [record.content for _, record, ends in ArrayText(SourceText(io.BytesIO(content))).elements() if ends]


def json_values(chance: random.Random, depth: int = 0) -> object:
    texts = ['"', "\\", '\\"', "]", "}", ",", "[", "{", "\n", "é", "\ud83d", "a", " ", "\x00"]
    if depth > 3 or chance.random() < 0.5:
        return chance.choice(["".join(chance.choices(texts, k=chance.randrange(9))), 1, -1.5e300, None, True, 10**30])
    if chance.random() < 0.5:
        return [json_values(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {f"{n}{chance.choice(texts)}": json_values(chance, depth + 1) for n in range(chance.randrange(4))}


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 4096])
def test_elements_are_cut_where_the_parser_cuts_them(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(arrays, "CHUNK_BYTES", chunk)
    chance = random.Random(chunk)
    for _ in range(150):
        values = [json_values(chance) for _ in range(chance.randrange(6))]
        ascii_only, indent = chance.random() < 0.5, chance.choice([None, 1])
        content = json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
        found = [json.loads(element.decode("utf-8", "surrogatepass")) for element in elements_of(content)]
        assert found == values


def test_a_broken_element_costs_none_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    broken = b'{"a": nope}, 7,\n {"a": "\xff"}'
    path.write_bytes(b'\xef\xbb\xbf [{"a": 1}, ' + broken + b',{"a":\n  [1.50,\r\n "]"]},\n{"a": 3}]\n"b": 1}')
    rows, aside = read(path)
    assert [row.raw for row in rows] == [{"a": 1}, {"a": [1.5, "]"]}, {"a": 3}]
    # On one line, and otherwise written as it was.
    assert rows[1].content == b'{"a": [1.50, "]"]}'
    assert [piece.line for piece in aside] == [2, 3, 4, 7]
    content = path.read_bytes()
    assert all(content[piece.offset :].startswith(piece.content) for piece in aside)
    assert "behind the end" in aside[-1].reason


def test_numbers_and_a_row_in_an_array_are_read_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    kept = pieces.Record.add
    monkeypatch.setattr(pieces.Record, "add", lambda self, piece: (taken.append(len(piece)), kept(self, piece))[1])
    sizes = []
    for count in (2000, 4000):
        taken.clear()
        path = tmp_path / "raw.json"
        path.write_bytes(b"[" + b"1," * count + b'{"instruction": "a", "output": "b"}]')
        rows, aside = read(path)
        assert (len(rows), len(aside)) == (1, count)
        sizes.append(sum(taken))
    assert sizes[1] - sizes[0] == 2000


def test_a_line_of_an_array_does_not_make_a_file_of_rows_an_array(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text('["a", "list"]\n{"a": 1}\n{"a": 2}\n')
    assert source_format(path) == "jsonl"
    rows, aside = read(path)
    assert (len(rows), len(aside)) == (2, 1)


def shrink(monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    """Bounds small enough to be met by a test."""
    for module in (pieces, tables, table_records):
        monkeypatch.setattr(module, "MAX_LINE_BYTES", longest)
    monkeypatch.setattr("engine.sources.records.lines.MAX_LINE_BYTES", longest)
    monkeypatch.setattr(tables, "SNIFF_CHARS", 16)
    monkeypatch.setattr(pieces, "KEPT_WHOLE_BYTES", 100)
    monkeypatch.setattr(pieces, "KEPT_END_BYTES", 10)


@pytest.mark.parametrize("name", ["raw.jsonl", "raw.json", "raw.jsonl.gz", "raw.csv"])
def test_of_a_record_that_is_too_long_both_ends_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shrink(monkeypatch, 5000)
    row = b'{"instruction": "a", "output": "b"}'
    long = b'{"instruction": "' + b"x" * 20_000 + b'"}'
    content = row + b"\n" + long + b"\n" + row + b"\n"
    if name == "raw.json":
        content = b"[" + content.replace(b"}\n{", b"},\n{") + b"]"
    if name == "raw.csv":
        long = b'"' + b"x" * 20_000 + b'",b'
        content = b"instruction,output\na,b\n" + long + b"\na,b\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    rows, (aside,) = read(path)
    assert len(rows) == 2
    assert "longer than 64 MB" in aside.reason
    record = content[aside.offset : aside.offset + aside.length]
    assert record.rstrip(b"\n") == long
    assert aside.sha256 == hashlib.sha256(record).hexdigest()
    assert (aside.content, aside.last) == (record[:10], record[-10:])


def test_what_is_set_aside_is_bounded_and_what_is_small_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, 50_000)
    monkeypatch.setattr("engine.project.quarantine.MOST_KEPT_BYTES", 160)
    monkeypatch.setattr("engine.project.quarantine.KEPT_AFTER_THAT", 3)
    row = json.dumps(alpaca("Q?", "A.")).encode()
    bad = [b"{bad", b"{" + b"y" * 999, b"{bad" + b"z" * 96, b"{later " + b"v" * 80]
    path = tmp_path / "raw.jsonl"
    path.write_bytes(b"\n".join([row, *bad]) + b"\n")
    folder = create_project(path)
    small, long, whole, after = (json.loads(line) for line in (folder / "quarantine.jsonl").read_bytes().splitlines())
    assert small.keys() == {"line", "offset", "reason", "bytes", "sum"}
    assert base64.b64decode(small["bytes"]) == bad[0]
    assert (long["length"], base64.b64decode(long["last"])) == (1000, b"y" * 10)
    assert long["sha256"] == hashlib.sha256(bad[1]).hexdigest()
    assert base64.b64decode(whole["bytes"]) == bad[2]
    assert (base64.b64decode(after["bytes"]), after["length"]) == (bad[3][:3], len(bad[3]))
    assert [piece["offset"] for piece in (small, long, whole, after)] == [path.read_bytes().index(one) for one in bad]


def test_an_addition_that_fails_sets_nothing_aside(tmp_path: Path) -> None:
    folder = create_project(write_jsonl(tmp_path / "raw.jsonl", [alpaca("Q?", "A."), 5]))
    before = (folder / "quarantine.jsonl").read_bytes()
    with pytest.raises(SourceError, match="none of its lines"):
        grow(folder, write_jsonl(tmp_path / "more.jsonl", [1, 2]), "ann")
    assert (folder / "quarantine.jsonl").read_bytes() == before
    grow(folder, write_jsonl(tmp_path / "more.jsonl", [alpaca("R?", "B."), 2]), "ann")
    with open_project(folder, readonly=True) as project:
        lines = (folder / "quarantine.jsonl").read_bytes()
        assert project.counts()["quarantined"] == lines.count(b"\n") == 2
        assert lines.startswith(before)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"x": ' + b"[" * 200 + b"]" * 200 + b"}", "nested more than 200 levels"),
        (b'{"x": ' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}", "nested more than 200 levels"),
        (b"[" * 100_000, "nested more than 200 levels"),
        (b'{"x": ' + b"9" * 5000 + b"}", "a whole number of more than 4,300 digits"),
    ],
)
def test_what_no_step_could_walk_is_told_on_reading(tmp_path: Path, bad: bytes, reason: str) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(b'{"instruction": "[[[", "output": "b"}\n' + bad + b"\n")
    rows, (aside,) = read(path)
    assert (len(rows), aside.line, aside.reason, aside.content) == (1, 2, reason, bad)


def test_a_quote_that_never_closes_is_named(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes(b'instruction,output\na,b\nc,"d\ne,f\ng,h\n')
    rows, (aside,) = read(path)
    assert (len(rows), aside.line, aside.content) == (3, 3, b'c,"d\n')
    assert "a quote is opened on this line and not closed" in aside.reason


def test_a_cut_table_gives_the_rows_before_the_cut(tmp_path: Path) -> None:
    lines = b"".join(b"question %d,%x\n" % (n, n * 2654435761) for n in range(12_000))
    path = tmp_path / "raw.csv.gz"
    path.write_bytes(gzip.compress(b"instruction,output\n" + lines)[:-4000])
    rows, aside = read(path)
    assert len(rows) > 5000
    assert len(aside) == 1
    assert "compressed data ends or is damaged" in aside[0].reason


def test_blank_lines_are_passed_over_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"\n \n\r\n" * 100_000 + b'{"a": 2}\n')
    asked: list[int] = []

    class Counting(SourceText):
        def readline(self, size: int | None = -1, /) -> bytes:
            asked.append(1)
            return super().readline(size)

    from engine.sources.records.read import TEXT_READERS

    rows = list(TEXT_READERS["jsonl"](Counting(path.open("rb"))))
    assert [(row.line, row.offset) for row in rows] == [(1, 0), (300_002, 9 + 500_000)]
    assert len(asked) < 1000


@pytest.mark.timeout(30)
def test_pipes_in_a_folder_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.parquet")
    os.mkfifo(tmp_path / "dataset_dict.json")
    with pytest.raises(SourceError, match="is a folder without a data set"):
        read(tmp_path)
    with pytest.raises(SourceError, match="is no regular file"):
        source_format(tmp_path / "train.parquet")


@pytest.mark.slow
def test_two_gigabytes_of_bombs_take_little_memory(tmp_path: Path) -> None:
    import resource
    import subprocess
    import sys

    row = b'{"instruction": "a", "output": "b"}'
    with gzip.open(tmp_path / "array.json.gz", "wb", 1) as out:
        out.write(b"[" + row + b',{"x": "')
        for _ in range(50):
            out.write(b"a" * (50 << 20))
        out.write(b'"},' + row + b"]")
    with (tmp_path / "lines.jsonl").open("wb") as plain:
        plain.write(row + b"\n")
        for _ in range(45):
            plain.write(b"{bad " + b"x" * (40 << 20) + b"\n")
    for name, aside in (("array.json.gz", 1), ("lines.jsonl", 45)):
        done = subprocess.run(
            [str(Path(sys.executable).with_name("tamis")), "scan", str(tmp_path / name), "--json"],
            capture_output=True,
            timeout=300,
            check=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
        )
        assert json.loads(done.stdout)["quarantined"] == aside


def test_a_refusal_is_one_line_whatever_the_fields_are_called(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text('"a\nb",x\u2028y\n1,2\n')
    with pytest.raises(SourceError) as told:
        create_project(tmp_path / "raw.csv")
    assert "a b" in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def test_a_mapping_that_its_settings_cannot_name_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_text(
        '{"\\ud800": [{"role": "user", "content": "Q"}, {"role": "tool", "content": "3"}]}\n'
    )
    with pytest.raises(ProjectError, match=r"the field '\\ud800' is in the mapping"):
        create_project(tmp_path / "raw.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["raw.jsonl"]
