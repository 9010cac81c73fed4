"""A folder as one source: its data files one behind the other, each by its own kind and shape.

The files of a `datasets` folder are those that it names. Else Parquet is what there is where there is any, as the Hub
lays it out; else every data file in the folder and below, in the order of their names. Where there are several, a row
says which one it comes from, in `split`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import SourceError
from engine.model import Quarantined
from engine.nesting import loads
from engine.sources.files.pieces import SourceRow
from engine.sources.records.columns import Notes, arrow_rows, first_line, json_cells, parquet_rows, regular
from engine.sources.records.formats import source_format

MANIFEST_NAME = "tamis-manifest.json"
SPLIT_FIELD = "split"
DATA_FILE = re.compile(r".+\.(?:jsonl?|ndjson|csv|tsv|arrow|feather)(?:\.(?:gz|zst|xz|bz2))?", re.IGNORECASE)
# What stands beside data and says something about them, or about a model.
NO_DATA = frozenset(
    (
        *(MANIFEST_NAME, "dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "package.json"),
        *(
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
        ),
    )
)
NO_FOLDERS = frozenset(("node_modules", "__pycache__", "__MACOSX"))
PROJECT_SUFFIX = ".tamis"
MOST_NAMED = 5
PACKED_FILE = re.compile(r".+\.(?:zip|tar|tgz|tar\.(?:gz|xz|bz2|zst))", re.IGNORECASE)
_NUMBER = re.compile(r"[-_.]?\d+$")
# Parts of one data set are numbered to one width, by numbers alone, or say that they are parts.
_DIGITS = re.compile(r"\d+")
_PART_NUMBER = re.compile(
    r"(?<!\d)0\d|^\d+$|(?:^|[-_. ])(?:part|shard|chunk|batch|page|slice|segment|file|piece)[-_. ]?\d", re.IGNORECASE
)
_PART_WORD = re.compile(
    r"(?:^|[-_. ]+)(?:part|shard|chunk|batch|page|slice|segment|file|piece)(?=[-_. ]|$)", re.IGNORECASE
)
_SHARD = re.compile(r"[-_.]\d+[-_]of[-_]\d+$")

Piece = SourceRow | Quarantined
ReadFile = Callable[[Path, str], Iterator[Piece]]
"""Reads a file of a kind that `source_format` names."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a folder: `split` is what its rows say of where they come from, `kind` None where its bytes tell it."""

    path: Path
    split: str | None
    kind: str | None = None


def folder_files(folder: Path) -> list[DataFile]:
    """The data files of a folder. Raises SourceError where there are none, or where a `datasets` folder is damaged."""
    saved = _saved_splits(folder)
    if saved:
        return [DataFile(path, split, "arrow") for split, part in saved for path in _saved_files(part)]
    tables = next(filter(None, (sorted(folder.glob(f"{at}*.parquet")) for at in ("", "data/", "*/"))), [])
    if tables:
        tables = [path for path in tables if path.is_file()]
        named = zip(tables, _table_splits(tables, folder), strict=True)
        files = [DataFile(path, split, "parquet") for path, split in named]
    else:
        paths = _files(folder, DATA_FILE) or _files(folder, PACKED_FILE)
        files = [DataFile(path, split) for path, split in zip(paths, _splits(paths, folder), strict=True)]
    if not files:
        raise SourceError(
            f"{folder}: is a folder without a data set in it", _held(folder), "point tamis at a data file"
        )
    splits = {file.split for file in files}
    # One split alone is worth telling where the folder's layout says what it is.
    return (
        files if len(splits) > 1 or (tables and splits != {"data"}) else [replace(file, split=None) for file in files]
    )


def _files(folder: Path, called: re.Pattern[str]) -> list[Path]:
    """Those called like data, in the order of their names, numbers in these by their value."""
    found = [path for path in folder.rglob("*") if _is_data(path.relative_to(folder), called) and path.is_file()]
    return sorted(found, key=lambda path: [_in_order(name) for name in path.relative_to(folder).parts])


def _in_order(name: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name) if piece]


def _is_data(path: Path, called: re.Pattern[str]) -> bool:
    inside = path.parts[:-1]
    if any(name.startswith(".") or name.endswith(PROJECT_SUFFIX) or name in NO_FOLDERS for name in inside):
        return False
    return not path.name.startswith((".", "_")) and path.name not in NO_DATA and bool(called.fullmatch(path.name))


