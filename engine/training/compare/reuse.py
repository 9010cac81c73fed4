"""Runs with the same spec are done once: what makes two runs the same, and where an earlier one is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.small_files import read_regular
from engine.training.runs.data_files import row_lines
from engine.training.runs.launch import TRAINING, Job, folder_hash
from engine.training.runs.status import RunState, list_runs
from engine.training.runs.trusted import is_run_trusted
from engine.training.worker.checkpoints import last_good_checkpoint
from engine.training.worker.events import read_json

MOST_TEXT = 256 << 20
WITHOUT_EFFECT = (
    *("threads", "gpu", "on_end", "price_per_hour", "max_cost", "budget_seconds", "keep_best", "stop_on_divergence"),
    *("samples", "row_losses", "pretrain_text"),
)
"""Values that do not change what is learnt or what is measured at the end."""


def spec_hash(content: Mapping[str, Any]) -> str:
    """16 hex over what a `spec.json` says will be learnt and measured: values, data, worker, interpreter.

    Reasons, names, limits and where it runs do not count.
    """
    values = {name: chosen["value"] for name, chosen in content["values"].items() if name not in WITHOUT_EFFECT}
    text = content["values"].get("pretrain_text", {}).get("value")
    what = {
        "values": values,
        # Where the built-in model's text lies is no matter, what it says is.
        "pretrain": file_hash(Path(text)) if text else "",
        "sft": {
            name: chosen["value"]
            for name, chosen in content["sft"].items()
            if not name.startswith(("save_", "logging_"))
        },
        "lora": {name: chosen["value"] for name, chosen in content["lora"].items()},
        "data": {name: data["sha256"] for name, data in content["data"].items()},
        "worker": content["worker_sha256"],
        "command": content["command"],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """SHA-256 of a file, "" where it cannot be read or is none."""
    try:
        return hashlib.sha256(read_regular(path, MOST_TEXT)).hexdigest()
    except OSError:
        return ""


def job_hash(job: Job) -> str:
    """The hash of the run that launching this job would make."""
    content = job.spec.to_json()
    content["worker_sha256"] = folder_hash(TRAINING / "worker")
    content["data"] = {}
    for name, rows in (("train", job.train), ("heldout", job.heldout)):
        content["data"][name] = {"sha256": hashlib.sha256(row_lines(rows)).hexdigest()}
    return spec_hash(content)


def earlier_runs(runs_dir: Path) -> dict[str, RunState]:
    """The newest run of each spec hash that is of use: whole, going on, or to be taken up at a checkpoint."""
    found: dict[str, RunState] = {}
    for state in list_runs(runs_dir):
        if not (state.alive or is_whole(state) or can_go_on(state)):
            continue
        try:
            key = spec_hash(read_json(state.dir / "spec.json") or {})
        except (KeyError, TypeError, AttributeError):
            continue  # a run of an older tamis: its spec says less
        if key not in found or (is_whole(state) and not is_whole(found[key])):
            found[key] = state
    return found


def is_whole(state: RunState) -> bool:
    """Whether a run took all its steps and measured the held-out rows."""
    return state.state == "finished" and state.step >= state.max_steps and (state.dir / "eval.jsonl").is_file()


def can_go_on(state: RunState) -> bool:
    """Whether a run that was cut short can be taken up at a checkpoint: one of a copied folder only after a yes."""
    cut_short = state.state in ("stopped", "killed", "lost", "crashed")
    return cut_short and last_good_checkpoint(state.dir) is not None and is_run_trusted(state.dir)
