"""A run that is being watched: its events in sentences, for the screen and for `tamis watch`, and for the screen its
state, figures, curves and answers.

The sentences are not made visible yet, the screen's pieces are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.phrases import counted, duration, share, size
from engine.training.runs.live import LiveRun
from engine.training.runs.loss_history import Column
from workbench.text.blocks import Paragraph, Styled
from workbench.text.braille import Curve, smoothed
from workbench.text.escape import visible_line

PHASES = {
    "import": "starting the trainer",
    "load": "loading the model",
    "data": "reading the rows",
    "probe": "trying the longest batch",
    "train": "training",
    "eval": "measuring on the held-out rows",
    "save": "saving",
}
CUT = (
    ("truncated", "cut"),
    ("dropped_fully_masked", "left out: nothing to learn"),
    ("refused", "left out: the chat template refuses them"),
    ("heldout_refused", "held-out ones not measured: the chat template refuses them"),
)
TAIL_BYTES = 16_384
TAIL_LINES = 40
STATE_ROLES = {"running": "key", "queued": "muted", "finished": "done", "stopped": "skipped"}
VIEWS = ("curve", "answers", "log")


# Events in sentences.


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
        parts.append(duration(event["dt"]))
    if eta is not None:
        parts.append(f"{duration(eta)} to go")
    return "  ".join(parts)


def _phase(event: Mapping[str, Any]) -> str:
    return f"{PHASES.get(str(event.get('phase')), str(event.get('phase')))} \u2026"


def _spawn(event: Mapping[str, Any]) -> str:
    begun = f", from step {event['from_step']}" if event.get("from_step") else ""
    again = f"attempt {event['attempt']}: " if event.get("attempt", 1) > 1 else ""
    micro, accum = event.get("micro_batch"), event.get("accum")
    return f"{again}worker {event.get('pid')} started, {micro} rows at a time, {accum} times a step{begun}"


def _data(event: Mapping[str, Any]) -> str:
    if "sequences" in event:
        return f"{counted(event['rows'], 'row')} packed into {counted(event['sequences'], 'sequence')}"
    kept = f"{event.get('kept')} of {event.get('rows')} rows, {number(event.get('completion_tokens'))} tokens learnt"
    cut = [f"{event[name]} {words}" for name, words in CUT if event.get(name)]
    return ", ".join([kept, *cut])


def _eval(event: Mapping[str, Any]) -> str:
    at = f"step {event.get('step')}"
    base = event.get("base") or {}
    if not event.get("step"):
        at += f", the base, as {event['reused']} measured it" if event.get("reused") else ", the base"
    took = event.get("answers_seconds")
    price = f"; the answers took {duration(took)}" if isinstance(took, int | float) and took >= 1 else ""
    return f"{at}: {', '.join(measures(event, base))} on {event.get('rows')} rows{price}"


def measures(now: Mapping[str, Any], base: Mapping[str, Any]) -> list[str]:
    """What was measured on held-out rows, each beside the base's where that is another measurement."""

    def both(tell: Callable[[Mapping[str, Any]], str]) -> str:
        before, after = tell(base) if base and base.get("nll") != now.get("nll") else "", tell(now)
        return f"{before} \u2192 {after}" if before else after

    parts = [f"held-out NLL {both(lambda told: number(told['nll'], 4) if 'nll' in told else '')}"]
    if now.get("exact") is not None:
        parts.append(f"exact match {both(lambda told: told_share(told, 'exact'))}")
    if now.get("format_valid") is not None:
        parts.append(f"{now.get('format')}: {both(lambda told: told_share(told, 'format_valid'))}")
    if now.get("cut"):
        parts.append(f"{now['cut']} of {counted(int(now.get('answered', 0)), 'answer')} cut: their room was used up")
    return parts


def told_share(told: Mapping[str, Any], name: str) -> str:
    """A share of the answered rows as a count; runs of an earlier tamis do not say of how many."""
    if told.get(name) is None:
        return ""
    answered = told.get("answered")
    return f"{round(told[name] * answered)} of {answered}" if answered else number(told[name])


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
    words += f", but: {event['but']}" if event.get("but") else ""
    return words if event.get("attempt", 1) == 1 else f"attempt {event['attempt']} {words}"


SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
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


def sentence(event: Mapping[str, Any]) -> str:
    """Any event in a sentence."""
    kind = event["ev"]
    make = SENTENCES.get(kind)
    if make is not None:
        return make(event)
    rest = event.get("msg") or event.get("detail") or event.get("reason") or ""
    return f"{kind}: {rest}" if rest else str(kind)


def lines(event: Mapping[str, Any], eta: float | None = None) -> Iterator[str]:
    """What `tamis watch` prints for an event: the time, a sentence; below an evaluation the answers written in it."""
    if event["ev"] == "mem":
        return
    at = time.strftime("%H:%M:%S", time.localtime(float(event.get("t", 0))))
    yield f"{at} {step_line(event, eta) if event['ev'] == 'log' else sentence(event)}"
    for sample in event.get("samples") or ():
        yield f"{'':9}{sample['id']}: {sample['answer']}"


# The screen.


def state_words(run: LiveRun) -> Styled:
    """One word for the state, in its colour."""
    if run.state.but:
        return f"{run.state.state}, but see below", "refused"
    words = "frozen" if run.state.frozen else run.state.state
    return words, STATE_ROLES.get(words, "error")


def model_name(model: str) -> str:
    """A model's id as it is, of a folder its own name."""
    return Path(model).name if model.startswith("/") else model


def title(run: LiveRun) -> tuple[Styled, ...]:
    """Which run, how it stands, how far it is."""
    state = run.state
    return (
        (f" {visible_line(state.id)} ", "title"),
        (" ", "text"),
        state_words(run),
        (f"  step {state.step}/{state.max_steps or '?'}", "text"),
        (f"  {state.phase}" if state.alive and state.phase != "train" else "", "muted"),
    )


