"""The commands about single runs: what one would do (plan), starting it (train), and what becomes of it (runs, stop,
resume)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import TrainingError, UsageError, shell_command
from engine.links import check_project_links
from engine.paths import is_project, project_folder_for
from engine.phrases import counted, size
from engine.project.project import open_project
from engine.training.compare.stopping import Standing, comparisons_in, find_comparison, standing_of, stop_comparison
from engine.training.plan.parts import Plan, ShownRow
from engine.training.runs.registry import all_runs, find_run
from engine.training.runs.resume import resume as resume_run
from engine.training.runs.run_queue import ask_to_stop
from engine.training.runs.status import RunState, left_out, list_runs, read_run
from engine.training.runs.status import stop as stop_run
from engine.training.spec.parse import parse_duration, parse_settings, read_settings_file
from engine.training.worker.checkpoints import last_good_checkpoint, step_of
from engine.workflows.train import (
    allow_secrets,
    plan_file,
    plan_run,
    secrets_to_let_through,
    start_run,
    start_run_on_file,
)
from workbench.cli.common import find_project, open_for_deciding, open_to_look
from workbench.cli.output import DIM, UNDIMMED, in_colour, narrate, print_json, say
from workbench.cli.tokens import show_tokens
from workbench.cli.watch import follow, say_now
from workbench.render.training_plan import estimates, junk_time
from workbench.text.escape import visible

# Options that are settings of a run; those of a limit apply to several runs together as well.
LIMITS = {"max_cost": "max_cost", "price": "price_per_hour"}
RUN_OPTIONS = {"method": "method", "steps": "steps", "epochs": "epochs", "seed": "seed", "gpu": "gpu", **LIMITS}


def train(arguments: argparse.Namespace) -> int:
    """`tamis train PROJECT|FILE`: plan, and start a detached run; with --wait, stay until it ends."""
    settings = settings_named(arguments)
    path: Path = arguments.project
    if arguments.override and is_a_project(path):
        _let_secrets_through(arguments)
    overridden, facts = _checked_plan(arguments)
    if is_a_project(path):
        with open_project(find_project(path), readonly=True) as project:
            run = start_run(project, model=arguments.model, settings=settings, overridden=overridden, facts=facts)
    else:
        runs_dir = path.parent / "runs"
        run = start_run_on_file(
            path,
            runs_dir,
            model=arguments.model,
            settings=settings,
            overridden=overridden,
            facts=facts,
            encoding=arguments.encoding,
        )
    if arguments.json:
        print_json({"run": run.id, "dir": str(run.dir), "pid": run.pid})
    else:
        state = read_run(run.dir)
        say(f"{run.id}: training {state.model}, in {run.dir}")
        narrate(f"it belongs to no terminal: {shell_command('watch', run.dir)}")
    if not arguments.wait:
        return 0
    return follow(run.dir, narrate if arguments.json else say_now)


def _let_secrets_through(arguments: argparse.Namespace) -> None:
    """What sets refusals aside lets rows with secrets through as well: a decision, with a name and a line of the
    journal, made only where there are such rows."""
    folder = find_project(arguments.project)
    with open_project(folder, readonly=True) as project:
        if not secrets_to_let_through(project):
            return
    with open_for_deciding(folder, arguments.reviewer) as project:
        allow_secrets(project, arguments.override)


def _checked_plan(arguments: argparse.Namespace) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Look before starting; returns what was overridden, and the plan's facts. Raises UsageError where it refuses."""
    plan = plan_of(arguments)
    for note in plan.warnings:
        narrate(f"warning: {note.text}")
    if not plan.refusals:
        return {}, plan.facts
    if arguments.override:
        for note in plan.refusals:
            narrate(f"overridden: {note.text}")
        return plan.overridden(arguments.override), plan.facts
    refused = "; ".join(note.text for note in plan.refusals)
    raise UsageError(f"not started: {refused}", "", 'mend it, or set it aside with --override "why"')


