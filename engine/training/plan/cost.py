"""What several like runs will take, in time and money, told before the first of them starts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.training.plan.estimates import START_SECONDS, Estimate
from engine.training.plan.plan import make_plan
from engine.training.runs.launch import Job
from engine.training.runs.status import list_runs, tail_events
from engine.training.spec.run_spec import BUILT_IN, optimizer_steps
from engine.training.worker.events import read_json

BUILT_IN_STEP = 0.05
BUILT_IN_MEASURING = 2.0
STOPS = (
    "versions",
    "model",
    "memory",
    "disk",
    "mask",
    "template",
    "truncated",
    "eos_lost",
    "fully_masked",
    "lost_system",
    "lost_reasoning",
    "lost_history",
)
"""Kinds of a plan's refusals that hold for every arm."""
LIKE = ("model", "method", "batch", "micro_batch", "max_length", "gpu", "precision")


@dataclass(frozen=True, slots=True)
class RunsCost:
    """Wall-clock seconds of all runs together, and their price; each with its reason."""

    seconds: Estimate
    money: Estimate

    def to_json(self) -> dict[str, Any]:
        return {"seconds": self.seconds.to_json(), "cost": self.money.to_json()}


def cost_of_runs(job: Job, *, runs: int, queues: int, runs_dir: Path, price: float) -> RunsCost:
    """What `runs` runs like `job` take, `queues` of them at a time. `price` is per hour of the machine.

    From earlier runs of the same model where there are some; for the built-in model from what was measured of it; for
    another one from the plan. Raises TrainingError where the plan refuses what holds for every arm.
    """
    if not runs:
        return priced(Estimate(0.0, "every run was done before with the same spec"), price)
    steps = optimizer_steps(job.spec, len(job.train))
    one = seconds_of_one(job, steps, runs_dir)
    if one.value is None:
        return priced(one, price)
    rounds = math.ceil(runs / queues)
    seconds = START_SECONDS + rounds * one.value
    words = f"{runs} runs, {queues} at a time, of {one.value:.0f} s ({one.reason}), and {START_SECONDS:.0f} s to start"
    return priced(Estimate(round(seconds, 1), words), price)


def priced(seconds: Estimate, price: float) -> RunsCost:
    """With the price of the machine."""
    if not price:
        return RunsCost(seconds, Estimate(None, "no price is set: price_per_hour"))
    if seconds.value is None:
        return RunsCost(seconds, Estimate(None, "the time is not known"))
    money = round(seconds.value / 3600 * price, 4)
    return RunsCost(seconds, Estimate(money, f"{seconds.value:.0f} s at {price:g} an hour"))


def seconds_of_one(job: Job, steps: int, runs_dir: Path) -> Estimate:
    """Seconds of one run, the start of its worker aside."""
    before = earlier(job, runs_dir)
    if before is not None:
        step, rest, run = before
        return Estimate(rest + step * steps, f"{steps} steps of {step:.3f} s and {rest:.0f} s around, as in run {run}")
    if job.spec.model.value == BUILT_IN:
        seconds = BUILT_IN_STEP * steps + BUILT_IN_MEASURING
        return Estimate(
            seconds, f"{steps} steps of {BUILT_IN_STEP} s and {BUILT_IN_MEASURING:.0f} s of measuring, usual"
        )
    plan = make_plan(job.spec, job.train, job.heldout, runs_dir=runs_dir)
    refused = [note.text for note in plan.refusals if note.kind in STOPS]
    if refused:
        raise TrainingError(f"not started: {'; '.join(refused)}", "", "mend it, or choose another model")
    if plan.seconds.value is None:
        return plan.seconds
    return Estimate(plan.seconds.value - START_SECONDS, plan.seconds.reason)


def earlier(job: Job, runs_dir: Path) -> tuple[float, float, str] | None:
    """Seconds a step, seconds beside the steps, and the id of the newest finished run of the same model and batch."""
    for state in list_runs(runs_dir):
        content: Mapping[str, Any] = read_json(state.dir / "spec.json") or {}
        values = content.get("values", {})
        if any(values.get(name, {}).get("value") != getattr(job.spec, name).value for name in LIKE):
            continue
        took = [event["dt"] for event in tail_events(state.dir)[0] if event["ev"] == "log"]
        seconds = state.result.get("seconds")
        if state.state == "finished" and len(took) >= 5 and isinstance(seconds, int | float):
            step = statistics.median(took[1:])
            return step, max(0.0, float(seconds) - sum(took)), state.id
    return None
