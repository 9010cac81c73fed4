"""`tamis curve PROJECT`: would more rows help, and which?"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

from engine.errors import UsageError
from engine.project.folder import open_project
from workbench.cli_common import Narrator, find_project, narrate, print_json
from workbench.cli_compare import before_lines, heldout_line, settings_of_options
from workbench.safe_text import visible

WIDE, TALL, LABEL = 64, 14, 9
BAND, LINE, POINT = "\u2591", "\u2500", "\u25cf"
ASCII = {BAND: ".", LINE: "-", POINT: "o"}


def curve(arguments: argparse.Namespace) -> int:
    """Train nested subsets of the accepted rows and draw the held-out loss against their number."""
    from engine.project.curving import prepare_project_curve, topics_of
    from engine.training.compare import start
    from engine.training.curve_runs import finish_curve

    if arguments.seeds < 1 or (arguments.workers is not None and arguments.workers < 1):
        raise UsageError("--seeds and --workers take a number from 1 up")
    with open_project(find_project(arguments.project), readonly=True) as project:
        prepared = prepare_project_curve(
            project,
            model=arguments.model,
            steps=arguments.steps,
            seeds=arguments.seeds,
            workers=arguments.workers,
            settings=settings_of_options(arguments),
        )
        for line in before_lines(prepared.expense.to_json(), len(prepared.to_run), len(prepared.items)):
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
        print(visible(line))
    return 0


def curve_lines(result: dict[str, Any], *, ascii_only: bool = False) -> list[str]:
    """The curve drawn, what may be said of it, and the topics that more rows should cover."""
    points = [(point["rows"], point["nll"]) for point in result["points"]]
    lines = [*plot(result["band"], points, ascii_only=ascii_only), ""]
    lines += [f"{rows:>7} rows  NLL {nll:.4f}" for rows, nll in points]
    lines += [heldout_line(result["heldout"]), result["sentence"]]
    if result["thin_topics"]:
        lines.append("topics the model still errs on most, and how many accepted rows teach them:")
        lines += [topic_line(topic) for topic in result["thin_topics"]]
    return lines


def topic_line(topic: dict[str, Any]) -> str:
    """A thin topic in words; the words come from the rows."""
    words = ", ".join(topic["words"]) or "no common words"
    figures = f"NLL {topic['nll']:.3f}, {topic['times_mean']:.1f} times the mean, on {topic['heldout']} held-out rows"
    return f"  {words}: {figures}; {topic['training']} accepted rows"


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
        share = x / (WIDE - 1) * (len(band) - 1)
        before, after = band[int(share)], band[min(len(band) - 1, int(share) + 1)]
        part = share - int(share)
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
