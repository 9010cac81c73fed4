"""Which field of a row is what: from a row in its own shape to turns, and back for edits.

The raw row is always kept, so a shape only has to say where the texts are; nothing is converted on reading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from engine.model import Conversation, Message, Row, ToolCall
from engine.nesting import loads
from engine.sources.guess import guess_row
from engine.sources.mapping import Mapping, is_turn_list, parse_path, turn_list, value_at

Role = Literal["system", "user", "assistant", "tool"]


ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "ipython": "tool",
}


def text_of(value: Any) -> str:
    """A value as text: strings as they are, nothing as '', content parts joined, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, dict) and "type" in part for part in value):
        return "\n".join(_part_text(part) for part in value)
    return json.dumps(value, ensure_ascii=False)


def _part_text(part: dict[str, Any]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else f"[{part.get('type')}]"


def conversation_of(row: Row, mapping: Mapping) -> Conversation:
    """What `row` holds."""
    return Conversation(_messages_of(row, mapping))


def _messages_of(row: Row, mapping: Mapping) -> tuple[Message, ...]:
    """The conversation in `row`; a row of another shape than the mapping's is read by its own. () where it has none."""
    turns = _turns(row, mapping)
    if not turns:
        own = guess_row(row)
        if own is not None and own.shape != mapping.shape:
            return _turns(row, own)
    return turns


def _turns(row: Row, mapping: Mapping) -> tuple[Message, ...]:
    fields = mapping.fields
    if mapping.shape == "messages":
        return _chat_turns(value_at(row, parse_path(fields["messages"])), "role", "content")
    if mapping.shape == "sharegpt":
        system = text_of(value_at(row, parse_path(fields["system"]))) if "system" in fields else ""
        head = (Message("system", system),) if system.strip() else ()
        return head + _chat_turns(value_at(row, parse_path(fields["conversations"])), "from", "value")
    if mapping.shape == "preference":
        return _preference_turns(row, fields)
    if mapping.shape == "text":
        text = value_at(row, parse_path(fields["text"]))
        return () if text is None else (Message("assistant", text_of(text)),)
    return _pair_turns(row, fields)


def _chat_turns(value: Any, role_key: str, text_key: str) -> tuple[Message, ...]:
    messages = turn_list(value)
    if not isinstance(messages, list):
        return ()
    return tuple(_chat_turn(message, role_key, text_key) for message in messages if isinstance(message, dict))


def _chat_turn(message: dict[str, Any], role_key: str, text_key: str) -> Message:
    spoken = str(message.get(role_key, "")).strip().lower()
    text = text_of(message.get(text_key))
    held = message.get("tool_calls")
    calls = tuple(_call(call) for call in held) if isinstance(held, list) else ()
    if spoken == "function_call":
        text, calls = "", (_call(_json_or_text(text)),)
    weight = message.get("weight", 1)
    return Message(ROLES.get(spoken, "user"), text, tool_calls=calls, train=weight != 0)


def _json_or_text(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return text


def _call(call: Any) -> ToolCall:
    function = call.get("function", call) if isinstance(call, dict) else {}
    if not isinstance(function, dict) or "name" not in function:
        return ToolCall("", text_of(call))
    return ToolCall(text_of(function["name"]), text_of(function.get("arguments")), text_of(call.get("id")))


def _side(value: Any, role: Role) -> tuple[Message, ...]:
    """One half of a pair: a string is one turn, a list of messages is its turns."""
    if is_turn_list(value, "role"):
        return _chat_turns(value, "role", "content")
    return (Message(role, text_of(value)),)


def _preference_turns(row: Row, fields: dict[str, str]) -> tuple[Message, ...]:
    """The request and the chosen answer; the rejected one is no turn, it stays in the raw row and in the editor."""
    chosen = value_at(row, parse_path(fields["chosen"]))
    if chosen is None:
        return ()
    prompt = value_at(row, parse_path(fields["prompt"])) if "prompt" in fields else None
    return (() if prompt is None else _side(prompt, "user")) + _side(chosen, "assistant")


def _pair_turns(row: Row, fields: dict[str, str]) -> tuple[Message, ...]:
    def value(name: str) -> Any:
        return value_at(row, parse_path(fields[name])) if name in fields else None

    if value("instruction") is None and value("output") is None:
        return ()
    turns: list[Message] = []
    if text_of(value("system")).strip():
        turns.append(Message("system", text_of(value("system"))))
    history = turn_list(value("history"))
    for pair in history if isinstance(history, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            turns += [Message("user", text_of(pair[0])), Message("assistant", text_of(pair[1]))]
    request = _side(value("instruction"), "user")
    context = text_of(value("input"))
    if context.strip() and len(request) == 1:
        request = (Message("user", f"{request[0].text}\n\n{context}"),)
    return (*turns, *request, *_side(value("output"), "assistant"))


def trainable(turns: Sequence[Message]) -> bool:
    """Whether a trainer can learn from these turns: an answer at the end. A row need not have a request."""
    return bool(turns) and turns[-1].role == "assistant"
