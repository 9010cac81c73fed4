"""The best few hundred of what is left: a diverse subset, each row with its reason. It proposes and decides nothing.

Topics are groups of TF-IDF vectors of the requests, or of a local embedding model's where the settings name one
(k-means; no weights are downloaded). Large topics get
fewer places than their share, so that they do not crowd out small ones; inside a topic, places go round the lengths and
the slices (years), and each is
filled with the row that carries the fewest flags, stands for its topic and is least like those already taken.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from engine.errors import UsageError
from engine.tokens import about_tokens

LENGTHS = ("short", "middling", "long")
TOO_ALIKE = 0.7
"""Cosine of two requests from which the second is no new example."""
_COMPONENTS = 64
_EVENNESS = 0.75
"""Places by size to this power: 1 is the set as it is, 0 is the same number for every topic."""
_WORDS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may be picked. `slice` is its year or '', `risk` grows with its flags or its learnt chance of being
    bad.
    """

    number: int
    prompt: str
    answer: str
    slice: str = ""
    risk: float = 0.0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    number: int
    topic: int
    reason: str
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """The words that set a topic apart, its rows and tokens, and how many of them were picked."""

    words: tuple[str, ...]
    rows: int
    picked: int
    tokens: int
    tokens_picked: int


@dataclass(frozen=True, slots=True)
class Pick:
    rows: tuple[Picked, ...]
    topics: tuple[Topic, ...]

    @property
    def coverage(self) -> float:
        """The share of topics with a picked row."""
        return sum(topic.picked > 0 for topic in self.topics) / len(self.topics) if self.topics else 0.0


def propose(
    candidates: Sequence[Candidate],
    wanted: int,
    *,
    locked: Collection[int] = (),
    refused: Collection[int] = (),
    embeddings: Any = None,
) -> Pick:
    """Up to `wanted` rows, the `locked` ones always among them, the `refused` (swapped away) ones never; the same for
    the same rows. Fewer only where there are fewer, or where the rest are too alike.

    `embeddings` (an array, one row of length one per candidate) tell the topics instead of the words. Raises UsageError
    where nothing can be picked.
    """
    pool = [one for one in candidates if one.number not in refused]
    if wanted < 1 or not pool:
        raise UsageError(
            "nothing to pick", "no row is undecided or accepted" if not pool else "", "ask for one row or more"
        )
    vectors, words = _vectors(pool)
    if embeddings is not None:
        embeddings = embeddings[[place for place, one in enumerate(candidates) if one.number not in refused]]
    labels = _topics(vectors, min(wanted, len(pool)), embeddings)
    members: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    kept = [place for place, one in enumerate(pool) if one.number in locked]
    quotas = _quotas({label: len(places) for label, places in members.items()}, wanted)
    strata = _strata(pool)
    chosen: dict[int, str] = dict.fromkeys(kept, "locked")
    for label, places in sorted(members.items(), key=lambda item: (len(item[1]), item[0])):
        _fill(pool, vectors, strata, places, quotas[label], wanted, chosen, label)
    _fill_up(pool, vectors, members, wanted, chosen)
    named = {label: _names(vectors, words, places) for label, places in members.items()}
    rows = []
    for place, how in chosen.items():
        label, one = labels[place], pool[place]
        topic = ", ".join(named[label]) or "no common words"
        marks = f"flagged {', '.join(one.flags)}" if one.flags else "no issue found"
        where = f"{strata[place][0]}{', ' + one.slice if one.slice else ''}"
        reason = f"topic {topic} ({len(members[label])} rows): {how}; {where}; {marks}"
        rows.append(Picked(one.number, label, reason, how == "locked"))
    return Pick(tuple(sorted(rows, key=lambda row: row.number)), _gauge(pool, members, named, chosen))


def _vectors(pool: Sequence[Candidate]) -> tuple[Any, list[str]]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = list(map(text_of, pool))
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, min_df=2 if len(pool) > 100 else 1, max_features=20_000, stop_words="english"
    )
    try:
        return vectorizer.fit_transform(texts), list(vectorizer.get_feature_names_out())
    except ValueError:  # no words: all rows are one topic
        from scipy.sparse import csr_matrix

        return csr_matrix((len(pool), 1)), [""]


def text_of(one: Candidate) -> str:
    """What a row is grouped by: its request, else the beginning of its answer."""
    return one.prompt[:600] or one.answer[:200]


