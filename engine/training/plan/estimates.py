"""Memory, time, cost and disk of a run before it starts: each number with the formula it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.training.spec.run_spec import RunSpec

GB = 1e9
CUDA_GB = 1.5
LIBRARIES_GB = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, None where it cannot be told, and how it was come by. Of a time: between what it lies, and its parts
    in seconds."""

    value: float | None
    reason: str
    low: float | None = None
    high: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"value": self.value, "reason": self.reason}
        if self.parts:
            told |= {"low": self.low, "high": self.high, "parts": dict(self.parts)}
        return told


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
