"""A part of the worker in tests: real trouble at a moment inside a step. It is copied into frozen workers.

slow       {"seconds"}                             every step takes longer: the run can be met while it goes on
oom        {"step", "above_micro", "unless_checkpointing"}  the allocator fails; step 0 is the probe
eval_oom   {"above"}                               memory runs out while more held-out rows are measured at a time
nan        {"step"}                                weights that are no number
nan_data   {"step"}                                what a forward pass reads of its first row is no number
clock      {"step", "seconds", "lasts"}            the wall clock jumps, and back
kill       {"step", "rank"}                        SIGKILL of one process
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from . import evaluate, run
from .packing import ROWS
from .trainer import Trainer

TOO_MANY_BYTES = 1 << 50
Fault = Mapping[str, Any]
Train = Callable[[Any, Any], dict[str, Any]]

probe, training_step, row_losses = run.probe, Trainer.training_step, evaluate.row_losses
faults: list[Fault] = []


def install(train: Train) -> Train:
    """`train`, which meets the faults of the run it is called for."""

    def train_with_faults(spec: Any, context: Any) -> dict[str, Any]:
        path = context.run_dir / "faults.json"
        faults[:] = json.loads(path.read_bytes()) if path.is_file() else []
        return train(spec, context)

    run.probe = probe_with_faults
    Trainer.training_step = training_step_with_faults
    evaluate.row_losses = row_losses_with_faults
    return train_with_faults


def training_step_with_faults(trainer: Any, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
    strike(trainer.state.global_step + 1, len(inputs[ROWS]), model)
    return training_step(trainer, model, inputs, num_items_in_batch)


def probe_with_faults(context: Any, trainer: Any, count: int) -> None:
    """The probe; the fault strikes where it computes its loss, once activations are recomputed if they are to be."""
    compute_loss = trainer.compute_loss

    def compute_loss_with_faults(model: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
        strike(0, min(count, len(trainer.train_dataset)), model)
        return compute_loss(model, inputs, *arguments, **named)

    trainer.compute_loss = compute_loss_with_faults
    try:
        probe(context, trainer, count)
    finally:
        del trainer.compute_loss


def row_losses_with_faults(*arguments: Any, batch: int, **named: Any) -> Any:
    for fault in faults:
        if fault["kind"] == "eval_oom" and batch > fault["above"]:
            ask_for_too_much("cpu")
    return row_losses(*arguments, batch=batch, **named)


def strike(step: int, micro_batch: int, model: Any) -> None:
    """Do what is planted for `step` (1-based; 0 is the probe)."""
    for fault in faults:
        if fault["kind"] == "slow":
            time.sleep(fault["seconds"])
        elif step == fault.get("step") and micro_batch > fault.get("above_micro", 0):
            STRUCK[fault["kind"]](fault, model)


def ask_for_too_much(device: Any) -> None:
    """An allocation that no machine holds: the allocator's own failure, on whatever device."""
    torch.empty(TOO_MANY_BYTES, dtype=torch.uint8, device=device)


def _oom(fault: Fault, model: Any) -> None:
    """With `unless_checkpointing`, recomputing activations helps."""
    if not (fault.get("unless_checkpointing") and model.is_activation_checkpointing):
        ask_for_too_much(model.device)


def _nan_weights(_fault: Fault, model: Any) -> None:
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


STRUCK: Mapping[str, Callable[[Fault, Any], None]] = {
    "oom": _oom,
    "nan": _nan_weights,
    "nan_data": _nan_data,
    "clock": _clock,
    "kill": _kill,
}
