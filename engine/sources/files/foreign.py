"""Files that a person may point at and that hold no rows: what each is, and the step that gets at the rows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from engine.errors import SourceError
from engine.nesting import loads
from engine.sources.files.no_records import plain_name_of

READS = (
    "tamis reads JSONL, JSON, CSV, TSV (also packed: .gz, .zst, .xz, .bz2, .zip, .tar), Parquet, Arrow and datasets"
    " folders"
)
PANDAS = "python -c 'import pandas, sys; {reader}(sys.argv[1]).to_json(sys.argv[2], orient=\"records\", lines=True)'"
TO_JSONL = "make JSONL of it: " + PANDAS + " {path} {name}.jsonl"
NEVER_LOADED = "loading one runs code: write its rows as JSONL where it was made"
TOML_TO_JSON = (
    "make JSON of it: python -c 'import json, sys, tomllib;"
    " json.dump(tomllib.load(sys.stdin.buffer), sys.stdout, default=str)' < {path} > {name}.json"
)
PICTURE, SOUND, WEIGHTS = (
    "it holds no rows of text",
    "it holds no rows of text",
    "point tamis at the data it was trained on",
)
UNPACK_FIRST = "unpack it, and name the file of rows"
# First bytes, what begins with them, what to do. `{path}` and `{name}` (without its ending) are put in.
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG picture", PICTURE),
    (b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (b"GIF8", "a GIF picture", PICTURE),
    (b"ID3", "an MP3 recording", SOUND),
    (b"OggS", "an Ogg recording", SOUND),
    (b"fLaC", "a FLAC recording", SOUND),
    (b"%PDF", "a PDF document", "copy its rows into a table, and save that as CSV"),
    (b"{\\rtf", "a document (RTF)", "save it as plain text, or its table as CSV"),
    (b"%!PS", "a PostScript document", PICTURE),
    (b"\x7fELF", "a program", READS),
    (b"MZ", "a program for Windows", READS),
    (b"\xca\xfe\xba\xbe", "a program", READS),
    (
        b"SQLite format 3",
        "an SQLite database",
        "make JSON of a table: sqlite3 -json {path} 'SELECT * FROM …' > {name}.json",
    ),
    *((bytes([0x80, version]), "a pickle, which is never loaded", NEVER_LOADED) for version in (2, 3, 4, 5)),
    (b"\x93NUMPY", "a NumPy array", "write its rows as JSONL or CSV where it was made"),
    (b"\x89HDF", "an HDF5 file", TO_JSONL.replace("{reader}", "pandas.read_hdf")),
    (b"Obj\x01", "an Avro file", "make JSONL of it: python -m fastavro {path} > {name}.jsonl"),
    (b"ORC", "an ORC file", TO_JSONL.replace("{reader}", "pandas.read_orc")),
    (b"FEA1", "a Feather file of version 1", TO_JSONL.replace("{reader}", "pandas.read_feather")),
    (b"PARE", "an encrypted Parquet file", "write it without encryption where it was made"),
    (b"GGUF", "the weights of a model (GGUF)", WEIGHTS),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office file (an Excel sheet .xls, a Word document .doc)",
        "save the sheet as CSV (UTF-8)",
    ),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it: 7z x {path}, then name the file of rows"),
    (b"Rar!\x1a", "a RAR archive", "unpack it: unrar x {path}, then name the file of rows"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "unpack it: lz4 -d {path} {name}, then name that"),
    (b"\x1f\x9d", "packed with compress (.Z)", "unpack it: gunzip {path}, then name that"),
    (b"LZIP", "packed with lzip", "unpack it: lzip -d {path}, then name that"),
    (b"\x5d\x00\x00", "packed with lzma", "unpack it: xz -d --format=lzma {path}, then name that"),
    (b"\xff\x06\x00\x00sNaPpY", "packed with snappy", UNPACK_FIRST),
    (b"PK\x07\x08", "a part of a zip archive", "put the parts together first"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut", "name the file that it points to"),
    (b"\x00\x05\x16\x07", "what macOS keeps beside a file (._name)", "name the file without `._` before its name"),
    (b"bplist00", "a macOS property list", "name the data file beside it"),
)
# A zip that is the form of something else, by a member that only this has.
ZIP_FORMS: tuple[tuple[str, str, str], ...] = (
    (
        "xl/",
        "an Excel workbook",
        "save the sheet as CSV (UTF-8), or: " + TO_JSONL.replace("{reader}", "pandas.read_excel"),
    ),
    ("word/", "a Word document", "copy its table into a sheet, and save that as CSV"),
    ("ppt/", "a presentation", PICTURE),
    ("content.xml", "an OpenDocument file", "save the sheet as CSV (UTF-8)"),
    ("META-INF/container.xml", "an e-book (EPUB)", "save it as plain text"),
    ("META-INF/MANIFEST.MF", "a Java program", READS),
)
HTML_START = re.compile(
    rb"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
HTML_TITLE = re.compile(rb"<title[^>]*>\s*(.{1,80}?)\s*<", re.IGNORECASE | re.DOTALL)
XML_START = re.compile(rb"<(?:\?xml|!DOCTYPE)")
XML = re.compile(rb"<([A-Za-z][\w:.-]*)(?:\s[^<>]*)?>.*</\1>\s*\Z", re.DOTALL)
TOML = re.compile(rb"(?:#[^\n]*\n|\s)*\[{1,2}[A-Za-z_][\w .-]*\]{1,2}[ \t]*\r?\n\s*[\w\"'.-]+[ \t]*=")
DVC = re.compile(rb"(?:md5: [0-9a-f]{32}\n)?outs:\n- +(?:md5|etag|path|hash|size):")
ANNEX = re.compile(rb"(?:\.\./)*(?:\.git)?/annex/objects/\S+\s*\Z")
SERVER_SAYS = re.compile(
    rb"(?:(?:HTTP )?(?:error )?[45]\d\d\b|\w* ?not found|access denied|forbidden|unauthori[sz]ed|too many requests|"
    rb"invalid (?:username|credentials|token)|bad gateway|service unavailable|rate limit|access to \S+ (?:\S+ )*is )"
    rb"[^\n{\[]{0,200}\s*\Z",
    re.IGNORECASE,
)
YAML_ROWS = re.compile(rb"(?:---[^\n]*\n|#[^\n]*\n|\s*\n)*- +[\"']?[\w -]+[\"']?:(?: [^\n]*)?\r?\n +[\w\"'-]")
PYTHON_START = re.compile(
    rb'(?:#[^\n]*\n|"""[^"]*"""|\s)*(?:import [\w.]+(?: as \w+)?\s*$|from [\w.]+ import )', re.MULTILINE
)
NOTEBOOK = re.compile(
    rb'\{\s*"(?:cells"\s*:\s*\[\s*\{\s*"(?:cell_type|attachments|execution_count|id|metadata)"|nbformat")'
)
MARKDOWN = re.compile(rb"#{1,3} \S[^\n,;\t]*\r?\n\s*\n(?!.*^[{\[])", re.DOTALL | re.MULTILINE)
SQL = re.compile(
    rb"(?:--[^\n]*\n|/\*.*?\*/;?|\s)*(?:CREATE (?:TABLE|DATABASE)|INSERT INTO|DROP TABLE|PRAGMA \w|BEGIN TRANSACTION)",
    re.DOTALL,
)
ADDRESS = re.compile(rb"https?://\S+\s*\Z")
ERROR_KEYS = ("error", "errors", "detail", "message")
ERROR_FIELDS = frozenset(
    (
        *(*ERROR_KEYS, "status", "statusCode", "status_code", "code", "documentation_url", "error_description", "path"),
        *("timestamp", "request_id", "requestId", "type", "success", "title", "instance", "cause", "reason"),
    )
)