def learning(run: LiveRun) -> tuple[Styled, ...]:
    """Loss, held-out loss, learning rate, gradient norm."""
    parts: list[tuple[str, str, str]] = []
    log = run.last_log
    if log:
        parts.append(("loss", number(log.get("loss"), 4), "chart"))
    if run.heldout:
        best = min(value for _, value in run.heldout)
        shown = number(run.heldout[-1][1], 4)
        if run.heldout[0][0] == 0 and len(run.heldout) > 1:
            shown = f"{number(run.heldout[0][1], 4)} \u2192 {shown}"
        if best < run.heldout[-1][1]:
            shown += f" (best {number(best, 4)})"
        parts.append(("held-out", shown, "heldout"))
    for name, label in (("learning_rate", "lr"), ("grad_norm", "grad")):
        if log.get(name) is not None:
            parts.append((label, number(log[name]), "text"))
    return labelled(parts)


def pace(run: LiveRun) -> tuple[Styled, ...]:
    """Tokens a second, memory, what is left of the run and of its budget."""
    parts: list[tuple[str, str, str]] = []
    if run.state.alive and run.tokens_per_second:
        parts.append(("", f"{number(round(run.tokens_per_second))} tok/s", "text"))
    if run.step_seconds is not None:
        parts.append(("", f"{duration(run.step_seconds)} a step", "text"))
    memory = run.memory
    if memory.get("gpu_reserved_mb") is not None:
        of = f" of {size(1e6 * memory['gpu_total_mb'])}" if memory.get("gpu_total_mb") else ""
        busy = f", {share(memory['util'] / 100)} busy" if memory.get("util") is not None else ""
        parts.append(("GPU", f"{size(1e6 * memory['gpu_reserved_mb'])}{of}{busy}", "text"))
    elif memory.get("rss_mb") is not None:
        parts.append(("memory", size(1e6 * memory["rss_mb"]), "text"))
    eta = run.eta_seconds
    if eta is not None:
        parts.append(("", f"{duration(eta)} to go", "text"))
    budget = run.budget_left()
    if budget:
        parts.append(("", budget, "reason"))
    return labelled(parts)


def labelled(parts: list[tuple[str, str, str]]) -> tuple[Styled, ...]:
    """Values with their labels, side by side."""
    styled: list[Styled] = [(" ", "text")]
    for label, value, role in parts:
        if label:
            styled.append((f"{label} ", "muted"))
        styled.append((f"{visible_line(value)}   ", role))
    return tuple(styled)


def curves(run: LiveRun, others: list[LiveRun], *, smooth: bool) -> list[Curve]:
    """The others behind, then this run's loss, then its held-out loss on top."""
    drawn = [Curve(smoothed(other.loss) if smooth else other.loss, "muted") for other in others]
    if smooth:
        drawn.append(Curve(run.loss, "line"))
    drawn.append(Curve(smoothed(run.loss) if smooth else run.loss, "chart"))
    drawn.append(Curve([Column(step, nll, nll, nll) for step, nll in run.heldout], "heldout", joined=False))
    return drawn


def happenings(run: LiveRun) -> Iterator[Paragraph]:
    """The newest first: alerts stand out."""
    for event in reversed(run.told):
        role = "error" if event["ev"] == "error" else "refused" if event["ev"] == "alert" else "muted"
        yield Paragraph(((visible_line(sentence(event)), role),))


def answers(run: LiveRun) -> Iterator[Paragraph]:
    """The answers written at the newest evaluation, beside what they should have been."""
    if not run.samples:
        yield Paragraph((("no answer yet: they come with each measurement on held-out rows", "muted"),))
    for sample in run.samples:
        yield Paragraph(((visible_line(str(sample["answer"])), "assistant"),), (visible_line(str(sample["id"])), "key"))
        yield Paragraph(((visible_line(str(sample["reference"])), "muted"),), ("reference", "muted"))


def log_tail(run_dir: Path) -> Iterator[Paragraph]:
    """The last lines of console.log."""
    try:
        with (run_dir / "console.log").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    yield Paragraph((("console.log", "title"),))
    for line in lines[-TAIL_LINES:]:
        yield Paragraph(((visible_line(line), "muted"),))


def ended(run: LiveRun) -> Iterator[Paragraph]:
    """Where a finished run's model lies, and how to go on with it."""
    result = run.state.result
    if run.state.alive or not result.get("model"):
        return
    folder = run.dir / str(result["model"])
    yield Paragraph(((visible_line(str(folder), 2000), "done"),), ("model", "key"))
    yield Paragraph((("README.md beside it has the lines to load and to serve it", "muted"),))


def view_document(run: LiveRun, view: str) -> Iterator[Paragraph]:
    """What a view of VIEWS tells in words; that of the curve is what stands below it."""
    if view == "answers":
        yield from answers(run)
        return
    if view == "curve":
        yield from ended(run)
    yield from happenings(run)
    if view == "log":
        yield Paragraph(())
        yield from log_tail(run.dir)


def most_pressing(run: LiveRun, view: str) -> tuple[Styled, ...]:
    """The line below a view: what went wrong, else the latest alert, else what happened last where no pane tells it."""
    if run.state.error:
        return ((f" {visible_line(run.state.error)}", "error"),)
    if run.state.but:
        return ((f" finished, but: {visible_line(run.state.but)}", "refused"),)
    if run.alerts:
        return ((f" {visible_line(sentence(run.alerts[-1]))}", "refused"),)
    last = sentence(run.told[-1]) if run.told and view != "curve" else ""
    return ((f" {visible_line(last)}", "reason"),)
