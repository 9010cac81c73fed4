"""What a run says of single rows: their losses before, during and after training, read from its `rows.jsonl`.

Four things are worth a look, told from the losses alone (no label, no verdict):
* *learnt nothing* - the loss fell by less than a fifth of what the usual row's fell, and is still among the highest;
* *got worse* - the loss rose;
* *forgotten* - it was low at an earlier measurement and rose again (Toneva et al. 2019, forgetting events);
* *surprising* - a row that was not trained on, harder for the tuned model (as a whole, or in one word) than nearly all
  held-out rows are.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.json_form import is_count, is_number, is_text, object_with
from engine.phrases import share
from engine.training.runs.data_files import lines_of

Kind = Literal["learnt_nothing", "got_worse", "forgotten", "surprising"]

FEW_LEARNT, STILL_HIGH = 0.2, 0.75
ROSE, ROSE_LEAST = 0.02, 0.02
FORGOT, FORGOT_LEAST = 0.5, 0.1
SURPRISING_ABOVE = 0.95
FEWEST_HELDOUT = 20
SURPRISING_SHARE = 0.1
_is_measured = object_with(
    {"id": is_text, "step": is_count, "nll": is_number, "tokens": is_count, "peak": is_number}, {"set": is_text}
)


@dataclass(frozen=True, slots=True)
class RowLoss:
    """One row: (step, mean loss per token in nats) at every measurement, and its largest token loss at the last."""

    id: str
    series: tuple[tuple[int, float], ...]
    peak: float
    tokens: int

    @property
    def before(self) -> float | None:
        """The loss before the first step, or None where it was not measured."""
        return self.series[0][1] if self.series[0][0] == 0 else None

    @property
    def after(self) -> float:
        return self.series[-1][1]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row worth a look: `rank` (1: the most so) of `of` rows of its kind that were measured, and why."""

    id: str
    kind: Kind
    rank: int
    of: int
    score: float
    reason: str


def read_row_losses(run_dir: Path, name: Literal["train", "others"] = "train") -> dict[str, RowLoss]:
    """Row id -> its losses. Of a measurement made twice (a resumed run) the last counts; torn lines are passed over."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {}
    for line in _lines(run_dir / "rows.jsonl"):
        if line.get("set") == name:
            found.setdefault(line["id"], {})[line["step"]] = line
    losses = {}
    for identifier, by_step in found.items():
        steps = sorted(by_step)
        series = tuple((step, by_step[step]["nll"] / by_step[step]["tokens"]) for step in steps)
        last = by_step[steps[-1]]
        losses[identifier] = RowLoss(identifier, series, float(last["peak"]), int(last["tokens"]))
    return losses


@dataclass(frozen=True, slots=True)
class Usual:
    """What rows that nobody trained on look like to the tuned model: losses of the held-out rows, ascending."""

    means: tuple[float, ...] = ()
    peaks: tuple[float, ...] = ()

    def limits(self) -> tuple[float, float] | None:
        """Mean loss and largest token loss that nearly all stay below; None where there are too few rows."""
        if len(self.means) < FEWEST_HELDOUT:
            return None
        place = int(SURPRISING_ABOVE * (len(self.means) - 1))
        return self.means[place], self.peaks[place]


def heldout_losses(run_dir: Path) -> Usual:
    """The losses of the held-out rows at the last measurement."""
    by_step: dict[int, list[tuple[float, float]]] = {}
    for line in _lines(run_dir / "eval.jsonl"):
        by_step.setdefault(line["step"], []).append((line["nll"] / line["tokens"], float(line["peak"])))
    last = by_step[max(by_step)] if by_step else []
    return Usual(tuple(sorted(mean for mean, _ in last)), tuple(sorted(peak for _, peak in last)))


def _lines(path: Path) -> list[dict[str, Any]]:
    """The measured rows of a file; a row whose loss is no number says nothing."""
    try:
        return [line for line in lines_of(path, _is_measured) if line["tokens"]]
    except FileNotFoundError:
        return []


def surprise(losses: Mapping[str, RowLoss]) -> dict[str, float]:
    """Row id -> how surprising the tuned model finds it among these rows, 0 to 1.

    The mean of two places: by the mean loss (a row that is wrong throughout) and by the largest loss of one token (a
    row that is wrong in one word).
    """
    if not losses:
        return {}
    by_mean = places({identifier: row.after for identifier, row in losses.items()})
    by_peak = places({identifier: row.peak for identifier, row in losses.items()})
    return {identifier: (by_mean[identifier] + by_peak[identifier]) / 2 for identifier in losses}


def places(values: Mapping[str, float]) -> dict[str, float]:
    """Each value's place among all, 0 (lowest) to 1; equal values share theirs."""
    ordered = sorted(values.values())
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, value in enumerate(ordered):
        first.setdefault(value, place)
        last[value] = place
    most = max(1, len(ordered) - 1)
    return {name: (first[value] + last[value]) / 2 / most for name, value in values.items()}


