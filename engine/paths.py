"""Where things lie on disk: the data folders that travel with tamis, and the project folder of a source.

Apart from the making of projects: most commands only open one.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Literal

from engine.errors import TamisError

STREAMS = (".gz", ".zst", ".xz", ".bz2")
# Endings of names that say how a file is packed, and nothing of what is in it.
PACKED = (*STREAMS, ".tgz", ".txz", ".tbz2", ".tzst", ".zip", ".tar")
TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
DATA_SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".arrow")


def shipped_dir(name: str) -> Path:
    """The folder `themes` or `sample_data`: in a checkout beside the packages, in a wheel inside `engine`.

    Raises TamisError where the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_shipped" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise TamisError(f"this installation lacks its {name} folder", "", "install tamis again")


def state_folder() -> Path:
    """`$XDG_STATE_HOME/tamis`, else `~/.local/state/tamis`: what this install remembers. It may not be there."""
    return own_folder("STATE")


def made_state_folder() -> Path:
    """The same, made where it is missing, and for nobody else (0700): what it holds tells of rows. Raises OSError."""
    folder = state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = folder.stat()
    if known.st_mode & 0o077 and known.st_uid == os.geteuid():
        # Of an earlier version.
        folder.chmod(0o700)
    return folder


def project_folder_for(source: Path) -> Path:
    """Where the project of a source lives unless another place is named: `data/raw.jsonl.gz` -> `data/raw.tamis`."""
    if source.name in ("", ".."):
        # `.` and `..` have the name of what they lead to; the root has none.
        source = real_path(source)
    name = source.name
    for suffix in (*PACKED, *DATA_SUFFIXES):
        name = name.removesuffix(suffix)
    return source.parent / f"{name or source.name or 'root'}.tamis"


_IN_HOME = {"CONFIG": ".config", "STATE": ".local/state", "CACHE": ".cache"}


def own_folder(kind: Literal["CONFIG", "STATE", "CACHE"]) -> Path:
    """Where the settings, the state or the caches of a person lie: `$XDG_CONFIG_HOME/tamis`, else `~/.config/tamis`.

    A variable that is no absolute path counts for nothing, as the XDG specification has it: the files would lie
    wherever one stands. Where nobody knows a home the folder is one that is not there: what is read is then not there
    either, what has to be written says which variable to set.
    """
    named = os.environ.get(f"XDG_{kind}_HOME", "")
    return (Path(named) if os.path.isabs(named) else _home() / _IN_HOME[kind]) / "tamis"


def _home() -> Path:
    try:
        return Path(os.environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path("/nonexistent")


def real_path(path: Path) -> Path:
    """A path without links, whether or not there is anything; links that lead back to themselves stay as they are."""
    # Path.resolve gives up on those with a RuntimeError.
    return Path(os.path.realpath(path))


def is_project(path: Path) -> bool:
    """Whether `path` is a project folder."""
    # False as well where a name is too long, or a folder on the way to it is closed.
    return os.path.isfile(path / "project.toml")
