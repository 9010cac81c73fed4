"""What is written is read again as the same conversation: nothing is lost on the way out and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from expected_rows import expected_examples

from engine.errors import UsageError
from engine.export.convert import CONVERSIONS, json_line
from engine.model import Conversation, Message
from engine.sources.conversation.conversation import conversation_of
from engine.sources.shapes.guess import guess_row

# What tells turns apart in the written form alone, and so is not in the row that is read again.
FORMS = [
    (name, wide) for name, conversion in CONVERSIONS.items() for wide in (False, True) if conversion.wide or not wide
]


def content_of(conversation: Conversation) -> Iterator[str]:
    """Every text of its content, the arguments of calls and the tools as values."""
    answers = (conversation.messages, *conversation.rejected)
    for message in (message for answer in answers for message in answer):
        yield from _texts(message)
    for tool in conversation.tools:
        yield from _strings(_value(tool))


def _texts(message: Message) -> Iterator[str]:
    parts = () if isinstance(message.content, str) else message.content
    yield from ([message.content] if isinstance(message.content, str) else [part.value for part in parts])
    yield message.reasoning
    for call in message.tool_calls:
        yield call.name
        yield from _strings(_value(call.arguments))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
    elif value is not None:
        yield str(value)


@pytest.mark.parametrize(("format_name", "wide"), FORMS)
def test_written_rows_are_read_again_as_they_were(format_name: str, wide: bool) -> None:
    conversion = CONVERSIONS[format_name]
    convert = conversion.wide if wide and conversion.wide is not None else conversion.convert
    compared, lost = 0, []
    for file, examples in expected_examples().items():
        for example in examples:
            try:
                made = convert(example)
            except UsageError:
                continue
            if made.losses:
                continue
            row = json.loads(json_line(made.row))
            mapping = guess_row(row)
            read = conversation_of(row, mapping) if mapping is not None else Conversation()
            again = "\n".join(content_of(read))
            lost += [(file, example.number, text) for text in content_of(example.conversation) if text not in again]
            if read.label is not example.conversation.label:
                lost.append((file, example.number, "label"))
            compared += 1
    assert compared >= 2
    assert not lost
