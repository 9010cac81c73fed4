"""Ending with the process that started this one, however that one ends: killed, it takes nobody along by itself.

Standard library only: jobs of the engine use this file too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

# Set by whoever starts a worker that is not to outlive it.
STARTER = "TAMIS_STARTER"
PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.5


def end_with_starter() -> None:
    """The same for the process that the environment names; where it names none this process is on its own."""
    starter = os.environ.pop(STARTER, "")
    if starter.isdecimal():
        end_with(int(starter))


def end_with(starter: int) -> None:
    """From now on this process ends when the process `starter` does."""
    if sys.platform == "linux":
        import ctypes  # takes longer to import than anything else here

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == starter:
        return  # its child: the kernel sees to it
    # Between the two stands a launcher (`uv run`, `conda run`), or the starter is gone already.
    end_without(starter)
    threading.Thread(target=watch, args=(starter,), name="starter", daemon=True).start()


def watch(starter: int) -> None:
    """Look again and again, as long as this process lives."""
    while True:
        time.sleep(LOOK_SECONDS)
        end_without(starter)


def end_without(starter: int) -> None:
    """End this process at once where there is no process `starter`."""
    try:
        os.kill(starter, 0)
    except ProcessLookupError:
        os._exit(1)
    except PermissionError:
        return  # somebody else's: it is there
