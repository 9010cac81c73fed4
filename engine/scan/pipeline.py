"""The whole scan, from rows to findings: signals, requests, judged pairs, clusters, leaks, buckets.

What takes long to import is imported after a second process has begun to split the rows into words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.model import Cluster, Example, Findings, Flag
from engine.scan.buckets import buckets_of
from engine.scan.duplicates.constraints import constraints_of
from engine.scan.parallel import has_one_thread, second_core, second_process
from engine.scan.progress import Progress, Ticker, without_collector
from engine.scan.requests.requests import LONGEST_SPLIT, nodes_of, requests_of

if TYPE_CHECKING:
    from engine.scan.cache import ScanCache
    from engine.scan.duplicates.answer_groups import Answers
    from engine.scan.duplicates.stars import Stars
    from engine.scan.requests.requests import Request
    from engine.scan.signals.signal import Signal

FEWEST_CHARACTERS = 700_000
"""Fewer characters are split into words before a second process is of help."""
OWN_CHARACTERS = 2_500_000
"""What else this process has to do meanwhile takes as long as splitting this many characters: where there are more, it
splits half of the rest.
"""
SAMPLED_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a scan was asked for beside its rows; see `scan`. `both`: a second process may help."""

    heldout: Container[int]
    prefer: Callable[[int], int]
    said: tuple[Sequence[frozenset[int]], Sequence[frozenset[int]], Sequence[frozenset[int]]]
    exact_first: Callable[[Findings], None] | None
    cache: ScanCache | None
    signals: Sequence[Signal] | None
    both: bool


def scan(
    examples: Sequence[Example],
    *,
    heldout: Container[int] = (),
    prefer: Callable[[int], int] = lambda number: 0,
    not_duplicates: Sequence[frozenset[int]] = (),
    fine_together: Sequence[frozenset[int]] = (),
    split: Sequence[frozenset[int]] = (),
    exact_first: Callable[[Findings], None] | None = None,
    cache: ScanCache | None = None,
    signals: Sequence[Signal] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    processes: int | None = None,
) -> Findings:
    """Find what is repeated, contradictory or broken in `examples`.

    `heldout` holds the numbers of reserved rows: no cluster mixes them with the others, links across become leaks.
    `prefer(number)` ranks a row as keeper before anything else does (a person's accepted rows first); higher is better.
    A person's word outweighs every score, in sets of row numbers: no two rows of a `not_duplicates` set share an exact,
    near, prefix or conflict cluster; rows of a `fine_together` set do not contradict each other; a `split` set was
    taken out of its cluster and shares none with any other row.
    `exact_first` gets the exact clusters alone (`complete` is False) as soon as they are known, before the rest.
    `signals` is the table to use instead of all signals (`engine.scan.signals.settings.configured`).
    `cache` holds what earlier scans worked out by content, and takes in what this one does.
    `processes` is 2 to use a second core by forking, 1 not to; None forks where no other thread runs in this process.
    Seconds are reported for "duplicates", "signals" and "total". Raises ScanCancelled soon after `cancelled()` turns
    true.
    """
    both = second_core() and (has_one_thread() if processes is None else processes > 1)
    wanted = Wanted(heldout, prefer, (not_duplicates, fine_together, split), exact_first, cache, signals, both)
    with without_collector():
        return _run(examples, wanted, Ticker(progress, cancelled))


