"""The rows of a run on disk: `data/*.jsonl` holds them, `batch*.jsonl` says which step was made of which."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from engine.model import TrainingRow


def row_lines(rows: Sequence[TrainingRow]) -> bytes:
    """The content of a `data/*.jsonl`: one line of UTF-8 JSON a row."""
    values = ({"id": row.id, "messages": [dict(message) for message in row.messages]} for row in rows)
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode("utf-8", "replace")


def rows_by_step(run_dir: Path) -> dict[int, tuple[str, ...]]:
    """Step -> ids of the rows in its batch, of all processes. Empty for runs that wrote none.

    A step taken twice (after a resume or a retry) counts as it was the last time; torn lines are passed over.
    """
    found: dict[int, tuple[str, ...]] = {}
    for path in sorted(run_dir.glob("batch*.jsonl")):
        for step, ids in steps_of_process(path).items():
            found[step] = (*found.get(step, ()), *ids)
    return dict(sorted(found.items()))


def steps_of_process(path: Path) -> dict[int, tuple[str, ...]]:
    """The steps one process noted; what a later line says of a step counts."""
    steps: dict[int, tuple[str, ...]] = {}
    for line in path.read_bytes().splitlines():
        try:
            value = json.loads(line)
            steps[int(value["step"])] = tuple(value["rows"])
        except (ValueError, KeyError, TypeError):
            continue
    return steps
