"""The chance that a row is bad, learnt from this person's own verdicts.

Logistic regression (scikit-learn, liblinear, balanced) on what `features` makes of the rows. Strongly regularised: a
few hundred verdicts stand against tens of thousands of columns. Imported by the job only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.review.features import PIECE, Case, Features

FEWEST_DECISIONS = 20
REASONS = 5
_REGULARISATION = 0.3
_FLAG_WEIGHT = 0.15
_LEAST_WEIGHT = 0.02

__all__ = ["Case", "Features", "Learned", "by_risk", "can_learn", "learn"]


@dataclass(frozen=True, slots=True)
class Learned:
    """For every case the chance of being bad and the score it is ordered by (flags weigh a little extra), and what is
    needed to explain them.
    """

    chances: tuple[float, ...]
    scores: tuple[float, ...]
    _features: Any
    _weights: Any
    _names: tuple[str, ...]

    def reasons(self, place: int) -> tuple[tuple[str, float], ...]:
        """The words and flags behind the score of case number `place`, strongest first, with their log-odds. Pieces of
        words and subjects weigh in too, but have no name that says anything to a reader, and are left out."""
        row = self._features[place]
        parts = [
            (self._names[column], round(float(value * self._weights[column]), 3))
            for column, value in zip(row.indices, row.data, strict=True)
        ]
        parts = [part for part in parts if abs(part[1]) >= _LEAST_WEIGHT and not part[0].startswith(PIECE)]
        return tuple(sorted(parts, key=lambda part: -abs(part[1]))[:REASONS])


def can_learn(outcomes: Mapping[int, bool]) -> bool:
    """Whether there are twenty verdicts and both outcomes among them."""
    return len(outcomes) >= FEWEST_DECISIONS and len(set(outcomes.values())) == 2


def learn(cases: Sequence[Case], outcomes: Mapping[int, bool], features: Features | None = None) -> Learned | None:
    """Scores for all `cases` from the outcomes of some (by place); None where there are too few verdicts."""
    if not can_learn(outcomes):
        return None
    from numpy import exp
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    made = features or Features(cases)
    places = sorted(outcomes)
    judged = hstack([made.matrix[places], csr_matrix(made.dense[places])], format="csr")
    model = LogisticRegression(C=_REGULARISATION, solver="liblinear", class_weight="balanced", random_state=0)
    model.fit(judged, [outcomes[place] for place in places])
    named, dense = model.coef_[0][: len(made.names)], model.coef_[0][len(made.names) :]
    # Not stacked for all rows: the dense columns of a large pool would be copied as sparse ones.
    odds = made.matrix @ named + made.dense @ dense + model.intercept_[0]
    chances = tuple(map(float, 1 / (1 + exp(-odds))))
    scores = tuple(chance + _FLAG_WEIGHT * case.strength / 3 for chance, case in zip(chances, cases, strict=True))
    return Learned(chances, scores, made.matrix, named, made.names)


def by_risk(cases: Sequence[Case], undecided: Sequence[int], learned: Learned | None) -> list[int]:
    """The undecided places, riskiest first; by the strength of their flags before anything is learnt."""
    if learned is None:
        return sorted(undecided, key=lambda place: (-cases[place].strength, place))
    return sorted(undecided, key=lambda place: (-learned.scores[place], place))
