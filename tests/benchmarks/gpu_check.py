"""What only a GPU can show, in at most eight minutes and without anybody there: `make gpu-check`, one JSON file.

bf16 LoRA on models of 1 B and 8 B random weights: tokens per second beside bare TRL, memory beside the plan's, a real
out-of-memory through the ladder, the GPU panel beside `nvidia-smi -q`, stop and resume. Every part has its own time and
its own fault, and the file is written after each, so that what was measured stays where the rest is cut off.

Without a GPU (or with --rehearse) every part runs on the CPU with tiny models: the figures then mean nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.paths import shipped_dir
from engine.training.plan.estimates import memory_gb
from engine.training.plan.plan import make_plan
from engine.training.plan.preflight import preflight, versions
from engine.training.runs.data_files import row_lines
from engine.training.runs.launch import Job, Run, choose_spec, launch
from engine.training.runs.resume import resume
from engine.training.runs.status import is_alive, read_run, stop, tail_events
from engine.training.worker.gpus import gpus

SKIPPED = 3
FIRM_SECONDS = 20.0
# A rehearsal may share its two cores with others.
PATIENCE = 4
LORA = {"r": 16, "lora_alpha": 32, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
SENTENCE = "please sort the ticket about the late order of lamps and chairs into a record of its kind "


@dataclass
class Check:
    """The folder, when all must be over, and what was found so far."""

    folder: Path
    until: float
    rehearsed: bool
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """Tokens of a row, about."""
        return 64 if self.rehearsed else 1024

    def rows(self, count: int) -> tuple[TrainingRow, ...]:
        """Rows of one length, so that tokens per second compare."""
        answer = SENTENCE * (2 if self.rehearsed else 40)
        said = {"role": "assistant", "content": answer}
        return tuple(TrainingRow(f"r{n}", ({"role": "user", "content": f"Ticket {n:06}"}, said)) for n in range(count))

    def settings(self, **given: Any) -> dict[str, Any]:
        """Of a run that measures nothing but its own steps."""
        chosen = {"batch": 8, "micro_batch": 8, "max_length": self.longest, "save_strategy": "no", "keep_best": False,
                  "generate_rows": 0, "samples": 0, "row_losses": 0, "eval_at_start": False, "learning_rate": 1e-4,
                  "method": "lora", "r": LORA["r"], "lora_alpha": LORA["lora_alpha"]}  # fmt: skip
        return {**chosen, **({"threads": 1} if self.rehearsed else {"precision": "bf16"}), **given}


class Late(Exception):
    """A part took longer than it may."""


def left(until: float) -> float:
    """Seconds until then; Late where there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise Late("no time was left for this part")
    return seconds


def ended(run: Run, until: float) -> str:
    """How a run ended. Raises Late, or RuntimeError where it failed."""
    while is_alive(run.dir):
        if time.monotonic() > until:
            state = read_run(run.dir)
            raise Late(f"it was at step {state.step} of {state.max_steps} ({state.phase})")
        time.sleep(0.1)
    state = read_run(run.dir)
    if state.state not in ("finished", "stopped"):
        raise RuntimeError(f"{state.state}: {state.error}")
    return state.state


def end_what_is_left(check: Check) -> None:
    """End the runs of a part that was late or failed: the next one has the machine for itself."""
    for spec in (check.folder / "runs").glob("*/spec.json"):
        until = time.monotonic() + FIRM_SECONDS
        while is_alive(spec.parent) and time.monotonic() < until:
            with contextlib.suppress(TrainingError):  # it has ended meanwhile
                stop(spec.parent)
            time.sleep(0.5)


def peer(check: Check, until: float, *words: str) -> Any:
    """What a process of `gpu_check_peer` says."""
    command = [sys.executable, "-m", "tests.benchmarks.gpu_check_peer", *words]
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if check.rehearsed else {"CUDA_VISIBLE_DEVICES": "0"}
    environment = {"OMP_WAIT_POLICY": "passive", **os.environ, **hidden, "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=left(until))
    except subprocess.TimeoutExpired:
        raise Late("the process was ended") from None
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-600:])
    return json.loads(done.stdout.strip().splitlines()[-1])


# -- the parts, in the order in which they are worth most


