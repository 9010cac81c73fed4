"""Rows that share few words with the rest of a narrow set.

Cosine to the mean TF-IDF vector of the set. It works where the set has one subject and says nothing where it has many,
so that a broad set gets no flags at all; a sort order and a hint, never a bucket.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.model import Example
from engine.scan.requests.lexicon import STOP_WORDS
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.scan.text import fold, shorten

FEWEST_ROWS = 40
NARROW = 0.2
"""Median cosine to the mean from which a set counts as having one subject."""
FAR = 0.35
"""A row is off topic below this share of the median."""
MOST_FLAGGED = 0.06
_SURVEYED = 2000
_PROMPT, _ANSWER = 1500, 400
_WORD = re.compile(r"[^\W\d_]{3,40}")


@dataclass(frozen=True, slots=True)
class Topic:
    """The mean vector of a narrow set, the weight of each word, the set's commonest words, and the cosine a row must
    reach.
    """

    mean: dict[str, float]
    weights: dict[str, float]
    words: tuple[str, ...]
    least: float


def survey(examples: Sequence[Example]) -> Topic | None:
    """The subject of the set from up to 2,000 rows, evenly spread; None where it has none."""
    if len(examples) < FEWEST_ROWS:
        return None
    step = max(1, -(-len(examples) // _SURVEYED))
    bags = [_bag(example) for example in examples[::step]]
    bags = [bag for bag in bags if bag]
    if len(bags) < FEWEST_ROWS:
        return None
    rows_with: Counter[str] = Counter(word for bag in bags for word in bag)
    weights = {word: math.log((1 + len(bags)) / (1 + count)) + 1 for word, count in rows_with.items() if count > 1}
    mean: dict[str, float] = {}
    for bag in bags:
        for word, value in _vector(bag, weights).items():
            mean[word] = mean.get(word, 0.0) + value
    length = math.sqrt(sum(value * value for value in mean.values())) or 1.0
    mean = {word: value / length for word, value in mean.items()}
    cosines = sorted(_cosine(bag, mean, weights) for bag in bags)
    median = cosines[len(cosines) // 2]
    least = FAR * median
    below = sum(cosine < least for cosine in cosines)
    if median < NARROW or below > MOST_FLAGGED * len(cosines):
        return None
    commonest = tuple(sorted(mean, key=lambda word: (-mean[word], word))[:4])
    return Topic(mean, weights, commonest, least)


UNKNOWN = math.log(1 + 2000) + 1
"""What a word of one row only weighs."""


def _bag(example: Example | Reading) -> dict[str, int]:
    prompt = example.prompt
    text = fold(f"{prompt[:_PROMPT]}\n{example.answer[:_ANSWER]}")
    return {word: count for word, count in Counter(_WORD.findall(text)).items() if word not in STOP_WORDS}


def _vector(bag: dict[str, int], weights: dict[str, float]) -> dict[str, float]:
    """Unit vector; words of one row only have no weight but count for the length, a foreign row is made of them."""
    raw = {word: (1 + math.log(count)) * weights.get(word, UNKNOWN) for word, count in bag.items()}
    length = math.sqrt(sum(value * value for value in raw.values())) or 1.0
    return {word: value / length for word, value in raw.items() if word in weights}


def _cosine(bag: dict[str, int], mean: dict[str, float], weights: dict[str, float]) -> float:
    """The cosine of `_vector(bag, weights)` and `mean`, without making the vector: every row asks for it."""
    dot = squares = 0.0
    for word, count in bag.items():
        weight = weights.get(word)
        value = (1 + math.log(count)) * (UNKNOWN if weight is None else weight)
        squares += value * value
        if weight is not None:
            dot += value * mean.get(word, 0.0)
    return dot / (math.sqrt(squares) or 1.0)


def _off_topic(example: Reading, topic: Topic | None) -> Found | None:
    if topic is None:
        return None
    bag = _bag(example)
    if len(bag) < 3 or _cosine(bag, topic.mean, topic.weights) >= topic.least:
        return None
    unknown = [word for word in bag if topic.mean.get(word, 0.0) < 0.01][:3]
    return Found(
        f"shares few words with the set (it speaks of {', '.join(topic.words)}; "
        f'this row of "{shorten(" ".join(unknown), 50)}")'
    )


OFF_TOPIC = Signal("off_topic", "info", "speaks of something else than the set", _off_topic, survey)
