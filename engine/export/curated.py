"""Which rows leave, and why each of the others stays behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.project.project import Project


UNWANTED = "its answer is marked as not wanted"


@dataclass(frozen=True, slots=True)
class Curated:
    """Row numbers in row order: `training` and `heldout` leave, `left_out` says why each other row does not."""

    training: tuple[int, ...]
    heldout: tuple[int, ...]
    left_out: Mapping[int, str]

    def counts(self) -> dict[str, int]:
        """How many rows were left out for which reason, most first."""
        return dict(Counter(self.left_out.values()).most_common())


def curate(project: Project, *, include_undecided: bool = False) -> Curated:
    """Accepted rows only. A training row that is a twin of a held-out one stays behind as `leak`."""
    training: list[int] = []
    heldout: list[int] = []
    left_out: dict[int, str] = {}
    for number in range(len(project.rows)):
        reason = _reason(project, number, include_undecided)
        if reason:
            left_out[number] = reason
        else:
            (heldout if project.is_heldout(number) else training).append(number)
    return Curated(tuple(training), tuple(heldout), left_out)


def wanted_only(project: Project, curated: Curated) -> Curated:
    """Without the rows that say themselves that their answer is a bad one: where that cannot be said beside the answer,
    it would be learnt."""
    unwanted = {
        number: UNWANTED
        for number in (*curated.training, *curated.heldout)
        if not project.example(number).conversation.is_wanted
    }
    return without(curated, unwanted)


def without(curated: Curated, reasons: Mapping[int, str]) -> Curated:
    """Without the rows of `reasons`, which say why each stays behind."""
    training = tuple(number for number in curated.training if number not in reasons)
    heldout = tuple(number for number in curated.heldout if number not in reasons)
    return Curated(training, heldout, {**curated.left_out, **reasons}) if reasons else curated


def _reason(project: Project, number: int, include_undecided: bool) -> str:
    prefix = "held-out, " if project.is_heldout(number) else ""
    if project.is_disputed(number):
        return f"{prefix}disputed"
    verdict = project.verdict(number)
    # What is measured with must have been judged, whatever is let through for training.
    undecided_may_leave = include_undecided and verdict == "undecided" and not prefix
    if verdict != "accepted" and not undecided_may_leave:
        return f"{prefix}{verdict}"
    if project.is_leaking(number):
        return "leak"
    return ""
