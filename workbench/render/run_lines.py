"""A run as a line of a list: on the training screen, and among all runs on this machine."""

from __future__ import annotations

import time

from engine.phrases import duration
from engine.training.runs.status import RunState
from workbench.render.training_run import STATE_ROLES, model_name
from workbench.text.blocks import Styled
from workbench.text.escape import visible_line


def run_line(state: RunState, mark: str) -> tuple[Styled, ...]:
    """Mark of two columns, state, steps, id and model."""
    return (
        (f" {mark}", "title"),
        _state(state),
        (f"{_steps(state):>9}  ", "text"),
        (visible_line(f"{state.id}  {model_name(state.model)}"), "muted"),
    )


def run_line_anywhere(state: RunState) -> tuple[Styled, ...]:
    """State, steps, held-out loss, how long ago, project, model and id."""
    words, role = _state(state)
    nll = state.result.get("nll")
    measured = f"{nll:>7.3f}" if isinstance(nll, float) else " " * 7
    return (
        (f" {words}", role),
        (f"{_steps(state):>11} ", "text"),
        (f"{measured} ", "heldout"),
        (f"{_age(state):>14}  ", "muted"),
        (visible_line(f"{state.dir.parent.parent.name}  {model_name(state.model)}  {state.id}"), "text"),
    )


def _state(state: RunState) -> Styled:
    words = "frozen" if state.frozen else state.state
    return (f"{words:<9} ", STATE_ROLES.get(words, "error"))


def _steps(state: RunState) -> str:
    return f"{state.step}/{state.max_steps}" if state.max_steps else str(state.step)


def _age(state: RunState) -> str:
    """How long ago the run ended, or was last heard of."""
    ended = state.result.get("ended")
    seconds = time.time() - ended if isinstance(ended, int | float) else state.heard
    return "" if seconds is None else f"{duration(max(0.0, seconds))} ago"
