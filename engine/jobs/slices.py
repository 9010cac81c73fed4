"""`python -P -m engine.jobs.slices PROJECT [year|month]`: rows by year or month, and the words that die out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.files import write_atomic
from engine.jobs.protocol import end_when_parent_does, say
from engine.project.project import Project, open_project
from engine.scan.slices import dead_terms, slices, ten_of
from engine.small_files import cached_json


def slice_project(project: Project, by: str = "") -> dict[str, Any]:
    """Count, and keep the result in the project's folder. The held-out set is left out: it is judged by itself."""
    examples = [project.example(number) for number in project.training]
    found = slices(examples, by)
    content = {
        "by": by,
        "slices": [
            {
                "name": one.name,
                "note": "",
                "selector": one.selector,
                "rows": len(one.rows),
                "ten": list(ten_of(one, examples)),
            }
            for one in found
        ],
        "words": [
            {
                "name": term.word,
                "note": f"last in {term.last}, none in {term.later:,} later rows",
                "selector": term.selector,
                "rows": term.uses,
                "ten": list(ten_of(term, examples)),
            }
            for term in dead_terms(examples)
        ],
        "undated": len(examples) - sum(len(one.rows) for one in found),
    }
    write_atomic(project.folder / "slices.json", cached_json(content))
    return content


def main() -> int:
    end_when_parent_does()
    try:
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            found = slice_project(project, sys.argv[2] if len(sys.argv) > 2 else "")
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, slices=len(found["slices"]), words=len(found["words"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
