"""A row as a trainer sees it: its messages and tools in the terms of chat templates; and back to a conversation.

A message is `{"role", "content"}` with, where it has any, `reasoning_content`, `tool_calls` (`id`, `type`, `function`
with `name` and `arguments`, a JSON text), `tool_call_id`, `name`, and `"train": "no"` where it is not to be learnt.
Runs of earlier versions hold role and content alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model import Conversation, Example, Message, ToolCall, TrainingRow

UNWANTED = "unwanted"
NO_ANSWER = "no_answer"
NOT_UNDERSTOOD = "json"


def why_untrained(conversation: Conversation) -> str:
    """Why no trainer may have this row, or "": `UNWANTED`, `NO_ANSWER`, the kind of media it shows, `NOT_UNDERSTOOD`.

    tamis trains text alone: a row whose image is left out would teach to answer without looking.
    """
    messages = conversation.messages
    if not conversation.is_wanted:
        return UNWANTED
    if not messages or messages[-1].role != "assistant":
        return NO_ANSWER
    kinds = [part.type for turn in messages if not isinstance(turn.content, str) for part in turn.content]
    return next((kind for kind in kinds if kind not in ("text", NOT_UNDERSTOOD)), "") or (
        NOT_UNDERSTOOD if NOT_UNDERSTOOD in kinds else ""
    )


def training_row(example: Example) -> TrainingRow:
    """The row as a trainer sees it; parts that are text are one text, a line each."""
    messages = tuple(template_message(turn) for turn in example.messages)
    return TrainingRow(example.id, messages, example.conversation.tools)


def template_message(turn: Message) -> dict[str, Any]:
    """A turn in the terms of chat templates. Reasoning that the file has inside the text stays there: templates that
    know reasoning find it by its marks, and those that do not would drop it."""
    message: dict[str, Any] = {"role": turn.role, "content": turn.written or turn.text}
    if turn.reasoning and not turn.written:
        message["reasoning_content"] = turn.reasoning
    if turn.tool_calls:
        message["tool_calls"] = [_call(call) for call in turn.tool_calls]
    if turn.tool_call_id:
        message["tool_call_id"] = turn.tool_call_id
    if turn.name:
        message["name"] = turn.name
    if not turn.train:
        message["train"] = "no"
    return message


def _call(call: ToolCall) -> dict[str, Any]:
    named = {"id": call.id} if call.id else {}
    return named | {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def conversation_of_messages(messages: Sequence[Mapping[str, Any]], tools: Sequence[str] = ()) -> Conversation:
    """The conversation that a trainer's row holds."""
    return Conversation(tuple(_turn(message) for message in messages), tuple(tools))


def _turn(message: Mapping[str, Any]) -> Message:
    calls = (ToolCall(call["function"]["name"], call["function"]["arguments"], call.get("id", ""))
             for call in message.get("tool_calls", ()))  # fmt: skip
    return Message(
        message["role"],
        message["content"],
        message.get("reasoning_content", ""),
        tuple(calls),
        message.get("tool_call_id", ""),
        message.get("name", ""),
        message.get("train") != "no",
    )