def _held(folder: Path) -> str:
    names = [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    more = ", \u2026" if len(names) > MOST_NAMED else ""
    return f"it holds {', '.join(names[:MOST_NAMED])}{more}" if names else "it is empty"


def _saved_splits(folder: Path) -> list[tuple[str | None, Path]]:
    if (folder / "state.json").is_file():
        return [(None, folder)]
    try:
        splits = _said_in(folder / "dataset_dict.json")["splits"]
        # A name that climbs out of the folder is not followed.
        return [(str(split), folder / str(split)) for split in splits if Path(str(split)).name == split != ".."]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _saved_files(folder: Path) -> list[Path]:
    try:
        files = _said_in(folder / "state.json")["_data_files"]
        # A name that climbs out of the folder is not followed.
        return [folder / Path(str(entry["filename"])).name for entry in files]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{folder}: its state.json cannot be read", first_line(error), "save the data set again"
        ) from error


def _said_in(path: Path) -> Any:
    """What a JSON file beside the data says. Raises OSError (for what is no file, too), ValueError."""
    return loads(regular(path).read_bytes().decode("utf-8"))


def _table_splits(paths: list[Path], folder: Path) -> Iterator[str | None]:
    """`train-00000-of-00002.parquet`, a folder of the split's name; of several in the folder itself the file's name."""
    stems = {_NUMBER.sub("", path.stem) for path in paths}
    for path in paths:
        if "-" in path.name:
            yield path.name.split("-")[0]
        else:
            yield path.parent.name if path.parent != folder else path.stem if len(stems) > 1 else None


def _splits(paths: list[Path], folder: Path) -> Iterator[str]:
    """The name of each file without what it is packed as and which part of how many it is; before it the folders that
    it stands in. Parts of one data set have one name."""
    places = [(path.relative_to(folder).parent.parts, path.name.partition(".")[0]) for path in paths]
    alike = Counter((inside, _DIGITS.sub("0", stem)) for inside, stem in places)
    for inside, stem in places:
        name = _SHARD.sub("", stem)
        if name == stem and alike[inside, _DIGITS.sub("0", stem)] > 1 and _PART_NUMBER.search(stem):
            name = _PART_WORD.sub("", _DIGITS.sub("", stem)).strip("-_. ")
        outer = inside[1:] if inside[:1] == ("data",) else inside
        yield "/".join((*outer, name) if name or not outer else outer)


def folder_rows(folder: Path, read_file: ReadFile, encoding: str | None = None) -> Iterator[Piece]:
    """All rows of all files, in the order of `folder_files`. A file that cannot be read at all is one record set aside.
    A row's line counts on from file to file. `encoding` is that of its texts, where a person names it. Raises
    SourceError as `folder_files` does, and where none of its files can be read."""
    files = folder_files(folder)
    before = 0
    refused: list[SourceError] = []
    for file in files:
        last = 0
        told = str(file.path.relative_to(folder)) if len(files) > 1 else ""
        try:
            for piece in _file_rows(folder, file, read_file, encoding):
                last = max(last, piece.line)
                yield _placed(piece, before, file.split, told)
        except SourceError as error:
            refused.append(error)
            yield _placed(Quarantined(last + 1, 0, str(error), b""), before, None, told)
            last += 1
        before += last
    if len(refused) == len(files):
        raise refused[0]


def _file_rows(folder: Path, file: DataFile, read_file: ReadFile, encoding: str | None) -> Iterator[Piece]:
    notes = _folder_notes(folder, file.split)
    if file.kind == "arrow":
        yield from arrow_rows(file.path, notes)
    elif file.kind == "parquet":
        yield from parquet_rows(file.path, notes)
    else:
        yield from read_file(file.path, source_format(file.path, encoding))


def _folder_notes(folder: Path, split: str | None) -> Notes | None:
    """What the manifest of an export says of the columns of a split; None where there is no manifest of tamis."""
    try:
        columns = _said_in(folder / MANIFEST_NAME)["export"]["columns"]
        cells = json_cells(columns.get("json_cells", {}).get(split))
        return Notes(frozenset(columns["json_text"]), frozenset(columns["absent"]), cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _placed(piece: Piece, before: int, split: str | None, file: str) -> Piece:
    """A piece of one file as one of the folder."""
    line = before + piece.line
    if isinstance(piece, Quarantined):
        return replace(piece, line=line, reason=f"{piece.reason} ({file}, {piece.line})" if file else piece.reason)
    lines = tuple(before + own for own in piece.lines)
    if split is None or SPLIT_FIELD in piece.raw:
        return replace(piece, line=line, offset=0, lines=lines)
    fields = piece.content.strip().removesuffix(b"}").rstrip()
    said = json.dumps({SPLIT_FIELD: split}).encode()[1:]
    content = fields + (b", " if piece.raw else b"") + said
    return replace(piece, line=line, offset=0, lines=lines, content=content, raw=piece.raw | {SPLIT_FIELD: split})
