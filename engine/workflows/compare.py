"""A comparison on a project: its arms by name, its held-out rows as drawn and as reviewed, its slices and manifests."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.config import training_for
from engine.errors import TrainingError, UsageError
from engine.export.curated import curate
from engine.model import Example, TrainingRow
from engine.numerals import whole_number
from engine.project.project import Project
from engine.project.row_content import refuse_changed
from engine.scan.dates import date_of
from engine.training.compare.arms import BASE, CURATED
from engine.training.compare.experiment import Prepared, prepare
from engine.training.runs.data_files import row_of
from engine.training.runs.registry import find_run
from engine.workflows.gate import gate
from engine.workflows.leak_check import find_leaks
from engine.workflows.row_secrets import raw_not_let_through
from engine.workflows.train import given_names, run_manifest, settings_of
from engine.workflows.training_sets import (
    Gathered,
    TrainingSets,
    check_all_can_be_trained,
    file_sets,
    gather,
    reason_in_words,
    training_sets,
)

RAW, RANDOM = "raw", "random"
DEFAULT_ARMS = (BASE, RAW, RANDOM, CURATED)
MOST_VALUES = 12
Rows = tuple[TrainingRow, ...]


def prepare_comparison(
    project: Project,
    *,
    arms: Sequence[str] = DEFAULT_ARMS,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 3,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    runs_dir: Path | None = None,
) -> Prepared:
    """Everything up to the start: arms built and checked, earlier runs found, time and money reckoned.

    `arms` are names: `base`, `raw`, `random` (or `random-200`), `curated`, the path of an earlier export or any data
    file, the id or folder of a run (its rows are trained anew). Raises UsageError, TrainingError.
    """
    config = training_for(project.folder, given_names(model, settings))
    sets = training_sets(project)
    check_all_can_be_trained(sets.accepted)
    chosen = settings_of(config) | dict(settings or {})
    steps, budget, price = limits_of(chosen, steps)
    rows, leaking, untrained = build_arms(project, sets, arms)
    return prepare(
        rows,
        sets.heldout,
        runs_dir=runs_dir or project.folder / "runs",
        model=model or config.model,
        steps=steps,
        seeds=seeds,
        workers=workers,
        settings=chosen,
        find_leaks=lambda _arms, _heldout: {name: leaking.get(name, ()) for name in rows},
        budget_seconds=budget,
        price=price,
        reviewed=reviewed(project, sets) | ({"untrained": untrained} if untrained else {}),
        slices=slices_of(project, sets.heldout),
    )


def limits_of(chosen: dict[str, Any], steps: int | None) -> tuple[int | None, float, float]:
    """Take what holds for all runs together out of the settings: steps, budget in seconds (0: none), price an hour.

    Raises UsageError for a cost limit without a price.
    """
    given = chosen.pop("steps", None)
    steps = steps or given
    if steps:
        chosen.pop("epochs", None)
    budget = float(chosen.pop("budget_seconds", 0.0))
    price, most = float(chosen.pop("price_per_hour", 0.0)), float(chosen.pop("max_cost", 0.0))
    if most and not price:
        raise UsageError("a cost limit needs a price", "", "set price_per_hour, in the same currency")
    chosen.pop("seed", None)  # several are run
    limits = [limit for limit in (budget, most / price * 3600 if most else 0.0) if limit]
    return steps, min(limits, default=0.0), price


def build_arms(
    project: Project, sets: TrainingSets, names: Sequence[str], *, seed: int = 0
) -> tuple[dict[str, Rows], dict[str, list[str]], dict[str, dict[str, int]]]:
    """The rows of every arm; for arms from outside the ids that leak; and of each arm how many rows no trainer can use,
    by the reason.

    What leaks in the project's own rows is left out of `raw`, `random` and `curated`; a file or an earlier run is what
    it is, so its leaks are told instead.
    """
    if not sets.heldout:
        return {BASE: (), CURATED: sets.curated}, {}, {}  # refused with the reason before anything is trained
    wanted = list(dict.fromkeys([*names, CURATED]))
    for name in wanted:
        if not name.strip():
            raise UsageError("an arm without a name", "", f"for example --arms {','.join(DEFAULT_ARMS)}")
    gathered = {name: rows_from_outside(project, name) for name in wanted if is_outside(name)}
    outside = {name: found.rows for name, found in gathered.items()}
    gathered |= {RAW: raw_rows(project), CURATED: sets.accepted}
    raw = gathered[RAW].rows
    apart = [act.ids for act in project.constraints() if act.do in ("not_duplicates", "split")]
    leaking = find_leaks({RAW: raw, CURATED: sets.curated, **outside}, sets.heldout, apart)
    clean = without(raw, leaking[RAW])
    curated = without(sets.curated, leaking[CURATED])
    arms: dict[str, Rows] = {}
    for name in wanted:
        if name == BASE:
            arms[BASE] = ()
        elif name == RAW:
            arms[RAW] = clean
        elif name == CURATED:
            arms[CURATED] = curated
        elif name in outside:
            arms[name_of(name)] = outside[name]
        else:
            count = min(random_count(name, len(curated)), len(clean))
            drawn = sorted(random.Random(seed).sample(range(len(clean)), count))
            arms[f"{RANDOM}-{count}"] = tuple(clean[place] for place in drawn)
    untrained = {name_of(name): found.counts() for name, found in gathered.items() if found.left_out}
    return arms, {name_of(name): leaking[name] for name in outside}, untrained


def raw_rows(project: Project) -> Gathered:
    """The training rows as they came that a trainer can use, but for those that leak."""
    numbers = [number for number in project.training if not project.is_leaking(number)]
    refuse_changed(project, numbers)
    secret = frozenset(raw_not_let_through(project, numbers))
    return gather((project.example(number, edited=False) for number in numbers), secret)


def without(rows: Rows, leaking: Sequence[str]) -> Rows:
    """The rows but for the leaking ones."""
    gone = set(leaking)
    return tuple(row for row in rows if row.id not in gone)


def is_outside(name: str) -> bool:
    """Whether an arm is a file or a run, and not one of the project's own."""
    return name not in (BASE, RAW, CURATED) and name.removeprefix("raw-").split("-")[0] != RANDOM


