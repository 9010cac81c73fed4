"""`python -P -m engine.jobs.read PROJECT`: read the rest of a large source while the workbench shows its start."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import TamisError
from engine.jobs.protocol import end_when_parent_does, say
from engine.project.create import continue_reading


def main() -> int:
    end_when_parent_does()
    try:
        rows = continue_reading(Path(sys.argv[1]), lambda phase, done, of: say(phase=phase, progress=done, of=of))
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