def refuse_foreign_bytes(path: Path, head: bytes) -> None:
    """Raise SourceError where the first bytes are those of a file that holds no rows of text."""
    for magic, what, step in MAGIC:
        # What begins with letters may be text that does, too.
        if head.startswith(magic) and (b"\x00" in head or not magic.isalnum()):
            raise _refusal(path, what, step)
    if (head[4:8] == b"ftyp" or head[:4] == b"RIFF") and b"\x00" in head:
        raise _refusal(path, "a recording, a film or a picture", PICTURE)
    if head[8:12] == b"DUCK":
        raise _refusal(path, "a DuckDB database", "write a table of it: duckdb {path} \"COPY … TO '{name}.parquet'\"")
    if head[4:8] == bytes(4) and head[8:10] == b'{"':
        raise _refusal(path, "the weights of a model (safetensors)", WEIGHTS)


def refuse_foreign_zip(path: Path, names: list[str]) -> None:
    """Raise SourceError where a zip is the form of something else: a workbook, a document, a model."""
    for start, what, step in ZIP_FORMS:
        if any(name.startswith(start) for name in names):
            raise _refusal(path, what, step)
    if names and all(name.endswith(".npy") for name in names):
        raise _refusal(path, "arrays of NumPy (.npz)", "write the rows as JSONL or CSV where it was made")
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        raise _refusal(path, "a file of torch, a pickle, which is never loaded", NEVER_LOADED)