def runs(arguments: argparse.Namespace) -> int:
    """`tamis runs [PROJECT]`: the runs of a project, or all of this user on this machine."""
    unread: list[str] = []
    if arguments.project is None:
        states = all_runs()
    elif is_a_project(arguments.project):
        project = find_project(arguments.project)
        check_project_links(project)
        states, unread = list_runs(project / "runs"), left_out(project / "runs")
    else:  # a data file that was trained on as it is
        states = list_runs(arguments.project.parent / "runs") or list_runs(find_project(arguments.project) / "runs")
    for words in unread:
        narrate(words)
    folders = dict.fromkeys(state.dir.parent for state in states)
    standings = [standing_of(comparison) for folder in folders for comparison in comparisons_in(folder)]
    if arguments.json:
        comparisons = [_comparison_json(standing) for standing in standings]
        print_json({"runs": [_run_json(state) for state in states], "comparisons": comparisons})
        return 0
    for state in states:
        steps = f"{state.step}/{state.max_steps}" if state.max_steps else str(state.step)
        say(f"{state.id:<46} {state.state:<10} {steps:>11}  {state.model}{', but: ' + state.but if state.but else ''}")
    for standing in standings:
        whole = f"{standing.whole}/{len(standing.comparison.trials)} runs"
        say(f"{standing.comparison.id:<46} {standing.stage:<10} {whole:>11}  {standing.comparison.model}")
    if not states:
        narrate("no run yet: tamis train PROJECT")
    return 0


def _comparison_json(standing: Standing) -> dict[str, Any]:
    comparison = standing.comparison
    return {
        "comparison": comparison.id,
        "dir": str(comparison.dir),
        "state": standing.stage,
        "whole": standing.whole,
        "runs": [trial.run for trial in comparison.trials],
    }


def _run_json(state: RunState) -> dict[str, Any]:
    return {
        "run": state.id,
        "dir": str(state.dir),
        "state": state.state,
        "model": state.model,
        "step": state.step,
        "max_steps": state.max_steps,
        "error": state.error,
        **({"but": state.but} if state.but else {}),
    }


def stop(arguments: argparse.Namespace) -> int:
    """`tamis stop RUN`: save and end within one step; a second time, end at once. A comparison, a curve: every run of
    it; a project: whatever is going on in it."""
    named: Path = arguments.run
    comparison = find_comparison(named)
    if comparison is not None:
        return _say_stopped([stop_comparison(comparison)], [], arguments.json)
    if is_a_project(named):
        return _stop_project(find_project(named), arguments.json)
    run = find_run(named)
    mode = stop_run(run)
    if arguments.json:
        print_json({"run": run.name, "mode": mode})
    else:
        say("it saves a checkpoint and ends after this step" if mode == "checkpoint" else "it is ended at once")
    return 0


def _stop_project(project: Path, as_json: bool) -> int:
    check_project_links(project)
    runs_dir = project / "runs"
    going_on = [standing for each in comparisons_in(runs_dir) if (standing := standing_of(each)).alive]
    of_them = {run for standing in going_on for run in standing.alive}
    alone = [state for state in list_runs(runs_dir) if state.alive and state.id not in of_them]
    if not going_on and not alone:
        raise TrainingError(f"nothing is going on in {project}", "", "see `tamis runs`")
    stopped = [stop_comparison(standing.comparison) for standing in going_on]
    ask_to_stop([state.dir for state in alone])
    return _say_stopped(stopped, [state.id for state in alone], as_json)


def _say_stopped(standings: Sequence[Standing], runs: Sequence[str], as_json: bool) -> int:
    if as_json:
        comparisons = [{"comparison": each.comparison.id, "runs": list(each.alive)} for each in standings]
        print_json({"stopped": [*runs, *dict.fromkeys(run for each in standings for run in each.alive)],
                    "comparisons": comparisons})  # fmt: skip
        return 0
    for run in runs:
        say(f"{run}: it saves a checkpoint and ends after this step")
    for each in standings:
        of = f"{each.whole} of {len(each.comparison.trials)} runs are finished"
        say(f"{each.comparison.id}: {counted(len(each.alive), 'run')} asked to save and end: {', '.join(each.alive)}")
        say(f"  {of} and stay; `tamis {each.command}` asked again goes on with them")
    return 0


def resume(arguments: argparse.Namespace) -> int:
    """`tamis resume RUN`: go on from the last whole checkpoint, as if the run had not been cut short."""
    if (comparison := find_comparison(arguments.run)) is not None:
        raise UsageError(
            f"{comparison.id} is no run", "", "ask for the comparison again: it uses the runs that are finished"
        )
    arguments.run = find_run(arguments.run)
    checkpoint = last_good_checkpoint(arguments.run)
    run = resume_run(arguments.run)
    if arguments.json:
        print_json({"run": run.id, "dir": str(run.dir), "pid": run.pid})
    else:
        where = f"from step {step_of(checkpoint)}" if checkpoint else "from its beginning: it has no whole checkpoint"
        say(f"{run.id}: goes on {where}")
    return 0


