"""Thousands of damaged sources over every container: rows or one clear error, nothing else, no line lost."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.conversation.conversation import conversation_of
from engine.sources.conversation.text_edits import editable_fields
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import guess_mapping

ROWS = [
    {"instruction": "Say \u00e9 [b]\u202e", "input": "", "output": "x" * 40, "n": 7},
    {"instruction": "007", "input": "None", "output": "[/close]", "n": None},
    {"instruction": 'a,b\n"c"', "input": "\t", "output": "\U0001f600", "n": 10**30},
]
INSERTS = (
    b"\x00",
    b"\xff",
    b"\n",
    b"\r\n",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\\",
    b"\xed\xa0\x80",
    b"1e999",
    b"\xef\xbb\xbf",
    b"NaN",
    b"\\ud800",
)


def jsonl() -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def array() -> bytes:
    return json.dumps(ROWS, indent=1).encode()


def table() -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(ROWS[0])
    writer.writerows([str(value) for value in row.values()] for row in ROWS)
    return out.getvalue().encode()


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: [str(row[name]) for row in ROWS] for name in ROWS[0]}), out)
    return out.getvalue()


CONTAINERS: dict[str, Callable[[], bytes]] = {"x.jsonl": jsonl, "x.json": array, "x.csv": table, "x.parquet": parquet}


def mutated(content: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(damaged) + 1)
        match dice.randrange(5):
            case 0:
                damaged[place:place] = dice.choice(INSERTS)
            case 1:
                del damaged[place : place + dice.randint(1, 30)]
            case 2 if place < len(damaged):
                damaged[place] = dice.randrange(256)
            case 3:
                damaged[place:] = damaged[place : place + dice.randint(0, 40)]
            case _:
                start = dice.randrange(len(damaged) + 1)
                damaged[place:place] = damaged[start : start + dice.randint(1, 60)]
    return bytes(damaged)


def is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def check(path: Path) -> None:
    """Reading yields rows and what is set aside, an object on a line always as a row, or raises a SourceError."""
    try:
        name = source_format(path)
        pieces = list(read_source(path, name))
    except SourceError as error:
        complaint = str(error)
    else:
        complaint = ""
    if complaint:
        assert str(path) in complaint
        assert "\n" not in complaint
        return
    rows = [piece for piece in pieces if not isinstance(piece, Quarantined)]
    if name == "jsonl":
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
        filled = {number for number, line in enumerate(lines, 1) if line.strip()}
        told = {piece.line for piece in pieces}
        # A record that is no JSON reaches to where the next one begins; an object on a line of its own is always one.
        assert {number for number in filled if is_object(lines[number - 1])} <= told <= filled
    assert all(piece.reason for piece in pieces if isinstance(piece, Quarantined))
    mapping = guess_mapping(row.raw for row in rows)
    for row in rows:
        assert b"\n" not in row.content
        # repr, because a NaN of a damaged line is not equal to itself.
        assert repr(json.loads(row.content)) == repr(row.raw)
        if mapping is not None:
            assert isinstance(conversation_of(row.raw, mapping).messages, tuple)
            assert isinstance(editable_fields(row.raw, mapping), tuple)


def run(folder: Path, name: str, count: int, seed: int) -> None:
    content = CONTAINERS[name]()
    dice = random.Random(seed)
    path = folder / name
    for number in range(count):
        path.write_bytes(damaged := mutated(content, dice))
        try:
            check(path)
        except Exception as fault:
            raise AssertionError(f"mutation {number} of {name}, seed {seed}: {damaged!r}") from fault


@pytest.mark.parametrize("name", CONTAINERS)
def test_damaged_sources(name: str, tmp_path: Path) -> None:
    run(tmp_path, name, 400, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTAINERS)
def test_ten_thousand_damaged_sources(name: str, tmp_path: Path) -> None:
    run(tmp_path, name, 2500, seed=2)
