"""The runs of a learning curve: nested subsets of the accepted rows, at equal steps, a few seeds each."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.phrases import duration
from engine.training.compare.arms import CURATED, check_heldout, refuse_overlap
from engine.training.compare.experiment import Item, Prepared, equal_steps
from engine.training.compare.metrics import eval_lines, is_loss, nll_of
from engine.training.compare.reuse import earlier_runs, job_hash
from engine.training.compare.scaling_law import learning_curve
from engine.training.compare.significance import Losses
from engine.training.compare.store import CURVE, Comparison, read_result, save_with_events
from engine.training.compare.wait import Progress, check_whole, see_through
from engine.training.plan.cost import cost_of_runs
from engine.training.runs.launch import Job
from engine.training.spec.defaults import Chosen
from engine.training.spec.run_spec import BUILT_IN, choose_spec
from engine.training.spec.threads import cores

SHARES = (0.12, 0.25, 0.5, 1.0)
FEWEST_ROWS = 40
MEASUREMENTS = 4
"""A small subset is learnt by heart before the last step; the lowest of so many measurements counts, at every size."""


def prepare_curve(
    rows: Sequence[TrainingRow],
    heldout: Sequence[TrainingRow],
    *,
    runs_dir: Path,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 3,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    budget_seconds: float = 0.0,
    price: float = 0.0,
    reviewed: Mapping[str, Any] | None = None,
) -> Prepared:
    """Everything up to the start. Raises TrainingError for unfit held-out rows, fewer than 40 rows or two seeds."""
    check_heldout(heldout)
    refuse_overlap(CURATED, rows, heldout)
    if len(rows) < FEWEST_ROWS:
        raise TrainingError(
            f"{len(rows)} accepted rows are too few for a curve: {FEWEST_ROWS} or more", "", "accept more"
        )
    if seeds < 2:
        raise TrainingError("a curve needs two seeds or more: its band comes from them", "", "give --seeds 3")
    built_in = model in (None, BUILT_IN)
    queues = min(workers or (2 if built_in else 1), len(SHARES) * seeds)
    chosen_steps = equal_steps({CURATED: rows}, model, steps, settings)
    found = earlier_runs(runs_dir)
    sizes = sorted({max(1, round(len(rows) * share)) for share in SHARES})
    own: dict[str, Any] = {}
    if built_in:
        own["save_strategy"] = Chosen("no", "a run is repeated from its seed faster than it is taken up again")
    if built_in or queues > 1:
        own["threads"] = Chosen(cores() // queues or 1, f"{cores()} cores for {queues} runs at once")

    def items(budget: float) -> tuple[Item, ...]:
        made = []
        for seed in range(seeds):
            for size in sizes:
                values = {
                    **own,
                    "eval_every": Chosen(
                        max(1, math.ceil(int(chosen_steps.value) / MEASUREMENTS)),
                        "the lowest of four counts, so that few rows are not judged after they were learnt by heart",
                    ),
                    "samples": Chosen(0, "the loss is what is asked for"),
                    "eval_at_start": Chosen(False, "the curve is over sizes; the base has none"),
                    "generate_rows": Chosen(0, "the loss is what is asked for"),
                    "keep_best": Chosen(False, "the loss is what is asked for"),
                    **(settings or {}),
                    "steps": chosen_steps,
                    "seed": Chosen(seed, f"seed {seed + 1} of {seeds}"),
                    "group": "curve",
                }
                if budget:
                    values["budget_seconds"] = Chosen(round(budget, 1), "its share of the curve's budget")
                spec = choose_spec(name=f"curve-{size}-seed{seed}", rows=size, model=model, settings=values)
                job = Job(spec, nested(rows, size, seed), heldout)
                made.append(Item(arm_of(size), seed, job, found.get(job_hash(job))))
        return tuple(made)

    made = items(0.0)
    left = sum(not item.is_ready for item in made)
    cost = cost_of_runs(made[-1].job, runs=left, queues=queues, runs_dir=runs_dir, price=price)
    if budget_seconds and left:
        needed = cost.seconds.value or 0.0
        if needed > budget_seconds:
            title = f"about {duration(needed)} are needed and the budget is {duration(budget_seconds)}"
            raise TrainingError(title, cost.seconds.reason, "fewer seeds or steps, or more budget")
        made = items(budget_seconds / math.ceil(left / queues))
    return Prepared(
        made,
        {arm_of(size): nested(rows, size, 0) for size in sizes},
        str(made[0].job.spec.model.value),
        chosen_steps,
        seeds,
        queues,
        cost,
        runs_dir,
        dict(reviewed or {"drawn": len(heldout), "measured": len(heldout), "left_out": {}}),
        {},
        CURVE,
    )


def arm_of(size: int) -> str:
    """The name of a size among the runs."""
    return f"{size} rows"


def nested(rows: Sequence[TrainingRow], size: int, seed: int) -> tuple[TrainingRow, ...]:
    """`size` rows in their own order; each seed's smaller subsets lie inside its larger ones."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    return tuple(rows[place] for place in sorted(order[:size]))


