"""Where a trained model still errs and few rows teach it: groups of held-out requests with much loss left.

Topics are groups of TF-IDF vectors (k-means), the held-out rows weighing as they are; training rows go to the topic
whose centre is nearest. scikit-learn is imported inside: only commands and jobs ask.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

ROWS_A_TOPIC = 8
MOST_TOPICS = 12
WORDS_SHOWN = 3
COMPONENTS = 32


@dataclass(frozen=True, slots=True)
class ThinTopic:
    """A group of held-out requests: the words that set it apart, its rows, their NLL per token and its ratio to the
    mean, the accepted training rows and the added rows that belong to it."""

    words: tuple[str, ...]
    heldout: int
    nll: float
    times_mean: float
    training: int
    added: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def thin_topics(
    heldout: Sequence[str], nll: Sequence[float], training: Sequence[str], added: Sequence[str] = ()
) -> tuple[ThinTopic, ...]:
    """Topics whose loss is above the mean, the one with most excess loss (rows times excess) first.

    `heldout`, `training` and `added` are requests as text, `nll` the loss per token of each held-out one.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    everything = [*heldout, *training, *added]
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000, stop_words="english", max_df=0.8)
    try:
        vectors = vectorizer.fit_transform(everything)
    except ValueError:  # no word is left: nothing sets a row apart from another
        return ()
    names = vectorizer.get_feature_names_out()
    components = min(COMPONENTS, min(vectors.shape) - 1)
    if components < 2:
        return ()
    points = normalize(TruncatedSVD(components, random_state=0).fit_transform(vectors))
    count = max(2, min(MOST_TOPICS, len(heldout) // ROWS_A_TOPIC))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # equal requests leave fewer groups than were asked for: that is fine
        model = KMeans(count, random_state=0, n_init=4).fit(points[: len(heldout)])
    labels = model.predict(points)
    mean = sum(nll) / len(nll)
    found: list[tuple[float, ThinTopic]] = []
    for label in range(count):
        places = [place for place in range(len(heldout)) if labels[place] == label]
        if not places:
            continue
        loss = sum(nll[place] for place in places) / len(places)
        if loss <= mean:
            continue
        others = labels[len(heldout) :]
        weights = vectors[places].sum(axis=0).A1 / len(places) - vectors.sum(axis=0).A1 / len(everything)
        best = [column for column in weights.argsort()[::-1][:WORDS_SHOWN] if weights[column] > 0]
        topic = ThinTopic(
            tuple(str(names[column]) for column in best),
            len(places),
            round(loss, 4),
            round(loss / mean, 2) if mean else 0.0,
            int((others[: len(training)] == label).sum()),
            int((others[len(training) :] == label).sum()),
        )
        found.append(((loss - mean) * len(places), topic))
    return tuple(topic for _, topic in sorted(found, key=lambda pair: -pair[0]))
