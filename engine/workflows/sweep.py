"""Three learning rates on a slice of the accepted rows, in one worker: which leaves the lowest held-out loss?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.config import Training, training_for
from engine.errors import UsageError
from engine.project.project import Project
from engine.training.compare.arms import CURATED, check_heldout
from engine.training.compare.experiment import Item, Prepared
from engine.training.compare.learning_curve import nested
from engine.training.compare.metrics import eval_lines, is_loss, nll_of, read_losses
from engine.training.compare.reuse import earlier_runs, is_whole, job_hash
from engine.training.compare.store import SWEEP, Comparison, save_with_events
from engine.training.compare.wait import Progress, see_through
from engine.training.plan.cost import cost_of_runs
from engine.training.runs.launch import Job
from engine.training.runs.status import RunState, read_run
from engine.training.spec.defaults import Chosen
from engine.training.spec.run_spec import known_name, optimizer_steps
from engine.workflows.compare import build_arms, reviewed
from engine.workflows.train import chosen_spec, given_names
from engine.workflows.training_sets import check_all_can_be_trained, training_sets

FACTORS = (1 / 3, 1.0, 3.0)
MOST_ROWS, MOST_HELDOUT = 100, 60
NOISE = 0.1
"""Runs of one seed on a slice differ by so much of their loss for no reason of their own."""
ONLY_THE_LOSS = {
    **dict.fromkeys(("samples", "generate_rows", "row_losses"), Chosen(0, "the loss is what is asked for")),
    "eval_every": Chosen(0, "at the end only: what is compared is the last step"),
    "keep_best": Chosen(False, "what is compared is the last step"),
    "stop_on_divergence": Chosen(False, "a rate that does not hold is an answer as well"),
}


def prepare_sweep(project: Project, *, model: str | None = None, settings: Mapping[str, Any] | None = None) -> Prepared:
    """Everything up to the start: the rate in the middle is that of a run on all rows, all else as on so many rows.

    Raises UsageError where nothing is accepted, TrainingError for held-out rows that cannot measure and for what the
    plan refuses, the model among it.
    """
    given = {known_name(name): value for name, value in (settings or {}).items()}
    config = training_for(project.folder, given_names(model, given))
    sets = training_sets(project)
    check_all_can_be_trained(sets.accepted)
    check_heldout(sets.heldout)
    arms, *_ = build_arms(project, sets, [CURATED])
    given["learning_rate"] = rate_of_all(len(arms[CURATED]), model, given, config)
    real = chosen_spec(min(MOST_ROWS, len(arms[CURATED])), model, given, config)
    rate, seed = float(real.learning_rate.value), int(real.seed.value)
    if not rate:
        raise UsageError("a sweep goes up and down from a learning rate above zero", "", "--set learning_rate=1e-4")
    rows = nested(arms[CURATED], min(MOST_ROWS, len(arms[CURATED])), seed)
    heldout = nested(sets.heldout, min(MOST_HELDOUT, len(sets.heldout)), seed)
    runs_dir = project.folder / "runs"
    found = earlier_runs(runs_dir)
    items = []
    for factor in FACTORS:
        tried = rate if factor == 1 else float(f"{rate * factor:.3g}")
        why = real.learning_rate.reason if factor == 1 else f"{rate:g} {'/' if factor < 1 else 'x'} 3, in a sweep"
        spec = chosen_spec(len(rows), model, {**given, **ONLY_THE_LOSS, "learning_rate": Chosen(tried, why)}, config)
        job = Job(replace(spec, name=f"sweep-{tried:g}", group=SWEEP), rows, heldout)
        items.append(Item(repr(tried), seed, job, found.get(job_hash(job))))
    return Prepared(
        items=tuple(items),
        arms={item.arm: rows for item in items},
        model=str(real.model.value),
        steps=Chosen(optimizer_steps(real, len(rows)), real.steps.reason),
        seeds=1,
        queues=1,
        cost=cost_of_runs(
            items[0].job,
            runs=sum(not item.is_ready for item in items),
            queues=1,
            runs_dir=runs_dir,
            price=float(real.price_per_hour.value),
        ),
        runs_dir=runs_dir,
        heldout=reviewed(project, sets) | {"measured": len(heldout)},
        kind=SWEEP,
    )


def rate_of_all(rows: int, model: str | None, given: Mapping[str, Any], config: Training) -> Chosen:
    """The rate of a run on all rows, which takes more steps than one on a slice and so may have another."""
    return chosen_spec(
        rows, model, {name: value for name, value in given.items() if name != "steps"}, config
    ).learning_rate


def finish_sweep(comparison: Comparison, progress: Progress | None = None) -> dict[str, Any]:
    """Wait for the runs; the object `tamis sweep --json` prints. `nll` is in nats an answer token, None for a rate at
    which the model was thrown off. Raises TrainingError where a run ends otherwise before its last step."""
    see_through(comparison, progress, lambda state: is_whole(state) or state.state == "nonfinite")
    rates: list[dict[str, Any]] = []
    for trial in comparison.trials:
        state = read_run(comparison.run_dir(trial))
        told = {"learning_rate": float(trial.arm), "steps": state.step, "nll": final_nll(state), "run": trial.run}
        rates.append(told)
    rates.sort(key=lambda each: each["learning_rate"])
    held = [each for each in rates if each["nll"] is not None]
    result = {
        "rates": rates,
        "recommended": min(held, key=lambda each: each["nll"])["learning_rate"] if held else None,
        "model": comparison.model,
        "rows": comparison.arms[0][1],
        "heldout_rows": comparison.heldout["measured"],
    }
    save_with_events(comparison.dir, result, [("rate", each) for each in rates])
    return result


def final_nll(state: RunState) -> float | None:
    """The held-out loss after the last step; None where a loss was no number."""
    if not is_whole(state) or not all(map(is_loss, eval_lines(state.dir))):
        return None
    return nll_of(read_losses(state.dir))
