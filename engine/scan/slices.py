"""A set over time: how many rows each year or month holds, and the words that die out.

A slice is acted on as a whole: look at ten rows of it drawn at random (`ten_of`), then settle it with one selector.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from engine.model import Example
from engine.scan.dates import date_of

MOST_BARS = 36
"""More months than this are counted by year."""
FEWEST_USES, FEWEST_LATER = 5, 30
_IN_TEXT = re.compile(r"\b((?:19[5-9]|20[0-4])\d)(?:-(0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?\b(?![.,]?\d)")
_WORD = re.compile(r"[^\W\d_][\w'’-]{2,40}")
_EXAMINED = 2000


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one year ("2019") or month ("2019-04"), by number, and the selector that names them."""

    name: str
    rows: tuple[int, ...]
    selector: str


@dataclass(frozen=True, slots=True)
class DeadTerm:
    """A word that `uses` rows up to `last` say (`rows`), and none of the `later` rows after it."""

    word: str
    uses: int
    last: str
    later: int
    rows: tuple[int, ...] = ()

    @property
    def selector(self) -> str:
        return rf"/\b{re.escape(self.word)}\b/i"


def dated(examples: Iterable[Example]) -> dict[int, str]:
    """Row number to date: the row's own field, else the latest one its text speaks of; rows without are left out."""
    found = {}
    for example in examples:
        date = date_of(example.raw) or _spoken_of(example)
        if date:
            found[example.number] = date
    return found


def _spoken_of(example: Example) -> str:
    text = f"{example.prompt[:_EXAMINED]}\n{example.answer[:_EXAMINED]}"
    dates = ["-".join(part for part in found.groups() if part) for found in _IN_TEXT.finditer(text)]
    return max(dates, default="")


def slices(examples: Sequence[Example], by: str = "") -> tuple[Slice, ...]:
    """The histogram, oldest first: by "month" or "year", by default months where they are known and few enough."""
    own = {example.number: date for example in examples if (date := date_of(example.raw))}
    months = {date[:7] for date in own.values() if len(date) >= 7}
    width = {"month": 7, "year": 4}.get(by, 7 if months and len(months) <= MOST_BARS else 4)
    rows: dict[str, list[int]] = {}
    for number, date in own.items():
        rows.setdefault(date[:width], []).append(number)
    # `date` compares as many characters as it is given, so equality with a year holds for all its days.
    return tuple(Slice(name, tuple(sorted(rows[name])), f"date={name}") for name in sorted(rows))


def ten_of(part: Slice | DeadTerm, examples: Sequence[Example], count: int = 10) -> tuple[int, ...]:
    """Rows of a slice to look at before it is settled: the same random ones every time."""
    identifiers: dict[int, Any] = {example.number: example.id for example in examples}
    drawn = sorted(part.rows, key=lambda row: blake2b(str(identifiers[row]).encode(), digest_size=8).digest())
    return tuple(sorted(drawn[:count]))


def dead_terms(examples: Sequence[Example], most: int = 20) -> tuple[DeadTerm, ...]:
    """Words several rows used until some year and none since, though as many uses as before were to be expected.

    Sorted by the number of rows that use them; years are compared, so a set of one year has none.
    """
    years = {number: date[:4] for number, date in dated(examples).items()}
    per_year = Counter(years.values())
    uses: dict[str, list[int]] = {}
    last: dict[str, str] = {}
    for example in examples:
        year = years.get(example.number)
        if year is None:
            continue
        text = f"{example.prompt[:_EXAMINED]}\n{example.answer[:_EXAMINED]}"
        for word in {word.lower() for word in _WORD.findall(text)}:
            uses.setdefault(word, []).append(example.number)
            last[word] = max(year, last.get(word, year))
    total = sum(per_year.values())
    found = []
    for word, rows_with in uses.items():
        count = len(rows_with)
        later = sum(rows for year, rows in per_year.items() if year > last[word])
        expected = count * later / max(1, total - later)
        if count >= FEWEST_USES and later >= FEWEST_LATER and expected >= FEWEST_USES:
            found.append(DeadTerm(word, count, last[word], later, tuple(rows_with)))
    return tuple(sorted(found, key=lambda term: (-term.uses, term.word))[:most])
