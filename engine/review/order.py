"""The orders in which rows can be looked at; each is a list of row numbers that stays as it is under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from engine.model import BUCKETS
from engine.review.remaining import random_rank
from engine.select import row_date

if TYPE_CHECKING:
    from engine.project.project import Project

RISK_SHARE = 4
"""After this many rows by risk comes one at random: 80 % and 20 %."""


def by_file(project: Project, numbers: Iterable[int]) -> list[int]:
    return sorted(numbers)


def by_cluster(project: Project, numbers: Iterable[int]) -> list[int]:
    """The largest groups first, their members together."""

    def key(number: int) -> tuple[int, str, int]:
        clusters = project.clusters_of(number)
        largest = max(clusters, key=lambda cluster: len(cluster.rows), default=None)
        return (-len(largest.rows), largest.id, number) if largest is not None else (0, "", number)

    return sorted(numbers, key=key)


def by_bucket(project: Project, numbers: Iterable[int]) -> list[int]:
    places = {name: place for place, name in enumerate(BUCKETS)}
    return sorted(numbers, key=lambda number: (places.get(project.bucket(number), len(places)), number))  # type: ignore[call-overload]


def by_length(project: Project, numbers: Iterable[int]) -> list[int]:
    """The longest first, by the bytes of the row: no row is read for it."""
    return sorted(numbers, key=lambda number: (-project.rows.size(number), number))


def by_newest(project: Project, numbers: Iterable[int]) -> list[int]:
    """The latest date first; rows without a date last, in file order. Reads every row once."""
    return sorted(sorted(numbers), key=lambda number: row_date(project.rows.raw(number)) or "", reverse=True)


def by_surprise(project: Project, numbers: Iterable[int]) -> list[int]:
    """What surprises a model tuned on the accepted rows most first; rows it has not measured last, in file order."""
    scores = project.suspects.scores
    return sorted(sorted(numbers), key=lambda number: -scores.get(project.rows.id(number), -1.0))


ORDERS: dict[str, Callable[[Project, Iterable[int]], list[int]]] = {
    "file": by_file,
    "cluster": by_cluster,
    "bucket": by_bucket,
    "length": by_length,
    "newest": by_newest,
    "surprise": by_surprise,
}
"""Beside these there is "risk", which the queue job works out (`engine.review.store`)."""


def mixed(by_risk: Sequence[int], identifiers: dict[int, str]) -> list[int]:
    """Four rows by risk, then one at random, and so on: without the random ones nobody knows what is left."""
    at_random = iter(sorted(by_risk, key=lambda number: random_rank(identifiers[number])))
    taken: set[int] = set()
    found: list[int] = []

    def take(number: int) -> None:
        taken.add(number)
        found.append(number)

    for number in by_risk:
        if number in taken:
            continue
        take(number)
        if len(found) % (RISK_SHARE + 1) == RISK_SHARE:
            drawn = next((one for one in at_random if one not in taken), None)
            if drawn is not None:
                take(drawn)
    return found


def resorted(shown: Sequence[int], cursor: int, fresh: Sequence[int]) -> list[int]:
    """The new order below the cursor: everything up to and with the row under it stays where it is."""
    kept = list(shown[: cursor + 1])
    held = set(kept)
    return kept + [number for number in fresh if number not in held]
