"""The learning curve on a project: its rows, the topics that are thin, and what added rows bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.config import training_for
from engine.project.project import Project
from engine.review.weak_topics import ThinTopic, thin_topics
from engine.training.compare.arms import CURATED
from engine.training.compare.experiment import Prepared
from engine.training.compare.learning_curve import prepare_curve, whole_losses
from engine.training.compare.scaling_law import PowerLaw
from engine.training.compare.store import CURVE, Comparison, list_comparisons, read_result
from engine.workflows.compare import build_arms, limits_of, reviewed
from engine.workflows.train import given_names, settings_of
from engine.workflows.training_sets import check_all_can_be_trained, training_sets

MOST_TOPICS = 5


def prepare_project_curve(
    project: Project,
    *,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 3,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    runs_dir: Path | None = None,
) -> Prepared:
    """Everything up to the start of a project's curve. Raises UsageError, TrainingError."""
    config = training_for(project.folder, given_names(model, settings))
    sets = training_sets(project)
    check_all_can_be_trained(sets.accepted)
    chosen = settings_of(config) | dict(settings or {})
    steps, budget, price = limits_of(chosen, steps)
    arms, *_ = build_arms(project, sets, [CURATED])
    return prepare_curve(
        arms[CURATED],
        sets.heldout,
        runs_dir=runs_dir or project.folder / "runs",
        model=model or config.model,
        steps=steps,
        seeds=seeds,
        workers=workers,
        settings=chosen,
        budget_seconds=budget,
        price=price,
        reviewed=reviewed(project, sets),
    )


def topics_of(project: Project, comparison: Comparison, added: Sequence[int] = ()) -> tuple[ThinTopic, ...]:
    """Groups of held-out rows on which the model that saw all rows still errs most, and how many rows teach them."""
    losses = whole_losses(comparison)
    rows = [(project.example(number), losses[project.rows.id(number)]) for number in measured(project, losses)]
    fresh = set(added)
    training = [
        project.example(number).prompt
        for number in project.training
        if project.verdict(number) == "accepted" and number not in fresh
    ]
    if not rows:
        return ()
    found = thin_topics(
        [example.prompt for example, _ in rows],
        [loss for _, loss in rows],
        training,
        [project.example(number).prompt for number in added],
    )
    return found[:MOST_TOPICS]


def measured(project: Project, losses: Mapping[str, float]) -> list[int]:
    """The held-out rows that were measured and are still here."""
    return [number for number in sorted(project.heldout) if project.rows.id(number) in losses]


def newest_curve(project: Project) -> tuple[Comparison, dict[str, Any]] | None:
    """The last curve that came to an end."""
    for comparison in list_comparisons(project.folder / "runs", CURVE):
        result = read_result(comparison.dir)
        if result is not None:
            return comparison, result
    return None


def brings(project: Project, added: Sequence[int], links: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """What added rows bring: those that repeat nothing that was here, where they fall among the thin topics of the last
    curve, and the NLL it expects once they are accepted (it is not asked where there is no curve).
    """
    linked = {number for numbers in links.values() for number in numbers}
    fresh = [number for number in added if number not in linked and not project.is_leaking(number)]
    found: dict[str, Any] = {"new": len(fresh), "topics": [], "nll": None, "nll_expected": None}
    known = newest_curve(project)
    if known is None or not fresh:
        return found
    comparison, result = known
    law, rows = PowerLaw(**result["law"]), result["sizes"][-1]
    # The law is not asked beyond twice the rows that were measured.
    found |= {"nll": law.at(rows), "nll_expected": law.at(min(rows + len(fresh), 2 * rows)), "curve": comparison.id}
    found["topics"] = [topic.to_json() for topic in topics_of(project, comparison, fresh) if topic.added]
    return found
