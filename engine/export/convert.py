"""A row as it leaves: in the shape it came in, or as another one, with everything named that does not go with it.

All is made of the row's conversation, so that what is written is what was shown, edited and decided on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import UsageError
from engine.export import pairs, sharegpt
from engine.export.chat_messages import beside_messages, messages_of, tool_texts
from engine.export.losses import CHAT, SHAREGPT, Converted, unheld
from engine.model import Example, Message, Row


@dataclass(frozen=True, slots=True)
class Conversion:
    """A format that rows can be written in. `wide` is the variant for sets that hold more than a request and an answer.
    `takes_unwanted`: its rows say themselves that an answer is not wanted."""

    name: str
    convert: Callable[[Example], Converted]
    wide: Callable[[Example], Converted] | None = None
    takes_unwanted: bool = False


def to_messages(example: Example) -> Converted:
    """`{"messages": […]}`, with `tools` beside them where the row has them."""
    found = unheld(example, CHAT)
    row = {"messages": messages_of(example.messages, example.raw)} | beside_messages(example)
    return Converted(row, found.losses, found.left_behind)


def to_sharegpt(example: Example) -> Converted:
    """`{"conversations": [{"from", "value"}]}`, with `tools` beside them as JSON text, as LLaMA-Factory reads them."""
    found = unheld(example, SHAREGPT)
    made = sharegpt.turns_of(example.messages)
    row: dict[str, Any] = {"conversations": list(made.turns)}
    if example.conversation.tools:
        row["tools"] = f"[{', '.join(tool_texts(example.conversation))}]"
    return Converted(row, (*found.losses, *made.losses), (*found.left_behind, *made.left_behind))


CONVERSIONS: dict[str, Conversion] = {
    conversion.name: conversion
    for conversion in (
        Conversion("alpaca", pairs.to_alpaca),
        Conversion("prompt-completion", pairs.to_pair, pairs.to_conversational_pair),
        Conversion("messages", to_messages),
        Conversion("sharegpt", to_sharegpt),
        Conversion("preference", pairs.to_preference, pairs.to_conversational_preference),
        Conversion("kto", pairs.to_kto, pairs.to_conversational_kto, takes_unwanted=True),
    )
}
FORMATS = ("same", *CONVERSIONS)


def checked_format(name: str) -> str:
    """Raises UsageError for a format that cannot be written."""
    if name not in FORMATS:
        raise UsageError(f"unknown export format {name!r}", "", f"known: {', '.join(FORMATS)}")
    return name


def needs_wide(example: Example) -> bool:
    """Whether a row holds more than the texts of one request and one answer, or of an answer alone."""
    held = example.conversation
    roles = tuple(message.role for message in held.messages)
    answers = (held.messages, *held.rejected)
    return (
        roles not in (("user", "assistant"), ("assistant",))
        or bool(held.tools)
        or any(tuple(message.role for message in answer) != ("assistant",) for answer in held.rejected)
        or any(_is_more_than_text(message) for answer in answers for message in answer)
    )


def _is_more_than_text(message: Message) -> bool:
    return bool(message.tool_calls or message.reasoning or message.name or message.tool_call_id or message.media)


def keeps_unwanted(format_name: str) -> bool:
    """Whether a row of this format says itself that its answer is not wanted, as the row that came in does."""
    return format_name == "same" or CONVERSIONS[format_name].takes_unwanted


def json_line(row: Row | Mapping[str, Any]) -> bytes:
    """One JSONL line; a lone surrogate keeps its escape, everything else is written as it reads."""
    try:
        return json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row, ensure_ascii=True).encode("ascii") + b"\n"
