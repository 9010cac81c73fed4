"""What a run is made of, and how long what is left of it will take. Standard library only: the plan uses it too.

Four kinds of work: optimizer steps; tokens read without learning (held-out rows, single rows); tokens written one after
the other by a batch of answers; folders saved. The seconds a unit takes are measured as it is done.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

STEP, READ, WRITE, SAVE = KINDS = ("step", "read", "write", "save")
RECENT = 50
SAVED_BYTES_A_SECOND = 3e8
ROW_LOSS_PASSES = 4
"""Before the first step, after a third, after two thirds, and at the end."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tokens of the rows: held-out ones, those measured singly while training (`rows`) and only at the end (`others`);
    and the tokens a batch of answers may take, summed over the batches: at the end, at a measurement before it, and of
    the base."""

    heldout: int = 0
    rows: int = 0
    others: int = 0
    answers: int = 0
    samples: int = 0
    base: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a run that takes time: what it is called, of which kind of work, and how many units."""

    name: str
    kind: str
    units: float


def parts_of(
    values: Mapping[str, Any], sft: Mapping[str, Any], *, steps: int, epoch: int, sizes: Sizes, begun: int = 0
) -> tuple[Part, ...]:
    """The parts of a run of `steps` steps, `epoch` of them a pass, from step `begun` on."""
    every = int(values["eval_every"])
    between = (steps - 1) // every - begun // every if every else 0
    at_start = int(bool(values["eval_at_start"]))
    measured = between + at_start + 1
    thirds = sum(steps * part // (ROW_LOSS_PASSES - 1) > begun for part in range(1, ROW_LOSS_PASSES - 1))
    passes = (0 if begun else 1) + thirds + 1
    return (
        Part("steps", STEP, steps - begun),
        Part("evaluations", READ, measured * sizes.heldout),
        Part("answers", WRITE, between * sizes.samples + at_start * sizes.base + sizes.answers),
        Part("row losses", READ, passes * sizes.rows + sizes.others),
        Part("saving", SAVE, 1 + saves(sft, steps, epoch) - saves(sft, begun, epoch)),
    )


def saves(sft: Mapping[str, Any], steps: int, epoch: int) -> int:
    """Checkpoints that are written within the first `steps` steps."""
    if sft.get("save_strategy") == "epoch":
        return steps // max(1, epoch)
    if sft.get("save_strategy") == "steps":
        often = float(sft.get("save_steps") or 500)
        return int(steps // often) if often >= 1 else int(1 / often)
    return 0


def save_seconds(trained: int) -> float:
    """What writing a checkpoint of so many trained weights takes, with its optimizer: a guess, until one is written."""
    return 0.1 + 12 * trained / SAVED_BYTES_A_SECOND


class TimeLeft:
    """The work still to come of one run, and the seconds each kind of it takes.

    A guess stands until the work was done once. The first step takes longer than the others and counts only alone.
    """

    def __init__(self) -> None:
        self._to_come = dict.fromkeys(KINDS, 0.0)
        self._guess: dict[str, float] = {}
        self._took: dict[str, deque[tuple[float, float]]] = {kind: deque(maxlen=RECENT) for kind in KINDS}
        self._doing: tuple[str, float, float] | None = None
        self._first: tuple[float, float] | None = None

    def expect(self, parts: tuple[Part, ...]) -> None:
        """What is to come from now on."""
        self._to_come = {kind: float(sum(part.units for part in parts if part.kind == kind)) for kind in KINDS}

    def guess(self, **seconds: float) -> None:
        """Seconds a unit of a kind takes, as far as known before it is done."""
        self._guess |= seconds

    def began(self, kind: str, units: float) -> None:
        """Work of a kind begins."""
        self._doing = (kind, units, time.monotonic())

    def took(self, kind: str, seconds: float, units: float) -> None:
        """Work was done."""
        self._doing = None
        self._to_come[kind] = max(0.0, self._to_come[kind] - units)
        if not units:
            return
        if kind == STEP and self._first is None:
            self._first = (seconds, units)
            return
        self._took[kind].append((seconds, units))

    @contextmanager
    def doing(self, kind: str, units: float) -> Iterator[None]:
        """Work of a kind, timed; what fails on the way was not done."""
        began = time.monotonic()
        self.began(kind, units)
        yield
        self.took(kind, time.monotonic() - began, units)

    def rate(self, kind: str) -> float | None:
        """Seconds a unit of the kind takes; None where nothing is known of it."""
        known = self._took[kind] or ([self._first] if kind == STEP and self._first else [])
        if known:
            return sum(seconds for seconds, _ in known) / sum(units for _, units in known)
        return self._guess.get(kind)

    def rates(self) -> dict[str, float]:
        """Seconds a unit of every kind that was done."""
        return {kind: round(self.rate(kind) or 0.0, 7) for kind in KINDS if self._took[kind]}

    def seconds(self) -> float | None:
        """Until the end; None before anything is known of the steps."""
        if self.rate(STEP) is None and self._to_come[STEP]:
            return None
        left = sum(units * (self.rate(kind) or 0.0) for kind, units in self._to_come.items())
        if self._doing is not None:
            kind, units, began = self._doing
            left -= min(time.monotonic() - began, units * (self.rate(kind) or 0.0))
        return round(max(0.0, left), 1)
