"""`python -P -m engine.jobs.plan PROJECT SETTINGS`: what a run on the project would do. SETTINGS is a JSON object.

The last line holds the plan as `tamis plan --json` prints it, and the facts that a run records: nothing is started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from engine.errors import TamisError
from engine.jobs.protocol import CANCELLED, say
from engine.project.project import open_project
from engine.workflows.train import plan_run


def end_by_signal() -> None:
    """TERM, and the end of stdin, end this process in order: the worker it asks is ended and its folder removed."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(CANCELLED)

    signal.signal(signal.SIGTERM, leave)

    def watch() -> None:
        while os.read(0, 4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="stdin").start()


def main() -> int:
    end_by_signal()
    try:
        settings = json.loads(sys.argv[2])
        say(phase="gathering the rows", progress=0, of=0)
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            plan = plan_run(
                project,
                settings=settings,
                progress=lambda phase, done, of: say(phase=phase, progress=done, of=of),
            )
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, plan=plan.to_json(), facts=dict(plan.facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
