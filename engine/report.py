"""Measures of a data set, alone or side by side with another, as numbers and in words: what training on it would meet.

Every number is counted on the rows as they came. Lengths are tokens of a tokenizer where one is given, else characters
by `tokens.py` and marked as approximate.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from engine.scan.dates import date_of
from engine.tokens import ABOUT_TOKENS, about_tokens

if TYPE_CHECKING:
    from engine.model import Example
    from engine.project.project import Project

LANGUAGE_SAMPLE = 2000
LANGUAGE_LETTERS = 40
BATCH, EPOCHS = 16, 3
MOST_REPEATED = 5
CountTokens = Callable[[str], int]


def measure(project: Project, count_tokens: CountTokens | None = None, tokenizer: str = "") -> dict[str, Any]:
    """All measures of a scanned project as plain JSON values. Raises ValueError where it was not scanned."""
    findings = project.findings
    if findings is None:
        raise ValueError("the project was not scanned")
    numbers = range(len(project.rows))
    examples = [project.example(number, edited=False) for number in numbers]
    extra = {kind: sum(len(c.rows) - 1 for c in findings.clusters if c.kind == kind) for kind in ("exact", "near")}
    told = [flag for flag in findings.flags if flag.severity != "info"]
    conflicts = {row for cluster in findings.clusters if cluster.kind == "conflict" for row in cluster.rows}
    duplicates = sum(extra.values())
    return {
        "source": project.name,
        "rows": len(examples),
        "quarantined": sum(source.quarantined for source in project.settings.sources),
        "distinct_prompts": len({_plain(example.prompt) for example in examples}),
        "distinct_outputs": len({_plain(example.answer) for example in examples}),
        "duplicates": {
            "exact": extra["exact"],
            "near": extra["near"],
            "share": _share(duplicates, len(examples)),
            "steps": round(duplicates / BATCH * EPOCHS),
            "steps_of": round(len(examples) / BATCH * EPOCHS),
        },
        "conflicting_rows": len(conflicts),
        "flags": dict(Counter(flag.signal for flag in told).most_common()),
        "flagged_rows": len({flag.row for flag in told}),
        "format": _format(examples),
        "tokens": _tokens(examples, count_tokens, tokenizer),
        "languages": _languages(examples),
        "years": _years(examples),
        "turns": _turns(examples),
        "repeated_outputs": _repeated(example.answer for example in examples),
        "repeated_systems": _repeated(t.text for example in examples for t in example.messages if t.role == "system"),
    }


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _format(examples: Sequence[Example]) -> dict[str, Any]:
    """What form the answers have, and how many have the commonest."""
    forms = Counter(_form(example.answer) for example in examples)
    form, count = forms.most_common(1)[0]
    return {"majority": form, "share": _share(count, len(examples)), "forms": dict(forms.most_common())}


def _form(answer: str) -> str:
    text = answer.strip()
    if not text:
        return "empty"
    if text[0] in "{[" and text[-1] in "}]":
        return "JSON"
    if "```" in text:
        return "code"
    if re.search(r"^[^\S\n]*(?:[-*•]|\d{1,3}[.)])\s", text, re.MULTILINE):
        return "list"
    return "prose" if len(text.split()) > 3 else "label"


def _tokens(examples: Sequence[Example], count: CountTokens | None, tokenizer: str) -> dict[str, Any]:
    if count is None:
        lengths = sorted(int(about_tokens(turn.text for turn in example.messages)) for example in examples)
    else:
        lengths = sorted(sum(count(turn.text) for turn in example.messages) for example in examples)
    at = [lengths[min(len(lengths) - 1, int(len(lengths) * share))] for share in (0.5, 0.95)]
    return {
        "p50": at[0],
        "p95": at[1],
        "max": lengths[-1],
        "total": sum(lengths),
        "method": f"tokens of {tokenizer}" if count else ABOUT_TOKENS,
    }


def _languages(examples: Sequence[Example]) -> dict[str, int]:
    """Languages of up to 2,000 rows that have enough letters to tell, spread evenly over the set."""
    import py3langid

    step = max(1, ceil(len(examples) / LANGUAGE_SAMPLE))
    found: Counter[str] = Counter()
    for example in examples[::step]:
        text = f"{example.prompt}\n{example.answer}"
        if sum(map(str.isalpha, text[:2000])) >= LANGUAGE_LETTERS:
            code = str(py3langid.classify(text[:2000])[0])
            # Two codes that the classifier splits Chinese into.
            found["zh" if code == "wuu" else code] += 1
    return dict(found.most_common())


def _years(examples: Sequence[Example]) -> dict[str, int]:
    years = Counter(date[:4] for example in examples if (date := date_of(example.raw)))
    return dict(sorted(years.items()))


def _turns(examples: Sequence[Example]) -> dict[str, Any]:
    counts = sorted(len(example.messages) for example in examples)
    return {"p50": counts[len(counts) // 2], "max": counts[-1], "multi_turn": sum(1 for count in counts if count > 3)}


def _repeated(texts: Iterable[str]) -> list[dict[str, Any]]:
    counts = Counter(text.strip() for text in texts if text.strip())
    return [{"count": count, "text": text} for text, count in counts.most_common(MOST_REPEATED) if count > 1]


# -- the measures in words: a line each, with the values, the difference and what it means

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


def _years_in_words(sets: Sequence[Set]) -> str:
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
    Measure("years", _years_in_words, text=lambda one: _span(one["years"])),
)
