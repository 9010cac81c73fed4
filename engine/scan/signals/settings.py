"""The table of signals as a person wants it: some off, some of another severity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

from engine.model import SEVERITIES, Severity
from engine.scan.signals.signal import Signal
from engine.scan.signals.table import SIGNALS

LEVELS = ("off", *SEVERITIES)


def names() -> tuple[str, ...]:
    """The names of all signals, in the order of the table."""
    return tuple(signal.name for signal in SIGNALS)


def configured(settings: Mapping[str, str], demoted: Collection[str] = ()) -> tuple[Signal, ...]:
    """The table without what is "off", with the severities that `settings` names.

    Signals in `demoted` (those that this person's verdicts contradict) only inform, unless `settings` speaks of them.
    """
    table = []
    for signal in SIGNALS:
        level = settings.get(signal.name, "info" if signal.name in demoted else signal.severity)
        if level != "off":
            table.append(replace(signal, severity=cast(Severity, level)))
    return tuple(table)
