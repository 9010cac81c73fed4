"""Files that hold no rows, each told as what it is, with the step that gets at the rows; and rows that only look so."""

from __future__ import annotations

import json
import pickle
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.errors import SourceError
from engine.sources.records.formats import source_format


def database(folder: Path) -> bytes:
    with sqlite3.connect(folder / "made.db") as made:
        made.execute("CREATE TABLE rows (prompt, response)")
    content = (folder / "made.db").read_bytes()
    (folder / "made.db").unlink()
    return content


def array(folder: Path) -> bytes:
    np.save(folder / "made.npy", np.zeros(3))
    content = (folder / "made.npy").read_bytes()
    (folder / "made.npy").unlink()
    return content


NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": []}], "nbformat": 4}, indent=1).encode()
SCRIPT = b'# Copyright\n"""A data set."""\nimport json\n\nimport datasets\n\nclass Set(datasets.Builder):\n    pass\n'
TEXTS: dict[str, tuple[bytes, str]] = {
    "lfs.jsonl": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n", "git lfs pull"),
    "page.csv": (
        b"\n<!-- x --><!DOCTYPE html><html><title>\nSign in </title>",
        r"HTML page \(Sign in\).*fetch the raw",
    ),
    "error.json": (b'{"error": {"message": "Not found", "type": "x"}}', r"an error \(Not found\)"),
    "github.json": (
        b'{"message": "Not Found", "documentation_url": "https://x", "status": "404"}',
        "answer of a server",
    ),
    "rows.yaml": (b"- instruction: a\n  output: b\n", "yaml.safe_load.*rows.yaml > .*rows.json"),
    "rows.txt": (b"---\n# rows\n- instruction: a\n  output: b\n", "is YAML"),
    "feed.xml": (b'<?xml version="1.0"?><rows/>', "is XML.*read_xml"),
    "set.py": (SCRIPT, "is a script.*No code of a data set is ever run"),
    "set": (SCRIPT, "is a script"),
    "work.ipynb": (NOTEBOOK, "Jupyter notebook"),
    "README.md": (b"---\nlicense: mit\n---\n# Rows\n", "Markdown"),
    "about.txt": (b"# Rows\n\nThese are rows.\n", "Markdown"),
    "link.url": (b"[InternetShortcut]\nURL=https://x\n", "shortcut"),
    "link.jsonl": (b"https://example.org/train.jsonl\n", "an address.*curl"),
    "dump.sql": (b"-- dump\nINSERT INTO rows VALUES (1);\n", "SQL"),
    "x.npy": (b"\x93NUMPY\x01\x00", "NumPy"),
    "x.pdf": (b"%PDF-1.7\n", "PDF document"),
    "x.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office file.*CSV"),
    "x.avro": (b"Obj\x01\x04", "Avro.*fastavro"),
    "x.lz4": (b"\x04\x22\x4d\x18", "lz4 -d"),
    "x.7z": (b"7z\xbc\xaf\x27\x1c", "7z x"),
    "x.rar": (b"Rar!\x1a\x07", "unrar x"),
    "x.lnk": (b"L\x00\x00\x00\x01\x14\x02\x00\x00", "Windows shortcut"),
    "._x.jsonl": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "macOS.*without"),
    "x.safetensors": (b"\x40\x00\x00\x00\x00\x00\x00\x00" + b'{"a":{"dtype":"F32"}}', "weights"),
    "x.orc": (b"ORC\x00\x01", "ORC.*read_orc"),
    "x.wav": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "recording"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_holds_no_rows_is_named_with_the_step_to_take(name: str, tmp_path: Path) -> None:
    content, says = TEXTS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=says):
        source_format(tmp_path / name)


def test_files_that_programs_write_are_known(tmp_path: Path) -> None:
    made = {"is an SQLite": database(tmp_path), "a NumPy array": array(tmp_path), "pickle": pickle.dumps([1])}
    for says, content in made.items():
        (tmp_path / "x.jsonl").write_bytes(content)
        with pytest.raises(SourceError, match=says):
            source_format(tmp_path / "x.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.jsonl", b'{"error": "E1", "prompt": "why?", "response": "so"}\n', "jsonl"),
        ("b.jsonl", b'{"message": "hello"}\n', "jsonl"),
        ("c.jsonl", b'{"error": "x"}\n{"error": "y"}\n', "jsonl"),
        ("d.csv", b"ORCID,name\n1,a\n", "csv"),
        ("e.csv", b"MZ,GGUF\n1,a\n", "csv"),
        ("f.csv", b"# Title\n\n1,2\n", "csv"),
        ("g.csv", b"<html>,b\n1,2\n".replace(b"<html>", b"html"), "csv"),
        ("h.csv", b"https://a.org,x\nhttps://b.org,y\n", "csv"),
        ("i.jsonl", b'# a comment\n\n{"a": 1}\n', "jsonl"),
        ("j.json", b'{"cells": [[1, 2]], "prompt": "x", "response": "y"}', "jsonl"),
        ("k.txt", b"question\tanswer\nimport json\tso\nwhy\tso\n", "csv"),
        ("l.json", b'[{"prompt": "<!DOCTYPE html>"}]', "json"),
    ],
)
def test_rows_that_look_like_something_else_stay_rows(name: str, content: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert source_format(tmp_path / name) == kind


@pytest.mark.parametrize("nuls", [1, 4096, 100_000])
@pytest.mark.parametrize("row", [b'{"prompt": "a", "response": "b"}\n'])
def test_nul_bytes_of_a_crashed_machine_do_not_make_a_text_binary(nuls: int, row: bytes, tmp_path: Path) -> None:
    for content in (
        row + bytes(nuls),
        row + bytes(nuls) + b"\n" + row,
        bytes(nuls) + b"\n" + row,
        bytes(nuls) + row * 2,
    ):
        (tmp_path / "raw.jsonl").write_bytes(content)
        assert source_format(tmp_path / "raw.jsonl") == "jsonl"


def test_nothing_but_nul_bytes_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_bytes(bytes(200_000))
    with pytest.raises(SourceError, match="NUL bytes, no text"):
        source_format(tmp_path / "raw.jsonl")
