"""`tamis sweep`: three learning rates on a slice of the rows. It recommends one; no setting is written."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from engine.errors import shell_command
from engine.training.compare.experiment import Prepared, start
from engine.training.spec.parse import parse_settings
from engine.training.spec.run_spec import known_name
from engine.workflows.compare import manifests
from engine.workflows.sweep import NOISE, finish_sweep, prepare_sweep
from engine.workflows.train import trust_notes
from workbench.cli.common import open_to_look
from workbench.cli.compare import before_lines
from workbench.cli.output import Narrator, narrate, print_json, say
from workbench.text.cells import bar

BAR = 24


def sweep(arguments: argparse.Namespace) -> int:
    """`tamis sweep PROJECT`: a third of the learning rate, the rate and three times it, measured on held-out rows."""
    settings = parse_settings(arguments.set) | ({} if arguments.steps is None else {"steps": arguments.steps})
    with open_to_look(arguments.project) as project:
        for note in trust_notes(project.folder, arguments.model, settings):
            narrate(note.text)
        prepared = prepare_sweep(project, model=arguments.model, settings=settings)
        narrate(before_line(prepared))
        comparison = start(prepared, manifests(project, prepared))
        narrator = Narrator()
        result = finish_sweep(comparison, narrator)
        narrator.end()
    if arguments.json:
        print_json(result)
        return 0
    model = ["--model", arguments.model] if arguments.model else []
    kept = [words for words in arguments.set if known_name(words.partition("=")[0].strip()) != "learning_rate"]
    steps = [] if arguments.steps is None else ["--steps", arguments.steps]
    own = [*model, *(word for words in kept for word in ("--set", words))]
    for line in sweep_lines(result, [arguments.project, *own], [arguments.project, *own, *steps]):
        say(line)
    return 0


def before_line(prepared: Prepared) -> str:
    """How many runs, steps and rows, and how long: said before the first run starts."""
    runs, *time = before_lines(prepared.cost.to_json(), len(prepared.to_run), len(prepared.items))
    rows = len(prepared.items[0].job.train)
    measured = f"measured on {prepared.heldout['measured']:,} held-out rows"
    return "; ".join([f"{runs}: {prepared.steps.value:,} steps each on {rows:,} accepted rows, {measured}", *time])


def sweep_lines(result: dict[str, Any], train: Sequence[object], again: Sequence[object]) -> list[str]:
    """The table, what may be said of it, and the lines to copy; `train` and `again` are the words of the commands."""
    rates = result["rates"]
    best, tried = result["recommended"], [each["learning_rate"] for each in rates]
    worst = max((each["nll"] for each in rates if each["nll"] is not None), default=0.0)
    lines = [f"{'rate':>10} {'steps':>6} {'held-out NLL':>13}"]
    for each in rates:
        nll = each["nll"]
        figure = "thrown off" if nll is None else f"{nll:.4f}"
        drawn = bar(nll / worst if nll and worst else 0.0, BAR)
        mark = "  lowest" if each["learning_rate"] == best else ""
        lines.append(f"{each['learning_rate']:>10g} {each['steps']:>6,} {figure:>13}  {drawn}{mark}".rstrip())
    if best is None:
        return [*lines, f"no rate held: look further down: {_command('sweep', again, tried[0])}"]
    lowest = next(each["nll"] for each in rates if each["learning_rate"] == best)
    close = [
        f"{each['learning_rate']:g}"
        for each in rates
        if each["nll"] is not None and each["learning_rate"] != best and each["nll"] <= lowest * (1 + NOISE)
    ]
    within = f"{' and '.join(close)} within {NOISE:.0%} of it" if close else f"no other within {NOISE:.0%} of it"
    lines.append(f"{best:g} is the lowest, {within.replace('%', ' %')}. It was chosen on the held-out rows, by three")
    lines.append("runs of one seed on a slice: a difference below the noise is no reason to change a rate.")
    lines.append(f"recommended, and nothing was set: {_command('train', train, best)}")
    if best in (tried[0], tried[-1]):
        where = "down" if best == tried[0] else "up"
        lines.append(f"it is at the edge of the three, look further {where}: {_command('sweep', again, best)}")
    return lines


def _command(word: str, words: Sequence[object], rate: float) -> str:
    return shell_command(word, *words, "--set", f"learning_rate={rate:g}")
