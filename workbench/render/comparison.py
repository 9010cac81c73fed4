"""A comparison as paragraphs of styled text: what would be compared, arms as they train, intervals, verdict, slices.

Every figure of a finished comparison is read from its result, whose lines are events of its own (docs/verdict.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.phrases import counted, duration, share
from engine.training.compare.arms import BASE
from engine.training.compare.live import ArmState, LiveComparison
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line

NAME, AXIS = 14, 38
WIDE_ARM, NARROW_ARM = 12, 9

# Heading, width and cell of an arm.
COLUMNS: tuple[tuple[str, int, Callable[[Mapping[str, Any]], str]], ...] = (
    ("rows", 6, lambda arm: f"{arm['rows']:,}"),
    ("steps", 7, lambda arm: f"{arm['steps']:,}"),
    ("tokens", 10, lambda arm: f"{arm['tokens']:,}"),
    ("s", 6, lambda arm: f"{arm['seconds']:.0f}"),
    ("NLL", 7, lambda arm: f"{arm['nll']:.3f}"),
    ("spread", 8, lambda arm: spread(dict(arm))),
    ("exact", 7, lambda arm: share(arm["exact_match"])),
    ("form", 7, lambda arm: share(arm["format_valid"])),
)
VERDICT_ROLES = {"better": "done", "worse": "error", "no difference shown": "reason"}


def heldout_line(heldout: dict[str, Any]) -> str:
    """The held-out set as drawn and as reviewed, and the rows of the arms that no trainer can use."""

    def listed(counts: Mapping[str, int]) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in counts.items())

    words = f"held out {heldout['drawn']} rows as drawn, {heldout['measured']} as reviewed (accepted)"
    left_out = [f"not measured: {listed(heldout['left_out'])}"] if heldout["left_out"] else []
    untrained = heldout.get("untrained", {}).items()  # a comparison of an earlier version says nothing of it
    return "; ".join([words, *left_out, *(f"not trained in {visible_line(arm)}: {listed(n)}" for arm, n in untrained)])


def spread(arm: dict[str, Any]) -> str:
    """The largest loss less the smallest over the seeds; one seed has none."""
    return f"{arm['nll_spread']:.3f}" if len(arm["runs"]) > 1 else "-"


def line(*styled: Styled) -> Paragraph:
    """One line."""
    return Paragraph(styled)


def name_cell(name: str) -> str:
    """The name of an arm, as wide as the column; arms from outside are named by a person."""
    return f"{visible_line(name)[: NAME - 1]:<{NAME}}"


def look_paragraphs(look: Mapping[str, Any]) -> Iterator[Paragraph]:
    """What would be compared, and what it will take."""
    yield line(("What would be compared", "title"))
    for name, rows in look["arms"]:
        words = "the model before its first step, measured alone" if name == "base" else counted(rows, "row")
        yield line((name_cell(name), "key"), (words, "text"))
    yield Paragraph(())
    steps = look["steps"]
    yield line((f"{counted(steps['value'], 'step')} a run, ", "text"), (steps["reason"], "muted"))
    seeds = f"{look['seeds']} seed{'s' if look['seeds'] > 1 else ', no seed variance'}"
    yield line((f"{seeds}, {look['to_run']} of {look['of']} runs to do", "text"))
    for label, estimate in (("time", look["expense"]["seconds"]), ("cost", look["expense"]["cost"])):
        value = "unknown" if estimate["value"] is None else f"{estimate['value']:g}"
        if label == "time" and estimate["value"] is not None:
            value = duration(estimate["value"])
        yield line((f"{label} {value}: ", "text"), (visible_line(estimate["reason"]), "muted"))
    yield line((heldout_line(look["heldout"]), "text"))


def comparison_paragraphs(live: LiveComparison, *, narrow: bool = False) -> Iterator[Paragraph]:
    """The comparison as it stands; where it is `narrow` (below 80 columns) with fewer columns and shorter lines."""
    result = live.result
    if result is None:
        yield from training_paragraphs(live)
        return
    yield Paragraph(
        ((f"{result['verdict']}. ", VERDICT_ROLES[result["verdict"]]), (visible_line(result["reason"]), "text"))
    )
    yield Paragraph(())
    columns = [column for column in COLUMNS if not narrow or column[0] not in ("tokens", "s")]
    yield line(("arm".ljust(NAME) + "".join(f"{head:>{width}}" for head, width, _ in columns), "muted"))
    for arm in result["arms"]:
        figures = "".join(f"{cell(arm):>{width}}" for _, width, cell in columns)
        yield line((name_cell(arm["name"]), "keeper" if arm["name"] == "curated" else "key"), (figures, "text"))
    if result["format"]:
        yield line((f"form: {visible_line(result['format'])}", "muted"))
    yield Paragraph(())
    interval = "" if narrow else ", 99 % interval"
    yield line((f"curated less …: nats a token{interval}; left of ┊ it is better", "muted"))
    yield from interval_paragraphs(result["against"], narrow=narrow)
    yield Paragraph(())
    yield line((heldout_line(result["heldout"]), "text"))
    yield from slice_paragraphs(result, NARROW_ARM if narrow else WIDE_ARM)


def training_paragraphs(live: LiveComparison) -> Iterator[Paragraph]:
    """The arms while they train."""
    yield line(("arm             rows   runs        steps    loss  held-out NLL", "muted"))
    for arm in live.arms:
        yield line((name_cell(arm.name), "key"), *arm_parts(arm))
    yield Paragraph(())
    yield line((heldout_line(dict(live.comparison.heldout)), "text"))
    estimate = live.comparison.estimate.get("seconds") or {}
    if estimate.get("value"):
        yield line(
            (f"about {duration(estimate['value'])} in all: ", "text"), (visible_line(estimate["reason"]), "muted")
        )


def arm_parts(arm: ArmState) -> tuple[Styled, ...]:
    """The cells of one arm that trains."""
    if not arm.runs:
        return ((f"{arm.rows:>6,}", "text"), ("   measured before the first step of curated", "muted"))
    loss = "-" if arm.loss is None else f"{arm.loss:.3f}"
    nll = "-" if arm.nll is None else f"{arm.nll:.3f}"
    cells = f"{arm.rows:>6,}{f'{arm.whole}/{arm.runs}':>7}{f'{arm.step:,}/{arm.of:,}':>13}{loss:>8}{nll:>14}"
    return ((cells, "text"), (f"  {visible_line(arm.fault)}" if arm.fault else "", "error"))


def interval_paragraphs(against: Sequence[Mapping[str, Any]], *, narrow: bool = False) -> Iterator[Paragraph]:
    """The intervals on one axis, zero marked. The base is far off as a rule: it does not stretch the axis."""
    scaled = [pair for pair in against if pair["arm"] != BASE] or against
    ends: list[float] = [end for pair in scaled for end in (*pair["interval"], 0.0)]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    room = (high - low) or 1.0

    def column(value: float) -> int:
        return min(AXIS - 1, max(0, round((value - low) / room * (AXIS - 1))))

    for pair in against:
        left, right = (column(end) for end in pair["interval"])
        cells = [" "] * AXIS
        cells[column(0.0)] = "┊"
        for place in range(left, right + 1):
            cells[place] = "─"
        cells[left], cells[right] = "├", "┤"
        cells[column(pair["difference"])] = "●"
        if not low <= pair["difference"] <= high:
            cells[column(pair["difference"])] = "◀" if pair["difference"] < low else "▶"
        shown = pair["smallest_detectable"]
        words = f" {pair['difference']:+.3f} ({pair['interval'][0]:+.3f} to {pair['interval'][1]:+.3f})"
        figures: Styled = (words, VERDICT_ROLES[pair["verdict"]])
        yield line((name_cell(pair["arm"]), "key"), ("".join(cells), "chart"), *(() if narrow else (figures,)))
        if narrow:
            yield line((" " * (NAME - 1), "text"), figures)
        least = "no seed variance" if shown is None else f"smallest difference that would show: {shown:.3f}"
        yield line((" " * NAME + least, "muted"))


def slice_paragraphs(result: Mapping[str, Any], width: int) -> Iterator[Paragraph]:
    """The loss of every arm on each slice, `width` columns an arm."""
    if not result["slices"]:
        return
    names = [arm["name"] for arm in result["arms"]]
    yield Paragraph(())
    head = "".join(f"{visible_line(name)[: width - 1]:>{width}}" for name in names)
    yield line((f"{'held-out NLL by':<20}{'rows':>6}{head}", "muted"))
    for one in result["slices"]:
        label = f"{visible_line(one['field'])} {visible_line(one['value'])}"
        figures = "".join(f"{one['nll'][name]:>{width}.3f}" for name in names)
        yield line((f"{label[:19]:<20}", "key"), (f"{one['rows']:>6}{figures}", "text"))
    yield line(("of many slices some differ by chance", "muted"))


def compare_lines(result: dict[str, Any]) -> list[str]:
    """The comparison in words: arms, intervals, held-out rows, verdict."""
    form = any(arm["format_valid"] is not None for arm in result["arms"])
    head = f"{'arm':<14}{'rows':>6}{'steps':>7}{'tokens':>10}{'s':>6}{'held-out NLL (spread)':>24}{'exact':>8}"
    lines = [head + (f"{'form':>8}" if form else "")]
    for arm in result["arms"]:
        nll = f"{arm['nll']:.3f} ({spread(arm)})"
        line = f"{arm['name']:<14}{arm['rows']:>6}{arm['steps']:>7}{arm['tokens']:>10,}{arm['seconds']:>6.0f}{nll:>24}"
        lines.append(line + f"{share(arm['exact_match']):>8}" + (f"{share(arm['format_valid']):>8}" if form else ""))
    if form:
        lines.append(f"form: {result['format']}")
    lines += [
        f"{arm['name']}: {arm['cut'][0]} of {arm['cut'][1]} answers were cut, their room was used up"
        for arm in result["arms"]
        if arm.get("cut", [0])[0]
    ]
    lines.append(heldout_line(result["heldout"]))
    if result["versions_differ"]:
        lines.append("the runs were done with different versions of the libraries: not quite comparable")
    return [*lines, f"verdict: {result['verdict']}. {result['reason']}"]
