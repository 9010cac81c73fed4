"""Waiting for the runs of a comparison: how far they are, and what one that failed means for the others."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.errors import TrainingError
from engine.training.compare.reuse import is_whole
from engine.training.compare.store import Comparison
from engine.training.runs.run_queue import stop_all
from engine.training.runs.status import RunState, is_alive, read_run, tail_events

Progress = Callable[[str, int, int], None]
"""Called with a phase (load, train, eval), optimizer steps done over all runs, and steps in all."""

POLL_SECONDS = 0.2


def see_through(
    comparison: Comparison, progress: Progress | None = None, is_done: Callable[[RunState], bool] = is_whole
) -> float:
    """Wait until all runs have ended; the seconds it took. What this comparison started is stopped at a fault: a run
    that has ended and is not done."""
    began = time.monotonic()
    try:
        wait(comparison, progress or (lambda phase, done, of: None), is_done)
    except BaseException:
        stop_all([comparison.run_dir(trial) for trial in comparison.trials if not trial.reused])
        raise
    return round(time.monotonic() - began, 2)


def check_whole(comparison: Comparison) -> None:
    """Raises TrainingError where a run is not whole."""
    for trial in comparison.trials:
        state = read_run(comparison.run_dir(trial))
        if not is_whole(state):
            raise_failed(state)


def wait(comparison: Comparison, progress: Progress, is_done: Callable[[RunState], bool] = is_whole) -> None:
    """Watch the runs until all have ended. Raises TrainingError as soon as one fails."""
    folders = [comparison.run_dir(trial) for trial in comparison.trials]
    offsets, steps, phases = [0] * len(folders), [0] * len(folders), ["load"] * len(folders)
    while True:
        alive = [is_alive(folder) for folder in folders]  # before the events, so that none is missed
        for number, folder in enumerate(folders):
            fresh, offsets[number] = tail_events(folder, offsets[number])
            for event in fresh:
                if event["ev"] == "log":
                    steps[number] = event["step"]
                elif event["ev"] == "phase":
                    phases[number] = event["phase"]
        running = {phases[number] for number in range(len(folders)) if alive[number]}
        if any(steps):
            phase = "eval" if running <= {"eval", "save"} else "train"
            progress(phase, sum(steps), comparison.steps * len(folders))
        else:
            progress("load", 0, 0)
        for number, folder in enumerate(folders):
            if not alive[number]:
                state = read_run(folder)
                if not is_done(state):
                    raise_failed(state)
        if not any(alive):
            return
        time.sleep(POLL_SECONDS)


def raise_failed(state: RunState) -> None:
    """A run of the comparison that did not take all its steps ends the comparison. Raises TrainingError."""
    if state.alive:
        raise TrainingError(
            f"run {state.id} is still going on", f"step {state.step} of {state.max_steps}", "wait for it"
        )
    why = state.error or str(state.result.get("stopped_by") or "")
    if "budget" in why or "cost" in why:
        raise TrainingError(
            f"run {state.id} was cut short at step {state.step} of {state.max_steps}, so the arms are not equal",
            why,
            "give a larger budget: the runs that are finished are kept",
        )
    raise TrainingError(
        f"run {state.id} {'was ' if state.state in ('stopped', 'killed') else ''}{state.state} at step {state.step}",
        why,
        f"its words are in {state.dir / 'console.log'}; asked again, it uses the runs that are finished",
    )
