"""What the queue job found, beside the rows: standard library only, so that the workbench can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import Any

from engine.files import write_atomic
from engine.small_files import cached_json, read_cached_json

FILE = "queue.json"
VERSION = 1
LEFT = ("estimate", "least", "most")


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
    write_atomic(folder / FILE, cached_json(content))


def load_queue(folder: Path, key: str) -> Queue | None:
    """The queue of these rows, or None where there is none that fits: it is a cache."""
    stored = read_cached_json(folder / FILE)
    try:
        if stored.get("v") != VERSION or stored["key"] != key:
            return None
        left = stored["left"]
        return Queue(
            tuple(map(index, stored["order"])),
            {int(row): float(chance) for row, chance in stored["chances"].items()},
            {
                int(row): tuple((str(name), float(weight)) for name, weight in parts)
                for row, parts in stored["why"].items()
            },
            index(stored["decided"]),
            index(stored["bad"]),
            None if left is None else {name: float(left[name]) for name in LEFT},
            key,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
