"""Rows read and rows set aside are the records of the source, and no word of it is lost: counted without the reader.

Files are unpacked and cut by the standard library alone. Where that reads a file (JSON, JSON lines, CSV), its number of
records is known; of every file, each word has to be in the rows, in what is set aside, or be told as left out.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from forms import HERE
from reading_now import pieces_of

from engine.errors import TamisError
from engine.sources.files.pieces import KEY_ADDED, OF_COLUMNS, SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.tables import NO_HEADER

FILES = sorted(path.name for path in (HERE / "files" / "b").iterdir())
WORD = re.compile("[A-Za-z]{4,}")
COMMENT = re.compile(r"^\s*(?://|#).*$|/\*.*?\*/|//[^\"\n]*$", re.MULTILINE)
# Names of a frame around rows, and values that are no words.
FRAME = frozenset(
    (
        *("data", "train", "test", "rows", "columns", "truncated", "cells", "page", "items"),
        *("true", "false", "null", "Infinity", "hits", "value", "result", "examples", "json"),
    )
)


def unpacked(path: Path) -> bytes:
    """What is packed in a file, however often; of a folder all its files."""
    if path.is_dir():
        return b"\n".join(unpacked(one) for one in sorted(path.rglob("*")) if one.is_file() and one.name[0] != ".")
    content = path.read_bytes()
    while True:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read1(1 << 20)
        elif content.startswith(b"BZh"):
            content = bz2.decompress(content)
        elif content.startswith(b"\xfd7zXZ"):
            content = lzma.decompress(content)
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if re.search(r"(?<!/\._).*\.(?:jsonl?|csv|tsv)$", name)]
                content = b"\n".join(archive.read(name) for name in names if "__MACOSX" not in name)
        elif content[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                content = b"\n".join(tar.extractfile(one).read() for one in tar if one.isfile())  # type: ignore[union-attr]
        else:
            return content


def text_of(content: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode("utf-8", "replace")


def counted(text: str, kind: str) -> int | None:
    """The records of a text, where the standard library reads all of it and there is one way to count them."""
    if kind == "csv" and text.count('"') % 2:
        return None
    if kind == "csv":
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        return len(rows) if all(len(row) == len(header) > 1 for row in rows) and header[0] not in ("sep=;",) else None
    try:
        whole = json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        try:
            values = [json.loads(line) for line in lines]
        except ValueError:
            return None
        # A page of results is no record, the rows on it are.
        are_pages = any("items" in value for value in values if isinstance(value, dict))
        return len(values) if all(isinstance(value, dict) for value in values) and not are_pages else None
    return len(whole) if isinstance(whole, list) and all(isinstance(one, dict) for one in whole) else None


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(re.sub(r"\\(?:u[0-9a-fA-F]{4}|.)", " ", text)))


@pytest.mark.parametrize("name", FILES)
def test_rows_and_what_is_set_aside_are_the_records_and_all_words(name: str) -> None:
    path = HERE / "files" / "b" / name
    try:
        pieces, _ = pieces_of(path)
    except TamisError:
        return
    text = text_of(unpacked(path))
    found: Counter[str] = Counter()
    told = ""
    for piece in pieces:
        if isinstance(piece, SourceRow):
            found += words(piece.content.decode())
            told += " ".join(piece.notes)
        else:
            found += words(text_of(piece.content))
    lost = words(COMMENT.sub("", text)) - found
    if OF_COLUMNS in told or KEY_ADDED in told:
        # The index stands in each column, and in a row once.
        lost = Counter(set(lost) - set(found))
    assert not {word for word in lost if word not in told and word not in FRAME}
    kind = source_format(path).split(".")[0]
    expected = counted(text, kind) if not path.is_dir() else None
    if expected is not None:
        is_headless = any(NO_HEADER in piece.notes for piece in pieces if isinstance(piece, SourceRow))
        found_records = sum(piece.records if isinstance(piece, SourceRow) else 1 for piece in pieces)
        assert found_records == expected + is_headless
