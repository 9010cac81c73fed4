"""Better, worse, or no difference shown: a paired comparison of two arms on the same held-out rows."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["better", "no difference shown", "worse"]
Losses = Mapping[str, tuple[float, int]]
"""Held-out row id -> (summed loss in nats, tokens it is summed over)."""

WORDS = {"better": "better than", "worse": "worse than", "no difference shown": "not shown to differ from"}

RESAMPLES = 2000
CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True)
class Paired:
    """Curated less control, in nats per token (below zero: curated is better), with its 99 % interval."""

    control: str
    verdict: Verdict
    difference: float
    low: float
    high: float
    by_seed: tuple[float, ...]


def paired(control: str, curated: Sequence[Losses], other: Sequence[Losses]) -> Paired:
    """Compare two arms, given the losses of each by seed (same order).

    The interval is a percentile bootstrap over held-out rows of the seed-averaged difference, every token counting
    once. A verdict needs the interval to leave out zero and every seed to agree in sign. It speaks about these rows
    and these seeds: with few seeds the interval does not hold the whole chance of another seed.
    """
    ids = sorted(curated[0])
    tokens = [curated[0][row][1] for row in ids]
    by_seed = [[mine[row][0] - theirs[row][0] for row in ids] for mine, theirs in zip(curated, other, strict=True)]
    averaged = [sum(row) / len(by_seed) for row in zip(*by_seed, strict=True)]
    low, high = bootstrap_interval(averaged, tokens)
    signs = tuple(sum(differences) / sum(tokens) for differences in by_seed)
    verdict: Verdict = "no difference shown"
    if high < 0 and all(sign < 0 for sign in signs):
        verdict = "better"
    elif low > 0 and all(sign > 0 for sign in signs):
        verdict = "worse"
    return Paired(control, verdict, sum(averaged) / sum(tokens), low, high, signs)


def bootstrap_interval(differences: Sequence[float], tokens: Sequence[int]) -> tuple[float, float]:
    """99 % percentile interval of summed difference over summed tokens, rows drawn anew with replacement."""
    draw = random.Random(0)
    rows = range(len(differences))
    ratios = []
    for _ in range(RESAMPLES):
        drawn = draw.choices(rows, k=len(rows))
        ratios.append(sum(differences[row] for row in drawn) / sum(tokens[row] for row in drawn))
    ratios.sort()
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return ratios[tail - 1], ratios[-tail]


def together(pairs: Sequence[Paired]) -> Verdict:
    """One word over all controls: better only than every one, worse as soon as one is better than curated."""
    verdicts = {pair.verdict for pair in pairs}
    if verdicts == {"better"}:
        return "better"
    return "worse" if "worse" in verdicts else "no difference shown"


def sentence(pairs: Sequence[Paired], seeds: int, rows: int) -> str:
    """The verdict's reason in one sentence, with the intervals."""
    parts = [
        f"{WORDS[pair.verdict]} {pair.control}: {pair.difference:+.3f} nats per token"
        f" (99 % interval {pair.low:+.3f} to {pair.high:+.3f})"
        for pair in pairs
    ]
    how = "1 seed, so the chance of the seed is not known" if seeds == 1 else f"{seeds} seeds"
    return f"curated is {'; '.join(parts)}, over {rows} held-out rows and {how}"
