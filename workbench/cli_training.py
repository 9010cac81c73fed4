"""The commands about runs: train, runs, watch, stop, resume."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.project.folder import open_project
from engine.training.index import all_runs, find_run
from engine.training.runs import RunState, list_runs, read_run
from engine.training.runs import stop as stop_run
from workbench.cli_common import find_project, narrate, print_json
from workbench.cli_plan import is_a_project, plan_of, settings_named
from workbench.cli_watch import follow
from workbench.safe_text import visible


def train(arguments: argparse.Namespace) -> int:
    """`tamis train PROJECT|FILE`: plan, and start a detached run; with --wait, stay until it ends."""
    from engine.project.start_run import start_run, start_run_on_file

    overridden, facts = _checked_plan(arguments)
    settings = settings_named(arguments)
    path: Path = arguments.project
    if is_a_project(path):
        with open_project(find_project(path), readonly=True) as project:
            run = start_run(project, model=arguments.model, settings=settings, overridden=overridden, facts=facts)
    else:
        runs_dir = path.parent / "runs"
        run = start_run_on_file(
            path, runs_dir, model=arguments.model, settings=settings, overridden=overridden, facts=facts
        )
    if arguments.json:
        print_json({"run": run.id, "dir": str(run.dir), "pid": run.pid})
    else:
        state = read_run(run.dir)
        print(f"{run.id}: training {visible(state.model)}, in {run.dir}")
        narrate(f"it belongs to no terminal: tamis watch {run.dir}")
    if not arguments.wait:
        return 0
    return follow(run.dir, narrate if arguments.json else print)


def _checked_plan(arguments: argparse.Namespace) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Look before starting; returns what was overridden, and the plan's facts. Raises UsageError where it refuses."""
    plan = plan_of(arguments)
    for note in plan.warnings:
        narrate(visible(f"warning: {note.text}"))
    if not plan.refusals:
        return {}, plan.facts
    if arguments.override:
        for note in plan.refusals:
            narrate(visible(f"overridden: {note.text}"))
        return plan.overridden(arguments.override), plan.facts
    words = "; ".join(note.text for note in plan.refusals)
    raise UsageError(f"not started: {words}", "", 'mend it, or set it aside with --override "why"')


def runs(arguments: argparse.Namespace) -> int:
    """`tamis runs [PROJECT]`: the runs of a project, or all of this user on this machine."""
    if arguments.project is None:
        states = all_runs()
    elif is_a_project(arguments.project):
        states = list_runs(find_project(arguments.project) / "runs")
    else:  # a data file that was trained on as it is
        states = list_runs(arguments.project.parent / "runs") or list_runs(find_project(arguments.project) / "runs")
    if arguments.json:
        print_json({"runs": [_run_json(state) for state in states]})
        return 0
    for state in states:
        steps = f"{state.step}/{state.max_steps}" if state.max_steps else str(state.step)
        print(visible(f"{state.id:<46} {state.state:<10} {steps:>11}  {state.model}"))
    if not states:
        narrate("no run yet: tamis train PROJECT")
    return 0


def _run_json(state: RunState) -> dict[str, Any]:
    return {
        "run": state.id,
        "dir": str(state.dir),
        "state": state.state,
        "model": state.model,
        "step": state.step,
        "max_steps": state.max_steps,
        "error": state.error,
    }


def stop(arguments: argparse.Namespace) -> int:
    """`tamis stop RUN`: save and end within one step; a second time, end at once."""
    arguments.run = find_run(arguments.run)
    mode = stop_run(arguments.run)
    if arguments.json:
        print_json({"run": arguments.run.name, "mode": mode})
    else:
        print("it saves a checkpoint and ends after this step" if mode == "checkpoint" else "it is ended at once")
    return 0


def resume(arguments: argparse.Namespace) -> int:
    """`tamis resume RUN`: go on from the last whole checkpoint, as if the run had not been cut short."""
    from engine.training.resume import resume as resume_run
    from engine.training.worker.checkpoints import last_good_checkpoint, step_of

    arguments.run = find_run(arguments.run)
    checkpoint = last_good_checkpoint(arguments.run)
    run = resume_run(arguments.run)
    if arguments.json:
        print_json({"run": run.id, "dir": str(run.dir), "pid": run.pid})
    else:
        where = f"from step {step_of(checkpoint)}" if checkpoint else "from its beginning: it has no whole checkpoint"
        print(f"{run.id}: goes on {where}")
    return 0
