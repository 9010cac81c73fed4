"""The whole scan, from rows to findings: signals, requests, judged pairs, clusters, leaks, buckets."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence

from engine.model import Example, Findings, Flag
from engine.scan import Progress
from engine.scan.buckets import buckets_of
from engine.scan.dates import date_of
from engine.scan.duplicates.clusters import find_clusters
from engine.scan.duplicates.judged import Judged
from engine.scan.duplicates.keeper import Merit
from engine.scan.duplicates.leaks import find_leaks
from engine.scan.duplicates.pairs import judge_pairs
from engine.scan.duplicates.requests import Request, nodes_of, requests_of
from engine.scan.flagging import find_flags
from engine.scan.progress import Ticker


def run(
    examples: Sequence[Example],
    *,
    heldout: Container[int] = (),
    prefer: Callable[[int], int],
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Findings:
    """See `engine.scan.scan`."""
    ticker = Ticker(progress, cancelled)
    started = time.perf_counter()
    rows = len(examples)
    ticker.tick("duplicates", 0, max(rows, 1))
    requests = requests_of(examples, lambda done: ticker.tick("duplicates", 0, max(rows, 1)))
    nodes = nodes_of(requests)
    node_of = [0] * rows
    for number, node in enumerate(nodes):
        for row in node.rows:
            node_of[row] = number
    judged = judge_pairs(nodes, lambda done, of: ticker.tick("duplicates", done * rows // max(of, 1), max(rows, 1)))
    paired = time.perf_counter()

    flags = find_flags(examples, lambda done, of: ticker.tick("signals", done, of))
    flagged = time.perf_counter()

    ticker.tick("clusters", 0, max(rows, 1))
    merits = _merits(examples, requests, judged, flags, prefer)
    training = [row for row, example in enumerate(examples) if example.number not in heldout]
    reserved = [row for row, example in enumerate(examples) if example.number in heldout]
    clusters, answers, stars = find_clusters(
        examples,
        requests,
        judged,
        node_of,
        merits,
        (training, reserved),
        lambda done: ticker.tick("clusters", done, max(rows, 1)),
    )
    leaks = find_leaks(examples, judged, node_of, answers, stars, training, reserved)
    buckets = buckets_of(examples, clusters, flags)
    ended = time.perf_counter()
    ticker.tick("clusters", max(rows, 1), max(rows, 1))
    seconds = {
        "duplicates": round(paired - started + ended - flagged, 3),
        "signals": round(flagged - paired, 3),
        "total": round(ended - started, 3),
    }
    return Findings(clusters, flags, buckets, seconds, leaks)


def _merits(
    examples: Sequence[Example],
    requests: Sequence[Request],
    judged: Judged,
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
    return _Merits(examples, requests, judged, counts, cut, prefer)


class _Merits(Sequence[Merit]):
    """Merits by position; most rows stand in no cluster and are never asked for."""

    def __init__(
        self,
        examples: Sequence[Example],
        requests: Sequence[Request],
        judged: Judged,
        flags: dict[int, int],
        cut: set[int],
        prefer: Callable[[int], int],
    ) -> None:
        self._examples, self._requests, self._judged = examples, requests, judged
        self._flags, self._cut, self._prefer = flags, cut, prefer
        self._known: dict[int, Merit] = {}

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, row: int) -> Merit:  # type: ignore[override]
        merit = self._known.get(row)
        if merit is None:
            example, request = self._examples[row], self._requests[row]
            odd = sum(
                1
                for turn in request.turns
                for stem in self._judged.key(turn).bag
                if self._judged.rows_with.get(stem, 1) <= 1
            )
            merit = self._known[row] = Merit(
                preferred=self._prefer(example.number),
                flags=self._flags.get(example.number, 0),
                date=date_of(example.raw),
                whole=bool(request.answer.strip()) and example.number not in self._cut,
                length=len(request.answer),
                odd_words=odd,
                number=example.number,
            )
        return merit
