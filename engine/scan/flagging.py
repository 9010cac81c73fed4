"""All signals over all rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engine.model import Example, Flag, Span
from engine.scan.beside import beside
from engine.scan.signals import SIGNALS, Reading, Signal

FEWEST_ROWS = 1_000
"""Fewer rows are read before a second process is of help."""


def find_flags(
    examples: Sequence[Example],
    tick: Callable[[int, int], None],
    signals: Sequence[Signal] = SIGNALS,
    *,
    both: bool = False,
) -> tuple[Flag, ...]:
    """Every finding, ordered by row and then as in the table of signals. `tick(done, of)` is called every 50 rows.
    `both` lets a second process read the second half of the rows.
    """
    if not signals:
        return ()
    steps = len(examples) + len(signals)
    table = []
    for number, signal in enumerate(signals):
        tick(number, steps)
        table.append((signal, signal.survey(examples)))
    forked = both and len(examples) >= FEWEST_ROWS
    half = len(examples) // 2 if forked else len(examples)

    def second_half(wanted: Callable[[], None]) -> bytes:
        found = _found(examples[half:], table, lambda done: wanted())
        return json.dumps([_as_json(flag) for flag in found]).encode("ascii")

    with beside(second_half, forked) as rest:
        pace = 2 if forked else 1
        flags = list(_found(examples[:half], table, lambda done: tick(len(signals) + pace * done, steps)))
        if forked:
            flags += [_from_json(sent) for sent in json.loads(rest())]
    tick(steps, steps)
    return tuple(flags)


def _found(
    examples: Sequence[Example], table: Sequence[tuple[Signal, Any]], tick: Callable[[int], None]
) -> Iterator[Flag]:
    for done, example in enumerate(examples):
        if done % 50 == 0:
            tick(done)
        row = Reading(example)
        for signal, survey in table:
            found = signal.find(row, survey)
            if found is not None:
                # A level that a person has set holds for every finding of the signal.
                severity = found.severity if found.severity and signal.severity == "fix" else signal.severity
                yield Flag(example.number, signal.name, severity, found.reason, found.span)


def _as_json(flag: Flag) -> list[Any]:
    span = flag.span
    where = None if span is None else [span.turn, span.start, span.end]
    return [flag.row, flag.signal, flag.severity, flag.reason, where]


def _from_json(sent: list[Any]) -> Flag:
    row, signal, severity, reason, where = sent
    return Flag(row, signal, severity, reason, None if where is None else Span(*where))
