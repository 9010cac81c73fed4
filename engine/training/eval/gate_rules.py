"""The gate: limits that a curated set has to keep before anything is trained on it, read from `gate.toml`.

What is measured is not this module's business (`engine.workflows.gate`); it reads limits and judges measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from engine.errors import UsageError
from engine.small_files import read_toml

FILE_NAME = "gate.toml"
MOST_ROWS = 10**12


@dataclass(frozen=True, slots=True)
class Limit:
    """One key of `gate.toml`. `side` says what the limit is; `unit` what is counted; `mend` what to do."""

    key: str
    side: Literal["least", "most"]
    unit: Literal["rows", "share"]
    about: str
    mend: str


LIMITS: tuple[Limit, ...] = (
    Limit("min_accepted", "least", "rows", "accepted training rows", "accept more rows"),
    Limit(
        "max_duplicate_share", "most", "share", "accepted rows that repeat another accepted row", "reject the copies"
    ),
    Limit("max_open_conflicts", "most", "rows", "contradictions that nobody settled", "settle them: kind:conflict"),
    Limit("max_leaks", "most", "rows", "accepted rows that ask what a held-out row asks", "reject them"),
    Limit("min_seen_share", "least", "share", "accepted rows that were on a screen when they were judged", "read them"),
    Limit("min_self_agreement", "least", "share", "verdicts that were the same at a second look", "look at is:recheck"),
    Limit("max_stale_share", "most", "share", "accepted rows that the set has left behind", "look at flag:stale"),
)
"""The one table of what a gate can ask for; the file's keys, the report and the docs follow it."""

BY_KEY = {limit.key: limit for limit in LIMITS}


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured for one limit: None where it cannot be told, with the reason; `rows` are those to look at."""

    value: float | None
    reason: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A measure beside its limit. `passed` is None where the file sets none."""

    limit: Limit
    measure: Measure
    bound: float | None
    passed: bool | None

    def sentence(self) -> str:
        """The check in words: what was found, what was asked for, what to do."""
        value = "unknown" if self.measure.value is None else shown(self.measure.value, self.limit)
        words = f"{self.limit.about}: {value}"
        if self.bound is not None:
            words += f" (at {self.limit.side} {shown(self.bound, self.limit)})"
        if self.measure.reason:
            words += f"; {self.measure.reason}"
        return words if self.passed is not False else f"{words}: {self.limit.mend}"


def shown(value: float, limit: Limit) -> str:
    """A measure for the eye."""
    return f"{value:.1%}" if limit.unit == "share" else f"{value:,.0f}"


def read_gate(path: Path) -> dict[str, float] | None:
    """The limits of a file by key, None where there is no file.

    Raises UsageError for a file that cannot be read, an unknown key (with the nearest) or a value out of range.
    """
    try:
        content = read_toml(path)
    except FileNotFoundError:
        return None
    for key, value in content.items():
        limit = BY_KEY.get(key)
        if limit is None:
            near = get_close_matches(key, BY_KEY, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(BY_KEY)}"
            raise UsageError(f"{path}: unknown key {key!r}", "", hint)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        most = 1 if limit.unit == "share" else MOST_ROWS
        if not number or not 0 <= value <= most:
            wanted = "a share from 0 to 1" if limit.unit == "share" else "a number of rows"
            raise UsageError(f"{path}: {key} = {repr(value)[:40]} is out of range", "", f"it takes {wanted}")
    return {key: float(value) for key, value in content.items()}


def judge(bounds: Mapping[str, float] | None, measures: Mapping[str, Measure]) -> tuple[Check, ...]:
    """Every measure beside its limit. What cannot be told does not pass a limit that is set."""
    checks = []
    for limit in LIMITS:
        measure, bound = measures[limit.key], (bounds or {}).get(limit.key)
        passed = None
        if bound is not None:
            value = measure.value
            passed = value is not None and (value >= bound if limit.side == "least" else value <= bound)
        checks.append(Check(limit, measure, bound, passed))
    return tuple(checks)


def check_json(check: Check, ids: Mapping[int, str]) -> dict[str, Any]:
    """One check as `tamis gate --json` prints it. `ids` are row ids by number."""
    return {
        "name": check.limit.key,
        "value": check.measure.value,
        "limit": check.bound,
        "passed": check.passed,
        "text": check.sentence(),
        "rows": list(check.measure.rows),
        "ids": [ids[row] for row in check.measure.rows],
    }
