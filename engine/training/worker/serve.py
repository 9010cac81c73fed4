"""Serves runs one after the other in one process, so that several small runs pay for the imports once.

Each run ends in an `end.N.json` (N: the attempt) with its outcome. The process ends early, and leaves the rest of the
queue to a fresh one, where its state can no longer be trusted: out of memory (exit code 42) or an error (1).
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from .checkpoints import latest_attempt
from .events import EventLog, SilentLog, open_private, write_json
from .faults import sentence
from .gpus import chosen_index, foreign, gpus
from .heartbeat import Heartbeat
from .out_of_memory import free_what_is_unused, is_out_of_memory
from .run_context import NonFinite, RunContext
from .spec import Spec, read_spec
from .stopping import Stopped, StopWatch
from .threads import wait_without_spinning

OUT_OF_MEMORY = 42
FOREIGN_SHARE = 0.1


def main(arguments: list[str]) -> NoReturn:
    """Serve the runs named by `arguments` and end the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--attempt", type=int, default=1, help="of the first run; of the others as their folders say")
    parser.add_argument("runs", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    faulthandler.register(signal.SIGUSR1)
    watch = StopWatch()
    watch.listen()
    code = 0
    for position, run_dir in enumerate(options.runs):
        attempt = options.attempt if position == 0 else latest_attempt(run_dir)
        outcome = serve_one(run_dir, attempt, watch)
        if outcome in ("oom", "crashed"):
            code = OUT_OF_MEMORY if outcome == "oom" else 1
            break
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the interpreter's own end takes seconds with torch in it, and everything is on disk


def serve_one(run_dir: Path, attempt: int, watch: StopWatch) -> str:
    """Do one run, whatever happens to it, and write its end. Returns the outcome."""
    began = time.monotonic()
    redirect(run_dir / "console.log")
    rank = int(os.environ.get("RANK", "0"))
    log = EventLog(run_dir) if rank == 0 else SilentLog()
    beat = Heartbeat(run_dir, attempt, log, rank)
    beat.start()
    watch.watch(run_dir)
    try:
        end = guarded(run_dir, attempt, watch, log, beat, began)
        beat.stop()
        path = run_dir / f"end.{attempt}.json"
        # Of several processes the first one speaks; another one only of a fault the first may not live to tell.
        if rank == 0 or (end["outcome"] in ("oom", "crashed") and not path.exists()):
            write_json(path, {"attempt": attempt, "t": time.time(), "rank": rank, **end})
    finally:
        log.close()
    return str(end["outcome"])


def guarded(
    run_dir: Path, attempt: int, watch: StopWatch, log: EventLog | SilentLog, beat: Heartbeat, began: float
) -> dict[str, Any]:
    """Run the trainer; every way it can end becomes an outcome. The border where any exception is caught."""
    try:
        watch.check()
        spec = read_spec(run_dir, attempt)
        set_environment(spec)
        log.emit("phase", phase="import", since_start=0.0)
        beat.tell(phase="import")
        from .run import train

        return train(spec, RunContext(run_dir, log, beat, watch, began))
    except NonFinite as fault:
        log.emit("alert", kind="nonfinite", step=beat.step, detail=str(fault))
        return {"outcome": "nonfinite", "step": beat.step, "error": str(fault)}
    except Stopped as stop:
        log.emit("stop_requested", step=beat.step, reason=str(stop))
        return {"outcome": "stopped", "step": beat.step, "stopped_by": str(stop)}
    except Exception as fault:  # noqa: BLE001  the worker's border: told in the run's own files
        traceback.print_exc()
        outcome = "oom" if is_out_of_memory(fault) else "crashed"
        message = sentence(fault)
        log.emit("error", kind=type(fault).__name__, msg=message, phase=beat.phase)
        end = {"outcome": outcome, "step": beat.step, "error": message, "seconds": round(time.monotonic() - began, 3)}
        if outcome == "oom":
            end["foreign"] = others_on_gpu()
        return end
    finally:
        free_what_is_unused()  # what this run held, before the next one starts


def others_on_gpu() -> str:
    """Who else holds a tenth or more of this run's GPU, in words; "" where nobody does."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ""
    index = chosen_index(0)
    total = next((gpu.total_mb for gpu in gpus() if gpu.index == index), 0.0)
    large = [process for process in foreign(index) if process.mb > total * FOREIGN_SHARE]
    return ", ".join(f"{process.name} (pid {process.pid}, {process.mb / 1000:.1f} GB)" for process in large)


def redirect(path: Path) -> None:
    """Everything printed from now on belongs to this run's console.log."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def set_environment(spec: Spec) -> None:
    """What the libraries read when they are imported. `HF_HUB_OFFLINE` is the user's and stays as it is."""
    os.environ.update(
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        HF_DATASETS_DISABLE_PROGRESS_BARS="1",
        TOKENIZERS_PARALLELISM="false",
        CUDA_DEVICE_ORDER="PCI_BUS_ID",  # so that an index means the GPU that nvidia-smi shows under it
    )
    wait_without_spinning()
    threads = int(spec["threads"])
    if threads:
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(threads)
    # SFTTrainer refuses several visible GPUs in one process
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return  # the launcher gives each process its own
    visible, number = os.environ.get("CUDA_VISIBLE_DEVICES"), int(spec["gpu"])
    if visible is None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(number)
    elif "," in visible:
        devices = visible.split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = devices[min(number, len(devices) - 1)].strip()
