"""Verdicts that stand in the rows of a file, made proposals as the rows come in; and scores, once a person has said
from where on they are good."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import ge, gt, le, lt
from pathlib import Path

from engine.errors import UsageError
from engine.project.proposals import NewProposal, add_proposals
from engine.project.rows import RowStore
from engine.sources.mapping import SAMPLE_ROWS, parse_path, value_at
from engine.sources.verdicts.said import number_in
from engine.sources.verdicts.verdicts import said_in, scores_in

IMPORT = "import:"
_AT_LEAST = re.compile(r"(?P<name>[^\s<>=]{1,60}?)\s*(?P<operator>>=|<=|>|<)\s*(?P<number>[-+\d.eE]{1,20})")
_COMPARE = {">=": ge, "<=": le, ">": gt, "<": lt}


def take_along(folder: Path, rows: RowStore, judged: Mapping[str, Iterable[int]]) -> None:
    """Propose what other tools (tool -> the rows it judges, ascending) said. Nothing of the rows is held. Raises
    ProjectError where nothing can be written."""
    for tool, numbers in judged.items():
        for source, few in groupby(numbers, key=lambda number: rows.source(number).name):
            add_proposals(folder, f"{IMPORT}{tool}", _proposals(rows, few), source=source)


def _proposals(rows: RowStore, numbers: Iterable[int]) -> Iterator[NewProposal]:
    for number in numbers:
        said, identifier = said_in(rows.raw(number)), rows.id(number)
        if said is None:
            continue
        if said.verdict or said.edited is not None:
            yield NewProposal(identifier, said.verdict, said.edited, why=said.why)
        for tag in said.tags:
            yield NewProposal(identifier, tag=tag, why=said.why)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From where on a score is good: `score>=4`."""

    name: str
    operator: str
    number: float

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.number:g}"


def parse_threshold(text: str) -> Threshold:
    """Raises UsageError where the text is no threshold."""
    found = _AT_LEAST.fullmatch(text.strip())
    number = number_in(found.group("number")) if found else None
    if found is None or number is None:
        raise UsageError(f"propose: {text[:40]!r} does not say from where on a score is good", "", "propose score>=4")
    return Threshold(found.group("name"), found.group("operator"), number)


def by_score(rows: RowStore, threshold: Threshold) -> tuple[list[int], list[int]]:
    """(rows with a score that reaches the threshold, those with one that does not), the raw rows read once each."""
    reached: list[int] = []
    missed: list[int] = []
    path = parse_path(threshold.name.removeprefix("field."))
    for number in range(len(rows)):
        raw = rows.raw(number)
        score = number_in(value_at(raw, path))
        score = scores_in(raw).get(threshold.name) if score is None else score
        if score is not None:
            (reached if _COMPARE[threshold.operator](score, threshold.number) else missed).append(number)
    return reached, missed


def propose_by_score(folder: Path, rows: RowStore, threshold: Threshold, reached: list[int], missed: list[int]) -> str:
    """Propose to accept the first rows and to reject the others; the author. An earlier threshold of the same score is
    thereby replaced. Raises ProjectError."""
    by = IMPORT + re.sub(r"[^\w.-]", "-", threshold.name)[:60]
    accepted = (NewProposal(rows.id(number), "accept", why=str(threshold)) for number in reached)
    rejected = (NewProposal(rows.id(number), "reject", why=f"not {threshold}") for number in missed)
    add_proposals(folder, by, (*accepted, *rejected))
    return by


def scores_of(rows: RowStore) -> dict[str, tuple[float, float]]:
    """The scores that the first rows hold: name -> (lowest, highest)."""
    found: dict[str, tuple[float, float]] = {}
    for number in range(min(len(rows), SAMPLE_ROWS)):
        for name, score in scores_in(rows.raw(number)).items():
            low, high = found.get(name, (score, score))
            found[name] = (min(low, score), max(high, score))
    return found
