"""Folders for what is needed for a moment. One that a killed process left behind goes with the next one that is made.

Small ones lie in the cache folder of the person, so that nothing of their rows stays in a folder that others share;
large ones (a copy of a source) in the folder for temporary files, which has the room.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.paths import own_folder

PREFIX = "tamis-scratch"


@contextmanager
def scratch_folder(kind: str, *, large: bool = False) -> Iterator[Path]:
    """A new private folder; it is gone when the context ends. Raises OSError where none can be made."""
    base = Path(tempfile.gettempdir()) if large else cache_base()
    sweep(base)
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}.{kind}.{host()}.{os.getpid()}.", dir=base))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def cache_base() -> Path:
    """`$XDG_CACHE_HOME/tamis/scratch`, else under `~/.cache`; the folder for temporary files where that is not to be
    had."""
    base = own_folder("CACHE") / "scratch"
    try:
        base.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        base.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir())
    return base if os.access(base, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


def sweep(base: Path) -> None:
    """Remove the folders of processes of this machine that are gone. What cannot be removed stays."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(base):
            parts = entry.name.split(".")
            if parts[0] == PREFIX and len(parts) == 5 and parts[2] == host() and is_gone(parts[3]):
                shutil.rmtree(entry.path, ignore_errors=True)


def host() -> str:
    """The name of this machine as a part of a file name: a cache folder may be shared by several."""
    return socket.gethostname().replace(".", "-").replace("/", "-") or "localhost"


def is_gone(pid: str) -> bool:
    """Whether no process has this number."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
