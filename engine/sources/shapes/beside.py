"""What belongs to a conversation and is no message: system prompt, tools, reasoning, label, further answers, media."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.model import Row
from engine.sources.messages.messages import looks_like_message, looks_like_messages
from engine.sources.messages.parts import looks_like_calls, parsed
from engine.sources.shapes import names
from engine.sources.shapes.names import plain_name

_VERDICTS = frozenset({"accept", "reject", "ignore"})
_FEWEST_WORDS = 3


def beside(row: Row, taken: set[str], by_name: dict[str, str] | None = None) -> dict[str, str]:
    """The fields with what belongs to a conversation and is no message: part of the mapping -> field."""
    if by_name is None:
        by_name = {plain_name(name): name for name in row}
    found: dict[str, str] = {}
    for part, known, fits in _PARTS:
        for name in known if part not in found else ():
            field = by_name.get(name, "")
            if field and field not in taken and fits(row[field]):
                found[part] = field
                taken.add(field)
                break
    if "rejected" not in found:
        bad = (name for name in row if name not in taken and names.ends_on_bad_answer(name))
        field = next((name for name in bad if _is_calls_or_answer(row[name])), "")
        if field:
            found["rejected"] = field
            taken.add(field)
    for name, part in names.MEDIA.items():
        if name in by_name and by_name[name] not in taken and _is_medium(row[by_name[name]]):
            found.setdefault(part, by_name[name])
    return found


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
