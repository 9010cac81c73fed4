"""The second law: a conversion carries over every part of a conversation, or names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.export.convert import CONVERSIONS, Conversion, Converted
from engine.model import Conversation, Example, Leaf, Message, Part, ToolCall

SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ODD = ["", ' "quoted"', "\n\nfurther down", " {", " é漢\u2028", "\\n", " <image>", "[1]"]
ROLES = ["system", "user", "assistant", "tool", "critic"]
# What may be said of a part that is not carried over.
OF_MESSAGES = ("further turns", "text beside tool calls", "the row:")


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Conversation, list[tuple[str, tuple[str, ...]]]]:
    """A conversation of any kind, and each of its texts with the words that may name it."""
    numbers = count()
    planted: list[tuple[str, tuple[str, ...]]] = []

    def text(*words: str, odd: bool = True) -> str:
        made = f"t{next(numbers)}x" + (draw(st.sampled_from(ODD)) if odd else "")
        planted.append((made, words))
        return made

    def part() -> Part:
        kind = draw(st.sampled_from(["text", "image", "audio", "video", "file", "json"]))
        if kind == "text":
            return Part("text", text(*OF_MESSAGES))
        if kind == "json":
            return Part("json", json.dumps({"type": "odd", "held": text(*OF_MESSAGES, odd=False)}, ensure_ascii=False))
        return Part(kind, text({"image": "images"}.get(kind, kind), odd=False))

    def call() -> ToolCall:
        arguments = json.dumps({"q": text("tool calls", *OF_MESSAGES)}, ensure_ascii=False)
        return ToolCall(text("tool calls", *OF_MESSAGES, odd=False), arguments, draw(st.sampled_from(["", "id1"])))

    def message(role: str) -> Message:
        parts = draw(st.booleans())
        speaks = role == "assistant"
        return Message(
            role,
            tuple(part() for _ in range(draw(st.integers(0, 3)))) if parts else text(*OF_MESSAGES),
            text("reasoning_content") if speaks and draw(st.booleans()) else "",
            tuple(call() for _ in range(draw(st.integers(0, 2)))) if speaks else (),
            text("tool_call_id", odd=False) if role == "tool" and draw(st.booleans()) else "",
            text("name", odd=False) if draw(st.booleans()) else "",
            draw(st.booleans()),
        )

    def answer(*words: str) -> tuple[Message, ...]:
        return (Message("assistant", text(*words)),)

    def leaf(name: str) -> Leaf:
        planted.append((json.dumps("never written"), (name,)))
        return Leaf(f"deep.0.{name}", json.dumps("never written"))

    roles = draw(st.lists(st.sampled_from(ROLES), max_size=5)) + draw(st.sampled_from([[], ["user", "assistant"]]))
    made = Conversation(
        messages=tuple(message(role) for role in roles),
        tools=tuple(json.dumps({"name": text("tools", odd=False)}) for _ in range(draw(st.integers(0, 2)))),
        rejected=tuple(answer("rejected") for _ in range(draw(st.integers(0, 2)))),
        candidates=tuple(answer("candidates") for _ in range(draw(st.integers(0, 1)))),
        label=draw(st.sampled_from([None, True, False])),
        other=(leaf("kept_aside"),) if draw(st.booleans()) else (),
        links=(leaf("parent_id"),) if draw(st.booleans()) else (),
        metadata=(leaf("score"),) if draw(st.booleans()) else (),
    )
    return made, planted


def texts_in(value: Any) -> Iterator[str]:
    """Every text in what was written, opened where it is JSON."""
    if isinstance(value, str):
        yield value
        try:
            opened = json.loads(value)
        except ValueError:
            return
        if not isinstance(opened, str):
            yield from texts_in(opened)
        else:
            yield opened
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def forms(conversion: Conversion) -> list[Any]:
    return [form for form in (conversion.convert, conversion.wide) if form is not None]


@pytest.mark.parametrize("format_name", CONVERSIONS)
@SETTINGS
@given(drawn=conversations())
def test_every_text_is_carried_over_or_named(
    format_name: str, drawn: tuple[Conversation, list[tuple[str, tuple[str, ...]]]]
) -> None:
    conversation, planted = drawn
    example = Example("0" * 16, 0, conversation, "made.jsonl", 1, {})
    for convert in forms(CONVERSIONS[format_name]):
        try:
            made: Converted = convert(example)
        except UsageError:
            assert format_name in ("preference", "kto")
            continue
        written = "\n".join(texts_in(made.row))
        said = " ".join((*made.losses, *made.left_behind))
        unsaid = [text for text, words in planted if text not in written and not any(word in said for word in words)]
        assert not unsaid, (unsaid, made)
        if conversation.label is not None and "label" not in made.row:
            assert "label" in made.losses
        marked = [message for message in conversation.messages if message.role == "assistant" and not message.train]
        if marked and '"weight": 0' not in json.dumps(made.row):
            assert "do-not-train" in said or marked[-1] is not conversation.messages[-1]


@pytest.mark.parametrize("format_name", [name for name in CONVERSIONS if name != "preference"])
@SETTINGS
@given(drawn=conversations())
def test_no_other_answer_is_written_in_the_place_of_the_answer(
    format_name: str, drawn: tuple[Conversation, list[tuple[str, tuple[str, ...]]]]
) -> None:
    conversation, planted = drawn
    example = Example("0" * 16, 0, conversation, "made.jsonl", 1, {})
    unwanted = [text for text, words in planted if words in (("rejected",), ("candidates",))]
    for convert in forms(CONVERSIONS[format_name]):
        if format_name != "kto" or conversation.label is not None:
            written = "\n".join(texts_in(convert(example).row))
            # Each text ends its number with an x, so that none begins another one.
            assert not [text for text in unwanted if text.split("x")[0] + "x" in written]
