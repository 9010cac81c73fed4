"""Which rows each optimizer step of a run was made of, so that a step whose loss stands out leads to rows."""

from __future__ import annotations

import json
from pathlib import Path


def rows_by_step(run_dir: Path) -> dict[int, tuple[str, ...]]:
    """Step -> ids of the rows in its batch, of all processes. Empty for runs that wrote none.

    A step taken twice (after a resume or a retry) counts as it was the last time; torn lines are passed over.
    """
    found: dict[int, tuple[str, ...]] = {}
    for path in sorted(run_dir.glob("batch*.jsonl")):
        for step, ids in one_process(path).items():
            found[step] = (*found.get(step, ()), *ids)
    return dict(sorted(found.items()))


def one_process(path: Path) -> dict[int, tuple[str, ...]]:
    """The steps one process noted; what a later line says of a step counts."""
    steps: dict[int, tuple[str, ...]] = {}
    for line in path.read_bytes().splitlines():
        try:
            value = json.loads(line)
            steps[int(value["step"])] = tuple(value["rows"])
        except (ValueError, KeyError, TypeError):
            continue
    return steps
