"""Where a file may be written: the one question that is asked of every path a person names to write to.

Never a source, whatever it is called here (another name, a link, another case), nor a place inside a source that is a
folder; never what makes up a project; and nothing that tamis did not write itself, unless that is asked for in so many
words (`force`). A source is refused even then.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.errors import ProjectError, UsageError
from engine.paths import is_project, real_path

# What a project folder holds; `exports` and names of one's own are free.
PROJECT_PARTS = frozenset(
    {
        *("project.toml", "rows.jsonl", "rows.idx", "rows.lock", "rows.intent", "quarantine.jsonl", "written.jsonl"),
        *("decisions", "proposals", "runs", "scan.bin", "scan.cache", "snapshot.bin", "session.json", "suspects.json"),
        *("queue.json", "pick.json", "slices.json", "plan.json", "config.toml", "gate.toml", "keymap.toml"),
    }
)
HINT = "choose another name, move it away, or add --force"
BLOCK = 1 << 20


def named_place(text: str) -> Path:
    """A path to write to, as a person named it. Raises UsageError for one that names nothing."""
    if not text.strip() or "\0" in text:
        raise UsageError(f"{text!r} names no place to write to", "", "name a file or a folder")
    return Path(text)


def refuse_place(
    path: Path, sources: Iterable[Path], is_ours: Callable[[Path], bool] = lambda _: False, *, force: bool = False
) -> None:
    """Raise UsageError where no file may be written at `path`. `is_ours` tells a file that tamis wrote from others."""
    refuse_source(path, sources)
    _refuse_project_part(path)
    if not os.path.lexists(path):
        _refuse_under_file(path)
        return
    if path.is_dir():
        raise UsageError(f"{path}: is a folder", "", "name a file in it")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise UsageError(f"{path}: is a device or a pipe, not a file", "", "name a file")
    if not force and not is_ours(path):
        raise UsageError(f"{path}: exists and was not written by tamis", "", HINT)


def refuse_folder(path: Path, sources: Iterable[Path]) -> None:
    """Raise UsageError where `path` can be no folder of files to be written."""
    refuse_source(path, sources)
    _refuse_project_part(path)
    if path.exists() and not path.is_dir():
        what = "is a file" if path.is_file() else "is a device or a pipe, not a folder"
        raise UsageError(
            f"{path}: {what}", "", "name a folder, or a file that ends in .jsonl, .jsonl.gz, .parquet, .csv"
        )
    _refuse_under_file(path)


def refuse_source(path: Path, sources: Iterable[Path]) -> None:
    """Raise UsageError where `path` is one of the sources, or lies in one that is a folder."""
    place = real_path(path)
    for source in sources:
        if place == real_path(source) or _is_same(place, source):
            raise UsageError(f"{path}: is the source of these rows", "", "choose another name")
        if any(folder == real_path(source) or _is_same(folder, source) for folder in place.parents):
            raise UsageError(
                f"{path}: lies in {source}, which is the source of these rows", "", "choose another folder"
            )
        if source.is_dir() and place.is_file() and place.stat().st_nlink > 1:
            parts = (part for part in source.rglob("*") if part.is_file())
            if any(_is_same(place, part) for part in parts):
                raise UsageError(f"{path}: is a file of {source}, the source of these rows", "", "choose another name")


def _refuse_project_part(path: Path) -> None:
    place = real_path(path)
    for folder in (place, *place.parents):
        if is_project(folder) and (folder / "rows.idx").is_file():
            inside = place.relative_to(folder).parts
            name = inside[0] if inside else ""
            if name in PROJECT_PARTS or name.startswith(".") or name.endswith(".next") or not name:
                raise UsageError(f"{path}: is a part of the project {folder}", "", "choose another place")


def _refuse_under_file(path: Path) -> None:
    above = next((folder for folder in path.absolute().parents if os.path.lexists(folder)), None)
    if above is not None and above.exists() and not above.is_dir():
        raise ProjectError(f"{path}: cannot be made", f"{above} is no folder", "choose another place")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.stat(), other.stat())
    except OSError:
        # Not there: nothing is the same as it.
        return False


def sha256_of(path: Path) -> str:
    """The hash of a file, read in pieces. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


# -- pages: each says that it is ours, and by a hash that it is still as it was written

_GENERATOR = re.compile(rb'<meta name="generator" content="tamis sha256:([0-9a-f]{64})">')


def signed_page(html: str) -> bytes:
    """A page as bytes, with a line in its head by which `is_own_page` knows it again."""
    head = '<meta charset="utf-8">'
    content = html.encode("utf-8", "xmlcharrefreplace")
    line = f'<meta name="generator" content="tamis sha256:{hashlib.sha256(content).hexdigest()}">'
    return content.replace(head.encode(), f"{head}{line}".encode(), 1)


def is_own_page(path: Path) -> bool:
    """Whether a file is a page that tamis wrote and nobody has changed since."""
    try:
        content = path.read_bytes()
    except OSError:
        # What cannot be read is not known to be ours.
        return False
    found = _GENERATOR.search(content)
    if found is None:
        return False
    plain = content[: found.start()] + content[found.end() :]
    return hashlib.sha256(plain).hexdigest().encode() == found.group(1)
