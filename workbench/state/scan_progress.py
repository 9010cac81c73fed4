"""How far a scan is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

# Before this a guess at the time left is worth nothing.
FEWEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """`done` of `of` rows in `phase`, which began at `since` (seconds of a monotonic clock), looked at `now`."""

    phase: str = "reading"
    done: int = 0
    of: int = 0
    since: float = 0.0
    now: float = 0.0

    def moved(self, phase: str, done: int, of: int) -> ScanProgress:
        """The same, a moment later."""
        now = monotonic()
        if phase != self.phase or not self.since:
            return ScanProgress(phase, done, of, now, now)
        return replace(self, done=done, of=of, now=now)

    @property
    def seconds_left(self) -> float | None:
        """Of this step, at its pace so far; None before there is enough to go by."""
        worked = self.now - self.since
        if worked < FEWEST_SECONDS or not 0 < self.done < self.of:
            return None
        return worked * (self.of - self.done) / self.done
