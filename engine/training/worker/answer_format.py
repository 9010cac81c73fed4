"""The form that the answers of a task share, where they share one, and whether an answer has it.

Told from the reference answers alone: JSON objects with the same keys, any JSON, or one label of a closed set.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SHARED = 0.9
"""The share of references that must have the form for it to be the task's."""
FEWEST = 10
MOST_LABELS = 20
LABEL_WORDS = 3


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """`name` in words; `fits` says whether an answer has the form."""

    name: str
    fits: Callable[[str], bool]


def answer_format(references: Sequence[str]) -> AnswerFormat | None:
    """The form of the task's answers, or None where they are free text or too few (ten) to tell."""
    if len(references) < FEWEST:
        return None
    parsed = [json_of(text) for text in references]
    whole = [value for value in parsed if isinstance(value, dict | list)]
    if len(whole) >= SHARED * len(references):
        keys, count = (
            Counter(frozenset(value) for value in whole if isinstance(value, dict)).most_common(1)[0]
            if any(isinstance(value, dict) for value in whole)
            else (frozenset(), 0)
        )
        if count >= SHARED * len(references):
            named = ", ".join(sorted(map(str, keys)))
            return AnswerFormat(f"JSON with the keys {named}", lambda text: keys_of(text) == keys)
        return AnswerFormat("JSON", lambda text: isinstance(json_of(text), dict | list))
    labels = Counter(text.strip() for text in references)
    often = {label for label, count in labels.items() if count > 1 and len(label.split()) <= LABEL_WORDS}
    if 1 < len(often) <= MOST_LABELS and sum(labels[label] for label in often) >= SHARED * len(references):
        return AnswerFormat(f"one of {len(often)} labels", lambda text: text.strip() in often)
    return None


def json_of(text: str) -> object:
    """The JSON value of a text, or None where it is none (or is null)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def keys_of(text: str) -> frozenset[str] | None:
    """The keys of a JSON object, or None where the text is none."""
    value = json_of(text)
    return frozenset(value) if isinstance(value, dict) else None
