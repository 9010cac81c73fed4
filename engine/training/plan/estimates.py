"""Memory, time, cost and disk of a run before it starts: each number with the formula it came from."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.training.runs.status import list_runs, tail_events
from engine.training.spec.run_spec import RunSpec
from engine.training.worker.events import read_json
from engine.training.worker.gpus import Gpu

GB = 1e9
CUDA_GB = 1.5
LIBRARIES_GB = 0.5
USED_SHARE = 0.3
"""Share of a device's arithmetic that small-batch training uses; 0.31 is published for 8B LoRA on an H100."""

PEAK_TFLOPS: Mapping[str, float] = {
    "H200": 989,
    "H100": 989,
    "A100": 312,
    "L40": 181,
    "L4": 121,
    "A10": 125,
    "4090": 165,
    "3090": 71,
    "V100": 125,
    "T4": 65,
}
"""Dense 16-bit arithmetic of GPUs by a word of their name, in TFLOP a second, as their makers state it."""

START_SECONDS = 8.0
STEP_FLOOR_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, None where it cannot be told, and how it was come by."""

    value: float | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "reason": self.reason}


def memory_gb(spec: RunSpec, model: Mapping[str, Any], longest: int, on_gpu: bool) -> Estimate:
    """Peak memory of one training process in GB (1e9 bytes): weights, what is trained, activations, logits, the rest.

    Within 15 % of what six settings of a small model took on a CPU (docs/benchmarks.md); not calibrated against a GPU.
    """
    weights_count, adapter = int(model["parameters"]), spec.method.value == "lora"
    half = on_gpu and spec.precision.value != "fp32"
    per_weight = 0.55 if spec.four_bit.value else (2 if half and adapter else 4)
    weights = weights_count * per_weight
    # An adapter: float32 copy, gradient, two moments of Adam. The whole model: the weights are the copy.
    trained = int(model["lora_parameters"]) * 16 if adapter else weights_count * 12
    width = 1 if half else 2
    tokens = int(spec.micro_batch.value) * longest
    hidden, layers, ffn = int(model["hidden"]), int(model["layers"]), int(model["ffn"])
    checkpointing = spec.sft.get("activation_checkpointing")
    one_layer = 34 * hidden + 8 * ffn
    if checkpointing is not None and checkpointing.value:
        activations = width * tokens * (layers * 2 * hidden + one_layer)
        words = "activations of one layer and the inputs of all"
    else:
        activations = width * tokens * layers * one_layer
        words = "activations of all layers"
    logits = min(tokens, 4096) * int(model["vocabulary"]) * 6
    fixed = (CUDA_GB if on_gpu else LIBRARIES_GB) * GB
    parts = (
        ("weights", weights),
        ("adapter, gradients and optimizer" if adapter else "gradients and optimizer", trained),
        (f"{words} ({spec.micro_batch.value} rows x {longest} tokens)", activations),
        ("logits", logits),
        ("CUDA" if on_gpu else "the libraries", fixed),
    )
    told = " + ".join(f"{name} {size / GB:.2f}" for name, size in parts)
    return Estimate(round(sum(size for _, size in parts) / GB, 2), f"{told} GB; a formula, not a measurement")


def run_seconds(
    spec: RunSpec,
    model: Mapping[str, Any],
    device: Mapping[str, Any],
    gpu: Gpu | None,
    tokens: float,
    steps: int,
    runs_dir: Path | None,
) -> Estimate:
    """How long the run takes: from an earlier run of the same model where there is one, else from arithmetic.

    `tokens` are those of one pass over the rows, divided by the rows.
    """
    before = earlier_step(spec, runs_dir) if runs_dir else None
    if before is not None:
        seconds, run = before
        return Estimate(round(START_SECONDS + seconds * steps, 1), f"{steps} steps of {seconds:.3f} s, as in run {run}")
    per_step = tokens * int(spec.batch.value)
    # Forward and backward: 6 FLOP a weight and token; 4 where most weights need no gradient of their own.
    flop = (4 if spec.method.value == "lora" else 6) * int(model["parameters"]) * per_step
    if device["kind"] == "cuda":
        peak = next((tflops for word, tflops in PEAK_TFLOPS.items() if gpu and word in gpu.name), None)
        if peak is None:
            name = gpu.name if gpu else "this GPU"
            return Estimate(None, f"nothing is known of {name}: after ten steps `tamis watch` tells")
        rate, words = (
            peak * 1e12 * USED_SHARE,
            f"{USED_SHARE:.0%} of the {peak:.0f} TFLOP/s of {gpu.name if gpu else ''}",
        )
    else:
        rate = float(device["flops"]) * USED_SHARE
        words = f"{USED_SHARE:.0%} of the {device['flops'] / 1e9:.0f} GFLOP/s one core of this CPU was just measured at"
    step = max(flop / rate, STEP_FLOOR_SECONDS * int(spec.batch.value) / int(spec.micro_batch.value))
    reason = (
        f"{steps} steps of {step:.3g} s, at {words}, and {START_SECONDS:.0f} s to start; a formula, not a measurement"
    )
    return Estimate(round(START_SECONDS + step * steps, 1), reason)


def earlier_step(spec: RunSpec, runs_dir: Path) -> tuple[float, str] | None:
    """Median seconds of a step of the newest run of the same model, method and batch, and that run's id."""
    for state in list_runs(runs_dir):
        content = read_json(state.dir / "spec.json") or {}
        values = content.get("values", {})
        same = all(
            values.get(name, {}).get("value") == getattr(spec, name).value
            for name in ("model", "method", "batch", "micro_batch", "max_length", "gpu")
        )
        if not same:
            continue
        took = [event["dt"] for event in tail_events(state.dir)[0] if event["ev"] == "log"][1:]
        if len(took) >= 5:
            return statistics.median(took), state.id
    return None


def cost(spec: RunSpec, seconds: Estimate) -> Estimate:
    """Price of the run in the currency of `price_per_hour`."""
    price = float(spec.price_per_hour.value)
    if not price:
        return Estimate(None, "no price is set: price_per_hour")
    if seconds.value is None:
        return Estimate(None, "the time is not known")
    return Estimate(round(seconds.value / 3600 * price, 4), f"{seconds.value:.0f} s at {price:g} an hour")


def disk_gb(spec: RunSpec, model: Mapping[str, Any]) -> Estimate:
    """Room the run's folder takes: checkpoints with their optimizer, one being written, the model, the best one."""
    adapter = spec.method.value == "lora"
    trained = int(model["lora_parameters"] if adapter else model["parameters"])
    checkpoint, weights = trained * 12, trained * 4
    limit = spec.sft.get("save_total_limit")
    kept = (int(limit.value) if limit and limit.value else 2) + 1
    total = kept * checkpoint + 2 * weights
    words = f"{kept} checkpoints of {checkpoint / GB:.3f} GB, the model and the best one of {weights / GB:.3f} GB each"
    return Estimate(round(total / GB, 3), words)


def quantile(values: Sequence[int], share: float) -> int:
    """The value at `share` of the sorted values; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
