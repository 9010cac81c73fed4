"""The whole scan, from rows to findings: signals, requests, judged pairs, clusters, leaks, buckets."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence

from engine.model import Cluster, Example, Findings, Flag
from engine.scan import Progress
from engine.scan.buckets import buckets_of
from engine.scan.cache import ScanCache
from engine.scan.dates import date_of
from engine.scan.duplicates.clusters import Answers, find_clusters
from engine.scan.duplicates.groups import Stars
from engine.scan.duplicates.judged import Judged
from engine.scan.duplicates.keeper import Merit
from engine.scan.duplicates.leaks import find_leaks
from engine.scan.duplicates.pairs import judge_pairs
from engine.scan.duplicates.relations import relations_of
from engine.scan.duplicates.requests import Request, nodes_of, requests_of
from engine.scan.flagging import find_flags
from engine.scan.progress import Ticker, without_collector
from engine.scan.signals import SIGNALS, Signal


def run(
    examples: Sequence[Example],
    *,
    heldout: Container[int] = (),
    prefer: Callable[[int], int],
    not_duplicates: Sequence[frozenset[int]] = (),
    fine_together: Sequence[frozenset[int]] = (),
    split: Sequence[frozenset[int]] = (),
    exact_first: Callable[[Findings], None] | None = None,
    cache: ScanCache | None = None,
    signals: Sequence[Signal] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Findings:
    """See `engine.scan.scan`."""
    with without_collector():
        return _run(
            examples,
            heldout,
            prefer,
            (not_duplicates, fine_together, split),
            exact_first,
            cache,
            SIGNALS if signals is None else signals,
            Ticker(progress, cancelled),
        )


def _run(
    examples: Sequence[Example],
    heldout: Container[int],
    prefer: Callable[[int], int],
    said: tuple[Sequence[frozenset[int]], Sequence[frozenset[int]], Sequence[frozenset[int]]],
    exact_first: Callable[[Findings], None] | None,
    cache: ScanCache | None,
    signals: Sequence[Signal],
    ticker: Ticker,
) -> Findings:
    started = time.perf_counter()
    rows = len(examples)
    ticker.tick("duplicates", 0, max(rows, 1))
    requests = requests_of(examples, lambda done: ticker.tick("duplicates", 0, max(rows, 1)))
    nodes = nodes_of(requests)
    node_of = [0] * rows
    for number, node in enumerate(nodes):
        for row in node.rows:
            node_of[row] = number
    relations = relations_of({example.number: row for row, example in enumerate(examples)}, *said)
    sides = (
        [row for row, example in enumerate(examples) if example.number not in heldout],
        [row for row, example in enumerate(examples) if example.number in heldout],
    )

    def clustered(judged: Judged, flags: Sequence[Flag]) -> tuple[tuple[Cluster, ...], Answers, Stars]:
        merits = merits_of(examples, requests, judged, node_of, flags, prefer)
        return find_clusters(
            examples,
            requests,
            judged,
            node_of,
            merits,
            sides,
            lambda done: ticker.tick("clusters", min(done, rows), rows + 1),
            relations,
        )

    if exact_first is not None:
        # Equal requests need no candidates: their clusters stand before anything is compared.
        at_once = tuple(cluster for cluster in clustered(Judged(nodes, {}), ())[0] if cluster.kind == "exact")
        seconds = {"duplicates": round(time.perf_counter() - started, 3)}
        exact_first(Findings(at_once, (), buckets_of(examples, at_once, ()), seconds, complete=False))

    judged = judge_pairs(
        nodes, lambda done, of: ticker.tick("duplicates", done * rows // max(of, 1), max(rows, 1)), cache
    )
    paired = time.perf_counter()

    flags = find_flags(examples, lambda done, of: ticker.tick("signals", done, of), signals)
    flagged = time.perf_counter()

    ticker.tick("clusters", 0, max(rows, 1))
    clusters, answers, stars = clustered(judged, flags)
    leaks = find_leaks(examples, judged, node_of, answers, stars, *sides, relations)
    buckets = buckets_of(examples, clusters, flags)
    if cache is not None:
        cache.pairs = judged.used_pairs
    ended = time.perf_counter()
    ticker.tick("clusters", max(rows, 1), max(rows, 1))
    seconds = {
        "duplicates": round(paired - started + ended - flagged, 3),
        "signals": round(flagged - paired, 3),
        "total": round(ended - started, 3),
    }
    return Findings(clusters, flags, buckets, seconds, leaks)


def merits_of(
    examples: Sequence[Example],
    requests: Sequence[Request],
    judged: Judged,
    node_of: Sequence[int],
    flags: Sequence[Flag],
    prefer: Callable[[int], int],
) -> Sequence[Merit]:
    """What speaks for each row, worked out when a cluster asks."""
    counts: dict[int, int] = {}
    cut: set[int] = set()
    for flag in flags:
        if flag.severity != "info":
            counts[flag.row] = counts.get(flag.row, 0) + 1
        if flag.signal in ("truncated", "empty_output", "placeholder_output"):
            cut.add(flag.row)
    return _Merits(examples, requests, judged, node_of, counts, cut, prefer)


class _Merits(Sequence[Merit]):
    """Merits by position; most rows stand in no cluster and are never asked for."""

    def __init__(
        self,
        examples: Sequence[Example],
        requests: Sequence[Request],
        judged: Judged,
        node_of: Sequence[int],
        flags: dict[int, int],
        cut: set[int],
        prefer: Callable[[int], int],
    ) -> None:
        self._examples, self._requests, self._judged, self._node_of = examples, requests, judged, node_of
        self._flags, self._cut, self._prefer = flags, cut, prefer
        self._known: dict[int, Merit] = {}

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, row: int) -> Merit:  # type: ignore[override]
        merit = self._known.get(row)
        if merit is None:
            example, request = self._examples[row], self._requests[row]
            merit = self._known[row] = Merit(
                preferred=self._prefer(example.number),
                flags=self._flags.get(example.number, 0),
                date=date_of(example.raw),
                whole=bool(request.answer.strip()) and example.number not in self._cut,
                length=len(request.answer),
                odd_words=self._judged.odd_words[self._node_of[row]] if self._judged.odd_words else 0,
                number=example.number,
            )
        return merit
