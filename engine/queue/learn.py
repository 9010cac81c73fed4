"""The chance that a row is bad, learnt from this person's own verdicts.

Logistic regression (scikit-learn, liblinear, balanced) on flags, lengths and TF-IDF of prompt and answer. Settings are
those measured in docs/benchmarks.md: on a pool of 1,000 rows the riskiest-first order finds 80 % of the bad rows in
about a third of the work. Imported by the job only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

from engine.model import Severity

FEWEST_DECISIONS = 20
REASONS = 5
_STRENGTH = {"drop": 3.0, "fix": 3.0, "check": 1.5, "info": 0.5}
_FLAG_WEIGHT = 0.15
_LEAST_WEIGHT = 0.02
MOST_FOR_PIECES = 20_000
_PIECE = "letters:"


@dataclass(frozen=True, slots=True)
class Case:
    """One row as the queue sees it: texts and the severity of each signal that flagged it."""

    prompt: str
    answer: str
    flags: Mapping[str, Severity]

    @property
    def strength(self) -> float:
        """How strongly the flags speak, before anybody has judged anything."""
        return min(3.0, sum(_STRENGTH[severity] for severity in self.flags.values()))


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
        words weigh in too, but say nothing to a reader, and are left out."""
        row = self._features[place]
        parts = [
            (self._names[column], round(float(value * self._weights[column]), 3))
            for column, value in zip(row.indices, row.data, strict=True)
        ]
        parts = [part for part in parts if abs(part[1]) >= _LEAST_WEIGHT and not part[0].startswith(_PIECE)]
        return tuple(sorted(parts, key=lambda part: -abs(part[1]))[:REASONS])


def can_learn(outcomes: Mapping[int, bool]) -> bool:
    """Whether there are twenty verdicts and both outcomes among them."""
    return len(outcomes) >= FEWEST_DECISIONS and len(set(outcomes.values())) == 2


class Features:
    """The cases as one sparse matrix. Made once per pool: verdicts change, rows do not."""

    def __init__(self, cases: Sequence[Case]) -> None:
        from scipy.sparse import csr_matrix, hstack

        signals = sorted({signal for case in cases for signal in case.flags})
        flags = csr_matrix([[float(signal in case.flags) for signal in signals] for case in cases])
        lengths = csr_matrix([_shape(case) for case in cases])
        blocks, names = [flags, lengths], [f"flag:{signal}" for signal in signals] + list(_SHAPE)
        parts = [case.prompt.partition("\n") for case in cases]
        texts = {
            "word": [head[:600] for head, _, _ in parts],
            "input": [rest[:300] for _, _, rest in parts],
            "answer": [case.answer[:400] for case in cases],
        }
        for label, ngrams, most, weight in (
            ("word", (1, 2), 40_000, 1.0),
            ("input", (1, 1), 20_000, 0.5),
            ("answer", (1, 1), 6000, 0.5),
        ):
            made = _tfidf(texts[label], ngrams, most)
            if made is not None:
                blocks.append(made[0] * weight)
                names += [f"{label}:{word}" for word in made[1]]
        # Pieces of words carry over between "summarise" and "summary"; on a large pool they cost more than they give.
        pieces = _tfidf(texts["word"], (3, 5), 40_000, "char_wb") if len(cases) <= MOST_FOR_PIECES else None
        if pieces is not None:
            blocks.append(pieces[0])
            names += [f"{_PIECE}{piece}" for piece in pieces[1]]
        self.matrix = hstack(blocks, format="csr") if signals else hstack(blocks[1:], format="csr")
        self.names = tuple(names)


_SHAPE = ("length:request", "length:answer", "short answer", "question", "number in request")


def _shape(case: Case) -> list[float]:
    return [
        log1p(len(case.prompt.split())) / 3,
        log1p(len(case.answer.split())) / 3,
        float(len(case.answer.split()) <= 3),
        float("?" in case.prompt[:400]),
        float(re.search(r"\d", case.prompt[:400]) is not None),
    ]


def _tfidf(
    texts: Sequence[str], ngrams: tuple[int, int], most: int, analyzer: str = "word"
) -> tuple[Any, list[str]] | None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer=analyzer, ngram_range=ngrams, min_df=2 if len(texts) > 50 else 1, max_features=most, sublinear_tf=True
    )
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # no word stands in two rows, or none at all
        return None
    return matrix, list(vectorizer.get_feature_names_out())


def learn(cases: Sequence[Case], outcomes: Mapping[int, bool], features: Features | None = None) -> Learned | None:
    """Scores for all `cases` from the outcomes of some (by place); None where there are too few verdicts."""
    if not can_learn(outcomes):
        return None
    from sklearn.linear_model import LogisticRegression

    made = features or Features(cases)
    places = sorted(outcomes)
    model = LogisticRegression(C=3.0, solver="liblinear", class_weight="balanced", random_state=0)
    model.fit(made.matrix[places], [outcomes[place] for place in places])
    chances = tuple(float(chance) for chance in model.predict_proba(made.matrix)[:, 1])
    scores = tuple(chance + _FLAG_WEIGHT * case.strength / 3 for chance, case in zip(chances, cases, strict=True))
    return Learned(chances, scores, made.matrix, model.coef_[0], made.names)


def by_risk(cases: Sequence[Case], undecided: Sequence[int], learned: Learned | None) -> list[int]:
    """The undecided places, riskiest first; by the strength of their flags before anything is learnt."""
    if learned is None:
        return sorted(undecided, key=lambda place: (-cases[place].strength, place))
    return sorted(undecided, key=lambda place: (-learned.scores[place], place))
