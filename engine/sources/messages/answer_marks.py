"""What stands inside of an answer between marks: reasoning at its head, and calls of tools."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.model import ToolCall
from engine.nesting import loads

_REASONING = re.compile(
    r"\s*(?:<(?P<tag>think|thinking|reasoning|thought)>|<\|begin_of_(?P<token>thought)\|>)", re.IGNORECASE
)
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*+")
# Hermes and Qwen; Glaive; Mistral; Llama 3. The last three run to the end of the answer.
_CALLS = re.compile(
    r"<tool_call>(.*?)</tool_call>|<functioncall>(.*?)(?=<functioncall>|\Z)|\[TOOL_CALLS\](.*)|<\|python_tag\|>(.*)",
    re.DOTALL,
)
# Glaive writes the arguments as JSON inside of single quotes, which is no JSON.
_QUOTED_ARGUMENTS = re.compile(r"""\{\s*"name":\s*("(?:[^"\\]|\\.)*+")\s*,\s*"arguments":\s*'(.*)'\s*\}""", re.DOTALL)


def reasoning_in(text: str) -> tuple[str, str]:
    """(reasoning, answer) of a text whose head is a block of reasoning: `<think>…</think>`, `<thinking>`,
    `<reasoning>`, `<thought>` or `<|begin_of_thought|>…`. ('', text) where there is none, or its marks do not pair."""
    opened = _REASONING.match(text)
    if opened is None:
        return "", text
    opening, closing = opened[0].strip(), f"</{opened['tag']}>" if opened["tag"] else "<|end_of_thought|>"
    inside, closed, rest = text[opened.end() :].partition(closing)
    if not closed or opening in inside or rest.count(closing) > rest.count(opening):
        return "", text
    return inside.strip(), _answer_behind(rest)


def _answer_behind(rest: str) -> str:
    """Without the blanks behind the closing mark, or the blank lines; indentation of the first line stays."""
    beginning = rest.partition("\n")[0]
    blank = None if beginning.strip() or not rest.strip() else _BLANK_LINES.match(rest)
    return rest.lstrip() if blank is None else rest[blank.end() :]


def calls_in(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """(the rest of the text, the calls of tools in it). (text, ()) where there are none, or one of them holds anything
    that a call has no place for: nothing of it is to be lost."""
    calls: list[ToolCall] = []
    for found in _CALLS.finditer(text):
        read = _calls_of(next(filter(None, found.groups()), "").strip())
        if not read:
            return text, ()
        calls += read
    if not calls:
        return text, ()
    rest = [piece.strip() for piece in _CALLS.sub("\0", text).split("\0")]
    return "\n\n".join(filter(None, rest)), tuple(calls)


def _calls_of(text: str) -> list[ToolCall]:
    """The calls that a JSON text holds: one or a list of them; none where it is anything else."""
    quoted = _QUOTED_ARGUMENTS.fullmatch(text)
    try:
        if quoted is not None:
            return [ToolCall(loads(quoted[1]), _unquoted(quoted[2]))]
        value = loads(text)
    except ValueError:
        return []
    calls = [_call(item) for item in (value if isinstance(value, list) else [value])]
    return [call for call in calls if call is not None] if None not in calls else []


def _unquoted(arguments: str) -> str:
    """The text between single quotes, which are escaped inside of it, where that makes JSON of it."""
    plain = arguments.replace("\\'", "'")
    try:
        loads(plain)
    except ValueError:
        return arguments
    return plain


def _call(value: Any) -> ToolCall | None:
    """A call, where the value says nothing that a call cannot hold."""
    if not isinstance(value, dict):
        return None
    outer = {key: item for key, item in value.items() if key not in ("id", "type", "function")}
    inner = value.get("function", outer)
    if not isinstance(inner, dict) or ("function" in value and outer) or value.get("type", "function") != "function":
        return None
    name, identifier = inner.get("name"), value.get("id", "")
    arguments = next((key for key in ("arguments", "parameters") if key in inner), None)
    if not isinstance(name, str) or not isinstance(identifier, str) or set(inner) - {"name", arguments}:
        return None
    given = "" if arguments is None else inner[arguments]
    return ToolCall(name, given if isinstance(given, str) else json.dumps(given, ensure_ascii=False), identifier)
