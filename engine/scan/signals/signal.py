"""What a signal is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.model import Example, Severity, Span


class Found(NamedTuple):
    """One finding: a sentence with its evidence quoted, and where to look."""

    reason: str
    span: Span | None = None


def _no_survey(examples: Sequence[Example]) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that can be wrong with a row.

    `find(example, survey)` says whether it is, once per row. `survey(examples)` runs before, once per set, for signals
    that compare a row with its set; what it returns is handed to every `find`. Neither may be slower than linear in the
    length of the text.
    """

    name: str
    severity: Severity
    about: str
    find: Callable[[Example, Any], Found | None]
    survey: Callable[[Sequence[Example]], Any] = _no_survey


def last_turn(example: Example) -> int:
    """Number of the last turn, -1 where there is none."""
    return len(example.turns) - 1


def has_calls(example: Example) -> bool:
    """Whether the closing turn calls a tool: it then needs no words."""
    return bool(example.turns) and bool(example.turns[-1].calls)
