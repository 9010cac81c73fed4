"""`python -P -m engine.jobs.tokens PROJECT`: counts the tokens of its rows with the tokenizer of the chosen model.

The counts are kept in the project's folder; the last line says whose tokens they are, "" where no model is chosen.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import TamisError
from engine.jobs.plan import end_by_signal
from engine.jobs.protocol import say
from engine.project.project import open_project
from engine.workflows.token_counts import are_counted, count_tokens


def main() -> int:
    end_by_signal()
    try:
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            if are_counted(project):
                say(done=True, fresh=False)
                return 0
            count_tokens(project, lambda phase, done, of: say(phase=phase, progress=done, of=of))
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, fresh=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
