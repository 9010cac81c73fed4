"""What a run's own files say of the steps before the one it is taken up at. Standard library only.

An alert is told once a run, also where the run was cut short in between: what watched it then watches on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .alerts import Alert, RowSums


@dataclass(frozen=True, slots=True)
class PastSteps:
    """Logged steps and held-out measurements in the order of their steps, each as it was last; all alerts so far, as
    they were written; the held-out rows as they were before the first step."""

    logs: tuple[dict[str, Any], ...] = ()
    heldout: tuple[tuple[int, float], ...] = ()
    alerts: tuple[tuple[int, Alert], ...] = ()
    base: RowSums | None = None


def past_steps(run_dir: Path, until: int) -> PastSteps:
    """What was written of the steps up to `until`; the alerts of later ones too, for those steps come again. Lines
    that were torn, or are of another form, are passed over."""
    logs: dict[int, dict[str, Any]] = {}
    heldout: dict[int, float] = {}
    alerts: list[tuple[int, Alert]] = []
    for event in lines(run_dir / "events.jsonl"):
        step = event.get("step")
        if not isinstance(step, int):
            continue
        if event.get("ev") == "alert":
            alerts.append((step, Alert(str(event.get("kind")), str(event.get("detail")))))
        elif event.get("ev") == "log" and step <= until and isinstance(event.get("loss"), float | int):
            logs[step] = event
        elif event.get("ev") == "eval" and step <= until and isinstance(event.get("nll"), float | int):
            heldout[step] = event["nll"]
    base = {
        str(line.get("id")): (float(line["nll"]), int(line["tokens"]))
        for line in lines(run_dir / "eval.jsonl")
        if line.get("step") == 0 and isinstance(line.get("nll"), float | int) and isinstance(line.get("tokens"), int)
    }
    return PastSteps(
        tuple(logs[step] for step in sorted(logs)), tuple(sorted(heldout.items())), tuple(alerts), base or None
    )


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines; none where there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as stream:
        for line in stream:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield value
