"""What did curation buy: the same model trained on each set of rows at equal cost, measured on rows none has seen.

Every arm takes the same number of optimizer steps from the same base, once per seed. Arms are ordinary runs: they
belong to no terminal, and one that was done before with the same spec is not done again. So a comparison that was cut
short is taken up by asking for it once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.phrases import duration
from engine.training.compare.arms import BASE, CURATED, Arms, FindLeaks, check_arms
from engine.training.compare.metrics import result_of
from engine.training.compare.reuse import earlier_runs, is_whole, job_hash
from engine.training.compare.store import (
    COMPARE,
    Comparison,
    Trial,
    new_comparison_dir,
    read_result,
    save_comparison,
    save_result,
)
from engine.training.compare.wait import Progress, check_whole, see_through
from engine.training.plan.cost import RunsCost, cost_of_runs
from engine.training.runs.launch import Job
from engine.training.runs.run_queue import start_queue, stop_all
from engine.training.runs.status import RunState
from engine.training.spec.defaults import Chosen
from engine.training.spec.run_spec import BUILT_IN, choose_spec
from engine.training.spec.threads import cores


@dataclass(frozen=True, slots=True)
class Item:
    """One run that the comparison needs, and the earlier run that already is it."""

    arm: str
    seed: int
    job: Job
    earlier: RunState | None

    @property
    def is_ready(self) -> bool:
        """Whether nothing is to be started: the earlier run is whole, or going on."""
        return self.earlier is not None and (self.earlier.alive or is_whole(self.earlier))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A comparison before its start: what is to be run, what is there already, and what it will cost."""

    items: tuple[Item, ...]
    arms: Arms
    model: str
    steps: Chosen
    seeds: int
    queues: int
    cost: RunsCost
    runs_dir: Path
    heldout: Mapping[str, Any] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kind: str = COMPARE

    @property
    def to_run(self) -> list[Item]:
        """The runs that have to be started or taken up."""
        return [item for item in self.items if not item.is_ready]


