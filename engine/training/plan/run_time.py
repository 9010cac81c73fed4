"""How long a run takes, told before it starts: what it is made of, times the pace this machine was measured at.

The pace is that of an earlier run of the same model, else of real rows taken forward and backward by the pre-flight,
else that of a formula, which may be several times off and says so.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.phrases import counted, duration
from engine.training.plan.estimates import Estimate
from engine.training.runs.status import list_runs, tail_events
from engine.training.spec.defaults import Chosen
from engine.training.spec.run_spec import RunSpec, optimizer_steps
from engine.training.worker.events import read_json
from engine.training.worker.gpus import Gpu
from engine.training.worker.time_left import (
    READ,
    ROW_LOSS_PASSES,
    SAVE,
    STEP,
    WRITE,
    Part,
    Sizes,
    parts_of,
    save_seconds,
)

START_SECONDS = 8.0
"""Imports of the trainer's libraries."""
STEP_FLOOR_SECONDS = 0.02
FORWARD_SHARE = 1 / 3
"""Share of a step that the way forward takes, where it was not measured."""
CHEAP_SHARE = 0.1
MEASURED_ROWS = 2000
MEASURED, FORMULA = (0.7, 1.4), (0.3, 3.5)
"""Between what the time lies, as a multiple of what is told."""
LIKE = ("model", "method", "batch", "micro_batch", "max_length", "gpu", "precision", "four_bit")
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


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds before the first step, of an optimizer step, a token that is read, a token a batch of answers writes, and
    a folder saved; `words` say where they come from, `span` between what multiples of them the time lies."""

    start: float
    step: float
    read: float
    write: float
    save: float
    words: str
    span: tuple[float, float] = MEASURED

    def seconds(self, part: Part) -> float:
        """Of one part of a run."""
        return part.units * {STEP: self.step, READ: self.read, WRITE: self.write, SAVE: self.save}[part.kind]


def run_seconds(
    spec: RunSpec, answer: Mapping[str, Any], gpu: Gpu | None, lengths: Mapping[str, int], runs_dir: Path | None
) -> Estimate:
    """How long the run takes. `answer` is the pre-flight's; `lengths` the tokens of every row, cut."""
    pace = pace_for(spec, answer, gpu, list(lengths.values()), runs_dir)
    if pace is None:
        name = gpu.name if gpu else "this GPU"
        return Estimate(None, f"nothing is known of {name}: after a few steps `tamis watch` tells")
    sequences = answer["sequences"] or len(lengths)
    sizes = Sizes(**{**answer.get("sizes", {}), "rows": measured_tokens(spec, lengths)})
    return estimated(pace, parts_of_spec(spec, sequences, sizes))


def parts_of_spec(spec: RunSpec, sequences: int, sizes: Sizes) -> tuple[Part, ...]:
    """The parts of the whole run."""
    values = {name: getattr(spec, name).value for name in ("eval_every", "eval_at_start")}
    sft = {name: chosen.value for name, chosen in spec.sft.items()}
    epoch = math.ceil(sequences / int(spec.batch.value))
    return parts_of(values, sft, steps=optimizer_steps(spec, sequences), epoch=epoch, sizes=sizes)


def estimated(pace: Pace, parts: Sequence[Part]) -> Estimate:
    """The seconds of all parts together, each told."""
    seconds = {"start": pace.start} | {part.name: pace.seconds(part) for part in parts}
    told = {name: round(took, 1) for name, took in seconds.items() if took >= 0.05}
    whole = round(sum(told.values()), 1)
    low, high = (round(whole * share, 1) for share in pace.span)
    steps = next(part.units for part in parts if part.kind == STEP)
    words = [f"{name} {duration(took)}" for name, took in told.items() if name != "steps"]
    listed = ", ".join([f"{steps:g} steps of {pace.step:.3g} s", *words])
    return Estimate(whole, f"{listed}; {pace.words}; between {duration(low)} and {duration(high)}", low, high, told)


def pace_for(
    spec: RunSpec, answer: Mapping[str, Any], gpu: Gpu | None, lengths: Sequence[int], runs_dir: Path | None
) -> Pace | None:
    """The pace of an earlier run, else the measured one, else a formula's; None where nothing is known."""
    model = answer["model"]
    save = save_seconds(int(model["lora_parameters"] if spec.method.value == "lora" else model["parameters"]))
    probed = probed_pace(spec, answer.get("pace") or {}, lengths, save, packed=bool(answer["sequences"]))
    before = earlier_pace(spec, runs_dir, probed, sum(lengths) / len(lengths)) if runs_dir else None
    return before or probed or formula_pace(spec, answer, gpu, lengths, save)


def probed_pace(
    spec: RunSpec, pace: Mapping[str, Any], lengths: Sequence[int], save: float, *, packed: bool
) -> Pace | None:
    """The pace the pre-flight measured."""
    if "step_token" not in pace:
        return None
    batch, micro = int(spec.batch.value), int(spec.micro_batch.value)
    padded = float(spec.max_length.value) if packed else expected_longest(lengths, micro)
    step = batch * padded * pace["step_token"]
    first = micro * max(lengths) * pace["step_token"]
    when = "measured for an earlier plan" if pace["cached"] else "measured just now"
    how = f"{when} on {counted(pace['batches'], 'batch', 'batches')}, {pace['precision']}, threads: {pace['threads']}"
    words = f"{how}, at a load of {pace['load']:.1f} a core"
    start = START_SECONDS + float(pace["start"]) + first
    return Pace(start, step, pace["read_token"], pace["write_token"], save, words)


