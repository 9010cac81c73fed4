"""Where the data folders that travel with tamis are: in a checkout beside the packages, in a wheel inside `engine`."""

from __future__ import annotations

from pathlib import Path

from engine.errors import TamisError


def shipped_dir(name: str) -> Path:
    """The folder `themes` or `sample_data`. Raises TamisError where the installation lacks it."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_shipped" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise TamisError(f"this installation lacks its {name} folder", "", "install tamis again")
