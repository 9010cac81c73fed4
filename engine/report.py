"""Measures of a data set, alone or side by side with another: what training on it would meet.

Every number is counted on the rows as they came. Lengths are tokens of a tokenizer where one is given, else characters
divided by four and marked as approximate.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.model import CHARS_PER_TOKEN
from engine.scan.dates import date_of

if TYPE_CHECKING:
    from engine.model import Example
    from engine.project.folder import Project

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
        "repeated_systems": _repeated(t.text for example in examples for t in example.turns if t.role == "system"),
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
    if re.search(r"^\s*(?:[-*•]|\d{1,3}[.)])\s", text, re.MULTILINE):
        return "list"
    return "prose" if len(text.split()) > 3 else "label"


def _tokens(examples: Sequence[Example], count: CountTokens | None, tokenizer: str) -> dict[str, Any]:
    if count is None:
        lengths = sorted(sum(len(turn.text) for turn in example.turns) // CHARS_PER_TOKEN for example in examples)
    else:
        lengths = sorted(sum(count(turn.text) for turn in example.turns) for example in examples)
    at = [lengths[min(len(lengths) - 1, int(len(lengths) * share))] for share in (0.5, 0.95)]
    return {
        "p50": at[0],
        "p95": at[1],
        "max": lengths[-1],
        "total": sum(lengths),
        "method": f"tokens of {tokenizer}" if count else f"approximate: {CHARS_PER_TOKEN} characters a token",
    }


def _languages(examples: Sequence[Example]) -> dict[str, int]:
    """Languages of up to 2,000 rows that have enough letters to tell, spread evenly over the set."""
    import py3langid

    step = max(1, len(examples) // LANGUAGE_SAMPLE)
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
    counts = sorted(len(example.turns) for example in examples)
    return {"p50": counts[len(counts) // 2], "max": counts[-1], "multi_turn": sum(1 for count in counts if count > 3)}


def _repeated(texts: Iterable[str]) -> list[dict[str, Any]]:
    counts = Counter(text.strip() for text in texts if text.strip())
    return [{"count": count, "text": text} for text, count in counts.most_common(MOST_REPEATED) if count > 1]
