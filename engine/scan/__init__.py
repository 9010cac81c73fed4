"""What a machine can say about the rows before a person looks: clusters, contradictions, flags, buckets.

Importing this package costs nothing; numpy and rapidfuzz are imported when `scan` runs, which it does in a job process.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from engine.errors import TamisError
from engine.model import Example, Findings

Progress = Callable[[str, int, int], None]
"""Called as `progress(phase, done, of)`; phases are "duplicates", "signals", "clusters"."""


class ScanCancelled(TamisError):
    """The caller's `cancelled()` said stop; nothing was kept."""


def scan(
    examples: Sequence[Example],
    *,
    heldout: Container[int] = (),
    prefer: Callable[[int], int] = lambda number: 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Findings:
    """Find what is repeated, contradictory or broken in `examples`.

    `heldout` holds the numbers of reserved rows: no cluster mixes them with the others, links across become leaks.
    `prefer(number)` ranks a row as keeper before anything else does (a person's accepted rows first); higher is better.
    Seconds are reported for "duplicates", "signals" and "total". Raises ScanCancelled soon after `cancelled()` turns
    true.
    """
    from engine.scan.pipeline import run

    return run(examples, heldout=heldout, prefer=prefer, progress=progress, cancelled=cancelled)
