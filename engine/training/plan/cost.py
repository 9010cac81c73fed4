"""What several like runs will take, in time and money, told before the first of them starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.training.plan.estimates import Estimate
from engine.training.plan.plan import make_plan
from engine.training.plan.run_time import START_SECONDS, Pace, earlier_pace, estimated, parts_of_spec
from engine.training.runs.launch import Job
from engine.training.spec.run_spec import BUILT_IN
from engine.training.worker.room import written_tokens
from engine.training.worker.time_left import Sizes

BUILT_IN_LETTERS = 3.5
USUAL_BUILT_IN = Pace(START_SECONDS, 0.05, 1e-5, 0.008, 0.1, "usual for the built-in model")
STOPS = (
    *("versions", "model", "memory", "disk", "template", "truncated", "eos_lost", "fully_masked"),
    *("lost_system", "lost_reasoning", "lost_history"),
)
"""Kinds of a plan's refusals that hold for every arm."""


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
    one = seconds_of_one(job, runs_dir)
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


def seconds_of_one(job: Job, runs_dir: Path) -> Estimate:
    """Seconds of one run, the start of its worker aside."""
    if job.spec.model.value == BUILT_IN:
        tokens = built_in_tokens(job.train)
        before = earlier_pace(job.spec, runs_dir, None, tokens)
        pace = before or USUAL_BUILT_IN
        pace = replace(pace, start=max(0.0, pace.start - START_SECONDS))
        return estimated(pace, parts_of_spec(job.spec, len(job.train), built_in_sizes(job)))
    plan = make_plan(job.spec, job.train, job.heldout, runs_dir=runs_dir)
    refused = [note.text for note in plan.refusals if note.kind in STOPS]
    if refused:
        raise TrainingError(f"not started: {'; '.join(refused)}", "", "mend it, or choose another model")
    return plan.seconds if plan.seconds.value is None else without_start(plan.seconds)


def without_start(whole: Estimate) -> Estimate:
    """Of runs in one worker process only the first one waits for the libraries."""
    parts = {**whole.parts, "start": round(max(0.0, whole.parts.get("start", 0.0) - START_SECONDS), 1)}
    return Estimate(round(sum(parts.values()), 1), whole.reason, parts=parts)


def built_in_tokens(rows: Sequence[TrainingRow]) -> float:
    """Tokens of a row, as the built-in model cuts texts of its field: no tokenizer is loaded for its seconds."""
    letters = sum(len(message["content"] or "") for row in rows for message in row.messages)
    return letters / BUILT_IN_LETTERS / max(1, len(rows))


def built_in_sizes(job: Job) -> Sizes:
    """What is measured on held-out rows."""
    spec, held = job.spec, len(job.heldout)

    def written(count: int) -> int:
        answers = [len(row.messages[-1]["content"] or "") / BUILT_IN_LETTERS for row in job.heldout[:count]]
        return written_tokens(list(map(int, answers)), int(spec.max_new_tokens.value), int(spec.eval_batch.value))

    return Sizes(
        heldout=int(built_in_tokens(job.heldout) * held),
        rows=int(built_in_tokens(job.train) * min(len(job.train), int(spec.row_losses.value))),
        answers=written(int(spec.generate_rows.value)),
        samples=written(int(spec.samples.value)),
        base=written(int(spec.generate_rows.value)),
    )
