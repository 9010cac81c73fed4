"""A row as it leaves: in the shape it came in, or as another one, with every loss of a conversion named.

A loss is something a trainer would have learnt from and now cannot: a turn, a tool call, a rejected answer, a "do not
train" mark. Fields that are no part of the conversation are left behind and listed, but do not count as a loss.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import UsageError
from engine.model import Example, Message, Row, ToolCall, TrainingRow

SHAREGPT_ROLES = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
KEPT_BESIDE_MESSAGES = ("tools", "chat_template_kwargs")


@dataclass(frozen=True, slots=True)
class Converted:
    """One row in its new shape, what of it was lost, and which of its fields were left behind."""

    row: Mapping[str, Any]
    losses: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """A format that rows can be written in. `wide` is the variant for sets that have system or further turns."""

    name: str
    convert: Callable[[Example], Converted]
    wide: Callable[[Example], Converted] | None = field(default=None)


def message_of(turn: Message) -> dict[str, Any]:
    """A turn as a role/content message."""
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.calls:
        message["tool_calls"] = [_call(call) for call in turn.tool_calls]
    if not turn.train:
        message["weight"] = 0
    return message


def _call(call: ToolCall) -> dict[str, Any]:
    """The call in the terms of chat templates: its arguments as JSON text."""
    named = {"id": call.id} if call.id else {}
    return named | {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _messages(example: Example) -> list[dict[str, Any]]:
    """The messages as they came where the row holds messages (so that unknown keys stay), else made of the turns."""
    for value in example.raw.values():
        if (
            isinstance(value, list)
            and len(value) == len(example.messages)
            and all(isinstance(message, dict) and "role" in message for message in value)
        ):
            return [dict(message) for message in value]
    return [message_of(turn) for turn in example.messages]


def _rejected(example: Example) -> tuple[str, ...]:
    return ("the rejected answer",) if "rejected" in example.raw and "chosen" in example.raw else ()


def _extras(example: Example, *kept: str) -> tuple[str, ...]:
    """Names of fields whose value is not a turn's text."""
    texts = {turn.text for turn in example.messages}
    conversation = {"instruction", "input", "output", "prompt", "completion", "chosen", "rejected", "system", "history"}
    return tuple(
        name
        for name, value in example.raw.items()
        if name not in conversation
        and name not in kept
        and not (isinstance(value, list) and value and isinstance(value[0], dict))
        and not (isinstance(value, str) and value in texts)
    )


def to_messages(example: Example) -> Converted:
    """`{"messages": […]}`, with `tools` beside them where the row has them."""
    row: dict[str, Any] = {"messages": _messages(example)}
    row |= {name: example.raw[name] for name in KEPT_BESIDE_MESSAGES if name in example.raw}
    return Converted(row, _rejected(example), _extras(example, *KEPT_BESIDE_MESSAGES))


def to_pair(example: Example) -> Converted:
    """`{"prompt": text, "completion": text}` for one request and one answer."""
    losses = list(_rejected(example))
    if len(example.messages) > 2:
        losses.append("further turns")
    losses += _call_losses(example)
    return Converted({"prompt": example.prompt, "completion": example.answer}, tuple(losses), _extras(example))


def to_conversational_pair(example: Example) -> Converted:
    """`{"prompt": [messages], "completion": [the closing answer]}`."""
    messages = _messages(example)
    losses = list(_rejected(example))
    if any(turn.role == "assistant" and turn.train for turn in example.messages[:-1]):
        losses.append("training on earlier answers")
    if not example.messages or example.messages[-1].role != "assistant":
        losses.append("the row: it does not end on an answer")
    row: dict[str, Any] = {"prompt": messages[:-1], "completion": messages[-1:]}
    row |= {name: example.raw[name] for name in KEPT_BESIDE_MESSAGES if name in example.raw}
    return Converted(row, tuple(losses), _extras(example, *KEPT_BESIDE_MESSAGES))


