"""The ids of very large acts, in files beside the journal: named by the hash of what they hold, never overwritten.

A line names its file and the hash. Older versions named files by journal and line, so that two branches of a journal
could mean two files by one name: where the file that a line names holds something else, the one named by the hash is
taken.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import ProjectError
from engine.files import sync_folder, write_atomic
from engine.reviewer import shortened

NAMED_DIGITS = 16
NAMED_BYTES = 200
"""Of a long name so much, since a file system takes 255."""


class SideFileAway(ValueError):
    """The side file of a line is missing, or another: it may come back."""


def hashed_name(stem: str, digest: str) -> str:
    """The name of the side file with this SHA-256, written for the journal `stem`."""
    return f"{shortened(stem, NAMED_BYTES)}.{digest[:NAMED_DIGITS]}.ids"


def bring_ids(folders: Iterable[Path], act: dict[str, Any]) -> None:
    """Put the ids of an act that names a side file back into it. Raises SideFileAway."""
    name = Path(str(act.pop("ids_file"))).name
    content = content_of(folders, name, str(act.pop("ids_sha256", "")))
    if content is None:
        is_there = any(os.path.lexists(folder / name) for folder in folders)
        raise SideFileAway(f"{name} is not the file this act was written with" if is_there else f"{name} is missing")
    act["ids"] = content.decode("ascii").split()


def content_of(folders: Iterable[Path], name: str, digest: str) -> bytes | None:
    """What the side file `name` of a line holds, under that name or by its hash; None where no folder has it."""
    names = dict.fromkeys((name, hashed_name(_stem_of(name), digest)))
    for path in (folder / one for folder in folders for one in names):
        try:
            content = read_regular(path)
        except OSError:
            continue
        if content is not None and hashlib.sha256(content).hexdigest() == digest:
            return content
    return None


def place_for(folder: Path, name: str, digest: str, planned: Container[Path]) -> Path:
    """Where a side file goes in `folder`: under the name its line says, or by its hash where that name is taken."""
    path = folder / name
    is_taken = path in planned or os.path.lexists(path)
    return folder / hashed_name(_stem_of(name), digest) if is_taken else path


def _stem_of(name: str) -> str:
    """The journal that a side file was written for: `ann@1.17-0.ids` and `ann@1.0f3c….ids` are of `ann@1`."""
    return name.removesuffix(".ids").rpartition(".")[0]


def read_regular(path: Path) -> bytes | None:
    """The content of a file that is one: no link, no pipe, no device; None where there is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        if path.is_symlink() or not path.exists():
            return None
        raise
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def packed_ids(ids: Sequence[str]) -> bytes | None:
    """Ids as a side file holds them; None where they cannot stand in one."""
    try:
        content = "".join(f"{identifier}\n" for identifier in ids).encode("ascii")
    except UnicodeEncodeError:
        return None
    return content if content.decode("ascii").split() == list(ids) else None


def keep(folder: Path, name: str, content: bytes) -> str:
    """Have `content` durably in the side file `name`, or in one like it where that holds something else; its name.

    Never overwrites; to be called under the journal's lock. Raises ProjectError, OSError.
    """
    stem, _, _ = name.rpartition(".")
    for further in range(2, 100):
        path = folder / name
        if not os.path.lexists(path):
            write_atomic(path, content)
            return name
        if read_regular(path) == content:
            sync_folder(folder)
            return name
        name = f"{stem}-{further}.ids"
    raise ProjectError(f"{folder / name}: a side file cannot be written", "its names are taken", "look into the folder")