def suspects_of(run_dir: Path) -> list[Suspect]:
    """Everything worth a look, by kind, the most so first."""
    train = read_row_losses(run_dir)
    others = read_row_losses(run_dir, "others")
    return [
        *learnt_nothing(train),
        *got_worse(train),
        *forgotten(train),
        *surprising(others, heldout_losses(run_dir)),
    ]


def learnt_nothing(rows: Mapping[str, RowLoss]) -> list[Suspect]:
    """Rows whose loss hardly fell while the others' did."""
    fell = {row.id: row.before - row.after for row in rows.values() if row.before is not None}
    usual = statistics.median(fell.values()) if fell else 0.0
    if usual <= 0:
        return []
    after = sorted(rows[identifier].after for identifier in fell)
    high = after[int(STILL_HIGH * (len(after) - 1))]
    found = {
        identifier: fallen
        for identifier, fallen in fell.items()
        if fallen + ROSE_LEAST >= 0 and fallen < FEW_LEARNT * usual and rows[identifier].after > high
    }
    return _ranked(
        "learnt_nothing",
        {identifier: -fallen for identifier, fallen in found.items()},
        len(fell),
        lambda i: (
            f"its loss fell from {rows[i].before:.3g} to {rows[i].after:.3g}; the usual row's fell by {usual:.3g}"
        ),
    )


def got_worse(rows: Mapping[str, RowLoss]) -> list[Suspect]:
    """Rows that the tuned model finds harder than the base did."""
    rose = {
        row.id: row.after - row.before
        for row in rows.values()
        if row.before is not None and row.after - row.before > max(ROSE_LEAST, ROSE * row.before)
    }
    return _ranked(
        "got_worse",
        rose,
        len(rows),
        lambda i: f"its loss rose from {rows[i].before:.3g} to {rows[i].after:.3g}: other rows teach otherwise",
    )


def forgotten(rows: Mapping[str, RowLoss]) -> list[Suspect]:
    """Rows that were learnt and then lost again."""
    lost: dict[str, float] = {}
    lowest: dict[str, tuple[int, float]] = {}
    for row in rows.values():
        if len(row.series) < 2:
            continue
        step, low = min(row.series[:-1], key=lambda point: point[1])
        learnt_first = row.before is None or (step > 0 and low < row.before)
        if learnt_first and row.after > (1 + FORGOT) * low + FORGOT_LEAST:
            lost[row.id], lowest[row.id] = row.after - low, (step, low)
    return _ranked(
        "forgotten",
        lost,
        len(rows),
        lambda i: f"its loss was {lowest[i][1]:.3g} at step {lowest[i][0]} and is {rows[i].after:.3g} at the end",
    )


def surprising(rows: Mapping[str, RowLoss], usual: Usual) -> list[Suspect]:
    """Untouched rows that the model tuned on the accepted ones finds harder than nearly all it has not seen either.

    Without enough held-out rows to compare with, the most surprising tenth.
    """
    scores = surprise(rows)
    limits = usual.limits()
    if limits is not None:
        mean, peak = limits
        found = [identifier for identifier, row in rows.items() if row.after > mean or row.peak > peak]
        words = f"{share(SURPRISING_ABOVE)} of the held-out rows: below {mean:.3g} and {peak:.3g}"
    else:
        found = sorted(scores, key=lambda identifier: -scores[identifier])[: int(SURPRISING_SHARE * len(scores))]
        words = f"among the highest {share(SURPRISING_SHARE)} of the untouched rows"
    return _ranked(
        "surprising",
        {identifier: scores[identifier] for identifier in found},
        len(rows),
        lambda i: f"loss {rows[i].after:.3g} a token, {rows[i].peak:.3g} at its worst; {words}",
    )


def _ranked(kind: Kind, scores: Mapping[str, float], of: int, reason: Any) -> list[Suspect]:
    ordered = sorted(scores, key=lambda identifier: (-scores[identifier], identifier))
    return [
        Suspect(identifier, kind, rank, of, round(scores[identifier], 5), f"{reason(identifier)} (rank {rank} of {of})")
        for rank, identifier in enumerate(ordered, 1)
    ]
