"""Several runs as one queue: new ones and ones to be taken up, served one after the other by one worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.files import write_atomic
from engine.training.runs.launch import Job, check, lay_out, start_supervisor
from engine.training.runs.registry import register
from engine.training.runs.resume import prepare_attempt
from engine.training.runs.status import is_alive, stop
from engine.training.runs.trusted import check_run

POLL_SECONDS = 0.2
LAST_SECONDS = 60.0


def start_queue(
    jobs: Sequence[tuple[Job, Path | None, str]],
    runs_dir: Path,
    manifest_of: Callable[[str, str], Mapping[str, Any]] | None = None,
) -> list[Path]:
    """Start (job, the run to take up again or None, label) in order; the runs' folders.

    `manifest_of(label, run id)` is the content of a new run's manifest. Raises TrainingError.
    """
    for job, _, _ in jobs:
        check(job)
    folders: list[Path] = []
    laid_out: list[Path] = []
    for job, earlier, label in jobs:
        if earlier is not None:
            check_run(earlier)
            prepare_attempt(earlier)
            folders.append(earlier)
            continue
        folder = lay_out(job, runs_dir)
        if manifest_of is not None:
            document = json.dumps(manifest_of(label, folder.name), ensure_ascii=False, indent=1)
            write_atomic(folder / "tamis-manifest.json", document.encode("utf-8", "replace"))
        folders.append(folder)
        laid_out.append(folder)
    start_supervisor(folders, laid_out)
    register(folders)
    return folders


def ask_to_stop(folders: Sequence[Path]) -> int:
    """Ask every run that is alive to save and end, the queued ones first; how many were asked. Waits for none."""
    asked = 0
    for folder in reversed(folders):
        if is_alive(folder):
            try:
                stop(folder)
            except TrainingError:
                continue  # it ended in between
            asked += 1
    return asked


def stop_all(folders: Sequence[Path]) -> None:
    """Ask every run that is alive to stop, the queued ones first, and wait until they have; firm with the slow."""
    for asking in range(2):
        ask_to_stop(folders)
        deadline = time.monotonic() + LAST_SECONDS
        while time.monotonic() < deadline or asking:
            if not any(is_alive(folder) for folder in folders):
                return
            time.sleep(POLL_SECONDS)
