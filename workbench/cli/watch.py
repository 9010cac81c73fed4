"""`tamis watch`: a run in lines, from its beginning to its end."""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import shell_command
from engine.training.runs.live import LiveRun
from engine.training.runs.registry import find_run
from engine.training.runs.status import RunState, read_run, tail_events
from engine.training.worker.card import commands, loading
from workbench.cli.output import is_heard, print_json, say
from workbench.render import training_run
from workbench.render.training_run import lines, measures
from workbench.text import braille

# Ten looks a second at the end of a file.
POLL_SECONDS = 0.1
RECENT_STEPS = 50
CHART_ROWS = 10
ENDED_WELL = ("finished", "stopped")


def watch(arguments: argparse.Namespace) -> int:
    """`tamis watch RUN`: everything so far, then a line a step until the end. `--json` prints the event lines."""
    run = find_run(arguments.run)
    if arguments.json:
        return follow(run, None, lambda event: print_json(event, now=True))
    on_terminal = sys.stdout.isatty()
    if on_terminal:
        draw(run)
    code = follow(run, say_now)
    if on_terminal:
        draw(run)
    return code


def follow(run: Path, say: Callable[[str], None] | None, take: Callable[[dict[str, Any]], None] | None = None) -> int:
    """Pass on every event of a run until it has ended or nobody listens; 0 where it finished or was stopped, else 1."""
    offset, step_seconds = 0, deque[float](maxlen=RECENT_STEPS)
    while True:
        # The state is read before the events: an end seen here has all its events in the file already.
        state = read_run(run)
        events, offset = tail_events(run, offset)
        for event in events:
            if take is not None:
                take(event)
            elif say is not None:
                for line in lines(event, seconds_left(event, step_seconds)):
                    say(line)
        if not state.alive and state.state not in ("queued", "running"):
            if say is not None:
                for line in closing(state):
                    say(line)
            return 0 if state.state in ENDED_WELL else 1
        if not is_heard():
            return 0
        time.sleep(POLL_SECONDS)


def say_now(line: str) -> None:
    """A line of a run, seen at once also by a pipe."""
    say(line, now=True)


def seconds_left(event: Mapping[str, Any], step_seconds: deque[float]) -> float | None:
    """Seconds until the end, as the run told; of an older one until the last step, at the pace of the last ones. None
    for what is no step."""
    if event["ev"] == "log" and isinstance(event.get("left_s"), int | float):
        return float(event["left_s"])
    if event["ev"] != "log" or not isinstance(event.get("dt"), int | float) or not event.get("of"):
        return None
    step_seconds.append(float(event["dt"]))
    return statistics.median(step_seconds) * (int(event["of"]) - int(event["step"]))


def closing(state: RunState) -> Iterator[str]:
    """How it ended, where the model lies, and the lines to load and to serve it."""
    but = f", but: {state.but}" if state.but else ""
    yield f"{state.state}{': ' + state.error if state.error else but}"
    if "nll" in state.result and state.result.get("base"):
        yield f"base \u2192 now: {', '.join(measures(state.result, state.result['base']))}"
    if not state.result.get("model"):
        return
    folder = state.dir / str(state.result["model"])
    spec = json.loads((state.dir / "spec.json").read_bytes())
    values, lora = ({name: each["value"] for name, each in spec[kind].items()} for kind in ("values", "lora"))
    yield f"model: {folder}"
    yield f"for elsewhere: {shell_command('export-model', state.dir)} [--merged]"
    yield from (line for line in loading(values, str(folder)).splitlines() if line and "```" not in line)
    title, words = commands(values, lora, str(folder))[0]
    yield f"{title}: {words}"


def draw(run_dir: Path) -> None:
    """The curve so far, as wide as the terminal."""
    run = LiveRun(run_dir)
    run.read()
    curves = training_run.curves(run, [], smooth=False)
    frame = braille.frame_for(curves, run.state.max_steps)
    if frame is None:
        return
    columns = max(20, shutil.get_terminal_size().columns - 10)
    drawn = [(braille.draw(curve, frame, columns, CHART_ROWS), curve.role) for curve in curves]
    for place, parts in enumerate(braille.layered(drawn)):
        value = frame.value_at(place / (CHART_ROWS - 1))
        say(f"{value:>8.3g} \u2502{''.join(text for text, _ in parts).rstrip()}")
