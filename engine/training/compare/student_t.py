"""Student's t distribution, of which only quantiles are needed; the training room has no numerical library at hand.

The distribution function goes through the regularised incomplete beta function, by its continued fraction
(Abramowitz and Stegun 1964, 26.5.8 and 26.7.1; evaluated by Lentz's method); a quantile is found by bisection.
"""

from __future__ import annotations

import math

TINY = 1e-300
CLOSE = 1e-15
MOST_TERMS = 500


def t_quantile(share: float, freedom: int) -> float:
    """The value below which `share` (between 0 and 1) of Student's t with `freedom` degrees of freedom lies."""
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while t_below(high, freedom) < share:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if t_below(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_below(value: float, freedom: int) -> float:
    """The share of Student's t with `freedom` degrees of freedom that lies below `value` >= 0."""
    return 1 - incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return min(1.0, max(0.0, x))
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x) - math.log(a)
    )
    fraction, upper, lower = 1.0, 1.0, 0.0
    for term in range(MOST_TERMS):
        half, odd = divmod(term, 2)
        if term == 0:
            factor = 1.0
        elif odd:
            factor = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            factor = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        lower = 1 / (1 + factor * lower or TINY)
        upper = 1 + factor / upper or TINY
        fraction *= upper * lower
        if term and abs(1 - upper * lower) < CLOSE:
            break
    return front * (fraction - 1)
