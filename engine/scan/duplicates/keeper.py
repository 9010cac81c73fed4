"""Which row of a cluster is kept, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merit:
    """What speaks for one row, in the order in which it counts; `number` (file order) breaks ties."""

    preferred: int
    flags: int
    date: str
    whole: bool
    length: int
    odd_words: int
    number: int

    @property
    def rank(self) -> tuple[int, int, str, bool, int]:
        """Bigger is better; all but the order in the file."""
        return (self.preferred, -self.flags, self.date, self.whole, -self.odd_words)


def by_merit(rows: Iterable[int], merits: Sequence[Merit]) -> list[int]:
    """`rows`, the best to keep first: preferred by the person > no flags > newest > whole answer > fewest odd words >
    first in the file.
    """
    rows = list(rows)
    if len(rows) < 2:
        return rows
    return sorted(rows, key=lambda row: ((merit := merits[row]).rank, -merit.number), reverse=True)


def why_kept(keeper: int, rows: Iterable[int], merits: Sequence[Merit]) -> str:
    """Why `keeper` and none of `rows`, as a sentence."""
    kept = merits[keeper]
    others = [merits[row] for row in rows if row != keeper]
    if not others:
        return f"row {kept.number} stands alone"
    rival = max(others, key=lambda merit: (merit.rank, -merit.number))
    reason = "it comes first in the file"
    if (rival.rank, -rival.number) > (kept.rank, -kept.number):
        reason = "all others are the same request as it, which holds for no better row"
    elif kept.preferred > rival.preferred:
        reason = "you accepted it" if kept.preferred > 0 else "the others were rejected"
    elif kept.preferred == rival.preferred:
        if kept.flags < rival.flags:
            reason = "it has no flags" if not kept.flags else "it has the fewest flags"
        elif kept.flags == rival.flags:
            if kept.date > rival.date:
                reason = f"it is the newest ({kept.date})"
            elif kept.date == rival.date:
                if kept.whole and not rival.whole:
                    reason = "its answer is whole"
                elif kept.whole == rival.whole and kept.odd_words < rival.odd_words:
                    reason = "it has the fewest words found nowhere else"
    return f"row {kept.number} is kept: {reason}"
