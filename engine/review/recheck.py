"""Blind re-check: verdicts that are asked for a second time, and how often a person agrees with themselves.

Rows to be looked at again carry the tag `recheck` (`is:recheck`); what they were is hidden until they are judged anew.
The journal says the rest: the verdict before the tag, and the first one after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.model import Act
from engine.phrases import counted, share
from engine.project.journal import standing_lines
from engine.review.outcomes import outcome_of
from engine.review.remaining import random_rank

if TYPE_CHECKING:
    from engine.project.project import Project

TAG = "recheck"
_VERDICTS = {"accept": "accepted", "edit": "accepted", "reject": "rejected", "skip": "skipped"}


def draw(project: Project, count: int, seed: int = 0) -> list[int]:
    """`count` rows at random among those judged by eye and not drawn yet, ascending. Edited rows are no longer what was
    judged, so they are not asked about."""
    judged = [
        number
        for number in range(len(project.rows))
        if outcome_of(project, number) is not None and not project.is_edited(number) and TAG not in project.tags(number)
    ]
    judged.sort(key=lambda number: random_rank(f"{seed}:{project.rows.id(number)}"))
    return sorted(judged[:count])


def asking(identifiers: Iterable[str]) -> Act:
    """The act that puts rows up for another look."""
    return Act("tag", tuple(identifiers), extra={"tags": [TAG]})


def answered(identifiers: Iterable[str]) -> Act:
    """The act that takes rows off the list; it goes into the same line as the new verdict."""
    return Act("tag", tuple(identifiers), extra={"untag": [TAG]})


@dataclass(frozen=True, slots=True)
class SelfAgreement:
    """Of `asked` rows, `answered` were judged again, `same` of them alike; `differing` are the ids of the others."""

    asked: int
    answered: int
    same: int
    differing: tuple[str, ...]

    def __str__(self) -> str:
        if not self.answered:
            return f"{counted(self.asked, 'row')} waiting for a second look"
        alike = share(self.same / self.answered)
        return f"{self.same} of {self.answered} verdicts were the same at the second look ({alike})"


def self_agreement(lines: Iterable[Mapping[str, Any]]) -> SelfAgreement:
    """Read from one person's journal lines, in order. Acts that were undone do not count."""
    verdict: dict[str, str] = {}
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for line in standing_lines(lines):
        for act in line.get("acts", ()):
            identifiers = [str(one) for one in act.get("ids", ())]
            if act.get("do") == "tag" and TAG in act.get("tags", ()):
                before.update({one: verdict[one] for one in identifiers if one in verdict})
            given = _VERDICTS.get(str(act.get("do")))
            if given is None:
                continue
            for one in identifiers:
                if one in before and one not in after:
                    after[one] = given
                verdict[one] = given
    differing = tuple(one for one, given in after.items() if given != before[one])
    return SelfAgreement(len(before), len(after), len(after) - len(differing), differing)
