"""All signals over all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.model import Example, Flag
from engine.scan.signals import SIGNALS, Reading, Signal


def find_flags(
    examples: Sequence[Example], tick: Callable[[int, int], None], signals: Sequence[Signal] = SIGNALS
) -> tuple[Flag, ...]:
    """Every finding, ordered by row and then as in the table of signals. `tick(done, of)` is called every 50 rows."""
    steps = len(examples) + len(signals)
    surveys = []
    for number, signal in enumerate(signals):
        tick(number, steps)
        surveys.append(signal.survey(examples))
    table = list(zip(signals, surveys, strict=True))
    flags: list[Flag] = []
    for done, example in enumerate(examples):
        if done % 50 == 0:
            tick(len(signals) + done, steps)
        row = Reading(example)
        for signal, survey in table:
            found = signal.find(row, survey)
            if found is not None:
                # A level that a person has set holds for every finding of the signal.
                severity = found.severity if found.severity and signal.severity == "fix" else signal.severity
                flags.append(Flag(example.number, signal.name, severity, found.reason, found.span))
    tick(steps, steps)
    return tuple(flags)
