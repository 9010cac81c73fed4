"""`tamis watch`: a run from its beginning to its end, in lines; on a terminal with its curve."""

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

from engine.training.index import find_run
from engine.training.live import LiveRun
from engine.training.runs import RunState, read_run, tail_events
from engine.training.worker.card import usage
from workbench import braille, run_document
from workbench.event_words import lines
from workbench.safe_text import visible

# Ten looks a second at the end of a file.
POLL_SECONDS = 0.1
RECENT_STEPS = 50
CHART_ROWS = 10
ENDED_WELL = ("finished", "stopped")


def watch(arguments: argparse.Namespace) -> int:
    """`tamis watch RUN`: everything so far, then a line a step until the end. `--json` prints the event lines."""
    run = find_run(arguments.run)
    if arguments.json:
        return follow(run, None, lambda event: print(json.dumps(event), flush=True))
    on_terminal = sys.stdout.isatty()
    if on_terminal:
        draw(run)
    code = follow(run, lambda line: print(line, flush=True))
    if on_terminal:
        draw(run)
    return code


def follow(run: Path, say: Callable[[str], None] | None, take: Callable[[dict[str, Any]], None] | None = None) -> int:
    """Pass on every event of a run until it has ended; 0 where it finished or was stopped, else 1."""
    offset, took = 0, deque[float](maxlen=RECENT_STEPS)
    while True:
        # The state is read before the events: an end seen here has all its events in the file already.
        state = read_run(run)
        events, offset = tail_events(run, offset)
        for event in events:
            if take is not None:
                take(event)
            elif say is not None:
                for line in lines(event, to_go(event, took)):
                    say(visible(line))
        if not state.alive and state.state not in ("queued", "running"):
            if say is not None:
                for line in closing(state):
                    say(visible(line))
            return 0 if state.state in ENDED_WELL else 1
        sys.stdout.flush()
        time.sleep(POLL_SECONDS)


def to_go(event: Mapping[str, Any], took: deque[float]) -> float | None:
    """Seconds until the last step, at the pace of the last ones; None for what is no step."""
    if event["ev"] != "log" or not isinstance(event.get("dt"), int | float) or not event.get("of"):
        return None
    took.append(float(event["dt"]))
    return statistics.median(took) * (int(event["of"]) - int(event["step"]))


def closing(state: RunState) -> Iterator[str]:
    """How it ended, where the model lies, and the lines to load and to serve it."""
    yield f"{state.state}{': ' + state.error if state.error else ''}"
    if not state.result.get("model"):
        return
    folder = state.dir / str(state.result["model"])
    spec = json.loads((state.dir / "spec.json").read_bytes())
    values, lora = ({name: each["value"] for name, each in spec[kind].items()} for kind in ("values", "lora"))
    yield f"model: {folder}"
    yield from (line for line in usage(values, lora, str(folder)).splitlines() if line and "```" not in line)


def draw(run_dir: Path) -> None:
    """The curve so far, as wide as the terminal."""
    run = LiveRun(run_dir)
    run.read()
    curves = run_document.curves(run, [], smooth=False)
    frame = braille.frame_for(curves, run.state.max_steps)
    if frame is None:
        return
    columns = max(20, shutil.get_terminal_size().columns - 10)
    drawn = [(braille.draw(curve, frame, columns, CHART_ROWS), curve.role) for curve in curves]
    for place, parts in enumerate(braille.layered(drawn)):
        value = frame.value_at(place / (CHART_ROWS - 1))
        print(f"{value:>8.3g} \u2502{''.join(text for text, _ in parts).rstrip()}")
