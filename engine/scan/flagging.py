"""All signals over all rows: those that were asked before are looked up, the rest is worked out, on two cores."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from engine.model import Example, Flag, Span
from engine.scan.flag_cache import FlagCache, FoundBySignal, digest_of, row_keys, rules_digest
from engine.scan.parallel import second_process
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, sees_rows_alone
from engine.scan.signals.table import SIGNALS

FEWEST_ROWS = 1_000
"""Fewer rows are read before a second process is of help."""

Asked = list[tuple[Signal, Any]]
"""Signals with what each learnt from the set."""
Answers = list[dict[str, Found]]


def find_flags(
    examples: Sequence[Example],
    tick: Callable[[int, int], None],
    signals: Sequence[Signal] = SIGNALS,
    *,
    both: bool = False,
    kept: FlagCache | None = None,
) -> tuple[Flag, ...]:
    """Every finding, ordered by row and then as in the table of signals. `tick(done, of)` is called every 50 rows.

    `both` lets a second process read the second half of the rows. `kept` are the answers of an earlier scan; they are
    used as far as they hold, and replaced by those of this one.
    """
    if not signals:
        return ()
    if kept is None:
        answers = _worked_out(examples, [()] * len(examples), signals, tick, both)
        return _flags(examples, answers, signals)
    keys = row_keys(examples)
    of_set, rules = digest_of(keys), rules_digest()
    holding = _holding(kept, signals, of_set) if kept.rules == rules else frozenset()
    known = [holding if key in kept.rows else frozenset() for key in keys]
    answers = _worked_out(examples, known, signals, tick, both)
    for key, asked, own in zip(keys, known, answers, strict=True):
        if asked:
            own.update((name, found) for name, found in kept.found.get(key, {}).items() if name in asked)
    kept.looked_up = sum(map(len, known))
    kept.worked_out = len(signals) * len(examples) - kept.looked_up
    kept.rules, kept.of_set = rules, of_set
    kept.asked = frozenset(signal.name for signal in signals)
    kept.rows = frozenset(keys)
    kept.found = {key: own for key, own in zip(keys, answers, strict=True) if own}
    return _flags(examples, answers, signals)


def _holding(kept: FlagCache, signals: Sequence[Signal], of_set: str) -> frozenset[str]:
    """The signals whose kept answers hold for a row that was read before."""
    same_set = kept.of_set == of_set
    return frozenset(
        signal.name for signal in signals if signal.name in kept.asked and (same_set or sees_rows_alone(signal))
    )


def _worked_out(
    examples: Sequence[Example],
    known: Sequence[frozenset[str] | tuple[()]],
    signals: Sequence[Signal],
    tick: Callable[[int, int], None],
    both: bool,
) -> Answers:
    """What each row's signals answer, but for those that are `known` of it."""
    steps = len(examples) + len(signals)
    table: Asked = []
    for number, signal in enumerate(signals):
        tick(number, steps)
        wanted = any(signal.name not in names for names in known)
        table.append((signal, signal.survey(examples) if wanted else None))
    left = [row for row, names in enumerate(known) if len(names) < len(signals)]
    forked = both and len(left) >= FEWEST_ROWS
    half = len(left) // 2 if forked else len(left)

    def second_half(still_wanted: Callable[[], None]) -> bytes:
        found = _read(examples, left[half:], known, table, lambda done: still_wanted())
        return json.dumps([_as_json(own) for own in found]).encode("ascii")

    with second_process(second_half, forked) as rest:
        pace = 2 if forked else 1
        # What is known is not read: the steps done begin behind it.
        first = len(signals) + len(examples) - len(left)
        found = _read(examples, left[:half], known, table, lambda done: tick(first + pace * done, steps))
        if forked:
            found += [_from_json(sent) for sent in json.loads(rest())]
    answers: Answers = [{} for _ in examples]
    for row, own in zip(left, found, strict=True):
        answers[row] = own
    tick(steps, steps)
    return answers


def _read(
    examples: Sequence[Example],
    rows: Sequence[int],
    known: Sequence[frozenset[str] | tuple[()]],
    table: Asked,
    tick: Callable[[int], None],
) -> Answers:
    # There are two sorts of rows, new ones and known ones, so the signals to ask are chosen twice, not for every row.
    tables: dict[frozenset[str] | tuple[()], Asked] = {}
    answers: Answers = []
    for done, number in enumerate(rows):
        if done % 50 == 0:
            tick(done)
        names = known[number]
        if names not in tables:
            tables[names] = [(signal, survey) for signal, survey in table if signal.name not in names]
        row = Reading(examples[number])
        own: dict[str, Found] = {}
        for signal, survey in tables[names]:
            found = signal.find(row, survey)
            if found is not None:
                own[signal.name] = found
        answers.append(own)
    return answers


def _flags(
    examples: Sequence[Example], answers: Sequence[FoundBySignal], signals: Sequence[Signal]
) -> tuple[Flag, ...]:
    """The answers as flags, with the severities that the table gives."""
    flags = []
    for example, own in zip(examples, answers, strict=True):
        if not own:
            continue
        for signal in signals:
            found = own.get(signal.name)
            if found is not None:
                # A level that a person has set holds for every finding of the signal.
                severity = found.severity if found.severity and signal.severity == "fix" else signal.severity
                flags.append(Flag(example.number, signal.name, severity, found.reason, found.span))
    return tuple(flags)


def _as_json(own: FoundBySignal) -> list[list[Any]]:
    return [
        [name, found.reason, found.span and [found.span.turn, found.span.start, found.span.end], found.severity]
        for name, found in own.items()
    ]


def _from_json(sent: list[list[Any]]) -> dict[str, Found]:
    return {name: Found(reason, place and Span(*place), severity) for name, reason, place, severity in sent}
