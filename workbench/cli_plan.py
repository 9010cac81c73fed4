"""`tamis plan`, and the settings that `tamis plan` and `tamis train` share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.project.folder import open_project
from engine.project.places import is_project, project_folder_for
from engine.training.plan_parts import Plan, ShownRow
from engine.training.settings import parse_duration, parse_settings, read_settings_file
from workbench.cli_common import find_project, print_json
from workbench.safe_text import visible

DIM, PLAIN = "\x1b[2m", "\x1b[22m"


def plan(arguments: argparse.Namespace) -> int:
    """`tamis plan PROJECT|FILE`: everything a run would do, said before it starts."""
    import sys

    found = plan_of(arguments)
    if arguments.json:
        print_json(found.to_json())
    else:
        for line in plan_lines(found, colour=sys.stdout.isatty()):
            print(line)
    return 0


def plan_of(arguments: argparse.Namespace) -> Plan:
    """The plan of what the words name."""
    from engine.project.start_run import plan_file, plan_run

    settings = settings_named(arguments)
    path: Path = arguments.project
    if is_a_project(path):
        with open_project(find_project(path), readonly=True) as project:
            return plan_run(project, model=arguments.model, settings=settings)
    return plan_file(path, path.parent / "runs", model=arguments.model, settings=settings)


def is_a_project(path: Path) -> bool:
    """Whether the path is a project, or has one beside it."""
    return is_project(path) or is_project(project_folder_for(path))


def settings_named(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings of the command line: --config, then --set, then the options of their own."""
    settings = read_settings_file(arguments.config) if arguments.config else {}
    settings |= parse_settings(arguments.set)
    for option, name in (
        ("steps", "steps"),
        ("epochs", "epochs"),
        ("seed", "seed"),
        ("gpu", "gpu"),
        ("max_cost", "max_cost"),
        ("price", "price_per_hour"),
    ):
        value = getattr(arguments, option)
        if value is not None:
            settings[name] = value
    if arguments.budget is not None:
        settings["budget_seconds"] = parse_duration(arguments.budget)
    return settings


def plan_lines(plan: Plan, *, colour: bool) -> Iterator[str]:
    """The plan in words; masked text is dimmed, or stands in [brackets] where there is no colour."""
    yield visible(f"{plan.rows} rows, {plan.heldout} held out, model {plan.model}")
    if plan.masking:
        yield f"learnt     {plan.masking}"
        yield (
            f"tokens     median {plan.tokens['p50']}, 95 % within {plan.tokens['p95']}, longest {plan.tokens['max']}; "
            f"{plan.tokens['completion']:,} of {plan.tokens['all']:,} are learnt in a pass"
        )
        cut, endless = len(plan.truncated), len(plan.eos_lost)
        yield f"cut        {cut} rows longer than {plan.max_length}; {endless} lose their end"
        yield f"masked     {len(plan.fully_masked)} rows with nothing to learn"
    for name, estimate, unit in (
        ("steps", plan.steps, ""),
        ("epochs", plan.epochs, ""),
        ("memory", plan.vram_gb, " GB"),
        ("time", plan.seconds, " s"),
        ("cost", plan.cost, ""),
        ("disk", plan.disk_gb, " GB"),
    ):
        value = "unknown" if estimate.value is None else f"{estimate.value:g}{unit}"
        yield visible(f"{name:<10} {value}: {estimate.reason}")
    for junk in plan.junk:
        yield visible(junk_line(junk.to_json()))
    for gpu in plan.gpus:
        users = ", ".join(f"{each.name} ({each.pid}) {each.mb / 1000:.1f} GB" for each in gpu.processes) or "nobody"
        yield visible(f"GPU {gpu.index}      {gpu.name}, {gpu.free_mb / 1000:.1f} GB free; on it: {users}")
    for row in plan.shown:
        yield f"row {visible(row.id)}, {row.tokens} tokens, {'dimmed' if colour else '[in brackets]'} is masked:"
        yield from (f"    {line}" for line in row_lines(row, colour=colour))
    for word, notes in (("warning", plan.warnings), ("refused", plan.refusals)):
        for note in notes:
            ids = f" ({', '.join(note.ids[:5])}{', …' if len(note.ids) > 5 else ''})" if note.ids else ""
            yield visible(f"{word}: {note.text}{ids}")


def junk_line(junk: Mapping[str, Any]) -> str:
    """What an epoch spends on a group of junk rows, each figure with its formula."""
    minutes, cost = junk["minutes"], junk["cost"]
    time = "unknown minutes" if minutes["value"] is None else f"{minutes['value']:g} min"
    money = "" if cost["value"] is None else f", {cost['value']:g} in money ({cost['reason']})"
    return f"junk       {junk['name']}, {junk['rows']:,} rows: {time} an epoch{money}; {minutes['reason']}"


def row_lines(row: ShownRow, *, colour: bool) -> list[str]:
    """A rendered row; what is cut off stands behind a mark."""
    opening, closing = (DIM, PLAIN) if colour else ("[", "]")
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
