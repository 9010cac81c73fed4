"""What belongs to a conversation and is no message: system prompt, tools, reasoning, label, further answers, media."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from engine.model import Row
from engine.sources.messages.messages import looks_like_message, looks_like_messages
from engine.sources.messages.parts import looks_like_calls, parsed
from engine.sources.shapes import names
from engine.sources.shapes.names import by_plain_name, kept_by_names, plain_name

_VERDICTS = frozenset({"accept", "reject", "ignore"})
_FEWEST_WORDS = 3


def beside(row: Row, taken: Collection[str]) -> dict[str, str]:
    """The fields with what belongs to a conversation and is no message: part of the mapping -> field."""
    found: dict[str, str] = {}
    for part, field, fits in _fields_beside(row):
        if part not in found and field not in taken and field not in found.values() and fits(row[field]):
            found[part] = field
    return found


@kept_by_names
def _fields_beside(fields: tuple[str, ...]) -> tuple[tuple[str, str, Callable[[Any], bool]], ...]:
    """The fields that by their names may belong to a part, the likeliest first, each with what its value has to be."""
    by_name = by_plain_name(fields)
    named = [(part, by_name[name], fits) for part, known, fits in _PARTS for name in known if name in by_name]
    bad = [("rejected", field, _is_calls_or_answer) for field in fields if names.ends_on_bad_answer(field)]
    media = [(part, by_name[name], _is_medium) for name, part in names.MEDIA.items() if name in by_name]
    return (*named, *bad, *media)


def _is_system(value: Any) -> bool:
    return isinstance(value, str) or looks_like_message(value) or isinstance(value, list | dict)


def _is_tools(value: Any) -> bool:
    held = parsed(value)
    return isinstance(held, list) and bool(held) and all(isinstance(tool, dict | str) for tool in held)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_words(value: Any) -> bool:
    """A text that is more than a word or two: `"reasoning": "on"` is a setting."""
    if not _is_text(value):
        return False
    words = value.split()
    return len(words) >= _FEWEST_WORDS or not all(word.isalpha() for word in words)


def _is_answers(value: Any) -> bool:
    """Several answers: as texts, or as messages."""
    return looks_like_messages(value) or is_texts(value)


def _is_label(value: Any) -> bool:
    return label_of(value) is not None or is_verdict(value)


def label_of(value: Any) -> bool | None:
    """Whether an answer is wanted, as data sets for KTO and annotators say it; None where nothing is said."""
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    return names.LABEL_WORDS.get(plain_name(value.strip())) if isinstance(value, str) else None


def mark_of(value: Any) -> bool | float | None:
    """What a flag, a score or a word beside one of several answers says for it; None where it says nothing."""
    if isinstance(value, bool | int | float):
        return value
    return label_of(value)


def says_label(name: str, value: Any) -> bool:
    """Whether a field of this name says beyond doubt if an answer is wanted: a number is as often a class, and under
    `answer` yes and no are answers."""
    if name == "answer":
        return is_verdict(value)
    return isinstance(value, bool | str) and label_of(value) is not None


def _is_medium(value: Any) -> bool:
    return isinstance(value, str | dict) or (isinstance(value, list) and bool(value))


def _is_calls_or_answer(value: Any) -> bool:
    return is_answer(value) or looks_like_calls(value)


def is_answer(value: Any) -> bool:
    """Whether a value can be an answer: a text, texts, or messages."""
    return isinstance(value, str) or looks_like_message(value) or looks_like_messages(value) or is_texts(value)


def is_verdict(value: Any) -> bool:
    """Prodigy's `answer` says what a person thought of the task."""
    return isinstance(value, str) and value in _VERDICTS


def is_texts(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


_PARTS: tuple[tuple[str, tuple[str, ...], Callable[[Any], bool]], ...] = (
    ("system", names.SYSTEMS, _is_system),
    ("tools", names.TOOLS, _is_tools),
    ("reasoning", names.SURE_REASONINGS, _is_text),
    ("reasoning", names.REASONINGS, _is_words),
    ("label", names.LABELS, _is_label),
    ("label", ("answer",), is_verdict),
    ("rejected", names.REJECTED, _is_calls_or_answer),
    ("candidates", names.CANDIDATES, looks_like_messages),
    ("candidates", names.FURTHER_ANSWERS, _is_answers),
)