def refuse_foreign_text(path: Path, text: bytes, whole: bool) -> None:
    """Raise SourceError where a text is no rows: a pointer, a page, a program … `whole` where `text` is all of it."""
    suffix = path.suffix.lower()
    for found, what, step in _told_by_text(text, suffix, whole):
        if found:
            raise _refusal(path, what, step)


def _told_by_text(text: bytes, suffix: str, whole: bool) -> list[tuple[object, str, str]]:
    title = HTML_TITLE.search(text)
    called = f" ({title[1].decode('utf-8', 'replace')})" if title else ""
    is_table, is_json = suffix in (".csv", ".tsv"), text[:1] in (b"{", b"[")
    said = _server_error(text) if whole and text[:1] == b"{" else ""
    told: list[tuple[object, str, str]] = [
        (
            text.startswith(b"version https://git-lfs.github.com/spec/"),
            "a Git LFS pointer, not the data it stands for",
            "in its repository: git lfs pull",
        ),
        (
            whole and ANNEX.match(text),
            "a git-annex pointer, not the data it stands for",
            "in its repository: git annex get {path}",
        ),
        (
            DVC.match(text),
            "a DVC pointer, not the data it stands for",
            "in its repository: dvc pull {path}",
        ),
        (
            whole and SERVER_SAYS.match(text),
            f"the answer of a server (\u201c{text[:60].decode('utf-8', 'replace').strip()}\u201d), not data",
            "check its address and your access, fetch it again",
        ),
        (
            HTML_START.match(text),
            f"an HTML page{called}, not data",
            "a server may have sent it instead (log in, not found): fetch the raw file (on the Hub /resolve/ instead of"
            " /blob/, on GitHub the Raw button)",
        ),
        (
            said,
            f"the answer of a server, an error ({said}), not data",
            "check its address and your access, fetch it again",
        ),
        (
            NOTEBOOK.match(text),
            "a Jupyter notebook",
            "run it to write the data, or name the data file that it reads",
        ),
        (
            text.startswith(b"[InternetShortcut]") or text.startswith(b"[Desktop Entry]"),
            "a shortcut",
            "name the file that it points to, or fetch its address",
        ),
        (whole and ADDRESS.match(text), "an address, not the data behind it", 'fetch it: curl -LO "$(cat {path})"'),
    ]
    is_toml = suffix == ".toml" or (not is_table and TOML.match(text))
    told.append((is_toml, "TOML", TOML_TO_JSON if suffix == ".toml" else "write its rows as JSON"))
    if is_table or is_json:
        return told
    return [
        *told,
        (XML_START.match(text) or (whole and XML.match(text)), "XML", TO_JSONL.replace("{reader}", "pandas.read_xml")),
        (
            suffix == ".py" or text.startswith(b"#!") or PYTHON_START.match(text),
            "a script",
            "no code of a data set is ever run: run it yourself to write the data, or name the data file that it reads",
        ),
        (
            suffix in (".yaml", ".yml") or YAML_ROWS.match(text),
            "YAML",
            "make JSON of it: python -c 'import json, sys, yaml;"
            " json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' < {path} > {name}.json",
        ),
        (
            suffix in (".md", ".markdown", ".rst") or MARKDOWN.match(text),
            "a page of text (Markdown)",
            "name the data file that it describes",
        ),
        (suffix == ".sql" or SQL.match(text), "a dump of a database (SQL)", "load it, and save the table as CSV"),
    ]


def _server_error(text: bytes) -> str:
    """What a server says in a JSON object that is nothing but an error; '' where it is something else."""
    try:
        said: Any = loads(text.decode("utf-8"))
    except ValueError:
        return ""
    if not isinstance(said, dict) or not said or not ERROR_FIELDS.issuperset(said):
        return ""
    # `message` alone may be what somebody says.
    found = next((said[key] for key in ERROR_KEYS if said.get(key) and (key != "message" or len(said) > 1)), None)
    found = found.get("message", found) if isinstance(found, dict) else found
    return " ".join(str(found).split())[:120] if found is not None else ""


def _refusal(path: Path, what: str, step: str) -> SourceError:
    step = step.replace("{path}", shlex.quote(str(path))).replace("{name}", plain_name_of(path))
    return SourceError(f"{path}: is {what}", "", step)
