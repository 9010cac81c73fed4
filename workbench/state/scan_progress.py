"""How far a scan is, step by step, for the overview: while there is little else to show, this is. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

from engine.phrases import duration, share
from workbench.render.parts import Styled

# The phases of the scan job, in their order, in words.
STEPS = {
    "reading": "read the rows",
    "duplicates": "compare requests and answers",
    "signals": "look for flaws in each row",
    "clusters": "form groups",
}
NAME_WIDTH = 31
BAR = 20
# Before this a guess at the time left is worth nothing.
FEWEST_SECONDS = 1.0
MARKS: dict[str, Styled] = {
    "done": ("\u2713 ", "accepted"),
    "now": ("\u25b8 ", "key"),
    "open": ("\u00b7 ", "muted"),
}


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


def step_lines(progress: ScanProgress) -> Iterator[tuple[Styled, ...]]:
    """One line a step: done, under way with a bar and the time left, or still to come."""
    steps = list(STEPS) if progress.phase in STEPS else [progress.phase]
    at = steps.index(progress.phase)
    for place, step in enumerate(steps):
        state = "done" if place < at else "now" if place == at else "open"
        words = f"{STEPS.get(step, step):<{NAME_WIDTH}}"
        yield ("  ", "text"), MARKS[state], (words, "text" if state == "now" else "muted"), *_under_way(progress, state)


def _under_way(progress: ScanProgress, state: str) -> tuple[Styled, ...]:
    if state != "now" or not progress.of:
        return ()
    filled = BAR * progress.done // progress.of
    left = progress.seconds_left
    return (
        ("\u2501" * filled, "bar"),
        ("\u2500" * (BAR - filled), "line"),
        (f" {share(progress.done / progress.of):>5}", "text"),
        (f"  about {in_words(left)} left" if left is not None else "", "muted"),
    )


def in_words(seconds: float) -> str:
    """A time to wait, no more exact than a guess is: `10 s`, `4 min`."""
    return duration(max(5, round(seconds / 5) * 5) if seconds < 90 else round(seconds / 60) * 60)
