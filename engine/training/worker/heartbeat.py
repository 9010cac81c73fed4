"""`status.json`, written every two seconds whatever the trainer does: a stale one means a dead or frozen process."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from .events import write_json

SECONDS = 2.0
PAGE = os.sysconf("SC_PAGE_SIZE")


class Heartbeat:
    """Tells where one run stands. `tell(phase=…, step=…)` is cheap; a daemon thread does the writing."""

    def __init__(self, run_dir: Path, attempt: int) -> None:
        self._path = run_dir / "status.json"
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

    def write(self) -> None:
        """Write the file now; a full disk or a removed folder only makes it stale."""
        with contextlib.suppress(OSError):
            write_json(self._path, {"t": time.time(), **self._fixed, **self._told, **memory()}, durable=False)

    def _beat(self) -> None:
        while not self._ended.wait(SECONDS):
            self.write()


def memory() -> dict[str, float]:
    """`rss_mb` of this process and, where a GPU is in use, `gpu_mb` allocated by it."""
    used: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        used["rss_mb"] = round(int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6, 1)
    torch = sys.modules.get("torch")  # never the one to import it, least of all half-way through its import
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and getattr(cuda, "is_initialized", bool)():
        used["gpu_mb"] = round(cuda.memory_allocated() / 1e6, 1)
    return used
