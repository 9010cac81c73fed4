"""When to stop: a signal stops everything this worker serves, a control file stops one run."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from types import FrameType

LOOK_SECONDS = 1.0


class Stopped(Exception):
    """Raised between phases where there is nothing yet to save."""


class StopWatch:
    """Answers `why()`: None, or the reason to stop now. Cheap enough to ask at every step (one `stat`)."""

    def __init__(self) -> None:
        self._reason_for_all: str | None = None
        self._control: Path | None = None
        # On another machine of the same run the supervisor's number means some other process.
        here = os.environ.get("TAMIS_SUPERVISOR_HOST", "") in ("", socket.gethostname())
        self._supervisor = os.environ.get("TAMIS_SUPERVISOR", "") if here else ""
        self._looked = time.monotonic()

    def listen(self) -> None:
        """From now on SIGTERM and SIGINT stop all runs of this worker, each with a checkpoint."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._reason_for_all = signal.Signals(number).name

    def watch(self, run_dir: Path) -> None:
        """Look for the stop request of this run from now on."""
        self._control = run_dir / "control" / "stop"

    def why(self) -> str | None:
        """The reason to stop the run being watched, or None. A supervisor that is gone is one: no orphan trains on."""
        now = time.monotonic()
        if self._supervisor and now - self._looked > LOOK_SECONDS:
            self._looked = now
            if not lives(self._supervisor):
                self._reason_for_all = "the supervisor is gone"
        if self._reason_for_all is not None:
            return self._reason_for_all
        if self._control is not None and self._control.exists():
            return "asked to stop"
        return None

    def check(self) -> None:
        """Raise Stopped where there is a reason to stop. Of several processes none stops alone, but at a step's end."""
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            return
        reason = self.why()
        if reason is not None:
            raise Stopped(reason)


def lives(pid: str) -> bool:
    """Whether the process exists and is no zombie. (The parent cannot be asked: a launcher may stand between.)"""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat[stat.rindex(b")") + 2 : stat.rindex(b")") + 3] not in (b"Z", b"X")
