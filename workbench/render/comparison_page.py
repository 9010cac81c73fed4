"""A comparison as one self-contained HTML page, and as a Markdown block for a pull request.

No text of a row is in either, unless it was asked for.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.phrases import share
from engine.training.compare.arms import BASE
from engine.training.eval.pairwise import judged_pairs
from engine.training.worker.card import public_name
from workbench.render.comparison import heldout_line, spread
from workbench.render.html import page
from workbench.text.escape import visible

WIDE, TALL, MARGIN = 560, 34, 150
SHOWN_ROWS = 10
SHOWN_CHARACTERS = 600
MORE_STYLE = (
    "svg text{font:13px system-ui,sans-serif;fill:currentColor}svg line{stroke:currentColor}"
    ".better{color:#1a7f37}.worse{color:#b3261e}pre{white-space:pre-wrap;margin:.2rem 0}"
)


def markdown(result: dict[str, Any]) -> str:
    """The verdict, the arms and the intervals, for a pull request."""
    lines = [
        f"**tamis compare: {result['verdict']}** - {cell(result['reason'])}",
        "",
        "| arm | rows | steps | tokens | held-out NLL | spread over seeds | exact match | format |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for arm in result["arms"]:
        measures = f"{arm['nll']:.3f} | {spread(arm)} | {share(arm['exact_match'])} | {share(arm['format_valid'])}"
        lines.append(f"| {cell(arm['name'])} | {arm['rows']:,} | {arm['steps']:,} | {arm['tokens']:,} | {measures} |")
    lines += [
        "",
        "| curated less | nats per token | 99 % interval | smallest that would show | verdict |",
        "|---|---:|---:|---:|---|",
    ]
    for pair in result["against"]:
        low, high = pair["interval"]
        shown = pair["smallest_detectable"]
        least = "-" if shown is None else f"{shown:.3f}"
        figures = f"{pair['difference']:+.3f} | {low:+.3f} to {high:+.3f} | {least} | {pair['verdict']}"
        lines.append(f"| {cell(pair['arm'])} | {figures} |")
    return "\n".join([*lines, "", cell(f"{heldout_line(result['heldout'])}. {model_line(result)}")])


def cell(text: str) -> str:
    """Text inside a Markdown table: names of arms come from outside."""
    return visible(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


def model_line(result: dict[str, Any]) -> str:
    """Model, seeds and what the interval holds."""
    seeds = f"{result['seeds']} seed{'s' if result['seeds'] > 1 else ', no seed variance'}"
    model = public_name(result["model"])
    return f"Model {model}, {seeds}; losses are nats per answer token, below zero is better for curated"


def html_page(result: dict[str, Any], runs_dir: Path, *, with_text: bool) -> str:
    """One page that needs nothing beside itself."""
    tone = result["verdict"] if result["verdict"] in ("better", "worse") else ""
    parts = [
        f"<h1>Comparison: <span class='{tone}'>{result['verdict']}</span></h1><p>{safe(result['reason'])}.</p>",
        arm_table(result),
        f"<h2>Curated less each other arm</h2>{intervals(result['against'])}",
        "<p>99 % intervals in nats per answer token, over held-out rows and over seeds, whichever is wider; left of "
        "zero curated is better. The pale band: the smallest difference these rows and seeds would have shown.</p>",
        slice_table(result, with_text=with_text),
        f"<p>{safe(heldout_line(result['heldout']))}. {safe(model_line(result))}.</p>",
        judged_table(result, runs_dir),
        answers(result, runs_dir) if with_text else "",
    ]
    return page("tamis comparison", "".join(parts), MORE_STYLE)


def safe(text: object) -> str:
    """Text for the page."""
    return html.escape(visible(str(text)))


def row_html(cells: Sequence[str], tag: str = "td") -> str:
    """A table row: the first cell is a name, the others are numbers."""
    first, *others = cells
    return f"<tr><{tag}>{first}</{tag}>" + "".join(f'<{tag} class="n">{each}</{tag}>' for each in others) + "</tr>"


def arm_table(result: dict[str, Any]) -> str:
    """The arms with their measures."""
    head = row_html(["arm", "rows", "steps", "tokens", "seconds", "NLL", "spread", "exact", "format"], "th")
    rows = [
        row_html(
            [
                safe(arm["name"]), f"{arm['rows']:,}", f"{arm['steps']:,}", f"{arm['tokens']:,}",
                f"{arm['seconds']:.0f}", f"{arm['nll']:.3f}", f"{spread(arm)}",
                share(arm["exact_match"]), share(arm["format_valid"]),
            ]
        )
        for arm in result["arms"]
    ]  # fmt: skip
    form = f"<p>Format: {safe(result['format'])}.</p>" if result["format"] else ""
    return f"<table>{head}{''.join(rows)}</table>{form}"


def intervals(against: Sequence[dict[str, Any]]) -> str:
    """The intervals drawn on one axis, zero marked. The base, far off as a rule, does not stretch it: an arrow."""
    scaled = [pair for pair in against if pair["arm"] != BASE] or against
    ends = [end for pair in scaled for end in (*pair["interval"], 0.0)]
    least = [pair["smallest_detectable"] or 0.0 for pair in scaled]
    low, high = min([0.0, *ends, *(-each for each in least)]), max([0.0, *ends, *least])
    room = (high - low) or 1.0

    def x(value: float) -> float:
        value = min(high, max(low, value))
        return float(MARGIN + (value - low) / room * (WIDE - MARGIN - 20))

    drawn = [f'<line x1="{x(0):.1f}" y1="0" x2="{x(0):.1f}" y2="{TALL * len(against)}" stroke-dasharray="3 3"/>']
    for place, pair in enumerate(against):
        y, (left, right) = place * TALL + TALL / 2, pair["interval"]
        if pair["smallest_detectable"]:
            band = x(pair["smallest_detectable"]) - x(-pair["smallest_detectable"])
            start = x(-pair["smallest_detectable"])
            drawn.append(
                f'<rect x="{start:.1f}" y="{y - 9}" width="{band:.1f}" height="18" fill="#888" fill-opacity="0.25"/>'
            )
        drawn += [
            f'<text x="4" y="{y + 4}">{safe(pair["arm"])[:24]}</text>',
            f'<line x1="{x(left):.1f}" y1="{y}" x2="{x(right):.1f}" y2="{y}" stroke-width="2"/>',
            mark(x(pair["difference"]), y, -1 if pair["difference"] < low else int(pair["difference"] > high)),
            f'<text x="{WIDE + 4}" y="{y + 4}">{pair["difference"]:+.3f}</text>',
        ]
    tall = TALL * len(against)
    return f'<svg viewBox="0 0 {WIDE + 60} {tall}" width="100%" role="img">{"".join(drawn)}</svg>'


def mark(x: float, y: float, beyond: int) -> str:
    """A point, or an arrow where the value lies beyond the axis on the left (-1) or on the right (1)."""
    if not beyond:
        return f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="currentColor"/>'
    end = x + beyond * 8
    return f'<path d="M {x:.1f} {y - 5} L {end:.1f} {y} L {x:.1f} {y + 5} z" fill="currentColor"/>'


def slice_table(result: dict[str, Any], *, with_text: bool) -> str:
    """The loss of every arm on each slice. No verdict is given on one: of many, some differ by chance. The values of a
    field are text of rows: without it they are counted."""
    if not result["slices"]:
        return ""
    names = [arm["name"] for arm in result["arms"]]
    head = row_html(["slice", "rows", *(safe(name) for name in names)], "th")
    rows = "".join(
        row_html([f"{safe(one['field'])} {safe(value)}", str(one["rows"]), *(f"{one['nll'][n]:.3f}" for n in names)])
        for one, value in zip(result["slices"], slice_values(result["slices"], with_text=with_text), strict=True)
    )
    return f"<h2>Held-out NLL by slice</h2><table>{head}{rows}</table><p>Of many slices some differ by chance.</p>"


def slice_values(slices: Sequence[dict[str, Any]], *, with_text: bool) -> list[str]:
    """How the value of each slice is told: buckets and years are words of ours."""
    places: Counter[str] = Counter()
    told = []
    for one in slices:
        places[one["field"]] += 1
        own = with_text or one["field"] in ("bucket", "year")
        told.append(str(one["value"]) if own else f"value {places[one['field']]}")
    return told


def judged_table(result: dict[str, Any], runs_dir: Path) -> str:
    """What people said who judged two of these runs blind; nothing where nobody did."""
    arm_of = {run: arm["name"] for arm in result["arms"] for run in arm["runs"]}
    rows = [
        row_html(
            [
                f"{safe(arm_of[one['a']])} against {safe(arm_of[one['b']])}",
                *(str(one[name]) for name in ("wins", "ties", "losses")),
                safe(f"{one['verdict']}: {one['reason']}"),
            ]
        )
        for one in judged_pairs(runs_dir)
        if one["a"] in arm_of and one["b"] in arm_of
    ]
    head = row_html(["judged blind", "wins", "ties", "losses", "the first is"], "th")
    return f"<h2>Answers judged blind</h2><table>{head}{''.join(rows)}</table>" if rows else ""


def answers(result: dict[str, Any], runs_dir: Path) -> str:
    """The held-out rows curated gained and lost most on, with the answers of the first seed of every arm."""
    from engine.training.compare.metrics import read_answers, read_losses, references

    runs = {arm["name"]: runs_dir / arm["runs"][0] for arm in result["arms"] if arm["runs"]}
    other = next((name for name in runs if name != "curated"), None)
    if other is None:
        return ""
    mine, theirs = read_losses(runs["curated"]), read_losses(runs[other])
    written = {name: read_answers(folder) for name, folder in runs.items()}
    wanted = references(runs["curated"])
    # Files of the runs may have changed since the result was drawn from them.
    both = [row for row in mine if row in theirs and row in wanted]
    order = sorted(both, key=lambda row: mine[row][0] - theirs[row][0])
    shown = [*order[: SHOWN_ROWS // 2], *order[-(SHOWN_ROWS // 2) :]]
    items = []
    for row in dict.fromkeys(shown):
        texts = [f"<b>reference</b><pre>{safe(wanted[row][:SHOWN_CHARACTERS])}</pre>"]
        texts += [
            f"<b>{safe(name)}</b><pre>{safe(by_row[row][:SHOWN_CHARACTERS])}</pre>"
            for name, by_row in written.items()
            if row in by_row
        ]
        items.append(f"<li>{safe(row)}: {mine[row][0] - theirs[row][0]:+.2f} nats {''.join(texts)}</li>")
    return f"<h2>Rows that differ most between curated and {safe(other)}</h2><ol>{''.join(items)}</ol>"
