"""Every run this user started on this machine: one line a run in the state folder, appended at launch."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.files import open_private
from engine.paths import made_state_folder, state_folder
from engine.small_files import read_cache
from engine.training.runs.status import RunState, readable_runs


def registry_file() -> Path:
    """`$XDG_STATE_HOME/tamis/runs.jsonl`, else under `~/.local/state`."""
    return state_folder() / "runs.jsonl"


def register(folders: Sequence[Path]) -> None:
    """Note started runs. The registry is a convenience: a full disk or a read-only home keeps no run from starting."""
    host = socket.gethostname()
    noted = [{"dir": str(folder.resolve()), "host": host, "t": time.time(), "trusted": True} for folder in folders]
    lines = "".join(json.dumps(each) + "\n" for each in noted)
    with contextlib.suppress(OSError):
        path = made_state_folder() / registry_file().name
        descriptor = open_private(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, lines.encode())
        finally:
            os.close(descriptor)


def registered_folders() -> list[Path]:
    """The folders of all runs noted that are still there, the newest first."""
    folders = dict.fromkeys(Path(str(line["dir"])) for line in reversed(_lines()) if "dir" in line)
    return [folder for folder in folders if (folder / "spec.json").is_file()]


def _lines() -> list[dict[str, Any]]:
    found = []
    for line in (read_cache(registry_file()) or b"").decode("utf-8", "replace").splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(line)
            if isinstance(value, dict):
                found.append(value)
    return found


def started_by_earlier_version(folder: Path) -> bool:
    """Whether this very folder is that of a run which was started here before runs were known by what they execute."""
    place = str(folder.resolve())
    return any(line.get("dir") == place and not line.get("trusted") for line in _lines())


def all_runs() -> tuple[RunState, ...]:
    """Every run of this user on this machine, the newest first."""
    return readable_runs(registered_folders())


def find_run(named: Path) -> Path:
    """The folder of a run named by its folder, or by its id or the beginning of one. Raises TrainingError."""
    if named.exists() or len(named.parts) != 1:
        return named
    found = [folder for folder in registered_folders() if folder.name.startswith(str(named))]
    exact = [folder for folder in found if folder.name == str(named)]
    if len(exact or found) != 1:
        words = "more than one run begins with" if found else "no run is called"
        raise TrainingError(f"{words} {named}", "", "see `tamis runs`")
    return (exact or found)[0]
