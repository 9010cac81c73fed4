"""How many bad rows are left, with its error bound; and when to stop looking.

The bounds are exact (Clopper and Pearson 1934), so they hold for small samples and for none found. The sample is the
beginning of one random order of all rows that the queue works through beside its risk order: whatever the risk order
has judged meanwhile, that beginning stays a random sample of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import exp, lgamma, log, log1p

from engine.phrases import share

CONFIDENCE = 0.95
FEWEST_SAMPLED = 20
FEWEST_QUIET = 30


def random_rank(identifier: str) -> bytes:
    """The place of a row in the one random order: a digest of its id, the same on every machine."""
    return blake2b(identifier.encode("utf-8", "replace"), digest_size=8, salt=b"tamis-queue").digest()


def upper_bound(bad: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The share of bad rows that is not exceeded with this confidence (one-sided), after `bad` in a sample `of`."""
    if of <= 0 or bad >= of:
        return 1.0
    return _solve(lambda share: _at_most(bad, of, share) - (1 - confidence))


def lower_bound(bad: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The share of bad rows that is reached at least, with this confidence (one-sided)."""
    if of <= 0 or bad <= 0:
        return 0.0
    return _solve(lambda share: _at_most(bad - 1, of, share) - confidence)


def _solve(falling: Callable[[float], float]) -> float:
    """The root of a function that falls from above to below zero between 0 and 1."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(bad: int, of: int, share: float) -> float:
    """P(X <= bad) for a binomial of `of` draws."""
    if share <= 0.0:
        return 1.0
    if share >= 1.0:
        return 0.0
    total = 0.0
    for count in range(bad + 1):
        ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
        total += exp(ways + count * log(share) + (of - count) * log1p(-share))
    return min(1.0, total)


@dataclass(frozen=True, slots=True)
class Left:
    """Bad rows not yet found: an estimate and its bounds, from `bad` of `sampled` rows drawn at random."""

    estimate: float
    least: float
    most: float
    sampled: int
    bad: int
    undecided: int

    def __str__(self) -> str:
        return (
            f"about {self.estimate:.0f} bad rows left, between {self.least:.0f} and {self.most:.0f} "
            f"with 90 % confidence ({self.bad} bad in {self.sampled} drawn at random)"
        )


def sample_so_far(identifiers: Mapping[int, str], outcomes: Mapping[int, bool], passed: frozenset[int]) -> list[int]:
    """The judged rows at the beginning of the random order; skipped ones and bulk are passed over."""
    found = []
    for number in sorted(identifiers, key=lambda one: random_rank(identifiers[one])):
        if number in outcomes:
            found.append(number)
        elif number not in passed:
            break
    return found


def bad_left(sample: Sequence[int], outcomes: Mapping[int, bool], rows: int) -> Left | None:
    """What is left among `rows` rows, or None where too few were drawn at random to say anything."""
    sampled = len(sample)
    if sampled < FEWEST_SAMPLED:
        return None
    bad = sum(outcomes[number] for number in sample)
    found, undecided = sum(outcomes.values()), rows - len(outcomes)

    def left(share: float) -> float:
        return min(float(undecided), max(0.0, share * rows - found))

    return Left(
        left(bad / sampled), left(lower_bound(bad, sampled)), left(upper_bound(bad, sampled)), sampled, bad, undecided
    )


def stop_advice(latest: Sequence[bool], remaining: int, name: str) -> str | None:
    """Whether to stop with a slice: `latest` are its outcomes, oldest first, `remaining` its undecided rows.

    The riskiest come first, so what is left is no worse than what was just judged, and the bound is a cautious one.
    """
    quiet = 0
    for bad in reversed(latest):
        if bad:
            break
        quiet += 1
    if quiet < FEWEST_QUIET or remaining <= 0:
        return None
    return (
        f"the last {quiet} of `{name}` changed nothing: accept the remaining {remaining:,}? "
        f"at most {share(upper_bound(0, quiet), 1)} bad with 95 % confidence"
    )
