"""The support set: 480 rows with their planted faults, the oracle, and 120 held-out rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import groups
import noise
from planted import Desk, Planted

SEED = 20241104
ROWS, HELDOUT_ROWS = 480, 120
EXACT_SIZES = (7, 6, 6, 5, 5, 4)
NEAR_SIZES = (6, 5, 5, 4, 4, 4, 4, 4)
CONFLICT_SIZES = (4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 2, 2)


def make_support() -> tuple[list[Planted], list[Planted]]:
    """(the rows in file order, the held-out rows), the same on every call."""
    desk = Desk(SEED)
    heldout = list(noise.clean(desk, HELDOUT_ROWS))
    planted = [
        *groups.exact_groups(desk, EXACT_SIZES),
        *groups.near_groups(desk, NEAR_SIZES),
        *groups.conflict_groups(desk, CONFLICT_SIZES),
        *noise.wrong_formats(desk, 36, edited=16),
        *noise.typos(desk, 22),
        *noise.truncated(desk, 18),
        *noise.refusals(desk),
        *noise.placeholders(desk),
        *noise.off_topic(desk),
        *noise.stale(desk, 22, edited=12),
    ]
    rows = planted + list(noise.clean(desk, ROWS - len(planted)))
    desk.rng.shuffle(rows)
    return _keep_the_first_copy(rows), heldout


def _keep_the_first_copy(rows: list[Planted]) -> list[Planted]:
    """Of copies that are equal byte for byte, the one to keep is the first in the file."""
    first = {row.group: number for number, row in reversed(list(enumerate(rows)))}
    for number, row in enumerate(rows):
        if row.group and row.keep and rows[first[row.group]].row == row.row:
            rows[first[row.group]], rows[number] = row, rows[first[row.group]]
    return rows


def answers(rows: list[Planted]) -> list[dict[str, Any]]:
    """The oracle, one object a row. `action` is what the shipped journal does with it."""
    keepers = {row.group: number for number, row in enumerate(rows) if row.group and row.keep}
    found = []
    for number, row in enumerate(rows):
        action = "edit" if row.fixed else "accept" if row.keep else "reject"
        line: dict[str, Any] = {"row": number, "planted": row.kind, "group": row.group, "keep": row.keep}
        line |= {"action": action, "keeper": keepers.get(row.group) if row.group else None, "how": row.how}
        found.append(line | {"label": asdict(row.label) if row.label else None})
    return found
