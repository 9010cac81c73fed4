"""A small task, the making of a tiny model, and ways to wait for runs and read them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.model import TrainingRow
from engine.training.runs.launch import Run
from engine.training.runs.status import RunState, read_run, tail_events

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ("red", "green", "blue", "grey", "black", "white")
THINGS = ("lamp", "chair", "kettle", "spoon", "rug", "clock")

MAKE_MODEL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
import main
main.load_package()
builtin = importlib.import_module("tamis_worker.builtin")
import torch
torch.set_num_threads(1)
builtin.RECIPE.update(tokens=40_000, block=64, vocabulary=400)
print("made at", builtin.ensure(__import__("pathlib").Path(sys.argv[2]), progress=lambda done, of: None,
      cache=__import__("pathlib").Path(sys.argv[3])))
"""


def field_text() -> str:
    """A few hundred paragraphs about coloured things, some with a record: what the tiny model is pre-trained on."""
    paragraphs = []
    for number in range(400):
        colour, thing = COLOURS[number % 6], THINGS[(number // 6) % 6]
        paragraphs.append(f"The {thing} in the hall is {colour}, number {number}.")
        paragraphs.append(f'Ann sold a {colour} {thing}.\n{{"sold": "{thing}"}}')
    return "\n\n".join(paragraphs)


def rows(count: int, start: int = 0) -> tuple[TrainingRow, ...]:
    """`count` rows of one small task, ids `r<start>` onwards: a sentence in, its colour and thing out."""
    made = []
    for number in range(start, start + count):
        colour, thing = COLOURS[number % 6], THINGS[(number // 6) % 6]
        answer = json.dumps({"colour": colour, "thing": thing})
        asked = {"role": "user", "content": f"Case {number}: please sort the {colour} {thing}."}
        made.append(TrainingRow(f"r{number}", (asked, {"role": "assistant", "content": answer})))
    return tuple(made)


def wait_until(true: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Wait for a condition, not for a time; fails when it has not come true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("what was waited for did not happen")


def ended(run: Run, seconds: float = 90.0) -> RunState:
    """The state of a run once nothing holds its lock any more."""
    wait_until(lambda: not read_run(run.dir).alive, seconds)
    return read_run(run.dir)


def events(run: Run, *kinds: str) -> list[dict[str, Any]]:
    """The run's events so far, of the named kinds where any are named."""
    return [event for event in tail_events(run.dir)[0] if not kinds or event["ev"] in kinds]
