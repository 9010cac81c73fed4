"""What kind of source a path is, told by its bytes rather than its name, and how to open its text."""

from __future__ import annotations

import codecs
import csv
import os
import re
from pathlib import Path

from engine.errors import SourceError
from engine.nesting import loads
from engine.sources.question_blocks import is_question_blocks
from engine.sources.tables import guess_delimiter
from engine.sources.text_source import open_plain, open_text

BOM = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
HEAD_BYTES = 65536
# An Arrow stream begins with a mark and the length of its schema.
COLUMNAR_MAGIC = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"))
# What a person most likely pointed at by mistake, told by its first bytes.
FOREIGN_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    *((bytes([0x80, version]), "a pickle, which is never loaded") for version in (2, 3, 4, 5)),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"Obj\x01", "an Avro file"),
    (b"PARE", "encrypted Parquet, which needs its key"),
    (b"FEA1", "a Feather file of the first version; write it again with pyarrow, as Parquet"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ\x00", "packed with xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "packed with lz4"),
)
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
READS = "tamis reads JSONL, JSON arrays, CSV, TSV (also .gz and .zst), Parquet, Arrow and datasets folders"
JSON_NAMES = (".jsonl", ".json", ".ndjson")
_BEGINS_AS_JSON = re.compile(rb"\x1e?[\[{][\[{\s]*[\"']")
_COMMENTS = re.compile(r"(?:[\s\x1e\ufeff]++|//[^\n]*+\n|#[^\n]*+\n|/\*.*?\*/)*+", re.DOTALL)
TABLE_NAMES = {".csv": "csv", ".tsv": "tsv"}


def source_format(path: Path) -> str:
    """`jsonl`, `json`, `csv`, `tsv` (each also with `.gz` or `.zst`), `parquet`, `arrow` or `folder`.

    Raises SourceError where the path is missing, empty, or of a kind that tamis does not read.
    """
    # These are False where a name is too long or a folder on the way is closed: opening it says so.
    if os.path.isdir(path):
        return "folder"
    if os.path.exists(path) and not os.path.isfile(path):
        raise SourceError(
            f"{path}: is no regular file", "", "save its content to a file, or pipe it into `tamis scan -`"
        )
    head = _head(path)
    for magic, name in COLUMNAR_MAGIC:
        if head.startswith(magic):
            return name
    packing = ".gz" if head.startswith(GZIP_MAGIC) else ".zst" if head.startswith(ZSTD_MAGIC) else ""
    if packing:
        with open_text(path, packing) as stream:
            head = stream.read(HEAD_BYTES)
            if stream.damage and not head:
                raise SourceError(
                    f"{path}: the compressed data is damaged at its start", stream.damage, "fetch it again"
                )
    for magic, kind in FOREIGN_MAGIC:
        if head.startswith(magic):
            raise SourceError(f"{path}: is {kind}", "", READS)
    if head[TAR_MAGIC_AT:].startswith(TAR_MAGIC) and b"\x00" in head:
        raise SourceError(f"{path}: is a tar archive", "", READS)
    text = head.removeprefix(BOM).lstrip()
    if not text:
        raise SourceError(f"{path}: holds no text", "", "point tamis at a file with one JSON object a line")
    if _is_binary(text):
        raise SourceError(f"{path}: is binary, not text", "", READS)
    return _text_kind(path, text.decode("utf-8", "replace")) + packing


def _is_binary(head: bytes) -> bool:
    """NUL bytes in something that is no UTF-8, or more of them than a stray one or two."""
    # Runs of them are what a crash leaves.
    head = re.sub(rb"\x00{16,}", b"", head)
    nuls = head.count(b"\x00")
    # A few stray bytes cost the records they stand in, not the file.
    if not nuls or (nuls * 10 < len(head) and _BEGINS_AS_JSON.match(head)):
        return False
    try:
        # The last character of the sample may be cut in the middle.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return True
    return nuls * 10 > len(head)


def _text_kind(path: Path, head: str) -> str:
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in (".gz", ".zst")), "")
    if suffix in TABLE_NAMES:
        return TABLE_NAMES[suffix]
    head = _behind_comments(head)
    if head.startswith("["):
        return "jsonl" if _is_line_of_many(head) else "json"
    if head.startswith("{") or suffix in JSON_NAMES:
        return "jsonl"
    if is_question_blocks(head):
        return "qa"
    return "csv" if _is_table(head) else "jsonl"


def _behind_comments(head: str) -> str:
    """The head of JSON text, from its first bracket on."""
    found = _COMMENTS.match(head)
    behind = head[found.end() :] if found is not None else head
    return behind if behind.startswith(("[", "{")) else head


def _is_line_of_many(head: str) -> bool:
    """Whether an array is whole on the first line and more follows: a line that is no object, in a file of lines."""
    first, _, rest = head.partition("\n")
    if not rest.strip():
        return False
    try:
        loads(first)
    except ValueError:
        return False
    return True


def _is_table(head: str) -> bool:
    """Whether the first lines fall into equally many cells, at least two, whatever the file is called."""
    lines = head.splitlines(keepends=True)[:20]
    delimiter = guess_delimiter(head)
    try:
        rows = [row for row in csv.reader(lines[:-1] or lines, delimiter=delimiter) if row]
    except csv.Error:
        return False
    return len(rows) > 1 and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1


def _head(path: Path) -> bytes:
    try:
        with open_plain(path) as stream:
            # None: nothing yet.
            head = stream.read(HEAD_BYTES)
            if head is None:
                raise SourceError(f"{path}: waits for bytes that come later", "", "save its content to a file")
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file", "", "check the name") from error
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be opened", error.strerror or str(error), "check its name and permissions"
        ) from error
    if not head:
        raise SourceError(f"{path}: is empty", "", "point tamis at a file with one JSON object a line")
    return head
