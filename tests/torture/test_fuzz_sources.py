"""Data files of every container and shape with anything in them, through all that is done with rows: read, shown,
scanned, filtered, measured, decided, exported in each format."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import damage
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from fuzzing import CASES, fuzz, mutated, odd_json

from engine.errors import TamisError
from engine.export.convert import FORMATS
from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.report import measure
from engine.select import select
from engine.workflows.export import export
from workbench.render.list_lines import EntryLines
from workbench.render.row import raw_paragraphs, row_paragraphs
from workbench.state.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

SHAPES = Path(__file__).parents[1] / "shapes" / "files"
MOST_OF_A_SHAPE = 6_000
SELECTORS = (
    "tokens>5", "turns>1", "date<2020", "field.n>1", "field.meta.n=1", "/a+/", "role:tool", "bucket:check",
    "flag:typos",
    "Paris", "is:undecided and not kind:near", "tag:x or by:ann",
)  # fmt: skip
ROWS = (
    {"instruction": "Say é [b]\u202e", "input": "", "output": "x" * 40, "n": 7, "date": "2020-01-01"},
    {"instruction": "Say é [b]\u202e", "input": "None", "output": "[/close]", "n": None, "timestamp": 1_600_000_000},
    {"instruction": 'a,b\n"c"', "input": "\t", "output": "Paris. 1 + 1 = 3", "n": 10**30, "meta": {"n": 1.5,
    "tags": ["a"]}},
)  # fmt: skip
CHATS = (
    {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": [{"type": "text",
    "text": "Hi"}]},
                  {"role": "assistant", "content": "Yes", "reasoning_content": "hm", "weight": 1,
                   "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f",
                   "arguments": "{\"a\":1}"}}]},
                  {"role": "tool", "tool_call_id": "c", "name": "f", "content": "3"},
                  {"role": "assistant", "content": "3"}],
     "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}], "meta": {"n": 1}},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No"}], "id": "b", "lang": "en"},
)  # fmt: skip
PAIRS = (
    {"prompt": "a b c", "chosen": "d", "rejected": "e", "score_chosen": 1.5},
    {"prompt": [{"role": "user", "content": "x"}], "chosen": [{"role": "assistant", "content": "y"}],
     "rejected": [{"role": "assistant", "content": "z"}]},
)  # fmt: skip


def jsonl(rows: tuple[dict[str, object], ...]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def table(separator: str) -> bytes:
    lines = ["instruction,input,output,n", 'Say é,,"x, y\n""z""",7', "007,None,[/close],", "a,b,c,1e999"]
    return "\n".join(lines).replace(",", separator).encode()


def columns(rows: tuple[dict[str, object], ...]) -> pa.Table:
    plain = [{**row, "n": 1} for row in rows if not isinstance(row.get("messages"), list) or "tools" not in row]
    return pa.Table.from_pylist(plain)


def parquet(content: pa.Table, dice: random.Random) -> bytes:
    out = io.BytesIO()
    pq.write_table(
        content,
        out,
        compression=dice.choice(("none", "snappy", "zstd", "gzip")),
        use_dictionary=dice.random() < 0.5,
        data_page_version=dice.choice(("1.0", "2.0")),
        row_group_size=dice.choice((1, 2, 1000)),
        write_page_checksum=dice.random() < 0.3,
    )
    return out.getvalue()


def arrow(content: pa.Table, dice: random.Random) -> bytes:
    out = io.BytesIO()
    open_writer = dice.choice((pa.ipc.new_file, pa.ipc.new_stream))
    options = pa.ipc.IpcWriteOptions(compression=dice.choice((None, "zstd", "lz4")))
    with open_writer(out, content.schema, options=options) as writer:
        writer.write_table(content, max_chunksize=dice.choice((1, 1000)))
    return out.getvalue()


def in_columns(write: Callable[[pa.Table, random.Random], bytes]) -> Callable[[bytes, random.Random], bytes]:
    """Odd values under the columns, or damage to the file: to all of it, to a single byte, or to its end."""

    def way(content: bytes, dice: random.Random) -> bytes:
        what = dice.randrange(4)
        try:
            rows = [json.loads(line) for line in (odd_json(content, dice) if what < 2 else content).splitlines()]
            made = write(pa.Table.from_pylist(rows), dice)
        except (ValueError, TypeError, AttributeError, OverflowError, pa.ArrowException):  # no table can hold that
            made = write(columns(ROWS), dice)
        if what == 1:
            at = dice.randrange(len(made))
            made = made[:at] + dice.randbytes(1) + made[at + 1 :]
        if what == 3:
            made = made[:-700] + mutated(made[-700:], dice, 1)
        return mutated(made, dice) if what == 2 else made

    return way


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl", content)
    return out.getvalue()


