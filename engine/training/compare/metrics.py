"""From the files of finished runs to the figures of a comparison. Nothing here trains or decides anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.json_form import Form
from engine.training.compare.arms import BASE, CURATED
from engine.training.compare.significance import Losses, Paired, paired, sentence, together
from engine.training.compare.store import Comparison
from engine.training.runs.data_files import is_eval_line, is_row_line, lines_of, spoken
from engine.training.runs.status import RunState, read_run
from engine.training.worker.answer_format import AnswerFormat, answer_format
from engine.training.worker.events import read_json

FEWEST_OF_SLICE = 5
MOST_SLICES = 12


def read_losses(run_dir: Path, step: int | None = None) -> Losses:
    """Summed loss and tokens of every held-out row at `step` (None: the last measured one), from `eval.jsonl`. Raises
    TrainingError where one of them is no loss, as after a training that diverged."""
    lines = eval_lines(run_dir)
    wanted = max(line["step"] for line in lines) if step is None else step
    measured = [line for line in lines if line["step"] == wanted]
    no_loss = next((line for line in measured if not is_loss(line)), None)
    if no_loss is not None:
        raise TrainingError(
            f"{run_dir}: the loss of the held-out row {no_loss['id']} at step {wanted} is {no_loss['nll']}",
            "its training diverged, or the line of its eval.jsonl is damaged",
            "do it again, with a lower learning_rate where it diverged",
        )
    return {line["id"]: (float(line["nll"]), line["tokens"]) for line in measured}


def is_loss(line: Mapping[str, Any]) -> bool:
    """Whether a line of `eval.jsonl` holds a loss that can be compared: JSON knows no NaN, so runs name it."""
    return not isinstance(line["nll"], str) and line["nll"] >= 0


def eval_lines(run_dir: Path) -> list[dict[str, Any]]:
    """Every line of `eval.jsonl`. Raises TrainingError where there is none that can be read."""
    return _read(run_dir / "eval.jsonl", is_eval_line)


def _read(path: Path, fits: Form) -> list[dict[str, Any]]:
    try:
        found = list(lines_of(path, fits))
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read", error.strerror or str(error), "see `tamis runs`") from error
    if not found:
        raise TrainingError(f"{path}: holds no line that can be read", "", "do the run again")
    return found


def read_answers(run_dir: Path) -> dict[str, str]:
    """The answers written after the last step, by row id."""
    lines = eval_lines(run_dir)
    last = max(line["step"] for line in lines)
    return {line["id"]: line["answer"] for line in lines if line["step"] == last and "answer" in line}


def references(run_dir: Path) -> dict[str, str]:
    """The reference answers of the held-out rows a run was measured with, by row id."""
    rows = _read(run_dir / "data" / "heldout.jsonl", is_row_line)
    return {row["id"]: spoken(row["messages"][-1]) for row in rows if row["messages"]}


def nll_of(losses: Losses, ids: Sequence[str] | None = None) -> float:
    """Summed loss over summed tokens, of all rows or of the named ones."""
    chosen = losses.values() if ids is None else [losses[row] for row in ids]
    return sum(nll for nll, _ in chosen) / max(1, sum(tokens for _, tokens in chosen))


def measured_losses(comparison: Comparison) -> dict[str, list[Losses]]:
    """The losses of every arm by seed; the base's are those before the first step, the same for every seed."""
    losses = {
        arm: [read_losses(comparison.run_dir(trial)) for trial in comparison.of_arm(arm)]
        for arm, _ in comparison.arms
        if arm != BASE
    }
    if not losses.get(CURATED) or not all(losses.values()):
        raise TrainingError(f"{comparison.dir}: its comparison.json names no run of an arm", "", "tamis compare P")
    if any(arm == BASE for arm, _ in comparison.arms):
        losses[BASE] = [base_losses(comparison)] * comparison.seeds
    rows = losses[CURATED][0].keys()
    for arm, by_seed in losses.items():
        if any(each.keys() != rows for each in by_seed):
            raise TrainingError(
                f"{comparison.dir}: a run of {arm} measured other rows than the first of {CURATED}",
                "lines of an eval.jsonl are gone or damaged",
                "do the comparison again",
            )
    return {arm: losses[arm] for arm, _ in comparison.arms if arm in losses}


def base_losses(comparison: Comparison) -> Losses:
    """The base's losses, from the run that measured it before its first step."""
    first = comparison.of_arm(CURATED)[0]
    return read_losses(comparison.run_dir(first), 0)


