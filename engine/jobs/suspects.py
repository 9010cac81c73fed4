"""`python -P -m engine.jobs.suspects PROJECT [RUN|rescore]`: what a run says of single rows, brought back to them.

Without RUN the newest that measured rows; with `rescore` a run is started first, on the accepted rows, that measures
the undecided ones. SIGTERM stops that run as well. Where this process only ends with its window, the run goes on (it
belongs to no terminal), and the next call without RUN reads it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import TamisError, TrainingError
from engine.jobs.protocol import CANCELLED, end_when_parent_does, say
from engine.project.project import open_project
from engine.project.suspects import Suspects
from engine.training.runs.status import read_run, stop
from engine.training.worker.events import read_json
from engine.workflows.rescore import latest_run, point_back, start_rescore

POLL_SECONDS = 0.2
PHASES = {"train": "training", "rows": "measuring rows", "eval": "measuring"}
Progress = Callable[[str, int, int], None]


def follow(run_dir: Path, progress: Progress) -> None:
    """Wait until a run has ended. Raises TrainingError where it did not finish."""
    while True:
        state = read_run(run_dir)
        status = read_json(run_dir / "status.json") or {}
        if state.phase == "rows":
            progress(PHASES["rows"], int(status.get("measured", 0)), int(status.get("measured_of", 0)))
        else:
            progress(PHASES.get(state.phase, "starting"), state.step, state.max_steps)
        if not state.alive and state.state not in ("queued", "running"):
            break
        time.sleep(POLL_SECONDS)
    if state.state != "finished":
        raise TrainingError(f"{state.id} is {state.state}", state.error, "see `tamis runs`")


class Cancelled(Exception):
    """The person does not want it any more."""


def cancel(_number: int, _frame: object) -> None:
    raise Cancelled


def main() -> int:
    end_when_parent_does()
    signal.signal(signal.SIGTERM, cancel)
    folder, which = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        suspects = run(folder, which, lambda phase, done, of: say(phase=phase, progress=done, of=of))
    except Cancelled:
        return CANCELLED
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, rows=len(suspects.rows), scored=len(suspects.scores), run=suspects.run)
    return 0


def run(folder: Path, which: str, progress: Progress) -> Suspects:
    """Do what the words say."""
    with open_project(folder, readonly=True) as project:
        if which == "rescore":
            run_dir = start_rescore(project).dir
            try:
                follow(run_dir, progress)
            except Cancelled:
                stop(run_dir)
                raise
        else:
            run_dir = project.folder / "runs" / which if which else latest_run(project)
        return point_back(project, run_dir)


if __name__ == "__main__":
    sys.exit(main())
