"""What an epoch over all rows of a project, as they came, would spend on junk."""

from __future__ import annotations

from pathlib import Path

from engine.errors import TrainingError
from engine.export.convert import training_row
from engine.model import CHARS_PER_TOKEN, TrainingRow
from engine.project.folder import Project
from engine.project.groups_of_junk import junk_groups
from engine.sources.shapes import trainable
from engine.training.estimates import Estimate
from engine.training.junk import JunkCost, junk_costs
from engine.training.plan import make_plan
from engine.training.spec import choose_spec


def junk_of_an_epoch(project: Project, *, model: str | None, price: float, runs_dir: Path) -> tuple[JunkCost, ...]:
    """What one epoch over every training row, as it came, spends on junk. `price` is per hour.

    Where the trainer is not installed or does not know the model, rows and shares stand (by characters), minutes are
    unknown with the reason.
    """
    numbers = [n for n in project.training if trainable(project.example(n, edited=False).turns)]
    rows = tuple(training_row(project.example(number, edited=False)) for number in numbers)
    groups = junk_groups(project, numbers, edited=False)
    if not rows:
        return ()
    spec = choose_spec(name="epoch", rows=len(rows), model=model, settings={"epochs": 1.0, "price_per_hour": price})
    try:
        plan = make_plan(spec, rows, (), runs_dir=runs_dir, junk=groups)
    except TrainingError as fault:
        return by_characters(groups, rows, Estimate(None, str(fault)), price)
    if not plan.tokens["all"]:
        return by_characters(groups, rows, plan.seconds, price)
    return plan.junk


def by_characters(
    groups: dict[str, list[str]], rows: tuple[TrainingRow, ...], seconds: Estimate, price: float
) -> tuple[JunkCost, ...]:
    """The same with characters instead of tokens."""
    lengths = {row.id: sum(len(m["content"]) for m in row.messages) // CHARS_PER_TOKEN for row in rows}
    return junk_costs(groups, lengths, seconds, price)
