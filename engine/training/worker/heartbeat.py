"""`status.json`, written every two seconds whatever the trainer does: a stale one means a dead or frozen process."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .alerts import stalled
from .events import EventLog, SilentLog, write_json
from .gpus import chosen_index, gpus

SECONDS = 2.0
MEMORY_BEATS = 5
LAST_STEPS = 50
PAGE = os.sysconf("SC_PAGE_SIZE")


class Heartbeat:
    """Tells where one run stands. `tell(phase=…, step=…)` is cheap; a daemon thread does the writing."""

    def __init__(self, run_dir: Path, attempt: int, log: EventLog | SilentLog | None = None, rank: int = 0) -> None:
        self._log = log
        self.time_left: Callable[[], float | None] = lambda: None
        self._took: list[float] = []
        self._stepped: float | None = None
        self._stall_told = False
        self._path = run_dir / ("status.json" if rank == 0 else f"status.rank{rank}.json")
        self._told: dict[str, Any] = {"phase": "import", "step": 0, "max_steps": 0, "last_step_t": None}
        self._fixed = {"pid": os.getpid(), "attempt": attempt}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Write once and go on writing."""
        self.write()
        self._thread.start()

    def tell(self, **values: Any) -> None:
        """Note values for the next beat."""
        if "last_step_t" in values:
            now = time.monotonic()  # a clock that is set anew is no stall
            if self._stepped is not None:
                self._took = [*self._took[-LAST_STEPS:], now - self._stepped]
            self._stepped, self._stall_told = now, False
        self._told = {**self._told, **values}

    @property
    def step(self) -> int:
        """The optimizer step last told."""
        return int(self._told["step"])

    @property
    def phase(self) -> str:
        """The phase last told."""
        return str(self._told["phase"])

    def stop(self) -> None:
        """Write a last time and end the thread."""
        self._ended.set()
        self._thread.join()
        self.write()
        self._tell_memory()

    def write(self) -> None:
        """Write the file now; a full disk or a removed folder only makes it stale."""
        with contextlib.suppress(OSError):
            left = self.time_left()
            told = self._told if left is None else {**self._told, "left_s": left}
            write_json(self._path, {"t": time.time(), **self._fixed, **told, **memory()}, durable=False)

    def _beat(self) -> None:
        beats = 0
        while not self._ended.wait(SECONDS):
            self.write()
            beats += 1
            if beats % MEMORY_BEATS == 0:
                self._tell_memory()
            self._tell_stall()

    def _tell_memory(self) -> None:
        """The `mem` event: this process, and its GPU as `nvidia-smi` sees it."""
        if self._log is None:
            return
        used = memory()
        if "gpu_mb" in used:
            gpu = next((each for each in gpus() if each.index == chosen_index(0)), None)
            if gpu is not None:
                used |= {"gpu_total_mb": gpu.total_mb, "gpu_free_mb": gpu.free_mb}
                used |= {"util": gpu.busy or 0.0, "power_w": gpu.watts or 0.0}
        self._log.emit("mem", step=self.step, **used)

    def _tell_stall(self) -> None:
        last = self._stepped
        if self._log is None or last is None or self._stall_told or self.phase != "train":
            return
        waited = time.monotonic() - last
        if stalled(waited, self._took):
            self._stall_told = True
            words = f"no step for {waited:.0f} s; `kill -USR1 {os.getpid()}` writes where it hangs into console.log"
            self._log.emit("alert", kind="stall", step=self.step, detail=words)


def memory() -> dict[str, float]:
    """`rss_mb` of this process, its peak so far and, where a GPU is in use, `gpu_mb` allocated by it."""
    used = {"rss_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)}
    with contextlib.suppress(OSError, ValueError, IndexError):
        used["rss_mb"] = round(int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6, 1)
    torch = sys.modules.get("torch")  # never the one to import it, least of all half-way through its import
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and getattr(cuda, "is_initialized", bool)():
        used["gpu_mb"] = round(cuda.memory_allocated() / 1e6, 1)
        used["gpu_reserved_mb"] = round(cuda.memory_reserved() / 1e6, 1)
        used["gpu_peak_mb"] = round(cuda.max_memory_allocated() / 1e6, 1)
    return used
