"""What a person found, row by row: the only teacher the queue has."""

from __future__ import annotations

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
