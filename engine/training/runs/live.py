"""One run followed through its files: its whole course first, then what is new. Never touches a process."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.phrases import duration
from engine.training.runs.loss_history import COLUMNS, Column, read_loss_history
from engine.training.runs.status import LIMITS, RunState, read_run, tail_events
from engine.training.worker.events import read_json

RECENT_STEPS = 50
LOOK_SECONDS = 1.0
KEPT_EVENTS = 200


class LiveRun:
    """`read` brings it up to the files; the rest is what they said. Raises TrainingError where there is no run.

    `is_read` says whether the first reading is done.
    `loss` is thinned to at most twice COLUMNS stretches however long the run is; `heldout` are (step, nats a token).
    `alerts`, `told` (all events but steps and heartbeats) and `samples` (of the newest measurement) are events as
    written, the newest last.
    """

    def __init__(self, run_dir: Path) -> None:
        self.dir = run_dir
        self.is_read = False
        self.state: RunState = read_run(run_dir)
        self.loss: list[Column] = []
        self.heldout: list[tuple[int, float]] = []
        self.alerts: list[Mapping[str, Any]] = []
        self.told: deque[Mapping[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self.samples: list[Mapping[str, Any]] = []
        self.last_log: Mapping[str, Any] = {}
        self.memory: Mapping[str, Any] = {}
        self.tokens_per_second: float | None = None
        self._took: deque[float] = deque(maxlen=RECENT_STEPS)
        self._began: float | None = None
        self._offset: int | None = None
        self._marks = (0, 0)
        self._looked = 0.0
        self._spec = read_json(run_dir / "spec.json") or {}
        self._values = {name: chosen.get("value") for name, chosen in self._spec.get("values", {}).items()}

    def read(self) -> bool:
        """Take in what is new; whether anything was. The first time reads all there is."""
        if self._offset is not None and not self._is_worth_reading():
            return False
        # The state before the events: an end seen here has all its events in the file already.
        state = read_run(self.dir, self._spec)
        # The age of the heartbeat is another one at every look; that it has become too old is news.
        changed = replace(state, heard=None) != replace(self.state, heard=None) or state.frozen != self.state.frozen
        self.state = state
        if self._offset is None:
            history = read_loss_history(self.dir)
            self.loss = list(history.loss)
            for event in history.others:
                self._take(event)
            self._take_log(history.last_log, charted=True)
            self._offset = history.offset
            self.is_read = True
            return True
        events, self._offset = tail_events(self.dir, self._offset)
        for event in events:
            self._take(event)
        return changed or bool(events)

    def _is_worth_reading(self) -> bool:
        """Whether a file has changed since the last look; once a second anyway: a lock that falls free changes none."""
        now, marks = time.monotonic(), (size_of(self.dir / "events.jsonl"), time_of(self.dir / "status.json"))
        if marks == self._marks and now - self._looked < LOOK_SECONDS:
            return False
        self._marks, self._looked = marks, now
        return True

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["ev"]
        if kind == "log":
            self._take_log(event)
            return
        if kind == "mem":
            self.memory = event
            return
        self.told.append(event)
        if kind == "spawn":
            self._began = float(event["t"])
        elif kind == "alert":
            self.alerts.append(event)
        elif kind == "eval" and isinstance(event.get("nll"), int | float):
            self.heldout = [each for each in self.heldout if each[0] < event["step"]]
            self.heldout.append((int(event["step"]), float(event["nll"])))
            self.samples = list(event.get("samples") or [])

    def _take_log(self, event: Mapping[str, Any], *, charted: bool = False) -> None:
        if not event:
            return
        before, self.last_log = self.last_log, event
        dt, tokens = event.get("dt"), event.get("num_tokens")
        if isinstance(dt, int | float):
            self._took.append(float(dt))
            if isinstance(tokens, int | float) and isinstance(before.get("num_tokens"), int | float):
                passed = float(event["t"]) - float(before["t"])
                gained = float(tokens) - float(before["num_tokens"])
                self.tokens_per_second = gained / passed if passed > 0 and gained > 0 else None
        loss, step = event.get("loss"), int(event["step"])
        if charted or not isinstance(loss, int | float):
            return
        while self.loss and self.loss[-1].step >= step:  # the run went back to a checkpoint
            self.loss.pop()
        self.loss.append(Column(step, float(loss), float(loss), float(loss)))
        if len(self.loss) > 2 * COLUMNS:
            self.loss = [joined(*self.loss[place : place + 2]) for place in range(0, len(self.loss), 2)]

    # -- what follows from it

    @property
    def step_seconds(self) -> float | None:
        """Median seconds of the last steps."""
        return statistics.median(self._took) if self._took else None

    @property
    def eta_seconds(self) -> float | None:
        """Until the end, as the run itself reckons from what it measured; of an older run until the last step, at the
        pace of the last ones. None where it cannot be told."""
        if self.state.left_s is not None:
            return max(0.0, self.state.left_s - (self.state.heard or 0.0))
        if not self.state.alive or not self.state.max_steps or self.step_seconds is None:
            return None
        return max(0, self.state.max_steps - self.state.step) * self.step_seconds

    def budget_left(self, now: float | None = None) -> str:
        """What is left of time and money, in words; "" where neither is limited."""
        if self._began is None or not self.state.alive:
            return ""
        spent = (time.time() if now is None else now) - self._began
        limit, most, price = (float(self._values.get(name) or 0) for name in LIMITS)
        parts = []
        if limit:
            parts.append(f"{duration(max(0.0, limit - spent))} of budget left")
        if most and price:
            parts.append(f"{max(0.0, most - spent / 3600 * price):.2f} of {most:g} left")
        return ", ".join(parts)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def time_of(path: Path) -> int:
    """When a file was written last, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def joined(first: Column, second: Column | None = None) -> Column:
    """Two stretches as one; no spike is lost."""
    if second is None:
        return first
    return Column(second.step, min(first.low, second.low), max(first.high, second.high), second.last)
