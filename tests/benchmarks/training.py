"""Start and stop of a detached run beside a bare TRL script: on the built-in model, turn by turn in the same sitting.

The cost of a step is measured by training_steps, the way to the screen by training_screen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.training.runs.launch import Run, choose_spec, launch
from engine.training.runs.loss_history import read_history
from engine.training.runs.status import is_alive, stop, tail_events
from engine.training.spec.defaults import SFT
from engine.training.worker.events import event_line, read_json
from tests.benchmarks.training_rows import rows

FEW = 3

BARE = """
import json, sys, time
import torch
torch.set_num_threads(1)
import trl.trainer.utils
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

model, data, out, fields, skip = *sys.argv[1:4], json.loads(sys.argv[4]), sys.argv[5] == "skip"
if skip:
    trl.trainer.utils._use_triton = lambda _device: True
times = []

class Clock(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **_):
        if "loss" in logs:
            times.append((time.time(), time.process_time()))

trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(model),
    args=SFTConfig(output_dir=out, use_cpu=True, bf16=False, assistant_only_loss=True, **fields),
    train_dataset=load_dataset("json", data_files=data, split="train"),
    processing_class=AutoTokenizer.from_pretrained(model),
    callbacks=[Clock()],
)
trainer.train()
print(json.dumps(times))
"""


def start(folder: Path, steps: int, **settings: Any) -> Run:
    """A run on the built-in model that measures nothing and writes no checkpoint."""
    bare = {"steps": steps, "save_strategy": "no", "keep_best": False, "generate_rows": 0, "samples": 0, **settings}
    return launch(choose_spec(name="bench", rows=400, settings=bare), rows(400), (), folder)


def wait(run: Run) -> None:
    while is_alive(run.dir):
        time.sleep(0.02)


def log_times(run: Run) -> list[float]:
    return [event["t"] for event in tail_events(run.dir)[0] if event["ev"] == "log"]


def ours(folder: Path) -> tuple[float, float]:
    """Seconds from launch to the first logged step, and the CPU seconds the worker and its launcher took for it."""
    began, busy = time.time(), time.process_time()
    run = start(folder, FEW)
    spent = time.process_time() - busy
    while not (steps := [event for event in tail_events(run.dir)[0] if event["ev"] == "log"]):
        time.sleep(0.01)
    (spawned,) = [event for event in tail_events(run.dir)[0] if event["ev"] == "spawn"]
    worker = cpu_seconds(spawned["pid"])
    wait(run)
    return steps[0]["t"] - began, spent + worker


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare(folder: Path, model: str, *, skip: bool) -> tuple[float, float]:
    """The same for a script of thirty lines around TRL's own trainer with the same fields."""
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps({"messages": list(row.messages)}) + "\n" for row in rows(400)))
    names = (
        "optim",
        "weight_decay",
        "max_grad_norm",
        "lr_scheduler_type",
        "logging_steps",
        "disable_tqdm",
        "report_to",
    )
    fields = {name: SFT[name].value for name in names} | {
        "max_steps": FEW, "per_device_train_batch_size": 16, "learning_rate": 2e-3, "max_length": 512,
        "save_strategy": "no", "activation_checkpointing": False, "warmup_steps": 7,
    }  # fmt: skip
    words = [
        sys.executable,
        "-c",
        BARE,
        model,
        str(data),
        str(folder / "out"),
        json.dumps(fields),
        "skip" if skip else "",
    ]
    environment = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_DATASETS_CACHE": str(folder / "cache")}
    environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    began = time.time()
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    first, cpu = json.loads(done.stdout.strip().splitlines()[-1])[0]
    return first - began, cpu


def stopping(folder: Path) -> float:
    """Seconds from `tamis stop` to the result on disk."""
    run = start(folder, 100_000)
    while len(log_times(run)) < 5:
        time.sleep(0.05)
    began = time.time()
    stop(run.dir)
    while read_json(run.dir / "result.json") is None:
        time.sleep(0.01)
    took = time.time() - began
    wait(run)
    return took


def attaching(folder: Path) -> float:
    """Seconds to read a run of 100,000 steps for the chart."""
    with (folder / "events.jsonl").open("wb") as stream:
        for step in range(1, 100_001):
            values = {"step": step, "of": 100_000, "dt": 0.1234, "loss": 2 - step / 1e5, "grad_norm": 0.51234}
            more = {"learning_rate": 1e-4, "entropy": 1.234, "mean_token_accuracy": 0.777, "num_tokens": step * 1234.0}
            stream.write(event_line("log", {**values, **more, "epoch": step / 1000}))
    began = time.perf_counter()
    read_history(folder)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder = Path(name)
        first = start(folder / "runs", 1)
        wait(first)
        model = json.loads((first.dir / "settings.json").read_text())["model_source"]
        pairs = []
        for number in range(rounds):  # turn by turn, so that other work on the machine meets both alike
            each = folder / str(number)
            each.mkdir()
            turns = [lambda each=each: ours(each / "runs"), lambda each=each: bare(each, model, skip=True)]
            found = [turn() for turn in (turns if number % 2 else reversed(turns))]
            pairs.append(found if number % 2 else found[::-1])
        for place, what in ((0, "s"), (1, "CPU s")):
            mine, theirs = ([pair[who][place] for pair in pairs] for who in (0, 1))
            ratios = sorted(one / other for one, other in zip(mine, theirs, strict=True))
            words = f"tamis {statistics.median(mine):.2f} {what}, bare TRL {statistics.median(theirs):.2f} {what}"
            shown = f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f}-{ratios[-1]:.3f})"
            print(f"start to first logged step: {words}; {shown}", flush=True)
        print(f"read a run of 100,000 steps {attaching(folder):.3f} s")
        stops = [stopping(folder / "stops") for _ in range(rounds)]
        print(f"stop to saved {statistics.median(stops):.2f} s ({min(stops):.2f}-{max(stops):.2f})")


if __name__ == "__main__":
    main()
