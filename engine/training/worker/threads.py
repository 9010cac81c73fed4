"""How the threads of a process wait for each other. Standard library only."""

from __future__ import annotations

import os

WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""Read by OpenMP (GNU's and LLVM's) when torch is imported."""


def wait_without_spinning() -> None:
    """Threads that wait give their core away, unless the person said how they wait.

    A thread that spins on a core somebody else needs keeps the one it waits for from running: steps of 2.2 s became
    11-28 s on two busy cores, and 3.5 s where threads waited passively (measured).
    """
    if not WAITING.keys() & os.environ.keys():
        os.environ.update(WAITING)
