"""The commands that train several runs: what curation bought (compare), what more rows would buy (curve)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.phrases import counted, duration
from engine.project.project import Project
from engine.training.compare.experiment import finish, start
from engine.training.compare.learning_curve import finish_curve
from engine.workflows.compare import DEFAULT_ARMS, manifests, prepare_comparison
from engine.workflows.learning_curve import prepare_project_curve, topics_of
from engine.workflows.train import trust_notes
from workbench.cli.common import find_project, open_to_look, refuse_page, write_page
from workbench.cli.output import Narrator, narrate, print_json, say
from workbench.cli.train import LIMITS, settings_named
from workbench.render.comparison import compare_lines, heldout_line
from workbench.render.comparison_page import html_page, markdown

# The drawing of a curve, in cells.
WIDE, TALL, LABEL = 64, 14, 9
BAND, LINE, POINT = "\u2591", "\u2500", "\u25cf"
ASCII = {BAND: ".", LINE: "-", POINT: "o"}


def compare(arguments: argparse.Namespace) -> int:
    """`tamis compare PROJECT`: train the arms, measure them on the held-out set. Exit code 1 where it is "worse"."""
    _check_amounts(arguments)
    folder = find_project(arguments.project)
    sources = [folder, *(Path(arm) for arm in (arguments.arms or "").split(",") if arm and Path(arm).exists())]
    if arguments.html is not None:
        refuse_page(arguments.html, sources, force=arguments.force)
    with open_to_look(folder) as project:
        result = compare_project(
            project,
            arms=arguments.arms.split(",") if arguments.arms else None,
            model=arguments.model,
            steps=arguments.steps,
            seeds=arguments.seeds,
            workers=arguments.workers,
            settings=settings_named(arguments, LIMITS),
            detach=arguments.detach,
        )
    if "arms" not in result:  # started, and left to itself
        if arguments.json:
            print_json(result)
        else:
            say(f"{result['comparison']}: {counted(len(result['runs']), 'run')} under way")
        return 0
    if arguments.html is not None:
        page = html_page(result, folder / "runs", with_text=arguments.with_text)
        write_page(arguments.html, page, sources, force=arguments.force)
    if arguments.json:
        print_json(result)
    elif arguments.markdown:
        for line in markdown(result).split("\n"):
            say(line)
    else:
        for line in compare_lines(result):
            say(line)
    return 1 if result["verdict"] == "worse" else 0


def _check_amounts(arguments: argparse.Namespace) -> None:
    if arguments.seeds < 1 or (arguments.workers is not None and arguments.workers < 1):
        raise UsageError("--seeds and --workers take a number from 1 up")


def compare_project(
    project: Project,
    *,
    arms: Sequence[str] | None = None,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 3,
    workers: int | None = None,
    settings: dict[str, Any] | None = None,
    runs: Path | None = None,
    detach: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    say: Callable[[str], None] = narrate,
) -> dict[str, Any]:
    """The contract's `compare` object for a project; with `detach` only `{"comparison", "dir", "runs"}`."""
    for note in trust_notes(project.folder, model, settings):
        say(note.text)
    prepared = prepare_comparison(
        project,
        arms=arms or DEFAULT_ARMS,
        model=model,
        steps=steps,
        seeds=seeds,
        workers=workers,
        settings=settings,
        runs_dir=runs,
    )
    for line in before_lines(prepared.cost.to_json(), len(prepared.to_run), len(prepared.items)):
        say(line)
    comparison = start(prepared, manifests(project, prepared))
    if detach:
        return {
            "comparison": comparison.id,
            "dir": str(comparison.dir),
            "runs": [trial.run for trial in comparison.trials],
        }
    narrator = Narrator()
    result = finish(comparison, progress or narrator)
    narrator.end()
    return result


def before_lines(expense: dict[str, Any], to_run: int, of: int) -> list[str]:
    """What it will take, said before the first run starts."""
    seconds, cost = expense["seconds"], expense["cost"]
    reused = f", {of - to_run} were done before with the same spec" if to_run < of else ""
    lines = [f"{to_run} of {of} runs to do{reused}"]
    if not to_run:
        return lines
    time = "unknown" if seconds["value"] is None else duration(seconds["value"])
    lines.append(f"about {time}: {seconds['reason']}")
    if cost["value"] is not None:
        lines.append(f"about {cost['value']:,g} in money: {cost['reason']}")
    return lines