def _topics(vectors: Any, wanted: int, embeddings: Any) -> list[int]:
    """A label per row. By embeddings where there are any, else grouped in the space of the leading components: bare
    TF-IDF vectors of short requests are so far from one another that most of them end up in one group."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    rows, columns = vectors.shape
    topics = max(1, min(int(2 * sqrt(rows)), rows // 3, max(8, wanted // 2)))
    if topics < 2 or (vectors.nnz == 0 and embeddings is None):
        return [0] * rows
    if embeddings is not None:
        points = embeddings
    elif min(rows, columns) > 2 * _COMPONENTS:
        points = normalize(TruncatedSVD(_COMPONENTS, random_state=0).fit_transform(vectors))
    else:
        points = vectors.toarray()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # equal requests leave fewer groups than were asked for: that is fine
        labels = KMeans(topics, random_state=0, n_init=1, max_iter=30).fit_predict(points)
    return [int(label) for label in labels]


def _quotas(sizes: Mapping[int, int], wanted: int) -> dict[int, int]:
    """Places by size to the power of 0.75, at least one each while there are enough, at most the size."""
    total = sum(size**_EVENNESS for size in sizes.values())
    exact = {label: wanted * size**_EVENNESS / total for label, size in sizes.items()}
    quotas = {label: min(sizes[label], max(1, int(exact[label]))) for label in sizes}
    if sum(quotas.values()) > wanted:
        largest = sorted(sizes, key=lambda label: (-exact[label], label))
        return {label: quotas[label] if place < wanted else 0 for place, label in enumerate(largest)}
    return quotas


def _strata(pool: Sequence[Candidate]) -> list[tuple[str, str]]:
    """Length (a third each, by request and answer) and slice of every candidate."""
    sizes = sorted(len(one.prompt) + len(one.answer) for one in pool)
    low, high = sizes[len(sizes) // 3], sizes[2 * len(sizes) // 3]

    def length(one: Candidate) -> str:
        size = len(one.prompt) + len(one.answer)
        return LENGTHS[0] if size < low else LENGTHS[1] if size < high else LENGTHS[2]

    return [(length(one), one.slice) for one in pool]


def _fill(
    pool: Sequence[Candidate],
    vectors: Any,
    strata: Sequence[tuple[str, str]],
    places: Sequence[int],
    quota: int,
    wanted: int,
    chosen: dict[int, str],
    label: int,
) -> None:
    """Fill the places of one topic, round its lengths and slices."""
    taken = [place for place in places if place in chosen]
    used = Counter(strata[place] for place in taken)
    central = _centrality(vectors, places)
    # Twins may stand in two topics: likeness is measured to every row taken so far.
    likeness = _likenesses(vectors, [place for place in places if place not in chosen], list(chosen))
    while len(taken) < quota and len(chosen) < wanted and likeness:
        fresh = [place for place in likeness if likeness[place] < TOO_ALIKE]
        if not fresh:
            return
        best = min(
            fresh,
            key=lambda place: (
                pool[place].risk > 0.5,
                used[strata[place]],
                pool[place].risk + likeness[place] - central[place] / 2,
                place,
            ),
        )
        chosen[best] = f"place {len(taken) + 1} of {quota}"
        taken.append(best)
        used[strata[best]] += 1
        del likeness[best]
        _update(vectors, likeness, best)


def _fill_up(
    pool: Sequence[Candidate], vectors: Any, members: Mapping[int, Sequence[int]], wanted: int, chosen: dict[int, str]
) -> None:
    """What quotas left open goes to the rows least like any that were taken in their topic."""
    if len(chosen) >= wanted:
        return
    central: dict[int, float] = {}
    for places in members.values():
        central.update(_centrality(vectors, places))
    likeness = _likenesses(vectors, [place for place in range(len(pool)) if place not in chosen], list(chosen))
    ranked = sorted(
        likeness,
        key=lambda place: (pool[place].risk > 0.5, pool[place].risk + likeness[place] - central[place] / 2, place),
    )
    for place in ranked:
        if len(chosen) >= wanted:
            return
        if likeness[place] < TOO_ALIKE:
            chosen[place] = "unlike the others here"
            _update(vectors, likeness, place)


def _likenesses(vectors: Any, places: Sequence[int], taken: Sequence[int]) -> dict[int, float]:
    """The cosine of each place to the nearest of the rows taken."""
    if not places or not taken:
        return dict.fromkeys(places, 0.0)
    nearest = (vectors[places] @ vectors[taken].T).max(axis=1).toarray().ravel()
    return dict(zip(places, nearest.tolist(), strict=True))


def _centrality(vectors: Any, places: Sequence[int]) -> dict[int, float]:
    """How much each row is about what its topic is about: a row unlike everything is an oddity, no example."""
    from numpy import sqrt as root

    mean = vectors[places].mean(axis=0).A1
    length = float(root((mean**2).sum())) or 1.0
    return dict(zip(places, (vectors[places] @ (mean / length)).tolist(), strict=True))


def _update(vectors: Any, likeness: dict[int, float], taken: int) -> None:
    places = list(likeness)
    if places:
        for place, cosine in zip(places, (vectors[places] @ vectors[taken].T).toarray().ravel(), strict=True):
            likeness[place] = max(likeness[place], float(cosine))


def _names(vectors: Any, words: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    weights = vectors[places].sum(axis=0).A1
    best = weights.argsort()[::-1][:_WORDS_SHOWN]
    return tuple(words[column] for column in best if weights[column] > 0)


def _gauge(
    pool: Sequence[Candidate],
    members: Mapping[int, Sequence[int]],
    named: Mapping[int, tuple[str, ...]],
    chosen: Mapping[int, str],
) -> tuple[Topic, ...]:
    def tokens(places: Sequence[int]) -> int:
        return int(about_tokens(text for place in places for text in (pool[place].prompt, pool[place].answer)))

    topics = []
    for label, places in sorted(members.items()):
        picked = [place for place in places if place in chosen]
        topics.append(Topic(named[label], len(places), len(picked), tokens(places), tokens(picked)))
    return tuple(sorted(topics, key=lambda topic: -topic.rows))
