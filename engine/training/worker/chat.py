"""A row's conversation in the terms of chat templates: what a template is given, what it makes of it, what it drops.

A row of `data/*.jsonl` holds messages (`role`, `content`; where they have any `reasoning_content`, `tool_calls` with
`arguments` as JSON text, `tool_call_id`, `name`, `train`) and `tools`, JSON texts. Rows of earlier versions hold roles
and texts alone.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from jinja2.exceptions import TemplateError, TemplateSyntaxError

from .bounded_templates import Unbounded
from .fitting import CLOSED, SYSTEM_ROLES, THINK

FAULTS = (
    *(TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError, AssertionError),
)
"""What a template may raise: it is a program, written for other rows than these."""

SPOKEN = ("tool_call_id", "name")
"""What a template is given of a message beside role, content, reasoning and calls."""
REASONING_FIELDS = ("reasoning_content", "thinking", "reasoning")
"""What templates call the reasoning of a message, the most usual name first."""
SHORT_ID = re.compile("[A-Za-z0-9]{9}", re.ASCII)
"""The ids of calls that some templates ask for and refuse all others."""

PROBE = {"quinquagesima": True}
THOUGHT = "sexagesima"


class Unrenderable(ValueError):
    """A row that the chat template cannot write; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages and tools as `apply_chat_template` takes them."""

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a template calls things: the arguments of a call as a text, the field of the reasoning, ids of calls of
    nine letters and digits."""

    text_arguments: bool = False
    reasoning: str = REASONING_FIELDS[0]
    short_ids: bool = False


USUAL_TERMS = Terms()


def chat_of(messages: Sequence[Mapping[str, Any]], tools: Sequence[str], terms: Terms = USUAL_TERMS) -> Chat:
    """What a template is given, in its own terms.

    Raises Unrenderable for a tool that is no JSON object.
    """
    if terms.short_ids:
        messages = with_short_ids(messages)
    return Chat(tuple(_message(message, terms) for message in messages), tuple(map(_tool, tools)))


