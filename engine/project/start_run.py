"""Training on a project: its accepted rows, its settings, its `runs/` folder, joined into one launch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.config import Training, load_config
from engine.errors import UsageError
from engine.export.convert import training_row
from engine.export.manifest import manifest
from engine.files import write_atomic
from engine.model import Example, Quarantined, TrainingRow
from engine.project.folder import Project
from engine.project.ids import content_hash, row_id
from engine.project.training_sets import TrainingSets, training_sets
from engine.sources.guess import guess_mapping
from engine.sources.read import read_source
from engine.sources.shapes import trainable, turns_of
from engine.training.launch import Job, Run, launch
from engine.training.spec import RunSpec, choose_spec, optimizer_steps


def settings_of(training: Training) -> dict[str, Any]:
    """The `[training]` settings that were set, by the names the run's spec uses; the model is not among them."""
    return {name: value for name, value in asdict(training).items() if value is not None and name != "model"}


def planned_run(project: Project, *, model: str | None = None, settings: Mapping[str, Any] | None = None) -> Job:
    """The run that would start now: the command line's words over the settings over tamis's choices.

    Raises UsageError where nothing is accepted or a setting is unknown.
    """
    sets = training_sets(project)
    return _job(sets, model, settings, load_config(project.folder).training)


def _job(sets: TrainingSets, model: str | None, settings: Mapping[str, Any] | None, config: Training) -> Job:
    chosen_model = model or config.model
    chosen = settings_of(config) | dict(settings or {})
    spec = choose_spec(
        name=Path(chosen_model).name if chosen_model else "built-in",
        rows=len(sets.curated),
        model=chosen_model,
        settings=chosen,
    )
    return Job(spec, sets.curated, sets.heldout)


def start_run(project: Project, *, model: str | None = None, settings: Mapping[str, Any] | None = None) -> Run:
    """Start a detached run on the accepted rows. Raises UsageError, TrainingError."""
    job = planned_run(project, model=model, settings=settings)
    run = launch(job.spec, job.train, job.heldout, project.folder / "runs")
    document = manifest(project, {"rows": len(job.train), "holdout_rows": len(job.heldout), "run": run.id})
    write_atomic(run.dir / "tamis-manifest.json", json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8"))
    return run


def start_run_on_file(
    path: Path, runs: Path, *, model: str | None = None, settings: Mapping[str, Any] | None = None
) -> Run:
    """Start a detached run on every row of a data file that ends on an answer. Raises SourceError, UsageError."""
    pieces = [piece for piece in read_source(path) if not isinstance(piece, Quarantined)]
    mapping = guess_mapping(piece.raw for piece in pieces)
    if mapping is None:
        raise UsageError(f"{path}: no known shape", "", f"make a project of it first: tamis scan {path} --project DIR")
    rows: list[TrainingRow] = []
    seen: dict[int, int] = {}
    for number, piece in enumerate(pieces):
        turns = turns_of(piece.raw, mapping)
        if trainable(turns):
            content = content_hash(piece.raw)
            copy = seen[content] = seen.get(content, -1) + 1
            example = Example(row_id(content, copy), number, turns, path.name, piece.line, piece.raw)
            rows.append(training_row(example))
    job = _job(TrainingSets(tuple(rows), (), len(pieces) - len(rows)), model, settings, load_config().training)
    return launch(job.spec, job.train, job.heldout, runs)


def steps_of(job: Job) -> int:
    """How many optimizer steps a planned run takes."""
    spec: RunSpec = job.spec
    return optimizer_steps(spec, len(job.train))
