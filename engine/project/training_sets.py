"""What a project has to train on: the curated rows and the held-out rows."""

from __future__ import annotations

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


def _rows(project: Project, numbers: tuple[int, ...] | list[int], *, edited: bool = True) -> tuple[TrainingRow, ...]:
    examples = (project.example(number, edited=edited) for number in numbers)
    return tuple(training_row(example) for example in examples if trainable(example.turns))
