"""The measures of a report in words: one line each, with the values, the difference and what it means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.report import BATCH, EPOCHS, LANGUAGE_SAMPLE

Set = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One measure for the eye: a label, the value of each set as text, the second less the first (`-397`, `+4.2 pp`;
    '' where there is one set or the measure is no number), and a plain sentence."""

    label: str
    values: tuple[str, ...]
    difference: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Measure:
    """How one line is made. `number` is what is subtracted; with `share` it is shown in per cent."""

    label: str
    sentence: Callable[[Sequence[Set]], str]
    number: Callable[[Set], float | None] | None = None
    share: bool = False
    text: Callable[[Set], str] | None = None

    def value(self, one: Set) -> str:
        """The value of one set as text; '' where it has none."""
        if self.text is not None:
            return self.text(one)
        number = self.number(one) if self.number is not None else None
        return "" if number is None else f"{number:.1%}" if self.share else f"{number:,.0f}"

    def difference(self, sets: Sequence[Set]) -> str:
        """The second set less the first."""
        if self.number is None or len(sets) < 2:
            return ""
        first, second = self.number(sets[0]), self.number(sets[1])
        if first is None or second is None:
            return ""
        if first == second:
            return "0"
        return f"{(second - first) * 100:+.1f} pp" if self.share else f"{second - first:+,.0f}"


def compared(first: Set, second: Set | None = None) -> list[Line]:
    """The measures as lines for the eye; with two sets the sentence says what the difference means."""
    sets = [first] + ([second] if second is not None else [])
    lines = [
        Line(entry.label, tuple(map(entry.value, sets)), entry.difference(sets), entry.sentence(sets))
        for entry in MEASURES
    ]
    return [line for line in lines if any(line.values)]


def _always(text: str) -> Callable[[Sequence[Set]], str]:
    return lambda sets: text


def _distinct(sets: Sequence[Set]) -> str:
    said = [f"{one['distinct_prompts']:,} different requests in {one['rows']:,} rows" for one in sets]
    each = [one["rows"] / max(1, one["distinct_prompts"]) for one in sets]
    return " against ".join(said) + f"; each request stands {' / '.join(f'{times:.1f}' for times in each)} times"


def _steal(sets: Sequence[Set]) -> str:
    one = sets[0]["duplicates"]
    text = f"{one['steps']:,} of {one['steps_of']:,} training steps would go to rows seen before"
    if len(sets) > 1:
        text += f", {sets[1]['duplicates']['steps']:,} of {sets[1]['duplicates']['steps_of']:,} in the other"
    return f"{text} ({EPOCHS} epochs of batches of {BATCH})"


def _consistent(sets: Sequence[Set]) -> str:
    said = [f"{one['format']['share']:.0%} of the answers are {one['format']['majority']}" for one in sets]
    return " against ".join(said)


def _top(counts: dict[str, int], most: int = 4) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:most])


def _flags(sets: Sequence[Set]) -> str:
    said = [_top(one["flags"]) or "no flag" for one in sets]
    return " against ".join(dict.fromkeys(said))


def _repeats(sets: Sequence[Set]) -> str:
    said = []
    for one in sets:
        top = one["repeated_outputs"]
        said.append(f"the commonest answer stands {top[0]['count']:,} times" if top else "no answer stands twice")
    return " against ".join(said)


def _shared_system(one: Set) -> float | None:
    return float(one["repeated_systems"][0]["count"]) if one["repeated_systems"] else None


def _span(years: dict[str, int]) -> str:
    return f"{min(years)}-{max(years)}" if years else ""


def _years(sets: Sequence[Set]) -> str:
    return " against ".join(_top(one["years"], 9) or "no dates" for one in sets)


MEASURES: tuple[Measure, ...] = (
    Measure("rows", _always("rows that could be read"), lambda one: one["rows"]),
    Measure("set aside", _always("lines that could not be read"), lambda one: one["quarantined"]),
    Measure("different requests", _distinct, lambda one: one["distinct_prompts"]),
    Measure("different answers", _repeats, lambda one: one["distinct_outputs"]),
    Measure("exact duplicates", _always("rows beyond the first of their kind"), lambda one: one["duplicates"]["exact"]),
    Measure("near duplicates", _always("the same request in other words"), lambda one: one["duplicates"]["near"]),
    Measure("duplicate share", _steal, lambda one: one["duplicates"]["share"], share=True),
    Measure(
        "contradicting rows", _always("the same request, answers that disagree"), lambda one: one["conflicting_rows"]
    ),
    Measure("flagged rows", _flags, lambda one: one["flagged_rows"]),
    Measure(
        "answer format",
        _consistent,
        lambda one: one["format"]["share"],
        share=True,
        text=lambda one: f"{one['format']['majority']} {one['format']['share']:.0%}",
    ),
    Measure("tokens, median", lambda sets: str(sets[0]["tokens"]["method"]), lambda one: one["tokens"]["p50"]),
    Measure("tokens, 95 %", _always("nineteen of twenty rows are shorter"), lambda one: one["tokens"]["p95"]),
    Measure("tokens, total", _always("what one epoch reads"), lambda one: one["tokens"]["total"]),
    Measure(
        "turns, median",
        lambda sets: f"longest {' against '.join(str(one['turns']['max']) for one in sets)}",
        lambda one: one["turns"]["p50"],
    ),
    Measure("system prompt", _always("rows that the commonest one stands in"), _shared_system),
    Measure(
        "languages",
        _always(f"told from up to {LANGUAGE_SAMPLE:,} rows"),
        text=lambda one: _top(one["languages"], 3),
    ),
    Measure("years", _years, text=lambda one: _span(one["years"])),
)
