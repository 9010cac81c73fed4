"""What the base makes of the held-out rows, kept in `base.json` of the run that measured it: the next run on the same
weights and rows takes it from there.

`{"key", "rows": [{"id", "nll", "tokens", "peak", "answer", "exact", "cut"}]}`; the key is a hash of all that
the figures hang on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from .evaluate import Measured
from .events import read_json, write_json
from .versions import found_versions

FILE_NAME = "base.json"
MOST_RUNS = 200
SAMPLED = 64
"""Numbers of each weight that tell it from another: training changes nearly all of them."""


def base_key(run_dir: Path, model: Any, asked: Any) -> str:
    """A hash of the weights, of what was `asked`, and of what computes: the worker, the libraries, the device."""
    spec = read_json(run_dir / "spec.json") or {}
    what = [asked, spec.get("worker_sha256"), found_versions(), model.device.type]
    total = hashlib.sha256(json.dumps(what, ensure_ascii=True).encode())
    for name, weight in model.named_parameters():
        if "lora_" in name:  # the adapter, which begins as nothing
            continue
        flat = weight.detach().flatten()
        sample = flat[:: max(1, flat.numel() // SAMPLED)].contiguous().cpu()
        total.update(f"{tuple(weight.shape)} {weight.dtype}".encode() + sample.view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def keep_base(run_dir: Path, key: str, measured: Sequence[Measured]) -> None:
    """Keep what was measured, for the runs to come. A loss that is no number is not kept."""
    if all(math.isfinite(row.nll) for row in measured):
        write_json(run_dir / FILE_NAME, {"key": key, "rows": [asdict(row) for row in measured]})


def known_base(run_dir: Path, key: str, ids: Sequence[str]) -> tuple[list[Measured], str] | None:
    """What this run, or one beside it, measured under this key, and the name of that run; None where none did."""
    beside = (folder for folder in run_dir.parent.iterdir() if folder != run_dir and not folder.is_symlink())
    newest_first = sorted(beside, key=lambda folder: folder.name, reverse=True)[:MOST_RUNS]
    for folder in (run_dir, *newest_first):
        path = folder / FILE_NAME
        known = read_json(path) if path.is_file() and not path.is_symlink() else None
        if known and known.get("key") == key:
            try:
                rows = [Measured(**row) for row in known["rows"]]
                if [row.id for row in rows] == list(ids) and all(math.isfinite(row.nll) for row in rows):
                    return rows, folder.name
            except (TypeError, KeyError):  # damaged: measured anew
                continue
    return None