def _run(examples: Sequence[Example], wanted: Wanted, ticker: Ticker) -> Findings:
    started = time.perf_counter()
    rows = len(examples)

    def tick(done: int) -> None:
        ticker.tick("duplicates", 0, max(rows, 1))

    tick(0)
    requests = requests_of(examples, tick)

    # A cache that holds words holds those of most rows.
    fresh = wanted.both and (wanted.cache is None or wanted.cache.words is None)
    theirs = _split_beside(requests) if fresh else 0

    def words(still_wanted: Callable[[], None]) -> bytes:
        from engine.scan.duplicates.tokens import split_texts

        return split_texts([request.text for request in requests[:theirs]], lambda done: still_wanted()).to_bytes()

    with second_process(words, theirs > 0) as split:
        from engine.scan.duplicates.clusters import find_clusters
        from engine.scan.duplicates.keeper import keeper_scores_of
        from engine.scan.duplicates.leaks import find_leaks
        from engine.scan.duplicates.pair_judge import JudgedPairs
        from engine.scan.duplicates.pairs import judge_pairs
        from engine.scan.duplicates.tokens import Tokens

        table = _signals(wanted)
        nodes = nodes_of(requests)
        node_of = [0] * rows
        for number, node in enumerate(nodes):
            for row in node.rows:
                node_of[row] = number
        constraints = constraints_of({example.number: row for row, example in enumerate(examples)}, *wanted.said)
        sides = (
            [row for row, example in enumerate(examples) if example.number not in wanted.heldout],
            [row for row, example in enumerate(examples) if example.number in wanted.heldout],
        )

        def clustered(judged: JudgedPairs, flags: Sequence[Flag]) -> tuple[tuple[Cluster, ...], Answers, Stars]:
            return find_clusters(
                examples,
                requests,
                judged,
                node_of,
                keeper_scores_of(examples, requests, judged, node_of, flags, wanted.prefer),
                sides,
                lambda done: ticker.tick("clusters", min(done, rows), rows + 1),
                constraints,
            )

        if wanted.exact_first is not None:
            # Equal requests need no candidates: their clusters stand before anything is compared.
            at_once = tuple(cluster for cluster in clustered(JudgedPairs(nodes, {}), ())[0] if cluster.kind == "exact")
            seconds = {"duplicates": round(time.perf_counter() - started, 3)}
            wanted.exact_first(Findings(at_once, (), buckets_of(examples, at_once, ()), seconds, complete=False))

        judged = judge_pairs(
            nodes,
            lambda done, of: ticker.tick("duplicates", done * rows // max(of, 1), max(rows, 1)),
            wanted.cache,
            (theirs, lambda: Tokens.from_bytes(split())) if theirs else None,
            both=wanted.both,
        )
    paired = time.perf_counter()

    flags = _flagged(examples, table, wanted, ticker)
    flagged = time.perf_counter()

    ticker.tick("clusters", 0, max(rows, 1))
    clusters, answers, stars = clustered(judged, flags)
    leaks = find_leaks(examples, judged, node_of, answers, stars, *sides, constraints)
    buckets = buckets_of(examples, clusters, flags)
    if wanted.cache is not None:
        wanted.cache.pairs = judged.used_pairs
    ended = time.perf_counter()
    ticker.tick("clusters", max(rows, 1), max(rows, 1))
    seconds = {
        "duplicates": round(paired - started + ended - flagged, 3),
        "signals": round(flagged - paired, 3),
        "total": round(ended - started, 3),
    }
    return Findings(clusters, flags, buckets, seconds, leaks)


def _signals(wanted: Wanted) -> Sequence[Signal]:
    """The signals to ask. All of them take a while to import: only where they are wanted."""
    if wanted.signals is not None:
        return wanted.signals
    from engine.scan.signals.table import SIGNALS

    return SIGNALS


def _flagged(examples: Sequence[Example], table: Sequence[Signal], wanted: Wanted, ticker: Ticker) -> tuple[Flag, ...]:
    if not table:
        return ()
    from engine.scan.flagging import find_flags

    return find_flags(
        examples,
        lambda done, of: ticker.tick("signals", done, of),
        table,
        both=wanted.both,
        kept=wanted.cache.flags if wanted.cache is not None else None,
    )


def _split_beside(requests: Sequence[Request]) -> int:
    """How many of the requests, the first ones, a second process splits into words; 0 where it would be of no help."""
    some = requests[:: max(1, len(requests) // SAMPLED_ROWS)]
    characters = sum(min(len(request.text), LONGEST_SPLIT) for request in some) * len(requests) // max(1, len(some))
    if characters < FEWEST_CHARACTERS:
        return 0
    return len(requests) - int(max(0, characters - OWN_CHARACTERS) / 2 / characters * len(requests))
