"""What only the whole set can tell: rows of unusual length, and answers that come again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from engine.model import Example, Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, has_calls, last_turn
from engine.scan.text import shorten

FEWEST_ROWS = 50
FAR = 5.0
"""Robust deviations (median absolute deviation of log length) from which a length is an outlier."""
MOST_SHARE = 0.005
SHORTEST_REPEATED, FEWEST_TIMES, MOST_USUAL = 30, 5, 0.02


@dataclass(frozen=True, slots=True)
class Lengths:
    """Characters of a row: the median, and the bounds beyond which at most half a percent of the rows lie."""

    median: float
    least: float
    most: float


def _length(example: Example | Reading) -> int:
    return sum(len(turn.text) for turn in example.messages)


def _lengths(examples: Sequence[Example]) -> Lengths | None:
    if len(examples) < FEWEST_ROWS:
        return None
    logs = sorted(math.log1p(_length(example)) for example in examples)
    median = logs[len(logs) // 2]
    spread = 1.4826 * sorted(abs(one - median) for one in logs)[len(logs) // 2]
    if spread < 0.05:
        spread = 0.05
    rank = int(MOST_SHARE / 2 * len(logs))
    # However long the tail is, a list of outliers is short enough to be read.
    least = min(median - FAR * spread, logs[rank])
    most = max(median + FAR * spread, logs[-1 - rank])
    return Lengths(math.expm1(median), math.expm1(least), math.expm1(most))


def _length_outlier(row: Reading, lengths: Lengths | None) -> Found | None:
    if lengths is None:
        return None
    length = _length(row)
    if lengths.least <= length <= lengths.most or not length or not lengths.median:
        return None
    times = length / lengths.median if length > lengths.median else lengths.median / length
    what = "longer" if length > lengths.median else "shorter"
    return Found(f"{length:,} characters, {times:,.0f} times {what} than the median row ({lengths.median:,.0f})")


def _digest(answer: str) -> bytes:
    return blake2b(answer.strip().lower().encode("utf-8", "replace"), digest_size=8).digest()


def _counts(examples: Sequence[Example]) -> dict[bytes, int]:
    """How many different requests share each answer, for answers long enough to be no label and shared by several."""
    requests: dict[bytes, set[int]] = {}
    for example in examples:
        answer = example.answer
        if len(answer.strip()) >= SHORTEST_REPEATED and not has_calls(example):
            requests.setdefault(_digest(answer), set()).add(hash(example.prompt))
    counts = {key: len(prompts) for key, prompts in requests.items() if len(prompts) >= FEWEST_TIMES}
    # Where many rows share an answer, the answers are classes.
    shared = sum(counts.values())
    return counts if shared <= MOST_USUAL * len(examples) else {}


def _repeated_output(row: Reading, counts: dict[bytes, int]) -> Found | None:
    if not counts or len(row.answer) < SHORTEST_REPEATED:
        return None
    times = counts.get(_digest(row.answer), 0)
    if not times:
        return None
    return Found(
        f'{times} different requests have this answer: "{shorten(row.answer, 50)}"',
        Span(last_turn(row), 0, len(row.answer)),
    )


LENGTH_OUTLIER = Signal("length_outlier", "info", "far longer or shorter than the set", _length_outlier, _lengths)
REPEATED_OUTPUT = Signal("repeated_output", "info", "the same answer to many requests", _repeated_output, _counts)
