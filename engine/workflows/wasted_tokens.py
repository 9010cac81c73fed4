"""Which rows of a project are junk (repeated, flagged, left behind), and what an epoch would spend on them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.project.project import Project
from engine.tokens import about_tokens
from engine.training.plan.estimates import Estimate
from engine.training.plan.plan import make_plan
from engine.training.plan.wasted_tokens import WastedTokens, wasted_tokens_of
from engine.training.runs.data_files import spoken
from engine.training.spec.run_spec import choose_spec
from engine.workflows.training_sets import gather

FLAGGED = ("fix", "drop", "check")


def wasted_rows(project: Project, numbers: Iterable[int], *, edited: bool = True) -> dict[str, list[str]]:
    """Ids of the named rows that repeat another one of them, that carry a flag, or that the set has left behind.

    With `edited`, rows count as they stand: flags were found on rows as they came, so an edited row carries none.
    """
    chosen = set(numbers)
    ids = {number: project.rows.id(number) for number in sorted(chosen)}
    copies: set[int] = set()
    for cluster in project.findings.clusters if project.findings is not None else ():
        if cluster.kind in ("exact", "near") and not cluster.alternatives:
            members = [row for row in cluster.rows if row in chosen]
            copies |= set(members) - {cluster.keeper if cluster.keeper in members else next(iter(members), -1)}
    signals = {
        number: {(flag.signal, flag.severity) for flag in project.flags_of(number)}
        for number in ids
        if not (edited and project.is_edited(number))
    }
    return {
        "duplicates": [ids[number] for number in sorted(copies)],
        "flagged rows": [ids[n] for n, flags in signals.items() if any(severity in FLAGGED for _, severity in flags)],
        "stale rows": [ids[n] for n, flags in signals.items() if any(signal == "stale" for signal, _ in flags)],
    }


def wasted_in_an_epoch(
    project: Project, *, model: str | None, price: float, runs_dir: Path
) -> tuple[WastedTokens, ...]:
    """What one epoch over every training row that a trainer can use, as it came, spends on junk. `price` is per hour.

    Where the trainer is not installed or does not know the model, rows and shares stand (by characters), minutes are
    unknown with the reason.
    """
    rows = gather(project.example(number, edited=False) for number in project.training).rows
    if not rows:
        return ()
    trained = {row.id for row in rows}
    numbers = [number for number in project.training if project.rows.id(number) in trained]
    groups = wasted_rows(project, numbers, edited=False)
    spec = choose_spec(name="epoch", rows=len(rows), model=model, settings={"epochs": 1.0, "price_per_hour": price})
    try:
        plan = make_plan(spec, rows, (), runs_dir=runs_dir, wasted=groups)
    except TrainingError as fault:
        return by_characters(groups, rows, Estimate(None, str(fault)), price)
    if not plan.tokens["all"]:
        return by_characters(groups, rows, plan.seconds, price)
    return plan.wasted


def by_characters(
    groups: dict[str, list[str]], rows: tuple[TrainingRow, ...], seconds: Estimate, price: float
) -> tuple[WastedTokens, ...]:
    """The same with about as many tokens as so many characters are."""
    lengths = {row.id: int(_about_tokens(row)) for row in rows}
    return wasted_tokens_of(groups, lengths, seconds, price)


def _about_tokens(row: TrainingRow) -> float:
    """About the tokens of all that a trainer is given of a row."""
    texts = (text for turn in row.messages for text in (spoken(turn), turn.get("reasoning_content", "")))
    return about_tokens((*texts, *row.tools))
