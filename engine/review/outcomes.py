"""What a person found, row by row: the only teacher the queue has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.project.project import Project


def outcome_of(project: Project, number: int) -> bool | None:
    """True where the row was bad (rejected, or accepted only after an edit), False where it was accepted as it came.

    None where nobody has judged the row by eye: undecided, skipped, held out, disputed, or settled in bulk.
    """
    if project.is_heldout(number) or project.is_disputed(number) or not project.is_seen(number):
        return None
    verdict = project.verdict(number)
    if verdict == "rejected":
        return True
    return project.is_edited(number) if verdict == "accepted" else None


def outcomes(project: Project) -> dict[int, bool]:
    """Row number to outcome, for every row that was judged by eye."""
    return {
        number: outcome for number in range(len(project.rows)) if (outcome := outcome_of(project, number)) is not None
    }


# How often each signal is right, by this person's own verdicts.

FEWEST = 8
"""Judged rows before a signal can be demoted: two wrong flags are no record."""
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Record:
    """Of `judged` flagged rows, `right` were rejected or edited."""

    signal: str
    judged: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.judged if self.judged else 0.0

    @property
    def is_demoted(self) -> bool:
        """Whether it is wrong more often than right, on enough rows to say so."""
        return self.judged >= FEWEST and self.precision < HALF

    def __str__(self) -> str:
        return f"{self.signal}: right in {self.right} of {self.judged} of your verdicts" + (
            ", so it only informs now" if self.is_demoted else ""
        )


def records(found: Iterable[tuple[int, str]], outcomes: Mapping[int, bool]) -> tuple[Record, ...]:
    """From the (row, signal) of every flag one record for each signal with a judged row, by name; also of those that
    only inform: they may earn more."""
    judged: dict[str, set[int]] = {}
    for row, signal in found:
        if row in outcomes:
            judged.setdefault(signal, set()).add(row)
    return tuple(
        Record(signal, len(rows), sum(outcomes[row] for row in rows)) for signal, rows in sorted(judged.items())
    )


def demoted(found: Iterable[Record]) -> frozenset[str]:
    """The names of the signals that only inform from now on."""
    return frozenset(record.signal for record in found if record.is_demoted)