def tarred(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a.jsonl")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress, "xz": lzma.compress, "zip": zipped, "tar": tarred,
}  # fmt: skip


def repacked(pack: Callable[[bytes], bytes]) -> Callable[[bytes, random.Random], bytes]:
    """Damage under the packing as often as to it."""

    def way(content: bytes, dice: random.Random) -> bytes:
        if dice.random() < 0.5:
            return mutated(pack(content), dice)
        return pack(dice.choice((mutated, odd_json))(content, dice))

    return way


def used(project: Project, place: Path, dice: random.Random) -> None:
    """What is done with rows; what one step refuses with a sentence the next may do."""
    rows = range(len(project.rows))
    scan_project(project, processes=1)
    for text in SELECTORS:
        with suppress(TamisError):
            select(project, text)
    session = Session(project)
    lines = EntryLines(session)
    for index in range(min(len(lines), 12)):
        lines.line(index, 60)
    for row in rows[:12]:
        for why in (False, True):
            for piece in row_paragraphs(project, row, None, why):
                assert piece is not None
        for piece in raw_paragraphs(project, row):
            assert piece is not None
    if project.findings is not None:
        measure(project, None, "")
    with suppress(TamisError):
        project.decide([Act("accept", tuple(project.rows.id(row) for row in rows))])
    # One format a case: ten thousand cases meet each a thousand times, and writing all ten takes most of the time.
    for name in (dice.choice((*FORMATS, "csv", "parquet", "datasets")),):
        target = place / (f"out.{name}" if name in ("csv", "parquet") else f"out-{name}")
        with suppress(TamisError):
            export(
                project,
                target,
                format_name=name if name in FORMATS else None,
                container="datasets" if name == "datasets" else None,
                lossy=dice.random() < 0.8,
                override="x",
            )


def through(place: Path, name: str) -> Callable[[bytes], None]:
    folder = place / "case"

    def act(case: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        source = folder / name
        source.write_bytes(case)
        made = create_project(source)
        with open_project(made, reviewer="ann") as project:
            used(project, folder, random.Random(case))

    return act


JSON_WAYS = (mutated, odd_json, odd_json, odd_json)


@pytest.mark.parametrize("rows", [ROWS, CHATS, PAIRS], ids=["rows", "chats", "pairs"])
def test_lines_of_anything(rows: tuple[dict[str, object], ...], tmp_path: Path) -> None:
    fuzz("jsonl", [jsonl(rows)], through(tmp_path, "raw.jsonl"), ways=JSON_WAYS, cases=CASES // 3)


def test_rows_of_every_shape(tmp_path: Path) -> None:
    files = [path for path in sorted(SHAPES.rglob("*")) if path.suffix in (".jsonl", ".json")]
    seeds = [content for path in files if len(content := path.read_bytes()) <= MOST_OF_A_SHAPE]
    fuzz("shapes", seeds, through(tmp_path, "raw.jsonl"), ways=JSON_WAYS)


def test_layouts_of_json(tmp_path: Path) -> None:
    def way(content: bytes, dice: random.Random) -> bytes:
        source = damage.container(dice, dice.choice(list(damage.LAYOUTS)))
        return damage.damaged(dice, source).content

    fuzz("layouts", [b""], through(tmp_path, "raw.json"), ways=(way,))


@pytest.mark.parametrize("name", ["raw.csv", "raw.tsv", "raw.txt"])
def test_tables_and_text(name: str, tmp_path: Path) -> None:
    separator = "\t" if name == "raw.tsv" else ","
    seeds = [table(separator), b"Question: a?\nAnswer: b.\n\nQuestion: c?\nAnswer: d.\n" * 3]
    fuzz(name, seeds, through(tmp_path, name), cases=CASES // 3)


@pytest.mark.parametrize("name", ["raw.parquet", "raw.arrow"])
def test_columns(name: str, tmp_path: Path) -> None:
    seeds = [jsonl(ROWS[:1]), jsonl(CHATS[1:]), jsonl(PAIRS[:1]), jsonl(({"messages": CHATS[0]["messages"][:2]},))]
    way = in_columns(parquet if name == "raw.parquet" else arrow)
    fuzz(name, seeds, through(tmp_path, name), ways=(way,), cases=CASES // 2)


@pytest.mark.parametrize("suffix", PACKED)
def test_packed_files(suffix: str, tmp_path: Path) -> None:
    name = f"raw.{suffix}" if suffix in ("zip", "tar") else f"raw.jsonl.{suffix}"
    seeds = [jsonl(ROWS), jsonl(CHATS)]
    fuzz(name, seeds, through(tmp_path, name), ways=(repacked(PACKED[suffix]),), cases=CASES // 5)
