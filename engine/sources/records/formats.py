"""What kind of source a path is, told by its bytes rather than its name, and how to open its text."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

from engine.errors import SourceError
from engine.nesting import loads
from engine.paths import PACKED
from engine.sources.files.archives import zip_names
from engine.sources.files.encodings import UTF_8, is_plainly_utf8, known_encoding, wide_encoding, with_byte_order
from engine.sources.files.foreign import READS, refuse_foreign_bytes, refuse_foreign_text, refuse_foreign_zip
from engine.sources.files.likely_encodings import refuse_other_encoding
from engine.sources.files.no_records import begins_behind_text, is_drawn, refuse_plain_text
from engine.sources.files.packing import ARCHIVES, packing_of
from engine.sources.files.pieces import MAX_LINE_BYTES
from engine.sources.files.text_source import SourceText, member_of, open_plain, open_text
from engine.sources.records.question_blocks import is_question_blocks
from engine.sources.records.tables import guess_delimiter, is_known_name

BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 65536
# An Arrow stream begins with a mark and the length of its schema.
COLUMNAR_MAGIC = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"))
MOST_PACKINGS = 4
UNPACK = "unpack it (gunzip, unzip, tar -xf …), and name the file within"
BLANK = b" \t\r\n\x00"
# Bytes that texts do not hold; escape and form feed are met in some, NUL is looked at by itself.
CONTROLS = bytes({*range(1, 32)} - set(b"\t\n\r\x0b\x0c\x1b\x1e"))
FEWEST_CONTROLS = 8
JSON_NAMES = (".jsonl", ".json", ".ndjson")
_BEGINS_AS_JSON = re.compile(rb"\x1e?[\[{][\[{\s]*[\"']")
_COMMENTS = re.compile(r"(?:[\s\x1e\ufeff]++|//[^\n]*+\n|#[^\n]*+\n|/\*.*?\*/)*+", re.DOTALL)
TABLE_NAMES = {".csv": "csv", ".tsv": "tsv"}


def source_format(path: Path, encoding: str | None = None, before: str = "") -> str:
    """`jsonl`, `json`, `csv`, `tsv`, `parquet`, `arrow` or `folder`. A text's encoding and packings follow, the
    outermost last: `jsonl.gz`, `csv.zip`, `json.tar.xz`, `csv.cp1252`, `jsonl.utf-16.bz2`.

    `encoding` is the one that a person names; else UTF-8, or UTF-16 and UTF-32 where the bytes say so, or
    that of an earlier version (`before`) where they do not say that it is UTF-8 now. Raises
    SourceError where the path is missing, empty, or of a kind that tamis does not read; UsageError for an encoding that
    does not exist.
    """
    named = known_encoding(encoding) if encoding else ""
    # These are False where a name is too long or a folder on the way is closed: opening it says so.
    if os.path.isdir(path):
        return f"folder.{named}" if named else "folder"
    if os.path.exists(path) and not os.path.isfile(path):
        raise SourceError(
            f"{path}: is no regular file", "", "save its content to a file, or pipe it into `tamis scan -`"
        )
    name, steps, head = _unpacked(path)
    for magic, kind in COLUMNAR_MAGIC:
        if head.startswith(magic):
            if steps:
                raise SourceError(f"{path}: holds {kind.capitalize()}, which is read unpacked", "", UNPACK)
            return kind
    refuse_foreign_bytes(path, head)
    read_as = "" if named == UTF_8 else with_byte_order(named, head) if named else wide_encoding(head)
    if read_as:
        steps = f".{read_as}{steps}"
    with open_text(path, steps) as stream:
        head, whole = _first_text(stream)
    is_marked = head.startswith(BOM)
    text = head.removeprefix(BOM).lstrip(BLANK)
    if not text:
        nothing = "holds NUL bytes, no text" if b"\x00" in head else "holds no text"
        raise SourceError(f"{path}: {nothing}", "", "point tamis at a file with one JSON object a line")
    if _is_binary(text):
        raise SourceError(f"{path}: is binary, not text", "", READS)
    refuse_foreign_text(name, text, whole)
    if not (named or read_as or is_marked):
        if before and not is_plainly_utf8(text):
            steps = f".{before}{steps}"
        else:
            refuse_other_encoding(path, text, whole)
    kind = _text_kind(name, text.decode("utf-8", "replace"), whole)
    if kind == "jsonl":
        refuse_plain_text(path, text)
    return kind + steps


def _unpacked(path: Path) -> tuple[Path, str, bytes]:
    """The name by which the kind of text is told, how the source is packed (`.tar.gz`), and the first bytes within."""
    name, steps, head = path, "", _head(path)
    while step := packing_of(head):
        steps = f".{step}{steps}"
        if steps.count(".") > MOST_PACKINGS:
            raise SourceError(f"{path}: is packed more than {MOST_PACKINGS} times", "", UNPACK)
        if steps == ".zip":
            refuse_foreign_zip(path, zip_names(path))
        if step in ARCHIVES:
            name = path.with_name(Path(member_of(path, tuple(steps.split(".")[1:])).name).name)
        with open_text(path, steps) as stream:
            head = stream.read(HEAD_BYTES)
            if stream.damage and not head:
                raise SourceError(
                    f"{path}: the compressed data is damaged at its start", stream.damage, "fetch it again"
                )
    return name, steps, head


def _first_text(stream: SourceText) -> tuple[bytes, bool]:
    """The first bytes of a text from where there is more than blanks and NUL bytes, and whether they are all of it."""
    mark, passed = b"", 0
    while passed < MAX_LINE_BYTES and (piece := stream.read(HEAD_BYTES)):
        mark = mark or piece[: len(BOM)]
        if piece.removeprefix(BOM).strip(BLANK):
            return (BOM + piece if mark == BOM and not piece.startswith(BOM) else piece), len(piece) < HEAD_BYTES
        passed += len(piece)
    return (BOM if mark == BOM else mark[:1]), True


def _is_binary(head: bytes) -> bool:
    """NUL bytes in something that is no UTF-8, or more runs of them than a stray one or two; controls that no text has.
    A run is what a machine leaves in a file that it wrote to when it went down; what begins as JSON may hold a few."""
    if len(head) - len(head.translate(None, CONTROLS)) > max(len(head) // 10, FEWEST_CONTROLS):
        return True
    runs = len(re.findall(rb"\x00+", head))
    if not runs or (runs * 10 < len(head) and _BEGINS_AS_JSON.match(head)):
        return False
    if not head.isascii() and not is_plainly_utf8(head):
        return True
    return runs * 10 > len(head) - head.count(b"\x00")


def _text_kind(path: Path, head: str, whole: bool) -> str:
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in PACKED), "")
    if suffix in TABLE_NAMES:
        return TABLE_NAMES[suffix]
    head = _behind_comments(head)
    if head.startswith("["):
        return "jsonl" if _is_line_of_many(head) else "json"
    if head.startswith("{") or suffix in JSON_NAMES:
        return "jsonl"
    if is_question_blocks(head):
        return "qa"
    return "csv" if _is_table(head, whole) and not begins_behind_text(head) and not is_drawn(head) else "jsonl"


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


def _is_table(head: str, whole: bool) -> bool:
    """Whether the first lines fall into equally many cells, at least two, whatever the file is called."""
    every = head.splitlines(keepends=True)
    lines = every[:20] if whole and len(every) < 20 else every[:20][:-1] or every
    delimiter = guess_delimiter(head)
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return False
    # Two lines of prose may hold a comma each.
    if len(rows) == 2 and not any(map(is_known_name, rows[0])):
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