def compare(
    arms: Arms,
    heldout: Sequence[TrainingRow],
    *,
    runs_dir: Path,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 3,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    find_leaks: FindLeaks | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train every arm with every seed and say whether `curated` is better than the others.

    `arms` are training rows by name, one of them "curated"; "base" has none. `workers` runs go on at once (None: two
    for the built-in model, one for a real one, which wants the GPU for itself). Returns the object `tamis compare
    --json` prints. Losses are nats per answer token; `nll_spread` is the largest less the smallest over the seeds.

    Raises TrainingError for an unfit held-out set and for a run that fails; KeyboardInterrupt stops the runs, each
    with a checkpoint, before it goes on.
    """
    prepared = prepare(
        arms,
        heldout,
        runs_dir=runs_dir,
        model=model,
        steps=steps,
        seeds=seeds,
        workers=workers,
        settings=settings,
        find_leaks=find_leaks,
    )
    return finish(start(prepared), progress)


def prepare(
    arms: Arms,
    heldout: Sequence[TrainingRow],
    *,
    runs_dir: Path,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 3,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    find_leaks: FindLeaks | None = None,
    budget_seconds: float = 0.0,
    price: float = 0.0,
    reviewed: Mapping[str, Any] | None = None,
    slices: Mapping[str, Mapping[str, str]] | None = None,
) -> Prepared:
    """Check the arms, look for runs that were done before, and reckon what the rest will cost; nothing is started.

    `budget_seconds` (0: no limit) is for all runs together; each is given its share, so that it holds without anybody
    watching. Raises TrainingError for unfit arms or held-out rows, and for a budget that cannot suffice.
    """
    check_arms(arms, heldout, find_leaks)
    if seeds < 1:
        raise TrainingError("a comparison needs at least one seed", "", "give --seeds 3 or more")
    built_in = model in (None, BUILT_IN)
    trained = {name: rows for name, rows in arms.items() if name != BASE}
    queues = min(workers or (2 if built_in else 1), len(trained) * seeds)
    settings = dict(settings or {})
    chosen_steps = equal_steps(arms, model, steps, settings)
    found = earlier_runs(runs_dir)

    def items(budget: float) -> tuple[Item, ...]:
        jobs = make_jobs(trained, heldout, model, chosen_steps, seeds, queues, settings, budget, price)
        return tuple(Item(arm, seed, job, found.get(job_hash(job))) for arm, seed, job in jobs)

    made = items(0.0)
    left = sum(not item.is_ready for item in made)
    first = next(item.job for item in made if item.arm == CURATED)
    cost = cost_of_runs(first, runs=left, queues=queues, runs_dir=runs_dir, price=price)
    if budget_seconds and cost.seconds.value is not None and cost.seconds.value > budget_seconds:
        raise TrainingError(
            f"about {duration(cost.seconds.value)} are needed and the budget is {duration(budget_seconds)}",
            cost.seconds.reason,
            "fewer arms, seeds or steps, or more budget",
        )
    if budget_seconds and left:
        made = items(budget_seconds / math.ceil(left / queues))
    return Prepared(
        made, arms, str(first.spec.model.value), chosen_steps, seeds, queues, cost, runs_dir,
        dict(reviewed or {"drawn": len(heldout), "measured": len(heldout), "left_out": {}}), dict(slices or {}),
    )  # fmt: skip


def equal_steps(arms: Arms, model: str | None, steps: int | None, settings: Mapping[str, Any] | None) -> Chosen:
    """The number of optimizer steps every arm takes."""
    if steps is not None:
        return Chosen(steps, "as you set it; the same for every arm")
    spec = choose_spec(name="steps", rows=len(arms[CURATED]), model=model, settings=settings)
    if spec.steps.value:
        return Chosen(spec.steps.value, f"{spec.steps.reason}; the same for every arm")
    passes = math.ceil(len(arms[CURATED]) / spec.batch.value * spec.epochs.value)
    return Chosen(max(20, passes), f"{spec.epochs.value:g} epochs of the curated rows; the same for every arm")


def make_jobs(
    arms: Arms,
    heldout: Sequence[TrainingRow],
    model: str | None,
    steps: Chosen,
    seeds: int,
    queues: int,
    settings: Mapping[str, Any],
    budget: float,
    price: float,
) -> list[tuple[str, int, Job]]:
    """One job per arm and seed, seeds outermost: dealt out in turn, the queues come out about equally long."""
    jobs: list[tuple[str, int, Job]] = []
    own: dict[str, Any] = {}
    if model in (None, BUILT_IN):
        own["save_strategy"] = Chosen("no", "an arm is repeated from its seed faster than it is taken up again")
    if model in (None, BUILT_IN) or queues > 1:
        own["threads"] = Chosen(cores() // queues or 1, f"{cores()} cores for {queues} runs at once")
    for seed in range(seeds):
        for arm, rows in arms.items():
            values = {
                **own,
                "eval_every": Chosen(0, "at the end only: what is compared is the last step"),
                "samples": Chosen(0, "answers to the held-out rows are measured at the end"),
                "eval_at_start": Chosen(arm == CURATED and seed == 0, "the base is measured once"),
                "keep_best": Chosen(False, "what is compared is the last step"),
                **settings,
                "steps": steps,
                "seed": Chosen(seed, f"seed {seed + 1} of {seeds}"),
                "group": "compare",
            }
            if budget:
                values["budget_seconds"] = Chosen(round(budget, 1), "its share of the comparison's budget")
            if price:
                values["price_per_hour"] = Chosen(price, "as you set it")
            spec = choose_spec(name=f"compare-{arm}-seed{seed}", rows=len(rows), model=model, settings=values)
            jobs.append((arm, seed, Job(spec, rows, heldout)))
    return jobs


def start(prepared: Prepared, manifest_of: Callable[[str, str], Mapping[str, Any]] | None = None) -> Comparison:
    """Start what is to be run, detached, and write the comparison down.

    `manifest_of(arm, run id)` is the content of a run's `tamis-manifest.json`.
    """
    folder = new_comparison_dir(prepared.runs_dir, prepared.kind)
    trials = [
        Trial(item.arm, item.seed, item.earlier.id, reused=True)
        for item in prepared.items
        if item.is_ready and item.earlier is not None
    ]
    started: list[Path] = []
    to_run = prepared.to_run
    try:
        for number in range(min(prepared.queues, len(to_run))):
            mine = to_run[number :: prepared.queues]
            folders = start_queue(
                [(item.job, item.earlier.dir if item.earlier else None, item.arm) for item in mine],
                prepared.runs_dir,
                manifest_of,
            )
            started += folders
            trials += [Trial(item.arm, item.seed, run.name) for item, run in zip(mine, folders, strict=True)]
    except BaseException:
        stop_all(started)
        folder.rmdir()
        raise
    comparison = Comparison(
        dir=folder,
        model=prepared.model,
        steps=int(prepared.steps.value),
        seeds=prepared.seeds,
        arms=tuple((name, len(rows)) for name, rows in prepared.arms.items()),
        trials=tuple(trials),
        heldout=prepared.heldout,
        slices=prepared.slices,
        estimate=prepared.cost.to_json(),
    )
    save_comparison(comparison)
    return comparison


def finish(comparison: Comparison, progress: Progress | None = None) -> dict[str, Any]:
    """Wait until all runs have ended, and say what came of it.

    Where one fails, or on KeyboardInterrupt, the runs that this comparison started are stopped.
    """
    return conclude(comparison, see_through(comparison, progress))


def conclude(comparison: Comparison, seconds: float = 0.0) -> dict[str, Any]:
    """The result of a comparison whose runs have all ended; worked out once, then read.

    Raises TrainingError where a run is not whole.
    """
    known = read_result(comparison.dir)
    if known is not None:
        return known
    check_whole(comparison)
    result = result_of(comparison, seconds)
    save_result(comparison.dir, result)
    return result