def machine(check: Check, _until: float) -> dict[str, Any]:
    """The panel's reading beside the driver's own report in XML, and the libraries."""
    panel = gpus()
    told = {"panel": [{"name": gpu.name, "total_mb": gpu.total_mb, "free_mb": gpu.free_mb} for gpu in panel]}
    told |= {"versions": versions((sys.executable,))["versions"]}
    if check.rehearsed:
        return told
    report = subprocess.run(["nvidia-smi", "-q", "-x"], capture_output=True, text=True, timeout=20, check=True).stdout
    cards = ET.fromstring(report).findall("gpu")
    totals = [float((card.findtext("fb_memory_usage/total") or "0").split()[0]) for card in cards]
    if [gpu.name for gpu in panel] != [card.findtext("product_name") for card in cards]:
        raise RuntimeError(f"the panel shows {[gpu.name for gpu in panel]}, nvidia-smi has other names")
    apart = [abs(gpu.total_mb - total) for gpu, total in zip(panel, totals, strict=True)]
    return {**told, "nvidia_smi_total_mb": totals, "agrees": max(apart) < 1.0}


def models(check: Check, until: float) -> Any:
    return peer(check, until, "make", str(check.folder / "models"), str(shipped_dir("sample_data") / "pretrain.txt"))


def trained(name: str) -> Callable[[Check, float], dict[str, Any]]:
    """The part that trains a model, and reads its speed and memory."""

    def part(check: Check, until: float) -> dict[str, Any]:
        steps = 6 if check.rehearsed else 12
        rows = check.rows(8 * steps)
        settings = check.settings(steps=steps)
        spec = choose_spec(name=name, rows=len(rows), model=str(check.folder / "models" / name), settings=settings)
        planned = make_plan(spec, rows, (), runs_dir=check.folder).vram_gb
        run = launch(spec, rows, (), check.folder / "runs")
        shown: list[bool] = []
        while is_alive(run.dir) and time.monotonic() < until and not check.rehearsed and not any(shown):
            ours = {int(event["pid"]) for event in tail_events(run.dir)[0] if event["ev"] == "spawn"}
            shown.append(any(process.pid in ours for gpu in gpus() for process in gpu.processes))
            time.sleep(0.5)
        ended(run, until)
        events = tail_events(run.dir)[0]
        logs = [event for event in events if event["ev"] == "log"]
        seconds = sum(float(event["dt"]) for event in logs[SKIPPED:])
        speed = (logs[-1]["num_tokens"] - logs[SKIPPED - 1]["num_tokens"]) / seconds
        unit = "rss_peak_mb" if check.rehearsed else "gpu_peak_mb"
        peak = max(float(event[unit]) for event in events if event["ev"] == "mem" and unit in event) / 1000
        told = {"tokens_per_second": round(speed, 1), "peak_gb": round(peak, 2), "planned_gb": planned.value}
        told |= {"micro_batches_tried": [event["micro_batch"] for event in events if event["ev"] == "retry"]}
        told |= {"planned_over_peak": round((planned.value or 0.0) / peak, 2), "plan": planned.reason}
        return told | {"worker_is_on_the_panel": any(shown) if not check.rehearsed else None}

    return part


def beside(name: str) -> Callable[[Check, float], dict[str, Any]]:
    """The part that trains the same by bare TRL."""

    def part(check: Check, until: float) -> dict[str, Any]:
        steps = 6 if check.rehearsed else 12
        data = check.folder / "rows.jsonl"
        lines = (json.loads(line) for line in row_lines(check.rows(8 * steps)).splitlines())
        data.write_text("".join(json.dumps({"messages": line["messages"]}) + "\n" for line in lines))
        settings = {"steps": steps, "batch": 8, "micro_batch": 8, "max_length": check.longest, "lora": LORA}
        words = json.dumps({**settings, "skipped": SKIPPED - 1})
        told: dict[str, Any] = peer(check, until, "bare", str(check.folder / "models" / name), str(data), words)
        ours = check.found.get(name, {}).get("tokens_per_second")
        return told | ({"tamis_over_bare": round(ours / told["tokens_per_second"], 3)} if ours else {})

    return part


def stop_and_resume(check: Check, until: float) -> dict[str, Any]:
    """A run that is stopped at some step, saved, and brought to its end."""
    rows = check.rows(64)
    settings = check.settings(steps=80 if check.rehearsed else 40, save_strategy="steps", save_steps=1000)
    run = launch(
        choose_spec(name="stop", rows=64, model=str(check.folder / "models" / "1B"), settings=settings),
        rows, (), check.folder / "runs",
    )  # fmt: skip
    # The heartbeat tells a step only every two seconds.
    while sum(event["ev"] == "log" for event in tail_events(run.dir)[0]) < 3:
        left(until)
        if not is_alive(run.dir):
            raise RuntimeError(f"it ended before it was stopped: {read_run(run.dir).error}")
        time.sleep(0.02)
    began = time.monotonic()
    stop(run.dir)
    state = ended(run, until)
    took, step = time.monotonic() - began, read_run(run.dir).step
    ended(resume(run.dir), until)
    steps = [event["step"] for event in tail_events(run.dir)[0] if event["ev"] == "log"]
    whole = sorted(steps) == list(range(1, settings["steps"] + 1))
    if state != "stopped" or not whole:
        raise RuntimeError(f"it was {state} at step {step}; then {len(steps)} steps were logged, the last {steps[-1]}")
    return {"stopped_at": step, "stop_seconds": round(took, 2), "each_step_once": whole}


