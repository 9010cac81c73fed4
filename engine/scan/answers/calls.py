"""Answers that call tools, compared by their words and by their calls: names and arguments, ids aside."""

from __future__ import annotations

import json
from typing import Any

from engine.model import ToolCall
from engine.nesting import loads
from engine.scan.answers.compare import compare_answers
from engine.scan.answers.json_answers import compare_json_with_words
from engine.scan.answers.relation import Comparison
from engine.scan.requests.content import Said, canonical_call
from engine.scan.requests.key import Key
from engine.scan.text import shorten


def compare_said(one: Said, other: Said, request: Key | None) -> Comparison:
    """How two answers to the same request relate, words and calls."""
    if not one.calls and not other.calls:
        return compare_answers(one.text, other.text, request)
    calls = compare_calls(one.calls, other.calls)
    if calls is None:
        caller, speaker = (one, other) if one.calls else (other, one)
        if not speaker.text.strip():
            return Comparison("alternative", "only one answer calls a tool")
        if caller.text.strip() and compare_answers(caller.text, speaker.text, request).relation in ("same", "nearly"):
            return Comparison("alternative", "only one answer calls a tool")
        return compare_json_with_words([_value(call) for call in caller.calls], speaker.text)
    if calls.relation in ("conflict", "alternative"):
        return calls
    words = compare_answers(one.text, other.text, request)
    if words.relation == "same":
        return calls
    # What is said on the way to one and the same call is no answer yet.
    return Comparison("nearly" if words.relation == "nearly" else "alternative", words.why)


def compare_calls(one: tuple[ToolCall, ...], other: tuple[ToolCall, ...]) -> Comparison | None:
    """How the calls of two answers relate; None where one of them calls nothing."""
    if not one or not other:
        return None
    left, right = [canonical_call(call) for call in one], [canonical_call(call) for call in other]
    if left == right:
        return Comparison("same")
    if sorted(left) == sorted(right):
        return Comparison("nearly", "the same calls in another order")
    if [call.name for call in one] != [call.name for call in other]:
        names = [shorten(", ".join(call.name for call in calls), 40) for calls in (one, other)]
        return Comparison("conflict", f'calls "{names[0]}" against "{names[1]}"')
    found = [_arguments(mine, theirs) for mine, theirs in zip(one, other, strict=True)]
    return next(each for kind in ("conflict", "alternative", "nearly") for each in found if each.relation == kind)


def _arguments(one: ToolCall, other: ToolCall) -> Comparison:
    if canonical_call(one) == canonical_call(other):
        return Comparison("same")
    left, right = _parsed(one.arguments), _parsed(other.arguments)
    if not isinstance(left, dict) or not isinstance(right, dict):
        return Comparison("conflict", f'"{shorten(one.arguments, 40)}" against "{shorten(other.arguments, 40)}"')
    differing = [name for name in left if name in right and left[name] != right[name]]
    unlike = [name for name in differing if not _one_name(left[name], right[name])]
    if unlike:
        name = unlike[0]
        shown = [shorten(json.dumps(value, ensure_ascii=False), 40).strip('"') for value in (left[name], right[name])]
        return Comparison("conflict", f'{shorten(name, 30)}: "{shown[0]}" against "{shown[1]}"')
    missing = sorted(left.keys() ^ right.keys())
    if missing:
        return Comparison("alternative", f'only one gives "{shorten(missing[0], 30)}"')
    return Comparison("nearly", "only case or spaces differ")


def _one_name(one: Any, other: Any) -> bool:
    """Whether two values are one name in capitals and small letters; an option or a unit is another one by its case."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    words = " ".join(one.lower().split()), " ".join(other.lower().split())
    return words[0] == words[1] and len(words[0]) > 2 and words[0].replace(" ", "").isalpha()


def _parsed(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return text


def _value(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": _parsed(call.arguments)}
