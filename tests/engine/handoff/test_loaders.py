"""Whatever is written passes the loaders that read its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import loaders
import pytest
from expected_rows import expected_examples
from loaders import LOADERS, TEXTS_ALONE

from engine.errors import UsageError
from engine.export.convert import CONVERSIONS, needs_wide
from engine.model import Conversation, Example, Message, ToolCall
from engine.sources.conversation.conversation import trainable

EXAMPLES = expected_examples()


def written(format_name: str, wide: bool) -> Iterator[tuple[str, Example, dict[str, Any]]]:
    """All rows of all shapes that a loader can learn from, and that lose nothing, in one format."""
    conversion = CONVERSIONS[format_name]
    convert = conversion.wide if wide and conversion.wide is not None else conversion.convert
    for file, examples in EXAMPLES.items():
        for example in examples:
            if not trainable(example.messages) or (not wide and conversion.wide and needs_wide(example)):
                continue
            try:
                made = convert(example)
            except UsageError:
                continue
            if not made.losses:
                yield f"{file} {example.number}", example, dict(made.row)


def speaks_strange(example: Example) -> bool:
    return any(message.role not in ("system", "user", "assistant", "tool") for message in example.messages)


def begins_oddly(example: Example) -> bool:
    """A row that is in no order of requests and answers, however it is written."""
    spoken = [message.role for message in example.messages if message.role != "system"]
    leading = [message.role for message in example.messages].index(spoken[0])
    runs = [role for place, role in enumerate(spoken) if not place or spoken[place - 1] != role]
    odd = [role in ("user", "tool") for role in runs] != [place % 2 == 0 for place in range(len(runs))]
    return odd or any(message.role == "system" for message in example.messages[leading:])


# What a loader does not take in any form, so that a row that holds it is for another loader.
NOT_FOR: dict[Callable[..., Any], Callable[[Example], bool]] = {
    loaders.openai: lambda example: (
        speaks_strange(example)
        or any(m.reasoning or any(part.type != "text" for part in _parts(m)) for m in example.messages)
        or _results_without_calls(example)
        or any('"name"' not in tool for tool in example.conversation.tools)
    ),
    loaders.swift: speaks_strange,
    loaders.llama_factory_sharegpt: begins_oddly,
    loaders.unsloth_sharegpt: lambda example: any(m.role == "tool" or m.tool_calls for m in example.messages),
}


def _parts(message: Message) -> tuple[Any, ...]:
    return () if isinstance(message.content, str) else message.content


def _results_without_calls(example: Example) -> bool:
    calls = sum(len(message.tool_calls) for message in example.messages)
    return calls < sum(message.role == "tool" for message in example.messages)


@pytest.mark.parametrize("wide", [False, True], ids=["texts", "lists"])
@pytest.mark.parametrize("format_name", LOADERS)
def test_rows_of_every_shape_pass_the_loaders_of_their_format(format_name: str, wide: bool) -> None:
    seen = 0
    for name, example, row in written(format_name, wide):
        for loader in LOADERS[format_name]:
            if wide and loader in TEXTS_ALONE:
                continue
            if loader not in NOT_FOR or not NOT_FOR[loader](example):
                assert not list(loader(row)), (name, loader.__name__, row)
                seen += 1
    assert seen >= 2


CALLS = (ToolCall("weather", '{"city": "Oslo"}', "a"), ToolCall("weather", '{"city": "Lima"}', "b"))
ANSWER = Message("assistant", "4 and 9.")


def of(*messages: Message, **rest: Any) -> Example:
    return Example("0" * 16, 0, Conversation(messages, **rest), "made.jsonl", 1, {})


def test_calls_made_at_once_are_one_turn_with_one_observation_behind_it() -> None:
    results = (Message("tool", "4", tool_call_id="a"), Message("tool", '{"t": 9}', tool_call_id="b"))
    example = of(
        Message("user", "Weather?"),
        Message("assistant", tool_calls=CALLS),
        *results,
        ANSWER,
        tools=('{"type": "function", "function": {"name": "weather"}}', '{"name": "rain"}'),
    )
    row = CONVERSIONS["sharegpt"].convert(example).row
    assert not list(loaders.llama_factory_sharegpt(row))
    assert [turn["from"] for turn in row["conversations"]] == ["human", "function_call", "observation", "gpt"]
    assert row["conversations"][2]["value"] == '[4, {"t": 9}]'


def test_a_text_beside_a_call_is_named_because_no_turn_holds_both() -> None:
    example = of(
        Message("user", "Weather?"),
        Message("assistant", "Let me look.", tool_calls=CALLS[:1]),
        Message("tool", "4"),
        ANSWER,
    )
    made = CONVERSIONS["sharegpt"].convert(example)
    assert made.losses == ("text beside tool calls",)
    assert not list(loaders.llama_factory_sharegpt(made.row))


def test_two_messages_of_one_speaker_are_one_turn() -> None:
    example = of(Message("user", "Hello?"), Message("user", "Are you there?"), Message("assistant", "Yes."))
    made = CONVERSIONS["sharegpt"].convert(example)
    assert not list(loaders.llama_factory_sharegpt(made.row))
    assert made.row["conversations"][0]["value"] == "Hello?\n\nAre you there?"
    assert made.losses == ()
    assert made.left_behind == ("where one message ends and the next of the same speaker begins",)


def test_calls_without_ids_get_some_that_tie_them_to_their_results() -> None:
    """As `function_call` messages of older OpenAI files, whose results name the function alone."""
    call = ToolCall("weather", "{}")
    example = of(
        Message("user", "Weather?"),
        Message("assistant", tool_calls=(call, ToolCall("rain", "", "call_1"))),
        Message("tool", "4", name="weather"),
        Message("tool", "dry", name="rain"),
        ANSWER,
    )
    row = CONVERSIONS["messages"].convert(example).row
    assert not list(loaders.openai(row))
    assert [message.get("tool_call_id") for message in row["messages"]] == [None, None, "call_2", "call_1", None]


def test_tools_of_any_provider_are_functions_in_messages() -> None:
    tools = (
        '{"name": "a", "input_schema": {"type": "object"}}',
        '{"type": "function", "function": {"name": "b"}}',
        '{"type": "function", "name": "c", "parameters": {}}',
    )
    row = CONVERSIONS["messages"].convert(of(Message("user", "Q"), ANSWER, tools=tools)).row
    assert [tool["function"]["name"] for tool in row["tools"]] == ["a", "b", "c"]
    assert row["tools"][0]["function"]["parameters"] == {"type": "object"}
    assert not list(loaders.openai(row))
