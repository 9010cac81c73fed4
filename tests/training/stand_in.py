"""Stands in for the worker where only the supervisor is on trial. Started as the `command` of a spec.

Arguments: main.py (not used), --attempt N, run folders. A run's name says what to do:
oom, crowded, die, mute, finish, sleep, deaf, obey (until it is asked to stop).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def end(folder: Path, attempt: int, outcome: str) -> None:
    temporary = folder / ".end"
    temporary.write_text(json.dumps({"outcome": outcome, "attempt": attempt, "step": 7}))
    temporary.rename(folder / f"end.{attempt}.json")


stopped: list[int] = []
signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
attempt = int(sys.argv[sys.argv.index("--attempt") + 1])
for position, name in enumerate(sys.argv[sys.argv.index("--attempt") + 2 :]):
    folder = Path(name)
    number = attempt if position == 0 else 1
    (folder / f".ran.{number}").write_text(str(os.getpid()))
    (folder / f".ran.{number}").rename(folder / f"ran.{number}")
    task = json.loads((folder / "spec.json").read_text())["name"]
    if task == "oom":
        end(folder, number, "oom")
        os._exit(42)
    if task == "crowded":
        temporary = folder / ".end"
        temporary.write_text(
            json.dumps({"outcome": "oom", "error": "CUDA out of memory", "foreign": "train (pid 4242)"})
        )
        temporary.rename(folder / f"end.{number}.json")
        os._exit(42)
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "mute":
        os._exit(9)
    while task in ("sleep", "deaf") and (not stopped or task == "deaf"):
        time.sleep(0.02)
    while task == "obey" and not (folder / "control" / "stop").exists():
        time.sleep(0.02)
    end(folder, number, "stopped" if stopped or task == "obey" else "finished")