def plan(arguments: argparse.Namespace) -> int:
    """`tamis plan PROJECT|FILE`: everything a run would do, said before it starts."""
    if arguments.show is not None:
        return show_tokens(arguments, settings_named(arguments), is_a_project(arguments.project))
    found = plan_of(arguments)
    if arguments.json:
        print_json(found.to_json())
    else:
        for line in plan_lines(found, colour=in_colour()):
            say(line, dims=True)
    return 0


def plan_of(arguments: argparse.Namespace) -> Plan:
    """The plan of what the words name."""
    settings = settings_named(arguments)
    path: Path = arguments.project
    if is_a_project(path):
        with open_to_look(path) as project:
            return plan_run(project, model=arguments.model, settings=settings)
    encoding: str | None = getattr(arguments, "encoding", None)
    return plan_file(
        path,
        path.parent / "runs",
        model=arguments.model,
        settings=settings,
        encoding=encoding,
        with_secrets=bool(getattr(arguments, "override", None)),
    )


def is_a_project(path: Path) -> bool:
    """Whether the path is a project, or has one beside it."""
    return is_project(path) or is_project(project_folder_for(path))


def settings_named(arguments: argparse.Namespace, options: Mapping[str, str] = RUN_OPTIONS) -> dict[str, Any]:
    """The settings of the command line: --config (where there is such an option), then --set, then `options`: name of
    the option -> name of the setting."""
    config = getattr(arguments, "config", None)
    settings = read_settings_file(config) if config else {}
    settings |= parse_settings(arguments.set)
    for option, name in options.items():
        value = getattr(arguments, option)
        if value is not None:
            settings[name] = value
    if arguments.budget is not None:
        settings["budget_seconds"] = parse_duration(arguments.budget)
    return settings


def plan_lines(plan: Plan, *, colour: bool) -> Iterator[str]:
    """The plan in words; masked text is dimmed, or stands in [brackets] where there is no colour."""
    yield f"{counted(plan.rows, 'row')}, {plan.heldout:,} held out, model {plan.model}"
    if plan.masking:
        yield f"learnt     {plan.masking}"
        yield (
            f"tokens     median {plan.tokens['p50']:,}, 95 % within {plan.tokens['p95']:,}, "
            f"longest {plan.tokens['max']:,}; "
            f"{plan.tokens['completion']:,} of {plan.tokens['all']:,} are learnt in a pass"
        )
        cut = counted(len(plan.truncated), "row")
        yield f"cut        {cut} longer than {plan.max_length:,}; {len(plan.eos_lost):,} lose their end"
        yield f"masked     {counted(len(plan.fully_masked), 'row')} with nothing to learn"
    for label, value, reason in estimates(plan.to_json()):
        yield f"{label:<10} {value}: {reason}"
    for junk in plan.wasted:
        yield junk_line(junk.to_json())
    for gpu in plan.gpus:
        users = ", ".join(f"{each.name} ({each.pid}) {size(1e6 * each.mb)}" for each in gpu.processes) or "nobody"
        yield f"GPU {gpu.index}      {gpu.name}, {size(1e6 * gpu.free_mb)} free; on it: {users}"
    for row in plan.shown:
        shown = "dimmed" if colour else "[in brackets]"
        yield f"row {row.id}, {counted(row.tokens, 'token')}, {shown} is masked:"
        yield from (f"    {line}" for line in row_lines(row, colour=colour))
    for word, notes in (("warning", plan.warnings), ("refused", plan.refusals)):
        for note in notes:
            ids = f" ({', '.join(note.ids[:5])}{', …' if len(note.ids) > 5 else ''})" if note.ids else ""
            yield f"{word}: {note.text}{ids}"


def junk_line(junk: Mapping[str, Any]) -> str:
    """What an epoch spends on a group of junk rows, each figure with its formula."""
    cost = junk["cost"]
    money = "" if cost["value"] is None else f", {cost['value']:,g} in money ({cost['reason']})"
    about = f"{junk['name']}, {counted(junk['rows'], 'row')}: {junk_time(junk)} an epoch{money}"
    return f"junk       {about}; {junk['minutes']['reason']}"


def row_lines(row: ShownRow, *, colour: bool) -> list[str]:
    """A rendered row; what is cut off stands behind a mark."""
    opening, closing = (DIM, UNDIMMED) if colour else ("[", "]")
    text = "".join(
        visible_lines(piece.text) if piece.learnt else f"{opening}{visible_lines(piece.text)}{closing}"
        for piece in row.pieces
    )
    if row.cut:
        text += f" ✂ {opening}{visible_lines(row.cut)}{closing}"
    return text.split("\n")


def visible_lines(text: str) -> str:
    """Text of a row made safe for a terminal, its line ends kept."""
    return "\n".join(visible(line) for line in text.split("\n"))