def name_of(named: str) -> str:
    """The name an outside arm goes by: the last part of its path."""
    return Path(named).name


def random_count(name: str, curated: int) -> int:
    """How many rows `random`, `random-N` or `random-200` means. Raises UsageError."""
    count = name.removeprefix("raw-").removeprefix(RANDOM).removeprefix("-")
    if count in ("", "N"):
        return curated
    rows = whole_number(count)
    if not rows:
        raise UsageError(f"unknown arm {name[:40]!r}", "", "random, or random-200 for as many rows")
    return rows


def rows_from_outside(project: Project, named: str) -> Gathered:
    """The rows of an earlier run, or of an export or another data file. Raises UsageError."""
    path = Path(named)
    for folder in (path, project.folder / "runs" / named):
        if (folder / "data" / "train.jsonl").is_file():
            return Gathered(rows_of_run(folder))
    if path.is_dir() and (path / "train.jsonl").is_file():  # the folder of an export
        return file_sets(path / "train.jsonl").accepted
    if path.exists():
        return file_sets(path).accepted
    try:
        found = find_run(path)  # a run of another project
    except TrainingError:
        found = path
    if (found / "data" / "train.jsonl").is_file():
        return Gathered(rows_of_run(found))
    raise UsageError(
        f"unknown arm {named!r}", "", f"one of {', '.join(DEFAULT_ARMS)}, the path of an export, or the id of a run"
    )


def rows_of_run(folder: Path) -> Rows:
    """The rows an earlier run was trained on."""
    lines = (folder / "data" / "train.jsonl").read_bytes().splitlines()
    return tuple(row_of(json.loads(line)) for line in lines)


def reviewed(project: Project, sets: TrainingSets) -> dict[str, Any]:
    """The held-out set as it was drawn and as it was reviewed: only accepted rows are measured."""
    left_out = Counter(
        reason.removeprefix("held-out, ")
        for number, reason in curate(project).left_out.items()
        if project.is_heldout(number)
    )
    for reason, places in sets.accepted.left_out.items():
        if count := sum(project.is_heldout(place.number) for place in places):
            left_out[reason_in_words(reason)] = count
    return {
        "drawn": len(project.heldout),
        "measured": len(sets.heldout),
        "edited": sum(1 for number in project.heldout if project.is_edited(number)),
        "left_out": dict(left_out.most_common()),
    }


def slices_of(project: Project, measured: Sequence[TrainingRow]) -> dict[str, dict[str, str]]:
    """Held-out row id -> bucket, year, and every plain field of the row that has 2 to 12 values."""
    numbers = {project.rows.id(number): number for number in project.heldout}
    rows = {row.id: project.example(numbers[row.id], edited=False) for row in measured if row.id in numbers}
    fields = plain_fields(list(rows.values()), set(project.mapping.fields.values()))
    found: dict[str, dict[str, str]] = {}
    for identifier, example in rows.items():
        values = {"bucket": project.bucket(numbers[identifier]), "year": date_of(example.raw)[:4]}
        values |= {name: str(example.raw[name]) for name in fields if example.raw.get(name) is not None}
        found[identifier] = {name: value for name, value in values.items() if value}
    return found


def plain_fields(examples: Sequence[Example], mapped: set[str]) -> list[str]:
    """Names of fields, no part of the conversation, whose plain values sort the rows into 2 to 12 kinds."""
    names = dict.fromkeys(name for example in examples for name in example.raw if name not in mapped)
    chosen = []
    for name in names:
        values = [example.raw[name] for example in examples if example.raw.get(name) is not None]
        if any(not isinstance(value, str | int | bool) or len(str(value)) > 40 for value in values):
            continue
        kinds = {str(value) for value in values}
        if 2 <= len(kinds) <= MOST_VALUES and name != "year":
            chosen.append(name)
    return chosen


def manifests(project: Project, prepared: Prepared) -> Callable[[str, str], Mapping[str, Any]]:
    """What the manifest of each run says: arm, and every row it saw with who passed it."""
    gate_result = gate(project)

    def manifest_of(arm: str, run: str) -> Mapping[str, Any]:
        about = {"arm": arm, "holdout_rows": prepared.heldout["measured"]}
        return run_manifest(project, prepared.arms[arm], gate_result, about, run)

    return manifest_of
