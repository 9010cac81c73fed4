"""What a project has to train on: the curated rows, the held-out rows, and the arms they are compared with."""

from __future__ import annotations

import random
from dataclasses import dataclass

from engine.errors import UsageError
from engine.export.convert import training_row
from engine.export.curated import curate
from engine.model import TrainingRow
from engine.project.folder import Project
from engine.sources.shapes import trainable


@dataclass(frozen=True, slots=True)
class TrainingSets:
    """`curated` and `heldout` are accepted rows; `left_out` counts accepted rows that no trainer can use."""

    curated: tuple[TrainingRow, ...]
    heldout: tuple[TrainingRow, ...]
    left_out: int


def training_sets(project: Project) -> TrainingSets:
    """The accepted rows that end on an answer. Raises UsageError where no training row is among them."""
    curated = curate(project)
    training = _rows(project, curated.training)
    if not training:
        raise UsageError("nothing to train on: no training row is accepted", "", "accept rows first")
    heldout = _rows(project, curated.heldout)
    left_out = len(curated.training) + len(curated.heldout) - len(training) - len(heldout)
    return TrainingSets(training, heldout, left_out)


def comparison_arms(project: Project, *, seed: int = 0) -> dict[str, tuple[TrainingRow, ...]]:
    """The three arms: `raw` (every training row as it came), `random-N` (as many of them as were curated), `curated`.

    Rows that are twins of held-out ones are in no arm. Raises UsageError where there is nothing to compare with.
    """
    sets = training_sets(project)
    if not sets.heldout:
        raise UsageError(
            "nothing to measure with: no held-out row is accepted",
            "",
            "reserve some with `tamis holdout` and accept them",
        )
    usable = [number for number in project.training if not project.is_leaking(number)]
    raw = _rows(project, usable, edited=False)
    drawn = sorted(random.Random(seed).sample(range(len(raw)), min(len(sets.curated), len(raw))))
    return {"raw": raw, f"random-{len(drawn)}": tuple(raw[place] for place in drawn), "curated": sets.curated}


def _rows(project: Project, numbers: tuple[int, ...] | list[int], *, edited: bool = True) -> tuple[TrainingRow, ...]:
    examples = (project.example(number, edited=edited) for number in numbers)
    return tuple(training_row(example) for example in examples if trainable(example.turns))
