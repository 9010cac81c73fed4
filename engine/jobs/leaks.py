"""`python -P -m engine.jobs.leaks QUESTION ANSWER`: which rows of several sets ask what a held-out row asks.

QUESTION is a JSON file: `{"heldout": [row, …], "sets": {name: [row, …]}, "apart": [[id, …], …]}`, a row being
`{"id", "messages", "tools"}`; `apart` are ids that a person has told apart. ANSWER becomes `{name: [id, …]}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.export.training_rows import conversation_of_messages
from engine.files import write_atomic
from engine.jobs.protocol import end_when_parent_does, say
from engine.model import Example
from engine.scan.pipeline import scan


def leaking_ids(question: Mapping[str, Any]) -> dict[str, list[str]]:
    """The ids of each set that leak, in the set's order. All sets are looked at in one scan."""
    places: dict[str, int] = {}
    examples: list[Example] = []

    def place_of(row: Mapping[str, Any]) -> int:
        key = json.dumps([row["id"], row["messages"], row.get("tools", ())], sort_keys=True)
        if key not in places:
            places[key] = len(examples)
            conversation = conversation_of_messages(row["messages"], row.get("tools", ()))
            examples.append(Example(row["id"], len(examples), conversation, "", 0, {}))
        return places[key]

    # Held-out rows are told apart from a set's row of the same id and words by their place alone.
    held = []
    for row in question["heldout"]:
        held.append(place_of({**row, "id": f"held-out {row['id']}"}))
    sets = {name: [(row["id"], place_of(row)) for row in rows] for name, rows in question["sets"].items()}
    numbers: dict[str, list[int]] = {}
    for example in examples:
        numbers.setdefault(example.id.removeprefix("held-out "), []).append(example.number)
    apart = [frozenset(n for one in group for n in numbers.get(one, ())) for group in question.get("apart", ())]
    findings = scan(examples, heldout=frozenset(held), not_duplicates=apart, signals=())
    leaking = {leak.row for leak in findings.leaks}
    return {name: [one for one, place in rows if place in leaking] for name, rows in sets.items()}


def main(arguments: Sequence[str]) -> int:
    end_when_parent_does()
    try:
        question = json.loads(Path(arguments[0]).read_bytes())
        write_atomic(Path(arguments[1]), json.dumps(leaking_ids(question)).encode())
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