def to_alpaca(example: Example) -> Converted:
    """`{"instruction", "input", "output"}`, and `system` where there is one."""
    raw = example.raw
    losses = list(_rejected(example)) + _call_losses(example)
    system = "\n\n".join(turn.text for turn in example.messages if turn.role == "system")
    spoken = [turn for turn in example.messages if turn.role != "system"]
    if len(spoken) > 2:
        losses.append("further turns")
    if isinstance(raw.get("instruction"), str) and isinstance(raw.get("output"), str):
        row = {"instruction": raw["instruction"], "input": raw.get("input") or "", "output": raw["output"]}
    else:
        last = spoken[-2:] if len(spoken) > 2 else spoken
        row = {
            "instruction": "\n\n".join(t.text for t in last if t.role != "assistant"),
            "input": "",
            "output": example.answer,
        }
    return Converted(row | ({"system": system} if system else {}), tuple(losses), _extras(example))


def _call_losses(example: Example) -> list[str]:
    return ["tool calls"] if any(turn.calls for turn in example.messages) else []


def to_sharegpt(example: Example) -> Converted:
    """`{"conversations": [{"from", "value"}]}`."""
    turns: list[dict[str, Any]] = []
    losses = list(_rejected(example))
    for turn in example.messages:
        if turn.text or not turn.calls:
            turns.append({"from": SHAREGPT_ROLES.get(turn.role, turn.role), "value": turn.text})
        turns += [{"from": "function_call", "value": call} for call in turn.calls]
        if not turn.train:
            losses.append("a do-not-train mark")
    row: dict[str, Any] = {"conversations": turns}
    row |= {"tools": example.raw["tools"]} if "tools" in example.raw else {}
    return Converted(row, tuple(losses), _extras(example, "tools"))


def to_preference(example: Example) -> Converted:
    """`{"prompt", "chosen", "rejected"}`. Raises UsageError for a row that has no rejected answer."""
    raw = example.raw
    if "chosen" not in raw or "rejected" not in raw:
        raise UsageError(
            f"row {example.number} has no rejected answer", "", "preference pairs cannot be made of single answers"
        )
    prompt = next((raw[name] for name in ("prompt", "question", "instruction", "input") if name in raw), None)
    row = ({"prompt": prompt} if prompt is not None else {}) | {"chosen": raw["chosen"], "rejected": raw["rejected"]}
    return Converted(row, (), _extras(example))


CONVERSIONS: dict[str, Conversion] = {
    conversion.name: conversion
    for conversion in (
        Conversion("alpaca", to_alpaca),
        Conversion("prompt-completion", to_pair, to_conversational_pair),
        Conversion("messages", to_messages),
        Conversion("sharegpt", to_sharegpt),
        Conversion("preference", to_preference),
    )
}
FORMATS = ("same", *CONVERSIONS)


def checked_format(name: str) -> str:
    """Raises UsageError for a format that cannot be written."""
    if name not in FORMATS:
        raise UsageError(f"unknown export format {name!r}", "", f"known: {', '.join(FORMATS)}")
    return name


def needs_wide(example: Example) -> bool:
    """Whether a row has more than a request and an answer, so that plain strings cannot hold it."""
    return len(example.messages) != 2 or any(turn.calls for turn in example.messages)


def json_line(row: Row | Mapping[str, Any]) -> bytes:
    """One JSONL line; a lone surrogate keeps its escape, everything else is written as it reads."""
    try:
        return json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row, ensure_ascii=True).encode("ascii") + b"\n"


def training_row(example: Example) -> TrainingRow:
    """The row as a trainer sees it: text only, a tool call as the JSON text of the call.

    A turn that is not to be learnt carries `"train": "no"`.
    """
    messages = tuple(
        {"role": turn.role, "content": "\n".join(part for part in (turn.text, *turn.calls) if part)}
        | ({} if turn.train else {"train": "no"})
        for turn in example.messages
    )
    return TrainingRow(example.id, messages)
