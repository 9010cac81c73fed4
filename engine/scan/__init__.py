"""What a machine can say about the rows before a person looks: clusters, contradictions, flags, buckets.

Importing this package costs nothing; numpy and rapidfuzz are imported when `scan` runs, which it does in a job process.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING

from engine.errors import TamisError
from engine.model import Example, Findings

if TYPE_CHECKING:
    from engine.scan.cache import ScanCache
    from engine.scan.signals.signal import Signal

Progress = Callable[[str, int, int], None]
"""Called as `progress(phase, done, of)`; phases are "duplicates", "signals", "clusters"."""


class ScanCancelled(TamisError):
    """The caller's `cancelled()` said stop; nothing was kept."""


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
    from engine.scan.pipeline import run

    return run(
        examples,
        heldout=heldout,
        prefer=prefer,
        not_duplicates=not_duplicates,
        fine_together=fine_together,
        split=split,
        exact_first=exact_first,
        cache=cache,
        signals=signals,
        progress=progress,
        cancelled=cancelled,
        processes=processes,
    )
