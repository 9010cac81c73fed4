"""Rows whose date has been left behind, above all those that use a word newer rows have dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.model import Example, Span
from engine.scan.dates import date_of
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal

FEWEST_DATED = 40
OLD_YEARS = 5
"""A row this many years older than the newest is stale by age alone."""
FEWEST_USES, QUIET_YEARS, FEWEST_SILENT = 5, 2, 30
# A capital inside a sentence: at its beginning any word has one.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-zA-Z]{3,30}\b")
_EXAMINED = 2000


@dataclass(frozen=True, slots=True)
class Years:
    """The newest year, and for each name that was dropped the last year in which a row used it."""

    newest: int
    dropped: dict[str, int]


def survey(examples: Sequence[Example]) -> Years | None:
    """Names used in several old rows and in none of the newer ones; None where the set is not dated or too short."""
    dated = [(int(date[:4]), example) for example in examples if (date := date_of(example.raw))]
    if len(dated) < FEWEST_DATED or len(dated) < 0.5 * len(examples):
        return None
    per_year = Counter(year for year, _ in dated)
    newest = max(per_year)
    if newest - min(per_year) < QUIET_YEARS:
        return None
    last: dict[str, int] = {}
    uses: Counter[str] = Counter()
    small: set[str] = set()
    for year, example in dated:
        text = f"{example.prompt[:_EXAMINED]}\n{example.answer[:_EXAMINED]}"
        for name in set(_NAME.findall(text)):
            last[name] = max(year, last.get(name, 0))
            uses[name] += 1
        small.update(text.split())
    dropped = {}
    for name, year in last.items():
        later = sum(count for other, count in per_year.items() if other > year)
        expected = uses[name] * later / (len(dated) - later or 1)
        # A word that is merely rare may be missing by chance: a dropped one would have been expected often.
        if (
            uses[name] >= FEWEST_USES
            and newest - year >= QUIET_YEARS
            and later >= FEWEST_SILENT
            and expected >= FEWEST_USES
            and name.lower() not in small
        ):
            dropped[name] = year
    return Years(newest, dropped)


def _stale(example: Reading, years: Years | None) -> Found | None:
    if years is None:
        return None
    date = date_of(example.raw)
    if not date:
        return None
    if years.dropped:
        for number, turn in enumerate(example.messages):
            for found in _NAME.finditer(turn.text, 0, _EXAMINED):
                if found.group() in years.dropped:
                    return Found(
                        f'dated {date}; says "{found.group()}", which no row after {years.dropped[found.group()]} does',
                        Span(number, *found.span()),
                    )
    age = years.newest - int(date[:4])
    return Found(f"dated {date}; the newest rows are from {years.newest}") if age >= OLD_YEARS else None


STALE = Signal("stale", "info", "older than the set, or in words it has dropped", _stale, survey)
