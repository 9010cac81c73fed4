"""What of a folder its own settings name: programs, models, scripts that a yes to the words would not pin down."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from engine.paths import real_path
from engine.small_files import read_regular

# Larger files are weights: safetensors only, so their size is enough.
LARGEST_READ = 16 << 20
_BETWEEN_WORDS = re.compile(r"""[\s'"=:;|&<>()]+""")


def named_inside(folder: Path, value: object) -> Iterator[tuple[str, str]]:
    """(path, digest of what lies there) of every word of a setting that leads into the folder, as seen from where one
    is now. A folder's digest is that of all in it."""
    around = {real_path(folder), Path(os.path.abspath(folder))}
    for word in dict.fromkeys(_words(value)):
        place = Path(os.path.abspath(os.path.expanduser(word)))
        if os.path.lexists(place) and not around.isdisjoint(
            [place, *place.parents, real_path(place), *real_path(place).parents]
        ):
            yield word, _digest(place)


def _words(value: object) -> Iterator[str]:
    """Every text in a setting, whole and by its words; none that no path can hold."""
    if isinstance(value, str):
        yield from (word for word in (value, *_BETWEEN_WORDS.split(value)) if word and "\0" not in word)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words(part)
    elif isinstance(value, dict):
        yield from _words([*value, *value.values()])


def _digest(place: Path) -> str:
    total = hashlib.sha256()
    for path in (place, *_below(place)):
        part = f"{path.relative_to(place)}\0{real_path(path)}\0".encode("utf-8", "surrogateescape") + _content(path)
        total.update(len(part).to_bytes(8, "little") + part)
    return total.hexdigest()[:32]


def _below(place: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(place):
        folders.sort()
        yield from (Path(root, name) for name in sorted([*folders, *files]))


def _content(path: Path) -> bytes:
    """The bytes of a file; of what is none, or too large or closed, what is known of it."""
    try:
        return read_regular(path, LARGEST_READ)
    except OSError:
        found = os.lstat(path)
        return f"{found.st_mode:o} {found.st_size if os.path.isfile(path) else 0}".encode()
