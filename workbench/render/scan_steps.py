"""How far a scan is, step by step, for the overview: while there is little else to show, this is."""

from __future__ import annotations

from collections.abc import Iterator

from engine.phrases import duration, share
from workbench.state.progress import ScanProgress
from workbench.text.blocks import Styled

# The phases of the scan job, in their order, in words.
STEPS = {
    "reading": "read the rows",
    "duplicates": "compare requests and answers",
    "signals": "look for flaws in each row",
    "clusters": "form groups",
}
NAME_WIDTH = 31
BAR = 20
MARKS: dict[str, Styled] = {
    "done": ("\u2713 ", "accepted"),
    "now": ("\u25b8 ", "key"),
    "open": ("\u00b7 ", "muted"),
}


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