def out_of_memory(check: Check, until: float) -> dict[str, Any]:
    """More rows at a time than memory holds: fewer of them are tried until it does."""
    spec_of = lambda batch: choose_spec(  # noqa: E731
        name="oom", rows=batch, model=str(check.folder / "models" / "1B"),
        settings=check.settings(steps=2, batch=batch, micro_batch=batch),
    )  # fmt: skip
    if check.rehearsed:
        # What no machine holds is asked of the allocator itself: the same failure, the same ladder.
        sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
        from fault_injection import launch_with_faults

        batch = 8
        job = Job(spec_of(batch), check.rows(batch), ())
        (run,) = launch_with_faults([(job, [{"kind": "oom", "step": 1, "above_micro": 4}])], check.folder / "runs")
    else:
        model, longest = preflight(spec_of(8), check.rows(8))["model"], check.longest
        free, batch = gpus()[0].free_mb / 1000, 8
        while batch < 4096 and (memory_gb(spec_of(batch), model, longest, on_gpu=True).value or 0.0) < 1.6 * free:
            batch *= 2
        run = launch(spec_of(batch), check.rows(batch), (), check.folder / "runs")
    ended(run, until)
    tried = [event["micro_batch"] for event in tail_events(run.dir)[0] if event["ev"] == "retry"]
    if not tried:
        raise RuntimeError(f"{batch} rows at a time fitted: no memory ran out")
    return {"asked_for": batch, "micro_batches_tried": tried, "finished_with": tried[-1]}


PARTS: tuple[tuple[str, float, Callable[[Check, float], Any]], ...] = (
    ("machine", 60, machine),
    ("models", 120, models),
    ("1B", 90, trained("1B")),
    ("1B bare TRL", 75, beside("1B")),
    ("8B", 120, trained("8B")),
    ("8B bare TRL", 90, beside("8B")),
    ("stop and resume", 100, stop_and_resume),
    ("out of memory", 150, out_of_memory),
)
"""Name, the most seconds it may take, and what it does. No part has more time than is left of all."""


def run_parts(check: Check, out: Path) -> dict[str, Any]:
    """Do the parts in turn and write the file after each. Returns its content."""
    told: dict[str, Any] = {"rehearsed": check.rehearsed, "complete": False, "parts": check.found}
    for name, seconds, part in PARTS:
        began = time.monotonic()
        try:
            check.found[name] = part(check, min(check.until, began + seconds * (PATIENCE if check.rehearsed else 1)))
        except Late as late:
            check.found[name] = {"error": f"cut off after {time.monotonic() - began:.0f} s: {late}"}
        except Exception as fault:  # noqa: BLE001  each part tells its own fault, and the next one is done all the same
            traceback.print_exc()
            check.found[name] = {"error": f"{type(fault).__name__}: {fault}"[:800]}
        end_what_is_left(check)
        check.found[name] |= {"wall_seconds": round(time.monotonic() - began, 1)}
        write(out, told)
        print(f"{name}: {json.dumps(check.found[name])}", file=sys.stderr, flush=True)
    told["complete"] = True
    write(out, told)
    return told


def write(out: Path, told: Mapping[str, Any]) -> None:
    """The file, whole at every moment."""
    beside_it = out.with_name(f".{out.name}.new")
    beside_it.write_text(json.dumps(told, indent=1) + "\n")
    beside_it.replace(out)


def main(arguments: list[str] | None = None) -> int:
    """0 where every part did what it should, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, with tiny models")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--out", type=Path, default=Path("build/gpu-check.json"))
    chosen = parser.parse_args(arguments)
    rehearsed = chosen.rehearse or not gpus()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    os.environ["HF_HUB_OFFLINE"] = "1"
    if rehearsed:
        print("no GPU is used: a rehearsal with tiny models, whose figures mean nothing", file=sys.stderr)
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory(prefix="tamis-gpu-") as folder:
        check = Check(Path(folder), time.monotonic() + 60 * chosen.minutes, rehearsed)
        told = run_parts(check, chosen.out)
    print(chosen.out)
    return int(any("error" in part for part in told["parts"].values()))


if __name__ == "__main__":
    sys.exit(main())
