"""Where one run reports to and listens."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .events import EventLog, SilentLog
from .heartbeat import Heartbeat
from .stopping import StopWatch
from .time_left import TimeLeft


class NonFinite(Exception):
    """The loss or the gradient is no longer a number. What was learnt since the last checkpoint is not saved."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """The folder of a run, its event log, its heartbeat, its stop requests, when (monotonic) the run began,
    and what is left of it."""

    run_dir: Path
    log: EventLog | SilentLog
    beat: Heartbeat
    watch: StopWatch
    began: float
    left: TimeLeft = field(default_factory=TimeLeft)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that speaks and writes for all."""
        return isinstance(self.log, EventLog)

    @property
    def is_one_of_many(self) -> bool:
        """Whether other processes train the same model."""
        return int(os.environ.get("WORLD_SIZE", "1")) > 1

    def phase(self, phase: str, **detail: Any) -> None:
        """Say that a phase begins, and give up here if the run was asked to stop."""
        self.beat.tell(phase=phase)
        self.log.emit("phase", phase=phase, since_start=self.seconds(), **detail)
        self.watch.check()

    def seconds(self) -> float:
        """Since the run began."""
        return round(time.monotonic() - self.began, 3)
