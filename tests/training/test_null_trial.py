"""How often the verdict is wrong where the truth is known: the same data in both arms, and shuffled answers.

The model is a softmax regression over words, trained by stochastic gradient steps as the real ones are: another order
and another start for every seed. What the verdict sees of it is what it sees of a real run: losses by held-out row.
"""

from __future__ import annotations

import numpy
import pytest

from engine.training.compare.significance import Losses, Verdict, paired

WORDS, CLASSES, ROWS, HELDOUT = 40, 6, 120, 60
TOKENS = 5
SEEDS = 3
TRIALS = 100


def task(seed: int, rows: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Rows of word counts, and the class each asks for; a tenth of them is noise."""
    draw = numpy.random.default_rng(seed)
    meaning = numpy.random.default_rng(0).normal(0, 2.5, (WORDS, CLASSES))
    words = draw.poisson(0.2, (rows, WORDS)).astype(float)
    answers = (words @ meaning + draw.gumbel(0, 1, (rows, CLASSES))).argmax(1)
    return words, answers


def trained(words: numpy.ndarray, answers: numpy.ndarray, seed: int) -> numpy.ndarray:
    """Weights after 120 steps of 16 rows from a random start."""
    draw = numpy.random.default_rng(seed)
    weights = draw.normal(0, 0.1, (WORDS, CLASSES))
    wanted = numpy.eye(CLASSES)[answers]
    for step in range(120):
        batch = draw.integers(0, len(words), 16)
        scores = words[batch] @ weights
        chances = numpy.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        weights -= (0.5 * (1 - step / 120) / 16) * words[batch].T @ (chances - wanted[batch])
    return weights


def measured(weights: numpy.ndarray, words: numpy.ndarray, answers: numpy.ndarray) -> Losses:
    scores = words @ weights
    scores -= scores.max(1, keepdims=True)
    loss = numpy.log(numpy.exp(scores).sum(1)) - scores[numpy.arange(len(words)), answers]
    return {f"r{number}": (float(each) * TOKENS, TOKENS) for number, each in enumerate(loss)}


def arm(words: numpy.ndarray, answers: numpy.ndarray, heldout: tuple, first_seed: int) -> list[Losses]:
    return [measured(trained(words, answers, first_seed + seed), *heldout) for seed in range(SEEDS)]


def verdict_of_a_null_trial(trial: int) -> Verdict:
    """The same rows in both arms, seeds apart; rows and held-out rows drawn anew in every trial."""
    words, answers = task(1000 + trial, ROWS)
    heldout = task(5000 + trial, HELDOUT)
    curated = arm(words, answers, heldout, 10 * trial)
    return paired("raw", curated, arm(words, answers, heldout, 10 * trial + 5)).verdict


def test_equal_arms_are_called_different_in_at_most_ten_of_a_hundred_trials() -> None:
    verdicts = [verdict_of_a_null_trial(trial) for trial in range(TRIALS)]
    assert len(verdicts) - verdicts.count("no difference shown") <= 10


@pytest.mark.parametrize("trial", range(3))
def test_shuffled_answers_are_called_worse(trial: int) -> None:
    words, answers = task(1000 + trial, ROWS)
    shuffled = numpy.random.default_rng(trial).permutation(answers)
    heldout = task(5000 + trial, HELDOUT)
    wrong, right = arm(words, shuffled, heldout, 1), arm(words, answers, heldout, 5)
    assert paired("raw", wrong, right).verdict == "worse"
    assert paired("raw", right, wrong).verdict == "better"
