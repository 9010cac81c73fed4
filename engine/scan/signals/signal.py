"""What a signal is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.model import Example, Severity, Span
from engine.scan.signals.reading import Reading


class Found(NamedTuple):
    """One finding: a sentence with its evidence quoted, where to look, and another severity where this one differs."""

    reason: str
    span: Span | None = None
    severity: Severity | None = None


Repair = Callable[[str], str]
"""Text of one turn to its repaired text; the same text where there is nothing to mend. Pure, and linear in length."""


def _no_survey(examples: Sequence[Example]) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that can be wrong with a row.

    `find(reading, survey)` says whether it is, once per row. `survey(examples)` runs before, once per set, for signals
    that compare a row with its set; what it returns is handed to every `find`. Neither may be slower than linear in the
    length of the text. `repair` mends the text of the turn that was marked, where that needs no judgement.
    """

    name: str
    severity: Severity
    about: str
    find: Callable[[Reading, Any], Found | None]
    survey: Callable[[Sequence[Example]], Any] = _no_survey
    repair: Repair | None = None


def sees_rows_alone(signal: Signal) -> bool:
    """Whether what it finds in a row depends on that row alone."""
    return signal.survey is _no_survey


def last_turn(row: Reading | Example) -> int:
    """Number of the last turn, -1 where there is none."""
    return len(row.messages) - 1


def has_calls(row: Reading | Example) -> bool:
    """Whether the closing turn calls a tool: it then needs no words."""
    return bool(row.messages) and bool(row.messages[-1].calls)


def in_prompt(row: Reading, part: str) -> Span | None:
    """Where `part` stands in what is asked."""
    place = row.place_in_prompt(part)
    return None if place is None else Span(*place)
