"""Training on a project: its accepted rows, its settings, its `runs/` folder, joined into one launch."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.config import Training, load_config, shown, training_for
from engine.errors import UsageError
from engine.export.curated import curate
from engine.export.manifest import manifest
from engine.export.redact import Redaction, redaction
from engine.harmless import TRAINING
from engine.model import Cluster, TrainingRow
from engine.project.journal import now
from engine.project.project import Project
from engine.training.plan.parts import Note
from engine.training.plan.plan import Plan, make_plan
from engine.training.plan.preflight import Progress
from engine.training.plan.run_time import row_losses_if_cheap
from engine.training.runs.launch import Job, Run, launch
from engine.training.spec.run_spec import RunSpec, choose_spec
from engine.version import tamis_version
from engine.workflows.gate import GateResult, gate, gate_summary
from engine.workflows.row_secrets import let_secrets_through, not_let_through, told_let_through
from engine.workflows.training_sets import (
    SECRETS,
    Gathered,
    Place,
    TrainingSets,
    file_sets,
    left_out_refusals,
    left_out_warnings,
    training_sets,
)
from engine.workflows.wasted_tokens import wasted_rows


def settings_of(training: Training) -> dict[str, Any]:
    """The `[training]` settings that were set, by the names the run's spec uses; the model is not among them."""
    named = {
        name: value for name, value in asdict(training).items() if value is not None and name not in ("model", "others")
    }
    return named | dict(training.others)


def planned_run(project: Project, *, model: str | None = None, settings: Mapping[str, Any] | None = None) -> Job:
    """The run that would start now: the command line's words over the settings over tamis's choices.

    Raises UsageError where nothing is accepted or a setting is unknown.
    """
    config = training_for(project.folder, given_names(model, settings))
    return _job(training_sets(project), model, settings, config)


def _job(sets: TrainingSets, model: str | None, settings: Mapping[str, Any] | None, config: Training) -> Job:
    return Job(chosen_spec(len(sets.curated), model, settings, config), sets.curated, sets.heldout)


def chosen_spec(rows: int, model: str | None, settings: Mapping[str, Any] | None, config: Training) -> RunSpec:
    """The spec of a run on so many rows: the command line's words over the settings over tamis's choices."""
    given = dict(settings or {})
    chosen_model = model or given.pop("model", None) or config.model
    # Steps and epochs exclude each other: the word given last counts.
    kept = {
        name: value
        for name, value in settings_of(config).items()
        if name not in ("steps", "epochs") or not {"steps", "epochs"} & given.keys()
    }
    name = Path(chosen_model).name if chosen_model else "built-in"
    chosen = kept | given
    spec = choose_spec(name=name, rows=rows, model=chosen_model, settings=chosen)
    return spec if "row_losses" in chosen else replace(spec, row_losses=row_losses_if_cheap(spec, rows))