def expected_longest(lengths: Sequence[int], drawn: int) -> float:
    """The mean length of the longest of `drawn` rows taken by chance: what all of a micro-batch are filled up to."""
    ordered, count = sorted(lengths), len(lengths)
    drawn = min(drawn, count)
    ways = math.comb(count, drawn)
    # The row at `place` is the longest where all others come from those before it.
    return sum(length * (math.comb(place, drawn - 1) / ways) for place, length in enumerate(ordered))


def formula_pace(
    spec: RunSpec, answer: Mapping[str, Any], gpu: Gpu | None, lengths: Sequence[int], save: float
) -> Pace | None:
    """From the arithmetic of a step and that of the device."""
    device, batch = answer["device"], int(spec.batch.value)
    tokens = sum(lengths) / (answer["sequences"] or len(lengths)) * batch
    # Forward and backward: 6 FLOP a weight and token; 4 where most weights need no gradient of their own.
    flop = (4 if spec.method.value == "lora" else 6) * int(answer["model"]["parameters"]) * tokens
    if device["kind"] == "cuda":
        peak = next((tflops for word, tflops in PEAK_TFLOPS.items() if gpu and word in gpu.name), None)
        if peak is None:
            return None
        rate, words = peak * 1e12, f"the {peak:.0f} TFLOP/s of {gpu.name if gpu else ''}"
    else:
        threads = max(1, int(spec.threads.value))
        rate = float(device["flops"]) * threads
        words = f"{threads} times the {device['flops'] / 1e9:.0f} GFLOP/s one core was just measured at"
    step = max(flop / (rate * USED_SHARE), STEP_FLOOR_SECONDS * batch / int(spec.micro_batch.value))
    read = step / tokens * FORWARD_SHARE
    why_not = (answer.get("pace") or {}).get("why_not")
    told = f"a formula, not a measurement{f' ({why_not})' if why_not else ''}: {USED_SHARE:.0%} of {words}"
    return Pace(START_SECONDS, step, read, read * int(spec.eval_batch.value), save, told, FORMULA)


def earlier_pace(spec: RunSpec, runs_dir: Path, probed: Pace | None, tokens: float) -> Pace | None:
    """The pace of the newest run of the same model, method and batch that took five steps or more.

    `tokens` are those of a row now: steps of shorter rows are shorter. What that run did not do is as `probed`.
    """
    for state in list_runs(runs_dir):
        content: Mapping[str, Any] = read_json(state.dir / "spec.json") or {}
        values = content.get("values", {})
        if any(values.get(name, {}).get("value") != getattr(spec, name).value for name in LIKE):
            continue
        logs = [event for event in tail_events(state.dir)[0] if event["ev"] == "log"]
        took = [float(event["dt"]) for event in logs if isinstance(event.get("dt"), int | float)]
        if len(took) < 5:
            continue
        step, seen = statistics.fmean(took[1:]), logs[-1].get("num_tokens")
        if isinstance(seen, int | float) and seen:
            step *= tokens * int(spec.batch.value) / (float(seen) / logs[-1]["step"])
        measured = (read_json(state.dir / "result.json") or {}).get("pace")
        rates = {name: float(rate) for name, rate in (measured if isinstance(measured, dict) else {}).items()
                 if isinstance(rate, int | float)}  # fmt: skip
        read = rates.get(READ, probed.read if probed else step / (tokens * int(spec.batch.value)) * FORWARD_SHARE)
        write = rates.get(WRITE, probed.write if probed else read * int(spec.eval_batch.value))
        start = probed.start if probed else START_SECONDS
        return Pace(start, step, read, write, rates.get(SAVE, probed.save if probed else 0.1), f"as in run {state.id}")
    return None


# -- single rows


def measured_tokens(spec: RunSpec, lengths: Mapping[str, int]) -> int:
    """Tokens of the training rows that are measured singly in a pass; of more rows than are asked for a part is."""
    most = int(spec.row_losses.value)
    return int(sum(lengths.values()) * min(1.0, most / len(lengths))) if lengths else 0


def row_losses_if_cheap(spec: RunSpec, rows: int) -> Chosen:
    """Whether single training rows are measured though nobody asked: only where it adds less than a tenth.

    A pass over them reads what a step reads forward and takes back, so its price is a matter of counting.
    """
    seen = optimizer_steps(spec, rows) * int(spec.batch.value)
    one = min(rows, MEASURED_ROWS) * FORWARD_SHARE / seen
    price = f"{one:.0%} of the time of the steps a pass, {ROW_LOSS_PASSES * one:.0%} in all"
    if ROW_LOSS_PASSES * one < CHEAP_SHARE:
        return Chosen(MEASURED_ROWS, f"each row's loss leads back to rows worth a look; it adds {price}")
    return Chosen(0, f"single training rows are not measured: row_losses={MEASURED_ROWS} would add {price}")
