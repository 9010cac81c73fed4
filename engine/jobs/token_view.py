"""`python -P -m engine.jobs.token_view PROJECT SETTINGS ROW`: a row as the trainer sees it. SETTINGS is a JSON object.

The last line holds what `tamis plan --show ROW --json` prints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.errors import TamisError
from engine.jobs.plan import end_by_signal
from engine.jobs.protocol import say
from engine.project.project import open_project
from engine.workflows.token_view import tokens_in_project


def main() -> int:
    end_by_signal()
    try:
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            view = tokens_in_project(
                project,
                sys.argv[3],
                settings=json.loads(sys.argv[2]),
                progress=lambda phase, done, of: say(phase=phase, progress=done, of=of),
            )
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, view=view.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