def lowest_losses(run_dir: Path) -> Losses:
    """The losses of the measurement with the lowest mean, the base's aside; one that diverged is none. Raises
    TrainingError where there is no other."""
    by_step: dict[int, dict[str, tuple[float, int]]] = {}
    lines = [line for line in eval_lines(run_dir) if line["step"]]
    diverged = {line["step"] for line in lines if not is_loss(line)}
    for line in lines:
        if line["step"] not in diverged:
            by_step.setdefault(line["step"], {})[line["id"]] = (float(line["nll"]), int(line["tokens"]))
    if not by_step:
        raise TrainingError(
            f"{run_dir}: its eval.jsonl holds no measurement after the first step whose losses are all numbers",
            "its training diverged, or lines are damaged",
            "do it again, with a lower learning_rate where it diverged",
        )
    return min(by_step.values(), key=nll_of)


def measured_sizes(comparison: Comparison) -> dict[int, list[Losses]]:
    """Size -> losses by seed. Raises TrainingError where they are not of the same rows."""
    measured = {
        size: [lowest_losses(comparison.run_dir(trial)) for trial in comparison.of_arm(arm)]
        for arm, size in comparison.arms
    }
    if len({frozenset(losses) for by_seed in measured.values() for losses in by_seed}) > 1:
        raise TrainingError(
            f"{comparison.dir}: its runs did not measure the same held-out rows",
            "lines of an eval.jsonl are gone or damaged",
            "draw the curve again",
        )
    return measured


def finish_curve(comparison: Comparison, progress: Progress | None = None) -> dict[str, Any]:
    """Wait for the runs and draw the curve; the object `tamis curve --json` prints, thin topics aside."""
    known = read_result(comparison.dir)
    if known is not None:
        return known
    seconds = see_through(comparison, progress)
    check_whole(comparison)
    measured = measured_sizes(comparison)
    curve = learning_curve(measured).to_json()
    points = [
        {"rows": size, "nll": nll, "nll_by_seed": [nll_of(losses) for losses in measured[size]]}
        for size, nll in zip(curve["sizes"], curve["nll"], strict=True)
    ]
    result = {
        "curve": comparison.id,
        **curve,
        "points": points,
        "heldout": dict(comparison.heldout),
        "model": comparison.model,
        "steps": comparison.steps,
        "seeds": comparison.seeds,
        "runs": [trial.run for trial in comparison.trials],
        "reused": sum(trial.reused for trial in comparison.trials),
        "estimate": dict(comparison.estimate),
        "seconds": seconds,
    }
    told = ("state", "gain", "gain_interval", "plateau_since", "worth", "promised", "sentence", "law")
    events = [("point", point) for point in points]
    save_with_events(comparison.dir, result, [*events, ("curve", {name: result[name] for name in told})])
    return result


def whole_losses(comparison: Comparison) -> dict[str, float]:
    """Held-out row id -> NLL per token with all rows, averaged over seeds: the errors that are left."""
    largest = max(comparison.arms, key=lambda arm: arm[1])[0]
    by_seed = [lowest_losses(comparison.run_dir(trial)) for trial in comparison.of_arm(largest)]
    return {
        row: sum(losses[row][0] for losses in by_seed) / max(1, sum(losses[row][1] for losses in by_seed))
        for row in by_seed[0]
    }
