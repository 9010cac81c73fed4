"""`python -P -m engine.jobs.compare PROJECT look|start|conclude …`: a comparison without the workbench's process.

`look WISHES` tells what would be compared, `start WISHES` starts it (detached): WISHES is a JSON object with `arms`,
`seeds`, `model` and `settings`, each of which may be missing. `conclude ID` works out what came of one whose runs have
ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.jobs.protocol import end_when_parent_does, say
from engine.project.project import open_project
from engine.training.compare.experiment import Prepared, conclude, start
from engine.training.compare.store import read_comparison
from engine.workflows.compare import manifests, prepare_comparison


def looked_at(prepared: Prepared) -> dict[str, Any]:
    """What a person wants to know before the start."""
    return {
        "arms": [[name, len(rows)] for name, rows in prepared.arms.items()],
        "model": prepared.model,
        "steps": {"value": prepared.steps.value, "reason": prepared.steps.reason},
        "seeds": prepared.seeds,
        "to_run": len(prepared.to_run),
        "of": len(prepared.items),
        "expense": prepared.cost.to_json(),
        "heldout": dict(prepared.heldout),
    }


def main(arguments: Sequence[str]) -> int:
    end_when_parent_does()
    folder, what = Path(arguments[0]), arguments[1]
    try:
        if what == "conclude":
            result = conclude(read_comparison(folder / "runs" / arguments[2]))
            say(done=True, verdict=result["verdict"])
            return 0
        with open_project(folder, readonly=True) as project:
            prepared = prepare_comparison(project, **json.loads(arguments[2]))
            if what == "look":
                say(done=True, **looked_at(prepared))
            else:
                say(done=True, comparison=start(prepared, manifests(project, prepared)).id)
    except TamisError as error:
        say(error=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