def result_of(comparison: Comparison, seconds: float) -> dict[str, Any]:
    """The object `tamis compare --json` prints, once every run has ended."""
    losses = measured_losses(comparison)
    states = {
        arm: [read_run(comparison.run_dir(trial)) for trial in comparison.of_arm(arm)] for arm, _ in comparison.arms
    }
    some_run = comparison.run_dir(comparison.trials[0])
    form = answer_format(list(references(some_run).values()))
    against = [paired(arm, losses[CURATED], losses[arm]) for arm in losses if arm != CURATED]
    rows = len(losses[CURATED][0])
    base = base_losses(comparison)
    return {
        "comparison": comparison.id,
        "arms": [
            arm_figures(arm, size, losses[arm], states[arm], form) for arm, size in comparison.arms if arm in losses
        ],
        "verdict": together(against),
        "reason": sentence(against, comparison.seeds, rows),
        "against": [pair_figures(pair) for pair in against],
        "slices": slice_figures(comparison, losses),
        "base_nll": nll_of(base) if base else None,
        "format": form.name if form else None,
        "model": comparison.model,
        "seeds": comparison.seeds,
        "seed_variance": "measured" if comparison.seeds > 1 else "no seed variance",
        "heldout_rows": rows,
        "heldout": dict(comparison.heldout),
        "reused": sum(trial.reused for trial in comparison.trials),
        "estimate": dict(comparison.estimate),
        "versions_differ": versions_differ(comparison),
        "seconds": seconds,
    }


def arm_figures(
    arm: str, rows: int, losses: Sequence[Losses], states: Sequence[RunState], form: AnswerFormat | None
) -> dict[str, Any]:
    """One arm: means over its seeds. The base is measured alone: it has taken no step."""
    by_seed = [nll_of(each) for each in losses]
    results = [state.result for state in states]
    return {
        "name": arm,
        "rows": rows,
        "steps": states[0].step if states else 0,
        "tokens": round(_mean_of(results, "completion_tokens") or 0),
        "nll": mean(by_seed),
        "nll_spread": max(by_seed) - min(by_seed),
        "exact_match": _mean_of(results, "exact"),
        "cut": [sum(int(result.get(name, 0)) for result in results) for name in ("cut", "answered")],
        "format_valid": format_share(states, form),
        "seconds": round(_mean_of(results, "seconds") or 0.0, 1),
        "nll_by_seed": by_seed if states else by_seed[:1],
        "runs": [state.id for state in states],
    }


def _mean_of(results: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The mean of what the runs say of it, as far as they do."""
    return mean([float(result[name]) for result in results if result.get(name) is not None])


def mean(values: Sequence[float]) -> float | None:
    """The mean, None of nothing."""
    return sum(values) / len(values) if values else None


def format_share(states: Sequence[RunState], form: AnswerFormat | None) -> float | None:
    """The share of written answers that have the task's form, over all seeds; None where the task has none."""
    if form is None:
        return None
    answers = [answer for state in states for answer in read_answers(state.dir).values()]
    return sum(form.fits(answer) for answer in answers) / len(answers) if answers else None


def pair_figures(pair: Paired) -> dict[str, Any]:
    """Curated less the other arm, in nats per token: below zero is better."""
    return {
        "arm": pair.control,
        "verdict": pair.verdict,
        "difference": pair.difference,
        "interval": [pair.low, pair.high],
        "over_rows": list(pair.over_rows),
        "over_seeds": list(pair.over_seeds) if pair.over_seeds else None,
        "smallest_detectable": pair.detectable,
        "by_seed": list(pair.by_seed),
    }


def slice_figures(comparison: Comparison, losses: Mapping[str, Sequence[Losses]]) -> list[dict[str, Any]]:
    """Seed-averaged loss of every arm on each slice of the held-out rows: bucket, year, fields.

    Slices of fewer than five rows are left out, and all but the twelve largest of a field.
    """
    by_slice: dict[tuple[str, str], list[str]] = {}
    measured = losses[CURATED][0]
    for row, values in comparison.slices.items():
        if row in measured:
            for field, value in values.items():
                by_slice.setdefault((field, value), []).append(row)
    found = []
    for field in dict.fromkeys(field for field, _ in by_slice):
        parts = [
            (value, rows) for (of, value), rows in by_slice.items() if of == field and len(rows) >= FEWEST_OF_SLICE
        ]
        for value, rows in sorted(parts, key=lambda part: (-len(part[1]), part[0]))[:MOST_SLICES]:
            nll = {arm: mean([nll_of(each, rows) for each in by_seed]) for arm, by_seed in losses.items()}
            found.append({"field": field, "value": value, "rows": len(rows), "nll": nll})
    return found


def versions_differ(comparison: Comparison) -> bool:
    """Whether the runs were done with different versions of the libraries (one of them reused from before)."""
    found = set()
    for trial in comparison.trials:
        settings = read_json(comparison.run_dir(trial) / "settings.json")
        if settings is not None:
            found.add(json.dumps(settings.get("versions"), sort_keys=True))
    return len(found) > 1
