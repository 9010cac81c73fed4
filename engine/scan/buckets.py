"""Flags and clusters to one bucket a row: what can be settled together, and what must be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.model import BucketName, Cluster, Example, Flag

_BY_SEVERITY: tuple[BucketName, ...] = ("drop", "check", "fix")


def buckets_of(
    examples: Sequence[Example], clusters: Iterable[Cluster], flags: Iterable[Flag]
) -> tuple[BucketName, ...]:
    """One bucket per example, in order.

    A contradiction is `check` for all its rows: every copy is a voice, and a person chooses. Of exact, near and prefix
    clusters all rows but the keeper are `drop`; what is left of a set of alternative answers is `check`. Else the flags
    decide, drop before check before fix. That a row is a variant of another is worth knowing, and no reason to look.
    """
    return buckets_by_number([example.number for example in examples], clusters, flags)


def buckets_by_number(
    numbers: Iterable[int], clusters: Iterable[Cluster], flags: Iterable[Flag]
) -> tuple[BucketName, ...]:
    """As `buckets_of`, one bucket for each row number."""
    disputed: set[int] = set()
    alternative: set[int] = set()
    repeated: set[int] = set()
    for cluster in clusters:
        if cluster.kind == "conflict":
            disputed.update(cluster.rows)
        elif cluster.alternatives:
            alternative.update(cluster.rows)
        elif cluster.kind != "variant":
            repeated.update(cluster.others)
    severities: dict[int, set[str]] = {}
    for flag in flags:
        severities.setdefault(flag.row, set()).add(flag.severity)

    def bucket(number: int) -> BucketName:
        if number in disputed:
            return "check"
        if number in repeated:
            return "drop"
        if number in alternative:
            return "check"
        for name in _BY_SEVERITY:
            if name in severities.get(number, ()):
                return name
        return "clean"

    return tuple(bucket(number) for number in numbers)
