"""Would more rows help? Held-out loss against the number of rows, a power law through it, and what may be said.

NLL(n) = a + b * n^-c, the form in which learning curves of language models fall (Hestness et al. 2017, Kaplan et al.
2020), fitted by least squares of log NLL: a on a grid, b and c in closed form. The band comes from fits to 200
resamples of seeds and of held-out rows together, widened by what the law misses the points by. Nothing is said beyond
twice the rows that were measured.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.training.compare.significance import Interval, Losses
from engine.training.compare.student_t import t_quantile

RESAMPLES = 200
LEAST_NLL = 1e-9
"""Rows that a model knows by heart cost nothing; of that there is no logarithm."""
BAND = 0.90
CONFIDENCE = 0.95
SMALL_OF_DROP, SMALL_OF_NLL = 0.10, 0.02
"""A gain below this share of the whole drop, or of the loss itself, is not worth having."""
LARGE_OF_DROP, LARGE_OF_NLL = 0.25, 0.05
"""A gain that may be above this share is not ruled out as one worth having."""
OFFSETS = (*(0.05 * step for step in range(20)), 0.98, 0.99)
"""Shares of the lowest loss that are tried as the offset a."""
PLOTTED = 40
State = Literal["falling", "plateau", "unclear"]


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """NLL(n) = a + b * n^-c."""

    a: float
    b: float
    c: float

    def at(self, rows: float) -> float:
        return float(self.a + self.b * rows**-self.c)


@dataclass(frozen=True, slots=True)
class Curve:
    """`nll` are means over seeds at `sizes`; `band` holds (rows, low, fit, high).

    `gain` is the NLL that the last doubling took off, with its 95 % interval; `since` is the smallest size from which
    nothing more was gained (plateau), `worth` the further rows after which half of what another doubling promises is
    reached (falling); `promised` is the NLL at twice the rows: low, fit, high.
    """

    sizes: tuple[int, ...]
    nll: tuple[float, ...]
    law: PowerLaw
    band: tuple[tuple[float, float, float, float], ...]
    state: State
    gain: float
    gain_interval: Interval
    since: int | None
    worth: int | None
    promised: tuple[float, float, float] | None

    def sentence(self) -> str:
        """What may be said, in one sentence."""
        low, high = self.gain_interval
        before, rows = self.sizes[-2:]
        last = f"from {before} to {rows} rows the NLL fell by {self.gain:.3f} ({low:+.3f} to {high:+.3f})"
        if self.state == "plateau":
            return f"plateau since {self.since} rows: {last}"
        if self.state == "unclear":
            return f"not clear: {last}; more seeds or held-out rows would tell"
        assert self.promised is not None
        low, fit, high = self.promised
        return (
            f"still falling: worth about {self.worth} more; {last}, and {2 * self.sizes[-1]} rows promise an NLL of "
            f"{fit:.3f} ({low:.3f} to {high:.3f})"
        )

    def to_json(self) -> dict[str, Any]:
        """The part of `tamis curve --json` that is about the curve."""
        return {
            "sizes": list(self.sizes),
            "nll": list(self.nll),
            "law": {"a": self.law.a, "b": self.law.b, "c": self.law.c},
            "band": [{"rows": rows, "low": low, "fit": fit, "high": high} for rows, low, fit, high in self.band],
            "state": self.state,
            "gain": self.gain,
            "gain_interval": list(self.gain_interval),
            "plateau_since": self.since,
            "worth": self.worth,
            "promised": list(self.promised) if self.promised else None,
            "sentence": self.sentence(),
        }


def learning_curve(measured: Mapping[int, Sequence[Losses]]) -> Curve:
    """The curve through the losses at each size, a list of seeds each. Two sizes or more, two seeds or more.

    Raises ValueError for fewer, or where the held-out rows differ.
    """
    sizes = tuple(sorted(measured))
    seeds = len(measured[sizes[0]])
    ids = sorted(measured[sizes[0]][0])
    if len(sizes) < 2 or seeds < 2:
        raise ValueError("a curve needs two sizes and two seeds")
    if any(sorted(losses) != ids for by_seed in measured.values() for losses in by_seed):
        raise ValueError("not all sizes were measured on the same held-out rows")
    table = {size: [[losses[row] for row in ids] for losses in measured[size]] for size in sizes}
    everything = (list(range(seeds)), list(range(len(ids))))
    nll = means(table, sizes, *everything)
    laws, resampled = resamples(table, sizes, seeds, len(ids))
    law = fit(sizes, nll)
    missed = misfit(law, sizes, nll)
    gains = {size: gain_of(nll, resampled, table, sizes.index(size)) for size in sizes[:-1]}
    gain, interval = gains[sizes[-2]]
    state, since = state_of(sizes, gains, nll[0] - nll[-1], nll[-1])
    worth = promised = None
    if state == "falling":
        worth = rows_worth(law, sizes[-1])
        # The law says what share is left after a doubling; it is laid to the loss that was measured.
        left = [each.at(2 * sizes[-1]) / each.at(sizes[-1]) for each in laws]
        low, high = widened(quantiles(left, BAND), missed)
        middle = law.at(2 * sizes[-1]) / law.at(sizes[-1])
        promised = (nll[-1] * low, nll[-1] * middle, nll[-1] * high)
    return Curve(
        sizes, tuple(nll), law, band_of(law, laws, missed, sizes), state, gain, interval, since, worth, promised
    )


def means(
    table: Mapping[int, list[list[tuple[float, int]]]], sizes: Sequence[int], seeds: Sequence[int], rows: Sequence[int]
) -> list[float]:
    """NLL per token at every size over the chosen seeds and rows."""
    found = []
    for size in sizes:
        loss = sum(table[size][seed][row][0] for seed in seeds for row in rows)
        tokens = sum(table[size][seed][row][1] for seed in seeds for row in rows)
        found.append(max(loss / max(1, tokens), LEAST_NLL))
    return found


def resamples(
    table: Mapping[int, list[list[tuple[float, int]]]], sizes: Sequence[int], seeds: int, rows: int
) -> tuple[list[PowerLaw], list[list[float]]]:
    """200 fits to resampled seeds and rows, and the means they were fitted to."""
    draw = random.Random(0)
    found = [
        means(table, sizes, draw.choices(range(seeds), k=seeds), draw.choices(range(rows), k=rows))
        for _ in range(RESAMPLES)
    ]
    return [fit(sizes, each) for each in found], found


def fit(sizes: Sequence[int], nll: Sequence[float]) -> PowerLaw:
    """The power law with offset through the points, by least squares of log NLL; a, b and c are never below zero.

    Logarithms, because a loss of 0.03 that is missed by 0.03 is missed by much, one of 0.3 by little.
    """
    logs = [math.log(size) for size in sizes]
    best, least = PowerLaw(0.0, math.exp(statistics.fmean(map(math.log, nll))), 0.0), math.inf
    for part in OFFSETS:
        a = part * min(nll)
        falls = [math.log(each - a) for each in nll]
        slope, start = statistics.linear_regression(logs, falls)
        law = PowerLaw(a, math.exp(start), -slope)
        error = sum((math.log(law.at(size)) - math.log(each)) ** 2 for size, each in zip(sizes, nll, strict=True))
        if slope < 0 and error < least - 1e-12:
            best, least = law, error
    return best


def misfit(law: PowerLaw, sizes: Sequence[int], nll: Sequence[float]) -> float:
    """By how much the law misses the points, as a standard deviation of log NLL (three parameters were fitted)."""
    errors = [math.log(law.at(size)) - math.log(each) for size, each in zip(sizes, nll, strict=True)]
    return math.sqrt(sum(error * error for error in errors) / max(1, len(sizes) - 3))


def widened(interval: Interval, missed: float) -> Interval:
    """The interval with room for what the law misses."""
    return interval[0] * math.exp(-missed), interval[1] * math.exp(missed)


def gain_of(
    nll: Sequence[float], resampled: Sequence[Sequence[float]], table: Mapping[int, Any], place: int
) -> tuple[float, Interval]:
    """What all rows gained over the size at `place`, with an interval that covers the one over resamples of rows and
    seeds and Student's over the seeds' own gains."""
    low, high = quantiles([each[place] - each[-1] for each in resampled], CONFIDENCE)
    by_seed = [
        nll_of_rows(smaller) - nll_of_rows(whole)
        for smaller, whole in zip(table[sorted(table)[place]], table[max(table)], strict=True)
    ]
    error = statistics.stdev(by_seed) / math.sqrt(len(by_seed))
    reach = t_quantile((1 + CONFIDENCE) / 2, len(by_seed) - 1) * error
    mean = statistics.fmean(by_seed)
    return nll[place] - nll[-1], (min(low, mean - reach), max(high, mean + reach))


def nll_of_rows(rows: Sequence[tuple[float, int]]) -> float:
    """Summed loss over summed tokens."""
    return sum(loss for loss, _ in rows) / max(1, sum(tokens for _, tokens in rows))


def state_of(
    sizes: Sequence[int], gains: Mapping[int, tuple[float, Interval]], drop: float, last: float
) -> tuple[State, int | None]:
    """Whether the curve still falls, and if not, since which size it does not.

    `drop` is the NLL gained from the smallest size to all rows, `last` the NLL of all rows. Falling: the last doubling
    gained something worth having, surely. Plateau: surely it did not. Else the noise hides what there is to see.
    """
    gain, (low, high) = gains[sizes[-2]]
    small = max(SMALL_OF_DROP * drop, SMALL_OF_NLL * last)
    if low > 0 and gain > small:
        return "falling", None
    if high > max(LARGE_OF_DROP * drop, LARGE_OF_NLL * last):
        return "unclear", None
    since = sizes[-1]
    for size in reversed(sizes[:-1]):
        gain, (surely, _) = gains[size]
        if gain > small and surely > 0:
            break
        since = size
    return "plateau", since


def rows_worth(law: PowerLaw, rows: int) -> int:
    """Further rows after which half of what another doubling promises is reached, to two digits."""
    wanted = (law.at(rows) + law.at(2 * rows)) / 2
    low, high = 0.0, float(rows)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if law.at(rows + middle) > wanted else (low, middle)
    digits = max(0, len(str(round(high))) - 2)
    unit: int = 10**digits
    return max(1, round(high / unit) * unit)


def band_of(
    law: PowerLaw, laws: Sequence[PowerLaw], missed: float, sizes: Sequence[int]
) -> tuple[tuple[float, float, float, float], ...]:
    """(rows, low, fit, high) from the smallest size to twice the largest, evenly on a logarithmic axis."""
    first, last = math.log(sizes[0]), math.log(2 * sizes[-1])
    points = []
    for step in range(PLOTTED):
        rows = math.exp(first + (last - first) * step / (PLOTTED - 1))
        low, high = widened(quantiles([each.at(rows) for each in laws], BAND), missed)
        points.append((rows, low, law.at(rows), high))
    return tuple(points)


def quantiles(values: Sequence[float], share: float) -> Interval:
    """The middle `share` of the values."""
    ordered = sorted(values)
    tail = (1 - share) / 2
    last = len(ordered) - 1
    return ordered[round(tail * last)], ordered[round((1 - tail) * last)]
