"""The whole course of a run, read once and thinned out for a chart; later events are then read with `tail_events`."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.json_form import LARGEST_NUMBER
from engine.training.runs.status import parsed

COLUMNS = 480
NUMBER = rb'(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|"[a-z-]+")'
LOG_START = rb'\{"v":1,"t":[0-9.]+,"ev":"log","step":'
LOG_LINE = re.compile(rb"^" + LOG_START + rb'([0-9]{1,15}),[^\n]*?"loss":' + NUMBER + rb"[,}][^\n]*\}$", re.MULTILINE)
"""Log lines as our own writer makes them. Reading two numbers by pattern takes a fifth of reading the line as JSON."""
OTHER_LINE = re.compile(rb'^(?!\{"v":1,"t":[0-9.]+,"ev":"log").+$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Column:
    """What a stretch of steps came to: its last step, and the lowest, highest and last value in it."""

    step: int
    low: float
    high: float
    last: float


@dataclass(frozen=True, slots=True)
class LossHistory:
    """`loss` and `heldout` as at most `columns` stretches; the newest of each other kind of event; where to go on.

    A step taken twice (after a resume or a retry) counts as it was the last time. Values that are no number are left
    out. `others` holds all events but log lines and heartbeats (`mem`), in order.
    """

    loss: tuple[Column, ...]
    heldout: tuple[tuple[int, float], ...]
    others: tuple[Mapping[str, Any], ...]
    last_log: Mapping[str, Any]
    offset: int


def read_loss_history(run_dir: Path, columns: int = COLUMNS) -> LossHistory:
    """Everything so far. A line still being written is left to `tail_events(run_dir, history.offset)`."""
    try:
        content = (run_dir / "events.jsonl").read_bytes()
    except FileNotFoundError:
        content = b""
    whole = content[: content.rfind(b"\n") + 1]
    steps, values = losses(whole)
    others = [event for event in map(parsed, lines_of_others(whole)) if event is not None]
    heldout = {
        int(event["step"]): float(event["nll"])
        for event in others
        if event["ev"] == "eval" and isinstance(event.get("nll"), int | float)
    }
    return LossHistory(
        tuple(thinned(steps, values, columns)),
        tuple(sorted(heldout.items())),
        tuple(event for event in others if event["ev"] != "mem"),
        last_log(whole),
        len(whole),
    )


def losses(content: bytes) -> tuple[array[int], array[float]]:
    """Step and loss of every log line, in order of steps; of a step taken twice the last."""
    steps, values = array("q"), array("d")
    for step, value in LOG_LINE.findall(content):
        if value[:1] == b'"' or not abs(loss := float(value)) <= LARGEST_NUMBER:
            continue
        number = int(step)
        while steps and steps[-1] >= number:  # the run went back to a checkpoint
            steps.pop()
            values.pop()
        steps.append(number)
        values.append(loss)
    return steps, values


def lines_of_others(content: bytes) -> Iterator[bytes]:
    """All lines but the log lines."""
    return (match.group() for match in OTHER_LINE.finditer(content))


def last_log(content: bytes) -> Mapping[str, Any]:
    """The newest log event, whole; empty where there is none."""
    start = content.rfind(b'"ev":"log"')
    if start < 0:
        return {}
    begin = content.rfind(b"\n", 0, start) + 1
    return parsed(content[begin : content.find(b"\n", start)]) or {}


def thinned(steps: Sequence[int], values: Sequence[float], columns: int) -> Iterator[Column]:
    """At most `columns` stretches of equally many points, so that no spike is lost."""
    size = max(1, -(-len(steps) // columns))
    for start in range(0, len(steps), size):
        part = values[start : start + size]
        yield Column(steps[min(start + size, len(steps)) - 1], min(part), max(part), part[-1])
