"""Better, worse, or no difference shown: a paired comparison of two arms on the same held-out rows.

Two questions have to be answered with yes. Would other held-out rows say the same? A bootstrap over rows (Efron 1979).
Would another seed say the same? Student's paired t over the seeds' means. docs/verdict.md tells the method at length.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.training.compare.student_t import t_quantile

Verdict = Literal["better", "no difference shown", "worse"]
Losses = Mapping[str, tuple[float, int]]
"""Held-out row id -> (summed loss in nats, tokens it is summed over)."""

WORDS = {"better": "better than", "worse": "worse than", "no difference shown": "not shown to differ from"}

RESAMPLES = 2000
CONFIDENCE = 0.99
POWER = 0.8
FEWEST_SEEDS = 3
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Paired:
    """Curated less control, in nats per token (below zero: curated is better).

    `over_rows` is the 99 % interval over held-out rows, `over_seeds` that over seeds (None with fewer than three),
    `low` and `high` what covers both. `detectable` is the smallest difference that these rows and seeds would have
    shown four times out of five (None with fewer than three seeds).
    """

    control: str
    verdict: Verdict
    difference: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    over_rows: Interval = (0.0, 0.0)
    over_seeds: Interval | None = None
    detectable: float | None = None


def paired(control: str, curated: Sequence[Losses], other: Sequence[Losses]) -> Paired:
    """Compare two arms, given the losses of each by seed (same order), every token counting once.

    A verdict needs three seeds or more, and both 99 % intervals on one side of zero. Raises ValueError where the two
    were not measured on the same rows.
    """
    ids = sorted(curated[0])
    if any(sorted(losses) != ids for losses in (*curated, *other)):
        raise ValueError(f"curated and {control} were not measured on the same held-out rows")
    # A row whose answer was cut off whole has no token; of nothing but such rows nothing can be divided by.
    tokens = [max(1, curated[0][row][1]) for row in ids]
    by_row = [[mine[row][0] - theirs[row][0] for row in ids] for mine, theirs in zip(curated, other, strict=True)]
    averaged = [sum(row) / len(by_row) for row in zip(*by_row, strict=True)]
    by_seed = tuple(sum(differences) / sum(tokens) for differences in by_row)
    difference = statistics.fmean(by_seed)
    over_rows, row_error = bootstrap(averaged, tokens)
    if len(by_seed) < FEWEST_SEEDS:
        return Paired(control, "no difference shown", difference, *over_rows, by_seed, over_rows)
    over_seeds, seed_error = t_interval(by_seed)
    low, high = min(over_rows[0], over_seeds[0]), max(over_rows[1], over_seeds[1])
    verdict: Verdict = "better" if high < 0 else "worse" if low > 0 else "no difference shown"
    detectable = max(
        smallest_detectable(row_error, None),
        smallest_detectable(seed_error, len(by_seed) - 1),
    )
    return Paired(control, verdict, difference, low, high, by_seed, over_rows, over_seeds, detectable)


def t_interval(values: Sequence[float]) -> tuple[Interval, float]:
    """The 99 % interval of the mean of two values or more by Student's t, and the mean's standard error."""
    mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    reach = t_quantile((1 + CONFIDENCE) / 2, len(values) - 1) * error
    return (mean - reach, mean + reach), error


def bootstrap(differences: Sequence[float], tokens: Sequence[int]) -> tuple[Interval, float]:
    """99 % percentile interval and standard error of summed difference over summed tokens, over rows drawn anew."""
    ratios = resampled(differences, tokens)
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return (ratios[tail - 1], ratios[-tail]), statistics.stdev(ratios)


def resampled(differences: Sequence[float], tokens: Sequence[int]) -> list[float]:
    """The ratio over as many rows, drawn with replacement, 2,000 times; ascending."""
    draw = random.Random(0)
    rows = range(len(differences))
    ratios = []
    for _ in range(RESAMPLES):
        drawn = draw.choices(rows, k=len(rows))
        ratios.append(sum(differences[row] for row in drawn) / sum(tokens[row] for row in drawn))
    return sorted(ratios)


def smallest_detectable(error: float, freedom: int | None) -> float:
    """The difference that would be shown four times out of five at this standard error (Bloom 1995).

    `freedom`: degrees of freedom of Student's t, None for the normal distribution.
    """
    sure, power = (1 + CONFIDENCE) / 2, POWER
    if freedom is None:
        normal = statistics.NormalDist()
        return (normal.inv_cdf(sure) + normal.inv_cdf(power)) * error
    return (t_quantile(sure, freedom) + t_quantile(power, freedom)) * error


def together(pairs: Sequence[Paired]) -> Verdict:
    """One word over all controls: better only than every one, worse as soon as one is better than curated."""
    verdicts = {pair.verdict for pair in pairs}
    if verdicts == {"better"}:
        return "better"
    return "worse" if "worse" in verdicts else "no difference shown"


def sentence(pairs: Sequence[Paired], seeds: int, rows: int) -> str:
    """The verdict's reason in one sentence, with the intervals and the smallest differences that could be shown."""
    if seeds < FEWEST_SEEDS:
        return unsettled(pairs, seeds, rows)
    parts = [
        f"{WORDS[pair.verdict]} {pair.control}: {pair.difference:+.3f} nats per token"
        f" (99 % interval {pair.low:+.3f} to {pair.high:+.3f}, smallest that would show {pair.detectable:.3f})"
        for pair in pairs
    ]
    return f"curated is {'; '.join(parts)}, over {rows} held-out rows and {seeds} seeds"


def unsettled(pairs: Sequence[Paired], seeds: int, rows: int) -> str:
    """What one or two seeds can say: where the difference lies on these rows, not whether another seed would agree."""
    parts = [
        f"{pair.difference:+.3f} nats per token from {pair.control}"
        f" (99 % over rows {pair.over_rows[0]:+.3f} to {pair.over_rows[1]:+.3f})"
        for pair in pairs
    ]
    how = (
        "no seed variance, one seed was run" if seeds == 1 else "two seeds do not tell what a third would say"
    ) + f": {FEWEST_SEEDS} or more are needed for a verdict"
    return f"curated lies {'; '.join(parts)}, over {rows} held-out rows; {how}"
