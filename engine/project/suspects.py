"""What the last run said of single rows, kept beside them: reasons to look again, and the order of surprise.

`suspects.json` is a cache: standard library only, so that the workbench reads it. It decides nothing. A verdict given
after it was made settles a row: it is then no suspect any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import Any

from engine.files import write_atomic
from engine.model import Flag
from engine.project.rows import RowStore
from engine.small_files import cached_json, read_cached_json

FILE = "suspects.json"
KINDS = ("learnt_nothing", "got_worse", "forgotten", "surprising")
"""The kinds of suspicion, which are names of flags as well."""
VERSION = 1


@dataclass(frozen=True, slots=True)
class Suspected:
    """One row and kind: its rank among `of`, and the sentence that says why, neighbours included."""

    id: str
    kind: str
    rank: int
    of: int
    reason: str


@dataclass(frozen=True, slots=True)
class Suspects:
    """What one run said, `at` (RFC 3339). `scores`: id of a row that was not trained on -> surprise, 0 to 1."""

    run: str = ""
    at: str = ""
    rows: tuple[Suspected, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


def save_suspects(folder: Path, suspects: Suspects) -> None:
    """Keep them; the file is replaced whole. Raises ProjectError."""
    content: dict[str, Any] = {
        "v": VERSION,
        "run": suspects.run,
        "at": suspects.at,
        "rows": [{name: getattr(row, name) for name in Suspected.__slots__} for row in suspects.rows],
        "scores": dict(suspects.scores),
    }
    write_atomic(folder / FILE, cached_json(content))


def load_suspects(folder: Path) -> Suspects:
    """Those of the last run that was read; none where there is no file or it is damaged."""
    stored = read_cached_json(folder / FILE)
    try:
        if stored.get("v") != VERSION:
            return Suspects()
        rows = tuple(
            Suspected(str(row["id"]), str(row["kind"]), index(row["rank"]), index(row["of"]), str(row["reason"]))
            for row in stored["rows"]
        )
        return Suspects(str(stored["run"]), str(stored["at"]), rows, {k: float(v) for k, v in stored["scores"].items()})
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return Suspects()


def suspect_flags(suspects: Suspects, rows: RowStore) -> dict[int, list[Flag]]:
    """Row number -> its reasons as flags. Ids that are not here any more are left out."""
    found: dict[int, list[Flag]] = {}
    for row in suspects.rows:
        number = rows.number(row.id)
        if number is not None:
            found.setdefault(number, []).append(Flag(number, row.kind, "check", row.reason))
    return found


def rank_of(suspects: Suspects) -> dict[str, tuple[int, int]]:
    """Row id -> (place of its kind, rank within it): the first is the one to look at first."""
    found: dict[str, tuple[int, int]] = {}
    for row in suspects.rows:
        place = (KINDS.index(row.kind) if row.kind in KINDS else len(KINDS), row.rank)
        found[row.id] = min(found.get(row.id, place), place)
    return found
