"""A conversation in the words of chat templates and of OpenAI's files: `messages`, and `tools` beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

from engine.export.raw_names import address_of
from engine.model import Conversation, Example, Message, Part, Row, ToolCall
from engine.nesting import loads

# What Anthropic, and Bedrock and MCP, call the schema of a tool's arguments.
_SCHEMA = {"input_schema": "parameters", "inputSchema": "parameters"}
TEMPLATE_SETTINGS = "chat_template_kwargs"


def plain_text(message: Message) -> str:
    """What it says in words: the texts of its parts one under another, without pictures, sounds, films and files.
    Reasoning that the file has inside the text stays there."""
    if message.written:
        return message.written
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.value for part in message.content if part.type in ("text", "json"))


def messages_of(messages: Sequence[Message], row: Row) -> list[dict[str, Any]]:
    """Messages as `{"role", "content", …}`. A call without an id gets one, and so does its result: what reads these
    files ties them together by it. `row` is where the bytes of pictures lie."""
    written = [_message_of(message, row) for message in messages]
    calls = [call for message in written for call in message.get("tool_calls", ())]
    taken = {call["id"] for call in calls}
    fresh = (name for number in count(1) if (name := f"call_{number}") not in taken)
    for call in calls:
        call["id"] = call["id"] or next(fresh)
    _tie_results(written)
    return written


def _tie_results(written: Sequence[dict[str, Any]]) -> None:
    """A result that names no call belongs to the first call before it that has no result yet."""
    waiting: list[str] = []
    for message in written:
        if message["role"] != "tool":
            waiting = [call["id"] for call in message.get("tool_calls", ())]
        elif message.get("tool_call_id") in waiting:
            waiting.remove(message["tool_call_id"])
        elif "tool_call_id" not in message and waiting:
            message["tool_call_id"] = waiting.pop(0)


def _message_of(message: Message, row: Row) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": _content_of(message, row)}
    if message.reasoning and not message.written:
        written["reasoning_content"] = message.reasoning
    if message.tool_calls:
        written["tool_calls"] = [_call_of(call) for call in message.tool_calls]
    if message.tool_call_id:
        written["tool_call_id"] = message.tool_call_id
    if message.name:
        written["name"] = message.name
    if not message.train and message.role == "assistant":
        written["weight"] = 0
    return written


def _call_of(call: ToolCall) -> dict[str, Any]:
    # Arguments stay JSON text: OpenAI asks for it, and an Arrow column would give each call the keys of all calls.
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


def _content_of(message: Message, row: Row) -> str | list[dict[str, Any]]:
    """One text where texts are all there is: templates of models that see no pictures take nothing else."""
    content = message.content
    if isinstance(content, str) or not any(_needs_parts(part) for part in content):
        return plain_text(message)
    written = [_part_of(part, row) for part in content]
    return [part for part in written if part is not None]


def _needs_parts(part: Part) -> bool:
    return part.type != "text" and (part.type != "json" or isinstance(_own_part(part), dict))


def _own_part(part: Part) -> dict[str, Any] | None:
    """A part that nobody here knows, as it came: an object that says its type."""
    try:
        value = loads(part.value)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("type"), str) else None


def _part_of(part: Part, row: Row) -> dict[str, Any] | None:
    if part.type == "json":
        return _own_part(part) or {"type": "text", "text": part.value}
    if part.type == "text":
        return {"type": "text", "text": part.value}
    address = address_of(row, part)
    if not address:
        return None
    kind = "file" if part.type == "file" else f"{part.type}_url"
    return {"type": kind, kind: {"url": address}}


def tools_of(conversation: Conversation) -> list[Any]:
    """The tools as OpenAI and chat templates want them: `{"type": "function", "function": {…}}`."""
    return [_tool_of(loads_or_text(tool)) for tool in conversation.tools]


def tool_texts(conversation: Conversation) -> list[str]:
    """The tools as they stand in the row; those that only Bedrock would read as `tools_of` has them."""
    values = map(loads_or_text, conversation.tools)
    return [
        json.dumps(_tool_of(value), ensure_ascii=False) if isinstance(value, dict) and "toolSpec" in value else tool
        for tool, value in zip(conversation.tools, values, strict=True)
    ]


def loads_or_text(text: str) -> Any:
    """The value of a JSON text; what is none is a text."""
    try:
        return loads(text)
    except ValueError:
        return text


def _tool_of(tool: Any) -> Any:
    if isinstance(tool, dict) and isinstance(tool.get("toolSpec"), dict):
        tool = tool["toolSpec"]  # Bedrock's
    if not isinstance(tool, dict) or "function" in tool or "name" not in tool:
        return tool
    if tool.get("type", "function") not in ("function", "custom"):
        return tool  # run by who serves the model ("web_search"): no function
    function = {_SCHEMA.get(key, key): value for key, value in tool.items() if key != "type"}
    schema = function.get("parameters")
    if isinstance(schema, dict) and schema.keys() == {"json"}:
        function["parameters"] = schema["json"]
    return {"type": "function", "function": function}


def beside_messages(example: Example) -> dict[str, Any]:
    """What stands beside the messages for a chat template: the tools, and settings of the template."""
    tools = tools_of(example.conversation)
    beside: dict[str, Any] = {"tools": tools} if tools else {}
    if holds_template_settings(example):
        beside[TEMPLATE_SETTINGS] = example.raw[TEMPLATE_SETTINGS]
    return beside


def holds_template_settings(example: Example) -> bool:
    held = example.conversation
    named = any(leaf.path.split(".")[0] == TEMPLATE_SETTINGS for leaf in (*held.other, *held.metadata))
    return named and TEMPLATE_SETTINGS in example.raw
