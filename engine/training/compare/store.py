"""A comparison on disk: which runs belong to it, what they are measured with, and what came of it.

runs/<utc>-compare/
  comparison.json   arms, seeds, the run of each, the held-out rows by slice, the estimate made before the start
  result.json       what `tamis compare --json` prints, once all runs have ended
  events.jsonl      the figures of the result, an event line each
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.files import make_private_folder, write_atomic
from engine.json_form import (
    is_count,
    is_name,
    is_number,
    is_text,
    is_truth,
    list_of,
    maybe,
    object_with,
    pair_of,
    table_of,
)
from engine.links import check_folder_links
from engine.training.runs.status import run_folders
from engine.training.worker.events import EventLog, read_json

NAME = "comparison.json"
COMPARE, CURVE, SWEEP = "compare", "curve", "sweep"

# What the two files are believed to say. A run is named by one part of a path: none is read, or asked to stop, that
# does not lie beside the comparison.
_HELDOUT = object_with(
    {"drawn": is_count, "measured": is_count, "left_out": table_of(is_count)},
    {"untrained": table_of(table_of(is_count))},
)
_ESTIMATE = object_with({}, {"seconds": maybe(object_with({"value": maybe(is_number), "reason": is_text}))})
_INTERVAL = pair_of(is_number, is_number)
_is_comparison = object_with(
    {
        "model": is_text,
        "steps": is_count,
        "seeds": is_count,
        "arms": list_of(pair_of(is_text, is_count)),
        "trials": list_of(object_with({"arm": is_text, "seed": is_count, "run": is_name}, {"reused": is_truth})),
        "heldout": lambda value: value == {} or _HELDOUT(value),
        "slices": table_of(table_of(is_text)),
        "estimate": _ESTIMATE,
    }
)
_ARM = object_with(
    {
        **dict.fromkeys(("rows", "steps", "tokens"), is_count),
        **dict.fromkeys(("seconds", "nll", "nll_spread"), is_number),
        **dict.fromkeys(("exact_match", "format_valid"), maybe(is_number)),
        "name": is_text,
        "runs": list_of(is_name),
    }
)
_is_verdict = ("better", "worse", "no difference shown").__contains__
_PAIR = object_with(
    {
        "arm": is_text,
        "verdict": _is_verdict,
        "difference": is_number,
        "interval": _INTERVAL,
        "smallest_detectable": maybe(is_number),
    }
)
_SLICE = object_with({"field": is_text, "value": is_text, "rows": is_count, "nll": table_of(is_number)})


def _is_result(found: Mapping[str, Any]) -> bool:
    fits = object_with(
        {
            "arms": list_of(_ARM),
            "verdict": _is_verdict,
            "reason": is_text,
            "against": list_of(_PAIR),
            "slices": list_of(_SLICE),
            "heldout": _HELDOUT,
            "format": maybe(is_text),
            "model": is_text,
            "seeds": is_count,
            "versions_differ": is_truth,
        }
    )
    names = [arm["name"] for arm in found["arms"]] if fits(found) else []
    return fits(found) and all(name in one["nll"] for one in found["slices"] for name in names)


_is_curve_result = object_with(
    {
        "points": list_of(object_with({"rows": is_count, "nll": is_number})),
        "sizes": list_of(is_count),
        "band": list_of(object_with(dict.fromkeys(("rows", "low", "fit", "high"), is_number))),
        "law": table_of(is_number),
        "sentence": is_text,
        "heldout": _HELDOUT,
    }
)
_RATE = object_with({"learning_rate": is_number, "steps": is_count, "nll": maybe(is_number), "run": is_name})
_is_sweep_result = object_with({"rates": list_of(_RATE), "recommended": maybe(is_number)})


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the comparison: its arm, its seed, its id, and whether an earlier run was taken."""

    arm: str
    seed: int
    run: str
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`arms` are (name, rows) in order, the base with 0 rows; `slices` are held-out row id -> field -> value.

    `heldout` counts the set as it was drawn and as it was reviewed; `estimate` are seconds and cost with reasons.
    """

    dir: Path
    model: str
    steps: int
    seeds: int
    arms: tuple[tuple[str, int], ...]
    trials: tuple[Trial, ...]
    heldout: Mapping[str, Any] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    estimate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.dir.name

    def run_dir(self, trial: Trial) -> Path:
        """The folder of one of its runs."""
        return self.dir.parent / trial.run

    def of_arm(self, arm: str) -> tuple[Trial, ...]:
        """The runs of one arm, by seed."""
        return tuple(sorted((trial for trial in self.trials if trial.arm == arm), key=lambda trial: trial.seed))


def new_comparison_dir(runs_dir: Path, kind: str) -> Path:
    """A folder `<utc>-compare` (or `-curve`, `-sweep`) of its own. Raises TrainingError where it cannot be made."""
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{kind}"
    try:
        make_private_folder(runs_dir, exist_ok=True)
        for count in range(1, 1000):
            folder = runs_dir / (stem if count == 1 else f"{stem}-{count}")
            if not folder.exists():
                make_private_folder(folder)
                return folder
    except OSError as fault:
        raise TrainingError(f"cannot make a comparison in {runs_dir}", fault.strerror or "", "free space") from fault
    raise TrainingError("a thousand comparisons within a second", "", "wait a moment")


def save_comparison(comparison: Comparison) -> None:
    """Write `comparison.json`."""
    content = {"v": 1, **asdict(comparison)}
    del content["dir"]
    write_atomic(comparison.dir / NAME, json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "replace"))


def read_comparison(folder: Path) -> Comparison:
    """The comparison of a folder. Raises TrainingError where it holds none."""
    check_folder_links(folder)
    content = read_json(folder / NAME)
    if content is None or not _is_comparison(content):
        raise TrainingError(f"{folder} is not a comparison", "it has no readable comparison.json", "tamis compare P")
    return Comparison(
        dir=folder,
        model=content["model"],
        steps=content["steps"],
        seeds=content["seeds"],
        arms=tuple((name, rows) for name, rows in content["arms"]),
        trials=tuple(
            Trial(trial["arm"], trial["seed"], trial["run"], trial.get("reused", False)) for trial in content["trials"]
        ),
        heldout=content["heldout"],
        slices=content["slices"],
        estimate=content["estimate"],
    )


def list_comparisons(runs_dir: Path, kind: str = COMPARE) -> tuple[Comparison, ...]:
    """Every comparison (or learning curve, or sweep) of the folder that can be read, the newest first."""
    found = []
    for name in comparison_names(runs_dir, kind):
        with suppress(TrainingError):
            found.append(read_comparison(runs_dir / name))
    return tuple(found)


def comparison_names(runs_dir: Path, kind: str = COMPARE) -> list[str]:
    """Their ids, the newest first."""
    of_kind = re.compile(rf"-{kind}(-\d+)?$")
    names = [folder.name for folder in run_folders(runs_dir) if of_kind.search(folder.name)]
    return [name for name in names if (runs_dir / name / NAME).is_file()]


def read_result(folder: Path) -> dict[str, Any] | None:
    """What came of it, or None while runs are going on; also where the file is none of ours: it is worked out anew."""
    found = read_json(folder / "result.json")
    forms = (_is_result, _is_curve_result, _is_sweep_result)
    return found if found is not None and any(fits(found) for fits in forms) else None


def save_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Write `result.json`, and its figures as event lines: `arm`, `pair`, `slice`, `verdict`."""
    told = ("verdict", "reason", "seeds", "heldout_rows", "base_nll", "seconds")
    lines = [(kind, line) for kind, name in (("arm", "arms"), ("pair", "against")) for line in result[name]]
    lines += [("slice", line) for line in result["slices"]]
    save_with_events(folder, result, [*lines, ("verdict", {name: result[name] for name in told})])


def save_with_events(folder: Path, result: Mapping[str, Any], events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Write event lines, then `result.json`, whose being there says that all of it is."""
    log = EventLog(folder)
    try:
        for kind, line in events:
            log.emit(kind, **line)
    finally:
        log.close()
    write_atomic(folder / "result.json", json.dumps(result, ensure_ascii=False).encode("utf-8", "replace"))
