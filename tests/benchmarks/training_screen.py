"""From a log line to the terminal: delay, bytes and CPU of an update of the curve, in a pty of our own.

A run that is going on is played by writing event lines; the workbench has its training screen open. Goals: 150 ms at
the 95th percentile, 600 bytes, 5 ms of CPU. What the screen costs while nothing is logged is told apart.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import math
import os
import random
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.model import Findings
from engine.project.create import create_project
from engine.project.project import open_project
from engine.training.runs.live import LiveRun
from engine.training.worker.events import event_line, write_json
from tests.benchmarks.terminal import Measured
from tests.terminal.pseudo import ANSWER, QUESTION

UPDATES, LAST = 60, 300
LIMIT_SECONDS = 2.0


def project_with_run(place: Path, earlier: int, last: int) -> tuple[Path, Path]:
    """A small project with a run that has taken `earlier` steps of `last`."""
    source = place / "raw.jsonl"
    lines = (json.dumps({"instruction": f"Question {n}?", "input": "", "output": f"{n}"}) for n in range(20))
    source.write_text("".join(line + "\n" for line in lines))
    folder = create_project(source, place / "raw.tamis")
    with open_project(folder, readonly=True) as project:
        project.save_findings(Findings.empty(len(project.rows)))
    (folder / "session.json").write_text(json.dumps({"v": 1, "asked": ["mapping", "heldout"]}))
    run = folder / "runs" / "20260101T000000Z-bench"
    (run / "control").mkdir(parents=True)
    values = {"model": {"value": "built-in"}, "steps": {"value": last}}
    (run / "spec.json").write_text(json.dumps({"v": 1, "name": "bench", "group": "", "values": values}))
    status = {"t": time.time() + 3600, "pid": 1, "attempt": 1, "phase": "train", "step": earlier, "max_steps": last}
    write_json(run / "status.json", status, durable=False)
    with (run / "events.jsonl").open("wb") as stream:
        stream.write(event_line("spawn", {"attempt": 1, "pid": 1, "micro_batch": 16, "accum": 1}))
        for step in range(1, earlier + 1):
            stream.write(log_line(step, last))
    return folder, run


def loss_of(step: int) -> float:
    """A falling curve with noise, the same every time."""
    return 2.5 * math.exp(-step / 120) + 0.2 + random.Random(step).random() / 10


def log_line(step: int, last: int) -> bytes:
    """One step as the worker writes it."""
    values = {"step": step, "of": last, "dt": 0.1234, "loss": loss_of(step), "grad_norm": 0.5 + step / 1000}
    more = {"learning_rate": 2e-4 * (1 - step / (last + 1)), "entropy": 1.2, "num_tokens": step * 1234.0}
    return event_line("log", {**values, **more, "epoch": step / 20})


def updates(columns: int, rows: int, *, first: int = 1, last: int = LAST) -> dict[str, Any]:
    """Write one log line after the other and watch the terminal."""
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder, run = project_with_run(Path(name), first, last)
        with (run / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            words = [sys.executable, "-m", "workbench.cli.main", str(folder), "--as", "bench"]
            with Measured(words, columns=columns, rows=rows, answers=True) as terminal:
                terminal.wait_for("What the scan proposes")
                terminal.keys("T")
                terminal.wait_for("bench  running")
                terminal.settle(1.0)
                idle = idle_share(terminal)
                found = [one_update(terminal, run, step, last) for step in range(first + 1, first + 1 + UPDATES)]
    shown = [delay for delay, *_ in found]
    return {
        "updates": len(found),
        "to_screen_ms_p50": round(statistics.median(shown), 1),
        "to_screen_ms_p95": round(statistics.quantiles(shown, n=20)[-1], 1),
        "bytes_p50": round(statistics.median(size for _, size, *_ in found)),
        "bytes_p95": round(statistics.quantiles([size for _, size, *_ in found], n=20)[-1]),
        "cpu_ms_mean": round(statistics.mean(cpu - idle * passed for _, _, cpu, passed in found), 2),
        "idle_cpu_percent": round(idle * 100, 2),
    }


def idle_share(terminal: Measured) -> float:
    """CPU seconds a second while nothing is logged."""
    busy, began = terminal._cpu(), time.perf_counter()
    time.sleep(3)
    return (terminal._cpu() - busy) / (time.perf_counter() - began)


def one_update(terminal: Measured, run: Path, step: int, last: int) -> tuple[float, int, float, float]:
    """(ms until the step's loss is on the screen, bytes until it is quiet, CPU ms, ms all in all)."""
    wanted = f"loss {loss_of(step):.4g}"
    before, busy = len(terminal.output), terminal._cpu()
    with (run / "events.jsonl").open("ab") as stream:
        stream.write(log_line(step, last))
    began = time.perf_counter()
    shown = None
    quiet = 0.25
    while select.select([terminal._master], [], [], LIMIT_SECONDS if shown is None else quiet)[0]:
        content = os.read(terminal._master, 65536)
        for _ in range(content.count(QUESTION)):
            os.write(terminal._master, ANSWER)
        terminal.output += content
        terminal._stream.feed(content)
        if shown is None and wanted in terminal.text:
            shown = time.perf_counter() - began
    if shown is None:
        raise AssertionError(f"{wanted} never came:\n{terminal.text}")
    time.sleep(random.Random(step).random() / 10)  # no rhythm that could fall in with the looks at the file
    passed = time.perf_counter() - began
    return shown * 1000, len(terminal.output) - before, (terminal._cpu() - busy) * 1000, passed * 1000


def attaching() -> dict[str, float]:
    """Seconds until the screen shows a run of 100,000 steps: the reading alone, and from the key to the curve."""
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder, run = project_with_run(Path(name), 100_000, 200_000)
        live = LiveRun(run)
        began, busy = time.perf_counter(), time.process_time()
        live.read()
        reading, cpu = time.perf_counter() - began, time.process_time() - busy
        with (run / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            words = [sys.executable, "-m", "workbench.cli.main", str(folder), "--as", "bench"]
            with Measured(words, columns=80, rows=24, answers=True) as terminal:
                terminal.wait_for("What the scan proposes")
                terminal.settle(1.0)
                began = time.perf_counter()
                terminal.type("T")
                terminal.wait_for(f"loss {loss_of(100_000):.4g}")
                shown = time.perf_counter() - began
    return {"read_s": round(reading, 3), "read_cpu_s": round(cpu, 3), "key_to_curve_s": round(shown, 3)}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    found = {
        "80x24": updates(80, 24),
        "120x40": updates(120, 40),
        "80x24, from step 900 of 2,000": updates(80, 24, first=900, last=2000),
        "attach at 100,000 steps": attaching(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
