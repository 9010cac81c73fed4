"""Events of a run in words, for the screen and for `tamis watch`. Knows no terminal; texts are not made visible yet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from engine.training.live import duration

PHASES = {
    "import": "starting the trainer",
    "load": "loading the model",
    "data": "reading the rows",
    "probe": "trying the longest batch",
    "train": "training",
    "eval": "measuring on the held-out rows",
    "save": "saving",
}


def number(value: Any, digits: int = 3) -> str:
    """A measured value: `digits` significant ones, very small numbers with an exponent; other things as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits - 1}e}" if 0 < abs(value) < 1e-3 else f"{value:.{digits}g}"


def step_line(event: Mapping[str, Any], eta: float | None = None) -> str:
    """A `log` event: one optimizer step."""
    of = f"/{event['of']}" if event.get("of") else ""
    parts = [f"step {event['step']}{of}", f"loss {number(event.get('loss'), 4)}"]
    for name, label in (("learning_rate", "lr"), ("grad_norm", "grad")):
        if event.get(name) is not None:
            parts.append(f"{label} {number(event[name])}")
    if isinstance(event.get("dt"), int | float):
        parts.append(f"{event['dt']:.2f} s")
    if eta is not None:
        parts.append(f"{duration(eta)} to go")
    return "  ".join(parts)


def sentence(event: Mapping[str, Any]) -> str:
    """Any event in a sentence."""
    kind = event["ev"]
    words = WORDS.get(kind)
    if words is not None:
        return words(event)
    rest = event.get("msg") or event.get("detail") or event.get("reason") or ""
    return f"{kind}: {rest}" if rest else str(kind)


def _phase(event: Mapping[str, Any]) -> str:
    return f"{PHASES.get(str(event.get('phase')), str(event.get('phase')))} \u2026"


def _spawn(event: Mapping[str, Any]) -> str:
    begun = f", from step {event['from_step']}" if event.get("from_step") else ""
    again = f"attempt {event['attempt']}: " if event.get("attempt", 1) > 1 else ""
    micro, accum = event.get("micro_batch"), event.get("accum")
    return f"{again}worker {event.get('pid')} started, {micro} rows at a time, {accum} times a step{begun}"


def _data(event: Mapping[str, Any]) -> str:
    if "sequences" in event:
        return f"{event['rows']} rows are packed into {event['sequences']} sequences"
    kept = f"{event.get('kept')} of {event.get('rows')} rows, {number(event.get('completion_tokens'))} tokens learnt"
    cut = [f"{event[name]} {words}" for name, words in CUT if event.get(name)]
    return ", ".join([kept, *cut])


CUT = (("truncated", "cut"), ("dropped_fully_masked", "left out: nothing to learn"))


def _eval(event: Mapping[str, Any]) -> str:
    parts = [f"held-out NLL {number(event.get('nll'), 4)}"]
    if event.get("exact") is not None:
        parts.append(f"exact match {number(event['exact'])}")
    return f"step {event.get('step')}: {', '.join(parts)} on {event.get('rows')} rows"


def _ckpt(event: Mapping[str, Any]) -> str:
    return f"step {event.get('step')}: checkpoint saved"


def _alert(event: Mapping[str, Any]) -> str:
    return f"alert, {str(event.get('kind')).replace('_', ' ')}: {event.get('detail')}"


def _error(event: Mapping[str, Any]) -> str:
    return f"error while {PHASES.get(str(event.get('phase')), event.get('phase'))}: {event.get('msg')}"


def _retry(event: Mapping[str, Any]) -> str:
    how = ", activations computed twice" if event.get("checkpointing") else ""
    at = f" from step {event['from_step']}" if event.get("from_step") else ""
    return f"{event.get('reason')}: again{at} with {event.get('micro_batch')} rows at a time, same batch{how}"


def _stop(event: Mapping[str, Any]) -> str:
    return f"stop: {event.get('reason') or event.get('by')}"


def _exit(event: Mapping[str, Any]) -> str:
    words = f"{event.get('outcome')}{': ' + str(event['error']) if event.get('error') else ''}"
    return words if event.get("attempt", 1) == 1 else f"attempt {event['attempt']} {words}"


WORDS = {
    "log": step_line,
    "phase": _phase,
    "spawn": _spawn,
    "data": _data,
    "eval": _eval,
    "ckpt": _ckpt,
    "alert": _alert,
    "error": _error,
    "retry": _retry,
    "stop_requested": _stop,
    "exit": _exit,
}


def lines(event: Mapping[str, Any], eta: float | None = None) -> Iterator[str]:
    """What `tamis watch` prints for an event: the time, a sentence; below an evaluation the answers written in it."""
    if event["ev"] == "mem":
        return
    at = time.strftime("%H:%M:%S", time.localtime(float(event.get("t", 0))))
    yield f"{at} {step_line(event, eta) if event['ev'] == 'log' else sentence(event)}"
    for sample in event.get("samples") or ():
        yield f"{'':9}{sample['id']}: {sample['answer']}"
