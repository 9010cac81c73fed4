"""What the queue job found, beside the rows: standard library only, so that the workbench can read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.files import write_atomic

FILE = "queue.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Queue:
    """The undecided rows in the order to look at them, and why.

    `chances[row]` is the chance that the row is bad, learnt from `decided` verdicts; empty before there are enough,
    when `order` goes by the severity of the flags. `why[row]` are the words and flags behind a chance with their
    weights (log-odds), strongest first.
    """

    order: tuple[int, ...]
    chances: Mapping[int, float] = field(default_factory=dict)
    why: Mapping[int, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    decided: int = 0
    bad: int = 0
    left: Mapping[str, float] | None = None
    key: str = ""


def save_queue(folder: Path, queue: Queue) -> None:
    content: dict[str, Any] = {
        "v": VERSION,
        "key": queue.key,
        "decided": queue.decided,
        "bad": queue.bad,
        "order": list(queue.order),
        "chances": {str(row): chance for row, chance in queue.chances.items()},
        "why": {str(row): [list(part) for part in parts] for row, parts in queue.why.items()},
        "left": dict(queue.left) if queue.left is not None else None,
    }
    write_atomic(folder / FILE, json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def load_queue(folder: Path, key: str) -> Queue | None:
    """The queue of these rows, or None where there is none that fits: it is a cache."""
    try:
        stored = json.loads((folder / FILE).read_bytes().decode("utf-8", "surrogatepass"))
        if stored["v"] != VERSION or stored["key"] != key:
            return None
        return Queue(
            tuple(stored["order"]),
            {int(row): chance for row, chance in stored["chances"].items()},
            {int(row): tuple((name, weight) for name, weight in parts) for row, parts in stored["why"].items()},
            stored["decided"],
            stored["bad"],
            stored["left"],
            key,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