def plan_run(
    project: Project,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """What the run that would start now would do. Takes seconds the first time: the trainer's libraries are asked."""
    config = training_for(project.folder, given_names(model, settings))
    sets = training_sets(project)
    job = _job(sets, model, settings, config)
    found = project.findings
    numbers = {project.rows.id(number): number for number in range(len(project.rows))}
    trained = {row.id for row in job.train}
    copies = [
        row_id
        for row_id in trained
        for cluster in project.clusters_of(numbers[row_id])
        if cluster.kind in ("exact", "near") and cluster.keeper != numbers[row_id] and _keeps(project, cluster, trained)
    ]
    leaks = [row_id for row_id in trained if found is not None and project.is_leaking(numbers[row_id])]
    plan = make_plan(
        job.spec,
        job.train,
        job.heldout,
        runs_dir=project.folder / "runs",
        duplicates=sorted(set(copies)),
        leaks=sorted(leaks),
        wasted=wasted_rows(project, [numbers[row_id] for row_id in trained]),
        cache=None if project.readonly and not _writable(project.folder) else project.folder / "plan.json",
        progress=progress,
    )
    plan = replace(plan, warnings=(*trust_notes(project.folder, model, settings), *plan.warnings))
    return _with_gate(with_left_out(plan, sets.accepted), project)


def trust_notes(folder: Path | None, model: str | None, settings: Mapping[str, Any] | None) -> tuple[Note, ...]:
    """What a run on the project at `folder` (None: on a file) does because somebody said yes to it, and code that comes
    with a model, whoever asked for it."""
    config = load_config(folder)
    # What the command line sets does not count here, and the model stands at the head of every plan.
    named = {f"{TRAINING}{name}" for name in (*given_names(model, settings), "model")}
    how = "a project made here" if config.made_here else "trusted by you"
    notes = [
        Note("trusted", f"{shown(setting)}, of this project's config.toml ({how})")
        for name, setting in config.trusted.items()
        if name.startswith(TRAINING) and name not in named
    ]
    if (settings_of(config.training) | dict(settings or {})).get("trust_remote_code"):
        notes.append(Note("remote_code", "trust_remote_code is on: code that comes with the model runs here as you"))
    return tuple(notes)


def given_names(model: str | None, settings: Mapping[str, Any] | None) -> set[str]:
    """The settings that the command line gives."""
    return {*(settings or {}), *(["model"] if model else [])}


def with_left_out(plan: Plan, found: Gathered) -> Plan:
    """The plan with what it says of rows that are not trained."""
    warnings, refusals = left_out_warnings(found), left_out_refusals(found)
    return replace(plan, warnings=(*plan.warnings, *warnings), refusals=(*plan.refusals, *refusals))


def _with_gate(plan: Plan, project: Project) -> Plan:
    """The plan with what the gate says: a limit that is not kept is a refusal, one set aside in words a warning."""
    result = gate(project)
    notes = tuple(
        Note("gate", check.sentence(), tuple(project.rows.id(row) for row in check.measure.rows))
        for check in result.failed
    )
    if result.is_open:
        return replace(plan, warnings=(*plan.warnings, *notes))
    return replace(plan, refusals=(*plan.refusals, *notes))


def _keeps(project: Project, cluster: Cluster, trained: set[str]) -> bool:
    """Whether the row the cluster would keep is trained on as well."""
    return project.rows.id(cluster.keeper) in trained


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def start_run(
    project: Project,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    overridden: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Run:
    """Start a detached run on the accepted rows. Raises UsageError, TrainingError.

    `overridden`: the refusals of the plan and why they were set aside, for manifest and spec; the same word lets rows
    with secrets through. `facts` are the plan's.
    """
    if overridden:
        allow_secrets(project, str(overridden["why"]))
    job = planned_run(project, model=model, settings=settings)
    document = run_manifest(project, job.train, gate(project), {"holdout_rows": len(job.heldout)})
    document |= _override(overridden)
    told = {**(facts or {}), "journals": document["journals"], "source": document["source"], **_override(overridden)}
    return launch(job.spec, job.train, job.heldout, project.folder / "runs", told, document)


def allow_secrets(project: Project, why: str) -> None:
    """Let the accepted rows with secrets through, as an export does, in a line of the journal. Raises UsageError where
    the project is not open for deciding."""
    if held := secrets_to_let_through(project):
        let_secrets_through(project, held, why)


def secrets_to_let_through(project: Project) -> list[int]:
    """The accepted rows with secrets that nobody let through yet."""
    curated = curate(project)
    return not_let_through(project, (*curated.training, *curated.heldout))


def _override(overridden: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"override": Redaction().word(overridden)} if overridden else {}


def plan_file(
    path: Path,
    runs: Path,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    encoding: str | None = None,
    with_secrets: bool = False,
) -> Plan:
    """What a run on a data file would do; rows with secrets are in it only `with_secrets`, and are a refusal in any
    case. Raises SourceError, UsageError, TrainingError."""
    sets = file_sets(path, encoding, with_secrets=with_secrets)
    job = _job(sets, model, settings, load_config().training)
    first_of: dict[str, str] = {}
    copies = []
    for row in job.train:
        if first_of.setdefault(row.id.partition(".")[0], row.id) != row.id:
            copies.append(row.id)
    plan = make_plan(job.spec, job.train, job.heldout, runs_dir=runs, duplicates=copies)
    plan = replace(plan, warnings=(*trust_notes(None, model, settings), *plan.warnings))
    return with_left_out(plan, sets.accepted if not with_secrets else _told_without_secrets(path, encoding, sets))


def _told_without_secrets(path: Path, encoding: str | None, sets: TrainingSets) -> Gathered:
    """What is told of a file whose rows with secrets are let through: they are told all the same."""
    try:
        return file_sets(path, encoding).accepted
    except UsageError:
        # All of them hold one.
        places = tuple(Place(number, row.id) for number, row in enumerate(sets.curated))
        return Gathered(left_out={SECRETS: places})


def start_run_on_file(
    path: Path,
    runs: Path,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    overridden: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    encoding: str | None = None,
) -> Run:
    """Start a detached run on every row of a data file that a trainer can use. Raises SourceError, UsageError."""
    sets = file_sets(path, encoding, with_secrets=bool(overridden))
    job = _job(sets, model, settings, load_config().training)
    source = {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None}
    told = {**(facts or {}), "source": [source], **_override(overridden)}
    document = {"tamis": tamis_version(), "made": now(), "source": [source], "export": {"rows": len(job.train)}}
    return launch(job.spec, job.train, job.heldout, runs, told, document | _override(overridden))


# -- the manifest of a run: where its rows came from, every row it saw, and who passed it


def run_manifest(
    project: Project, rows: Sequence[TrainingRow], gate_result: GateResult, summary: Mapping[str, Any], run: str = ""
) -> dict[str, Any]:
    """The content of a run's `tamis-manifest.json`, which is copied beside its adapter."""
    told = redaction(project)
    known = {project.rows.id(number): number for number in range(len(project.rows))}
    held = told_let_through(project, [known[row.id] for row in rows if row.id in known])
    summary = {**summary, **({"secrets_let_through": held} if held else {})}
    document = manifest(project, {"rows": len(rows), "run": run, **summary}, gate_summary(project, gate_result), told)
    return document | {"rows": rows_seen(project, rows, told)}


def rows_seen(project: Project, rows: Sequence[TrainingRow], told: Redaction) -> list[dict[str, Any]]:
    """One entry a row: its id, a hash of what the trainer saw, and the decision that passed it, as far as it is `told`.

    `by` is empty for a row that nobody decided on (the raw arms of a comparison), and for one that is not in the
    project (a file from outside).
    """
    numbers = {project.rows.id(number): number for number in range(len(project.rows))}
    seen = []
    for row in rows:
        entry: dict[str, Any] = {"id": row.id, "sha256": content_sha256(row), "by": "", "at": "", "why": ""}
        number = numbers.get(row.id)
        if number is not None and project.verdict(number) == "accepted":
            decision = project.decision(number)
            entry |= {"by": told.name(decision.by), "at": decision.at, "why": told.reason(decision.why)}
            entry |= {"edited": project.is_edited(number), "read": project.is_seen(number)}
        seen.append(entry)
    return seen


def content_sha256(row: TrainingRow) -> str:
    """A hash of the messages the trainer saw, and of the tools beside them."""
    messages: list[Any] = [dict(message) for message in row.messages]
    content = json.dumps([*messages, list(row.tools)] if row.tools else messages, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]
