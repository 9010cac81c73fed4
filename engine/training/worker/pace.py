"""How fast this machine trains this model: real rows taken forward and backward, as the run will take them.

Used by the run itself before its first step, where the longest batch also tells whether memory suffices, and by the
plan, which keeps what it measured in the user's cache: by model, settings, device, threads and how busy it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from .builtin import cache_folder
from .events import EventLog, SilentLog, read_json, write_json
from .heartbeat import Heartbeat
from .measure import WRITTEN_TOKENS, Measure
from .models import choose_precision, load
from .run import make_trainer
from .run_context import RunContext
from .spec import Spec
from .stopping import StopWatch
from .trainer import timed_batch

BATCHES = 3
LONGEST_SECONDS = 60.0
"""What measuring may take: a batch more is taken only while there is time for it."""
MOST_MEMORY = 0.5
"""Share of the free memory that loading a model for the plan alone may take."""
KEPT = 64


def pace_of(request: Mapping[str, Any], rows: Sequence[Any], heldout: Sequence[Any], progress: Any) -> dict[str, Any]:
    """`start`, `step_token`, `read_token`, `write_token` in seconds, and how they were come by: `threads`, `load`,
    `precision`, `batches`, `cached`. Or `why_not`: what would be too dear here. Raises what libraries raise.

    `request`: the spec's `values`, `sft`, `lora`, a `folder` to work in, and `parameters` of the model.
    """
    spec = Spec(request["values"], request["sft"], request["lora"])
    threads = int(spec["threads"])
    if threads:
        torch.set_num_threads(threads)
    load_now = round(os.getloadavg()[0] / (os.cpu_count() or 1), 2)
    precision = choose_precision(spec["method"], spec["precision"])
    key = pace_key(spec, f"{precision.dtype} {precision.flags}", load_now)
    known = (read_json(cache_folder() / "pace.json") or {}).get(key)
    if known is not None and is_pace(known):
        return {**known, "cached": True}
    needed, free = request["parameters"] * precision.dtype.itemsize * 1.3, free_memory()
    if free is not None and needed > MOST_MEMORY * free:
        return {"why_not": f"the model takes {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free"}
    progress("loading the model, to measure its pace")
    began = time.monotonic()
    model, tokenizer, _ = load(spec, precision, lambda done, of: None)
    context = scratch_context(Path(request["folder"]))
    measure = Measure(spec, context, tokenizer, heldout)
    trainer = make_trainer(spec, context, precision, model, tokenizer, rows, measure)
    trainer.model.to(trainer.args.device)
    pace: dict[str, Any] = {"start": round(time.monotonic() - began, 2), "threads": torch.get_num_threads()}
    pace |= {"load": load_now, "precision": str(precision.dtype).removeprefix("torch."), "cached": False}
    pace |= measured_pace(trainer, measure, spec, progress)
    keep_pace(key, pace)
    return pace


def measured_pace(trainer: Any, measure: Measure, spec: Spec, progress: Any) -> dict[str, Any]:
    """Seconds a padded token of training, a token that is only read, and one that is written by a batch of answers."""
    micro, count = int(spec["micro_batch"]), len(trainer.train_dataset)
    began = time.monotonic()
    tokens, forward, seconds, taken = 0, 0.0, 0.0, 0
    for number in range(BATCHES + 1):
        progress("measuring the pace of training", number, BATCHES + 1)
        # Rows from all over the set, the same ones each time.
        places = [(number * micro + each) * 7919 % count for each in range(min(micro, count))]
        size, there, both = timed_batch(trainer, places)
        if number == 1:  # the first one also prepares the libraries; it counts where there is no time for another
            tokens, forward, seconds = 0, 0.0, 0.0
        tokens, forward, seconds, taken = tokens + size, forward + there, seconds + both, number
        if time.monotonic() - began + both > LONGEST_SECONDS / 2:
            break
    progress("measuring the pace of answers")
    write = measure.writing_pace(trainer.model, WRITTEN_TOKENS)
    return {
        "step_token": seconds / tokens,
        "read_token": forward / tokens,
        "write_token": write,
        "batches": taken or 1,
    }


def scratch_context(folder: Path) -> RunContext:
    """A place to report to for what is no run."""
    log: EventLog | SilentLog = SilentLog()
    return RunContext(folder, log, Heartbeat(folder, 1), StopWatch(), time.monotonic())


def free_memory() -> float | None:
    """Bytes free on the device that trains; None where that is not known."""
    if torch.cuda.is_available():
        return float(torch.cuda.mem_get_info()[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None


def pace_key(spec: Spec, precision: str, load_now: float) -> str:
    """What a measured pace holds for: another model, device, number of threads or load has its own."""
    found = [(path.name, path.stat()) for path in sorted(Path(spec["model"]).glob("*.safetensors"))]
    weights = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else cpu_name()
    settings = [spec[name] for name in ("model", "revision", "method", "micro_batch", "eval_batch", "four_bit")]
    settings += [spec["attention"], spec["max_length"], spec.lora.get("r"), spec.lora.get("target_modules")]
    settings += [bool(spec.sft.get("activation_checkpointing")), bool(spec.sft.get("packing"))]
    busy = "idle" if load_now < 0.6 else "busy" if load_now < 1.2 else "full"
    what = [settings, weights, device, torch.get_num_threads(), precision, torch.__version__, busy]
    return hashlib.sha256(json.dumps(what, default=str).encode()).hexdigest()[:24]


def cpu_name() -> str:
    """The processor as the kernel names it, "" where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def is_pace(value: Any) -> bool:
    """Whether a value of the cache is what was kept there."""
    needed = ("start", "step_token", "read_token", "write_token", "load", "threads", "batches")
    return isinstance(value, dict) and all(isinstance(value.get(name), int | float) for name in needed)


def keep_pace(key: str, pace: Mapping[str, Any]) -> None:
    """Keep it for the next plan; a cache that cannot be written costs only time."""
    path = cache_folder() / "pace.json"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = list((read_json(path) or {}).items())[-KEPT:]
        write_json(path, dict(known) | {key: dict(pace)}, durable=False)
    except OSError:
        return
