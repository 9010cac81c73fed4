"""A row's conversation in the terms of chat templates: what a template is given, what it makes of it, what it drops.

A row of `data/*.jsonl` holds messages (`role`, `content`; where they have any `reasoning_content`, `tool_calls` with
`arguments` as JSON text, `tool_call_id`, `name`, `train`) and `tools`, JSON texts. Rows of earlier versions hold roles
and texts alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from jinja2.exceptions import TemplateError

FAULTS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a template may raise: it is a program, written for other rows than these."""

SPOKEN = ("reasoning_content", "tool_call_id", "name")
"""What a template is given of a message beside role, content and calls."""

PROBE = {"quinquagesima": True}


class Unrenderable(ValueError):
    """A row that the chat template cannot write; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages and tools as `apply_chat_template` takes them."""

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] = ()


def chat_of(messages: Sequence[Mapping[str, Any]], tools: Sequence[str], *, text_arguments: bool = False) -> Chat:
    """What a template is given. Arguments of calls are objects, or texts for a template that wants them so.

    Raises Unrenderable for a tool that is no JSON object.
    """
    return Chat(tuple(_message(message, text_arguments) for message in messages), tuple(map(_tool, tools)))


def _message(message: Mapping[str, Any], text_arguments: bool) -> dict[str, Any]:
    given = {"role": message["role"], "content": message["content"]}
    given |= {key: message[key] for key in SPOKEN if message.get(key)}
    if message.get("tool_calls"):
        given["tool_calls"] = [_call(call, text_arguments) for call in message["tool_calls"]]
    return given


def _call(call: Mapping[str, Any], text_arguments: bool) -> dict[str, Any]:
    function = call["function"]
    written = function["arguments"] if function["arguments"].strip() else "{}"
    value = written if text_arguments else _object(written, written)
    return {"type": "function", **call, "function": {"name": function["name"], "arguments": value}}


def _object(text: str, otherwise: Any) -> Any:
    """The JSON object that a text is, else `otherwise`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return otherwise
    return value if isinstance(value, dict) else otherwise


def _tool(text: str) -> dict[str, Any]:
    """A tool's definition as `{"type": "function", "function": {"name", "description", "parameters"}}`."""
    tool = _object(text, None)
    if tool is None:
        raise Unrenderable(f"a tool is no JSON object: {text[:60]}")
    if "name" not in tool or "function" in tool:
        return dict(tool)
    function = {"parameters" if key == "input_schema" else key: value for key, value in tool.items() if key != "type"}
    return {"type": "function", "function": function}


def wants_text_arguments(tokenizer: Any, template: str | None) -> bool:
    """Whether the template takes the arguments of a call for a text. Asked once, so that all rows are written alike.

    Most take an object and would quote a text a second time. Those that put a text together fail on an object, or
    print it as Python does: `{'city': …}`.
    """
    called = {"name": "find", "arguments": json.dumps(PROBE)}
    messages = (
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "abcdefghi", "function": called}]},
        {"role": "tool", "content": "b", "tool_call_id": "abcdefghi", "name": "find"},
        {"role": "assistant", "content": "c"},
    )
    tool = json.dumps({"name": "find", "description": "d", "parameters": {"type": "object", "properties": {}}})
    for text_arguments in (False, True):
        try:
            text = as_text(tokenizer, chat_of(messages, (tool,), text_arguments=text_arguments), template)
        except Unrenderable:
            continue
        if next(iter(PROBE)) in text and str(PROBE) not in text:
            return text_arguments
    return False


def rendered(tokenizer: Any, chat: Chat, template: str | None, *, tokenize: bool = True, **how: bool) -> Any:
    """The chat template over `chat`: a mapping with `input_ids` and what `how` asks for, or the text.

    Raises Unrenderable with what the template says.
    """
    try:
        return tokenizer.apply_chat_template(
            list(chat.messages),
            tools=list(chat.tools) or None,
            chat_template=template,
            tokenize=tokenize,
            return_dict=tokenize,
            **how,
        )
    except FAULTS as fault:
        said = " ".join(str(fault).split())[:200]
        raise Unrenderable(said or type(fault).__name__) from fault


def as_text(tokenizer: Any, chat: Chat, template: str | None) -> str:
    """What the template writes. Raises Unrenderable."""
    return str(rendered(tokenizer, chat, template, tokenize=False))


def text_before_words(tokenizer: Any, chat: Chat, template: str | None, place: int) -> str:
    """What the template writes before the own words of the message at `place`."""
    marked, places = _marked_message(chat.messages[place], count())
    messages = (*chat.messages[:place], marked, *chat.messages[place + 1 :])
    text = as_text(tokenizer, Chat(messages, chat.tools), template)
    return text[: min((place for mark in places if (place := text.find(mark)) >= 0), default=len(text))]


def dropped(tokenizer: Any, chat: Chat, template: str | None) -> set[str]:
    """What of the conversation the template leaves out: "system", "reasoning", "calls", "arguments", "tools", "names",
    and of other turns "turns of ROLE".

    Each text gets a word of its own at both ends, and it is looked which of them are written; a template that refuses
    such words tells nothing.
    """
    numbers = count()
    marks: dict[str, str] = {}
    messages, tools = [], []
    for message in chat.messages:
        marked, places = _marked_message(message, numbers)
        messages.append(marked)
        marks |= places
    for tool in chat.tools:
        mark = _mark(numbers)
        tools.append(_marked_tool(tool, mark))
        marks[mark] = "tools"
    try:
        text = as_text(tokenizer, Chat(tuple(messages), tuple(tools)), template)
    except Unrenderable:
        return set()
    return {kind for mark, kind in marks.items() if mark not in text}


def _mark(numbers: Iterator[int]) -> str:
    return f"quinqua{next(numbers)}gesima"


def _marked_message(message: Mapping[str, Any], numbers: Iterator[int]) -> tuple[dict[str, Any], dict[str, str]]:
    """The message with marks in its texts, and what each of them stands for."""
    marks: dict[str, str] = {}

    def mark(kind: str) -> str:
        made = _mark(numbers)
        marks[made] = kind
        return made

    marked = dict(message)
    role = message["role"]
    if message.get("reasoning_content"):
        marked["reasoning_content"] = f"{mark('reasoning')}{message['reasoning_content']}{mark('reasoning')}"
    if message["content"]:
        kind = "system" if role == "system" else f"turns of {role}"
        marked["content"] = f"{mark(kind)}{message['content']}{mark(kind)}"
    if message.get("name") and role != "tool":  # a result's name is its call's
        marked["name"] = f"{message['name']}{mark('names')}"
    calls = []
    for call in message.get("tool_calls", ()):
        function = call["function"]
        name, arguments = f"{function['name']}{mark('calls')}", function["arguments"]
        if isinstance(arguments, dict):
            value: Any = {mark("arguments"): mark("arguments"), **arguments}
        else:
            value = f"{mark('arguments')}{arguments}{mark('arguments')}"
        calls.append({**call, "function": {"name": name, "arguments": value}})
    return marked | ({"tool_calls": calls} if calls else {}), marks


def _marked_tool(tool: Mapping[str, Any], mark: str) -> dict[str, Any]:
    function = tool.get("function")
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return {**tool, "function": {**function, "name": f"{function['name']}{mark}"}}
    return {**tool, mark: mark}
