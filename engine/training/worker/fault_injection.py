"""Planted faults, so that what a run does in trouble is tested on real processes.

A fault of the spec is honoured only where the environment says TAMIS_FAULTS=1.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

TOO_MANY_BYTES = 1 << 50
Fault = Mapping[str, Any]


def strike(faults: Sequence[Fault], *, step: int, micro_batch: int, model: Any) -> None:
    """Do what is planted for `step` (1-based; 0 is the probe). `slow` holds for every step: its `seconds` make a run
    long enough to be met while it goes on.
    """
    if not awake(faults):
        return
    for fault in faults:
        if fault["kind"] == "slow":
            time.sleep(fault["seconds"])
        elif step == fault.get("step") and micro_batch > fault.get("above_micro", 0):
            STRUCK[fault["kind"]](fault, model)


def strike_measuring(faults: Sequence[Fault], *, batch: int) -> None:
    """`eval_oom`: memory runs out while more than `above` held-out rows are measured at a time."""
    if not awake(faults):
        return
    for fault in faults:
        if fault["kind"] == "eval_oom" and batch > fault["above"]:
            ask_for_too_much("cpu")


def awake(faults: Sequence[Fault]) -> bool:
    """Whether there are faults, and they are to be honoured."""
    return bool(faults) and os.environ.get("TAMIS_FAULTS") == "1"


def ask_for_too_much(device: Any) -> None:
    """An allocation that no machine holds: the allocator's own failure, on whatever device."""
    import torch

    torch.empty(TOO_MANY_BYTES, dtype=torch.uint8, device=device)


def _oom(fault: Fault, model: Any) -> None:
    """With `unless_checkpointing`, recomputing activations helps."""
    if not (fault.get("unless_checkpointing") and model.is_activation_checkpointing):
        ask_for_too_much(model.device)


def _nan_weights(_fault: Fault, model: Any) -> None:
    import torch

    with torch.no_grad():
        next(parameter for parameter in model.parameters() if parameter.requires_grad).fill_(float("nan"))


def _nan_data(_fault: Fault, model: Any) -> None:
    """What the next forward pass reads of its first row is no number."""

    def spoil(_layer: Any, _inputs: Any, embedded: Any) -> Any:
        handle.remove()
        spoilt = embedded.clone()
        spoilt[0] = float("nan")
        return spoilt

    handle = model.get_input_embeddings().register_forward_hook(spoil)


def _clock(fault: Fault, _model: Any) -> None:
    """The wall clock jumps by `seconds`, and back after `lasts` seconds."""
    really, until = time.time, time.monotonic() + fault["lasts"]

    def jumped() -> float:
        return really() + (fault["seconds"] if time.monotonic() < until else 0.0)

    setattr(time, "time", jumped)  # noqa: B010  a plain assignment to a module's function is no type


def _kill(fault: Fault, _model: Any) -> None:
    if int(os.environ.get("RANK", "0")) == fault.get("rank", 0):
        os.kill(os.getpid(), signal.SIGKILL)


def _raise(fault: Fault, _model: Any) -> None:
    raise RuntimeError(f"planted at step {fault['step']}")


STRUCK: Mapping[str, Callable[[Fault, Any], None]] = {
    "oom": _oom,
    "nan": _nan_weights,
    "nan_data": _nan_data,
    "clock": _clock,
    "kill": _kill,
    "raise": _raise,
}
