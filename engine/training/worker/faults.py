"""Planted faults, so that what a run does in trouble is tested on real processes.

A fault of the spec is honoured only where the environment says TAMIS_FAULTS=1.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any


def strike(faults: Sequence[Mapping[str, Any]], *, step: int, micro_batch: int, model: Any) -> None:
    """Do what is planted for `step` (1-based): `oom` (with `above_micro`), `nan`, `kill`, `raise`, `slow`.

    `slow` holds for every step; its `seconds` make a run long enough to be met while it goes on.
    """
    if not faults or os.environ.get("TAMIS_FAULTS") != "1":
        return
    import torch

    for fault in faults:
        kind = fault["kind"]
        if kind == "slow":
            time.sleep(fault["seconds"])
        elif step != fault["step"]:
            continue
        elif kind == "oom" and micro_batch > fault["above_micro"]:
            raise torch.OutOfMemoryError(f"CUDA out of memory (planted at step {step}, {micro_batch} rows at once)")
        elif kind == "nan":
            with torch.no_grad():
                next(parameter for parameter in model.parameters() if parameter.requires_grad).fill_(float("nan"))
        elif kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "raise":
            raise RuntimeError(f"planted at step {step}")