def _message(message: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    given = {"role": message["role"], "content": message["content"]}
    given |= {key: message[key] for key in SPOKEN if message.get(key)}
    if message.get("reasoning_content"):
        given[terms.reasoning] = message["reasoning_content"]
    if message.get("tool_calls"):
        given["tool_calls"] = [_call(call, terms.text_arguments) for call in message["tool_calls"]]
    return given


def _call(call: Mapping[str, Any], text_arguments: bool) -> dict[str, Any]:
    function = call["function"]
    written = function["arguments"] if function["arguments"].strip() else "{}"
    value = written if text_arguments else _object(written, written)
    return {"type": "function", **call, "function": {"name": function["name"], "arguments": value}}


def with_short_ids(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages with ids of nine letters and digits, numbered: ids that mean nothing cannot be learnt. Ids of that
    form stay. A result without an id answers the first call that has no result yet."""
    new_ids: dict[str, str] = {}
    open_calls: deque[str] = deque()
    numbers = count(1)
    found: list[Mapping[str, Any]] = []
    for message in messages:
        changed = dict(message)
        if message.get("tool_calls"):
            changed["tool_calls"] = []
            for call in message["tool_calls"]:
                given = call.get("id", "")
                short = given if SHORT_ID.fullmatch(given) else f"call{next(numbers):05}"
                new_ids[given] = short
                open_calls.append(short)
                changed["tool_calls"].append({**call, "id": short})
        elif message["role"] == "tool" and (message.get("tool_call_id") or open_calls):
            given = message.get("tool_call_id", "")
            answered = new_ids.get(given, "") if given else open_calls[0]
            changed["tool_call_id"] = answered or (given if SHORT_ID.fullmatch(given) else f"call{next(numbers):05}")
            if answered in open_calls:
                open_calls.remove(answered)
        found.append(changed)
    return found


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


def terms_of(tokenizer: Any, template: str | None) -> Terms:
    """The template's own terms. Asked once, with a call and a thought, so that all rows are written alike.

    Most take the arguments of a call for an object and would quote a text a second time. Those that put a text together
    fail on an object, or print it as Python does: `{'city': …}`.
    """
    found = USUAL_TERMS
    for terms in (USUAL_TERMS, Terms(True), Terms(short_ids=True), Terms(True, short_ids=True)):
        text = _probed(tokenizer, template, terms)
        if next(iter(PROBE)) in text and str(PROBE) not in text:
            found = terms
            break
    asked = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": THOUGHT})
    for name in REASONING_FIELDS:
        try:
            text = as_text(tokenizer, chat_of(asked, (), replace(found, reasoning=name)), template)
        except Unrenderable:
            continue
        if THOUGHT in text:
            return replace(found, reasoning=name)
    return found


def _probed(tokenizer: Any, template: str | None, terms: Terms) -> str:
    """What the template writes of a call with its result, "" where it refuses."""
    called = {"name": "find", "arguments": json.dumps(PROBE)}
    messages = (
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "call_0123456789", "function": called}]},
        {"role": "tool", "content": "b", "tool_call_id": "call_0123456789", "name": "find"},
        {"role": "assistant", "content": "c"},
    )
    tool = json.dumps({"name": "find", "description": "d", "parameters": {"type": "object", "properties": {}}})
    try:
        return as_text(tokenizer, chat_of(messages, (tool,), terms), template)
    except Unrenderable:
        return ""


def check_template(tokenizer: Any) -> None:
    """Raise ValueError for a chat template that is no program: it would fail on every row."""
    try:
        tokenizer.apply_chat_template([{"role": "user", "content": "a"}], tokenize=False)
    except TemplateSyntaxError as fault:
        words = " ".join(str(fault.message).split())[:200]
        raise ValueError(f"its chat template cannot be read, line {fault.lineno}: {words}") from fault
    except Unbounded:
        raise
    except FAULTS:  # it refuses this conversation, perhaps no other
        return


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
    except Unbounded:  # of no row more than of another
        raise
    except FAULTS as fault:
        said = " ".join(str(fault).split())[:200]
        raise Unrenderable(said or type(fault).__name__) from fault


def as_text(tokenizer: Any, chat: Chat, template: str | None) -> str:
    """What the template writes. Raises Unrenderable."""
    return str(rendered(tokenizer, chat, template, tokenize=False))


def text_before_words(tokenizer: Any, chat: Chat, template: str | None, place: int) -> str:
    """What the template writes before the own words of the message at `place`."""
    marked = _Marked(Chat(chat.messages[place : place + 1]))
    messages = (*chat.messages[:place], *marked.chat.messages, *chat.messages[place + 1 :])
    text = as_text(tokenizer, Chat(messages, chat.tools), template)
    return text[: min((place for mark in marked.kinds if (place := text.find(mark)) >= 0), default=len(text))]


def dropped(tokenizer: Any, chat: Chat, template: str | None) -> set[str]:
    """What of the conversation the template leaves out: "system", "reasoning" of the latest round, "history" (reasoning
    before the last request), "calls", "arguments", "tools", "names", and of other turns "turns of ROLE".

    Each text gets a word of its own at both ends, and it is looked which of them are written. A template that refuses
    such words is asked again with those of one kind alone; what it refuses even then stays unknown.
    """
    marked = _Marked(chat)
    try:
        return marked.lost(as_text(tokenizer, marked.chat, template))
    except Unrenderable:
        pass
    lost: set[str] = set()
    for kind in sorted(set(marked.kinds.values())):
        alone = _Marked(chat, only=kind)
        try:
            lost |= alone.lost(as_text(tokenizer, alone.chat, template))
        except Unrenderable:
            continue
    return lost


class _Marked:
    """A chat with words of its own in its texts, and what each of them stands for. `only`: words of one kind."""

    def __init__(self, chat: Chat, only: str = "") -> None:
        self._only, self._numbers = only, count()
        self.kinds: dict[str, str] = {}
        last_request = max((at for at, one in enumerate(chat.messages) if one["role"] == "user"), default=-1)
        messages = [self._message(one, at > last_request) for at, one in enumerate(chat.messages)]
        self.chat = Chat(tuple(messages), tuple(self._tool(tool) for tool in chat.tools))

    def lost(self, text: str) -> set[str]:
        return {kind for mark, kind in self.kinds.items() if mark not in text}

    def _mark(self, kind: str) -> str:
        if self._only not in ("", kind):
            return ""
        mark = f"quinqua{next(self._numbers)}gesima"
        self.kinds[mark] = kind
        return mark

    def _message(self, message: Mapping[str, Any], is_latest: bool) -> dict[str, Any]:
        marked = dict(message)
        role = message["role"]
        thought = "reasoning" if is_latest else "history"
        for name in REASONING_FIELDS:
            if message.get(name):
                marked[name] = f"{self._mark(thought)}{message[name]}{self._mark(thought)}"
        if message["content"]:
            kind = "system" if role in SYSTEM_ROLES else f"turns of {role}"
            head, thinks, rest = message["content"].partition(THINK) if role == "assistant" else ("", "", "")
            if thinks and not head.strip() and CLOSED in rest:  # a template that knows the marks takes them off
                marked["content"] = f"{head}{THINK}{self._mark(thought)}{rest}{self._mark(kind)}"
            else:
                marked["content"] = f"{self._mark(kind)}{message['content']}{self._mark(kind)}"
        if message.get("name") and role != "tool":  # a result's name is its call's
            marked["name"] = f"{message['name']}{self._mark('names')}"
        if message.get("tool_calls"):
            marked["tool_calls"] = [self._call(call) for call in message["tool_calls"]]
        return marked

    def _call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        function = call["function"]
        name, arguments = f"{function['name']}{self._mark('calls')}", function["arguments"]
        if isinstance(arguments, dict):
            key = self._mark("arguments")
            value: Any = {key: self._mark("arguments"), **arguments} if key else arguments
        else:
            value = f"{self._mark('arguments')}{arguments}{self._mark('arguments')}"
        return {**call, "function": {"name": name, "arguments": value}}

    def _tool(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        mark = self._mark("tools")
        function = tool.get("function")
        if not mark:
            return dict(tool)
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            return {**tool, "function": {**function, "name": f"{function['name']}{mark}"}}
        return {**tool, mark: mark}
