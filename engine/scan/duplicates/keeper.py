"""Which row of a cluster is kept, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.model import Example, Flag
from engine.scan.dates import date_of
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.requests.requests import Request


@dataclass(frozen=True, slots=True)
class KeeperScore:
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


def keeper_scores_of(
    examples: Sequence[Example],
    requests: Sequence[Request],
    judged: JudgedPairs,
    node_of: Sequence[int],
    flags: Sequence[Flag],
    prefer: Callable[[int], int],
) -> Sequence[KeeperScore]:
    """What speaks for each row, worked out when a cluster asks."""
    counts: dict[int, int] = {}
    cut: set[int] = set()
    for flag in flags:
        if flag.severity != "info":
            counts[flag.row] = counts.get(flag.row, 0) + 1
        if flag.signal in ("truncated", "empty_output", "placeholder_output"):
            cut.add(flag.row)
    return _KeeperScores(examples, requests, judged, node_of, counts, cut, prefer)


class _KeeperScores(Sequence[KeeperScore]):
    """The scores by position; most rows stand in no cluster and are never asked for."""

    def __init__(
        self,
        examples: Sequence[Example],
        requests: Sequence[Request],
        judged: JudgedPairs,
        node_of: Sequence[int],
        flags: dict[int, int],
        cut: set[int],
        prefer: Callable[[int], int],
    ) -> None:
        self._examples, self._requests, self._judged, self._node_of = examples, requests, judged, node_of
        self._flags, self._cut, self._prefer = flags, cut, prefer
        self._known: dict[int, KeeperScore] = {}

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, row: int) -> KeeperScore:  # type: ignore[override]
        score = self._known.get(row)
        if score is None:
            example, request = self._examples[row], self._requests[row]
            score = self._known[row] = KeeperScore(
                preferred=self._prefer(example.number),
                flags=self._flags.get(example.number, 0),
                date=date_of(example.raw),
                whole=bool(request.answer.strip()) and example.number not in self._cut,
                length=len(request.answer),
                odd_words=self._judged.odd_words[self._node_of[row]] if self._judged.odd_words else 0,
                number=example.number,
            )
        return score


def by_keeper_score(rows: Iterable[int], keeper_scores: Sequence[KeeperScore]) -> list[int]:
    """`rows`, the best to keep first: preferred by the person > no flags > newest > whole answer > fewest odd words >
    first in the file.
    """
    rows = list(rows)
    if len(rows) < 2:
        return rows
    return sorted(rows, key=lambda row: ((score := keeper_scores[row]).rank, -score.number), reverse=True)


def why_kept(keeper: int, rows: Iterable[int], keeper_scores: Sequence[KeeperScore]) -> str:
    """Why `keeper` and none of `rows`, as a sentence."""
    kept = keeper_scores[keeper]
    others = [keeper_scores[row] for row in rows if row != keeper]
    if not others:
        return f"row {kept.number} stands alone"
    rival = max(others, key=lambda score: (score.rank, -score.number))
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