def curve(arguments: argparse.Namespace) -> int:
    """`tamis curve PROJECT`: train on ever more of the accepted rows, draw the held-out loss against their number."""
    _check_amounts(arguments)
    with open_to_look(arguments.project) as project:
        settings = settings_named(arguments, LIMITS)
        for note in trust_notes(project.folder, arguments.model, settings):
            narrate(note.text)
        prepared = prepare_project_curve(
            project,
            model=arguments.model,
            steps=arguments.steps,
            seeds=arguments.seeds,
            workers=arguments.workers,
            settings=settings,
        )
        for line in before_lines(prepared.cost.to_json(), len(prepared.to_run), len(prepared.items)):
            narrate(line)
        comparison = start(prepared)
        narrator = Narrator()
        result = finish_curve(comparison, narrator)
        narrator.end()
        result = result | {"thin_topics": [topic.to_json() for topic in topics_of(project, comparison)]}
    if arguments.json:
        print_json(result)
        return 0
    for line in curve_lines(result, ascii_only=arguments.ascii):
        say(line)
    return 0


def curve_lines(result: dict[str, Any], *, ascii_only: bool = False) -> list[str]:
    """The curve drawn, what may be said of it, and the topics that more rows should cover."""
    points = [(point["rows"], point["nll"]) for point in result["points"]]
    lines = [*plot(result["band"], points, ascii_only=ascii_only), ""]
    lines += [f"{rows:>7,} rows  NLL {nll:.4f}" for rows, nll in points]
    lines += [heldout_line(result["heldout"]), result["sentence"]]
    if result["thin_topics"]:
        lines.append("topics the model still errs on most, and how many accepted rows teach them:")
        lines += [topic_line(topic) for topic in result["thin_topics"]]
    return lines


def topic_line(topic: dict[str, Any]) -> str:
    """A thin topic in words; the words come from the rows."""
    words = ", ".join(topic["words"]) or "no common words"
    heldout = counted(topic["heldout"], "held-out row")
    figures = f"NLL {topic['nll']:.3f}, {topic['times_mean']:.1f} times the mean, on {heldout}"
    return f"  {words}: {figures}; {counted(topic['training'], 'accepted row')}"


def plot(
    band: Sequence[dict[str, float]], points: Sequence[tuple[int, float]], *, ascii_only: bool = False
) -> list[str]:
    """The fitted curve with its band and the measured points; rows on a logarithmic axis."""
    values = [one[name] for one in band for name in ("low", "high")] + [nll for _, nll in points]
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    first, last = math.log(band[0]["rows"]), math.log(band[-1]["rows"])

    def column(rows: float) -> int:
        return min(WIDE - 1, max(0, round((math.log(rows) - first) / (last - first) * (WIDE - 1))))

    def line(nll: float) -> int:
        return min(TALL - 1, max(0, round((high - nll) / room * (TALL - 1))))

    cells = [[" "] * WIDE for _ in range(TALL)]
    for x in range(WIDE):
        at_band = x / (WIDE - 1) * (len(band) - 1)
        before, after = band[int(at_band)], band[min(len(band) - 1, int(at_band) + 1)]
        part = at_band - int(at_band)
        at = {name: before[name] + (after[name] - before[name]) * part for name in ("low", "fit", "high")}
        for y in range(line(at["high"]), line(at["low"]) + 1):
            cells[y][x] = BAND
        cells[line(at["fit"])][x] = LINE
    for rows, nll in points:
        cells[line(nll)][column(rows)] = POINT
    drawn = []
    for y, row in enumerate(cells):
        label = f"{high - room * y / (TALL - 1):>{LABEL - 1}.3f} " if y % 4 == 0 or y == TALL - 1 else " " * LABEL
        drawn.append(label + "".join(row).rstrip())
    drawn.append(axis_line([rows for rows, _ in points], round(band[-1]["rows"]), column))
    return [line.translate({ord(a): b for a, b in ASCII.items()}) for line in drawn] if ascii_only else drawn


def axis_line(rows: Sequence[int], last: int, column: Any) -> str:
    """The numbers of rows under the points, as many as there is room for."""
    text = " " * (LABEL + WIDE + 8)
    free = 0
    for count in (*rows, last):
        at = LABEL + column(count)
        word = f"{count:,}"
        if at >= free:
            text = text[:at] + word + text[at + len(word) :]
            free = at + len(word) + 1
    return text.rstrip() + " rows"
