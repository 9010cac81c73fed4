"""Nothing of a row is invisible: whatever stands in it is a message's, beside the messages, a link, or metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model import Conversation, Message
from engine.sources.conversation.conversation import conversation_of
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import Mapping
from engine.sources.messages.parts import parsed
from engine.sources.messages.preformatted import messages_of_text, system_of_text
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import guess_row

SHAPES = Path(__file__).parents[1] / "shapes" / "files"
# Names that say who speaks or of which type a thing is: the form of a row, not what it says.
FORM = frozenset({"role", "from", "speaker", "type", "object", "content_type", "sender", "author", "lc", "id"})
FORM |= {"block_type"}
# What `train` and `label` say in other words.
MARKS = frozenset({"0", "0.0", "1", "1.0", "accept", "reject", "good", "thumbs_down"})
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=9, max_size=12).map(lambda word: f"{word} {word[:3]}")
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
THINGS = st.recursive(
    WORDS | st.integers(10**6, 10**9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def said_in(messages: tuple[Message, ...]) -> Iterator[str]:
    for message in messages:
        yield from (message.role, message.text, message.reasoning, message.tool_call_id, message.name, message.written)
        for call in message.tool_calls:
            yield from (call.id, call.name, call.arguments)


def shown_of(found: Conversation) -> str:
    """All that a conversation holds, one below the other."""
    beside = (leaf.value for leaf in chain(found.other, found.links, found.metadata))
    answers = (found.messages, *found.rejected, *found.candidates)
    return "\n".join(chain(found.tools, beside, *map(said_in, answers)))


def leaves_of(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number of a row, as it reads inside JSON; what is JSON text itself is opened."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, str) and value.startswith("array(["):
        value = parsed(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves_of(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves_of(inner, name)
    elif isinstance(value, str) and value.strip():
        yield name, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, json.dumps(value)


def is_preformatted(text: str) -> bool:
    """A text with the markers of a chat is shown as its turns; that they hold all of it is tested beside its parser."""
    return messages_of_text(text) is not None or system_of_text(text) != text


def invisible(raw: dict[str, Any], mapping: Mapping) -> list[tuple[str, str]]:
    """What stands in a row and nowhere in its conversation."""
    shown = shown_of(conversation_of(raw, mapping))
    escaped = json.dumps(shown, ensure_ascii=False)
    return [
        (name, text)
        for name, text in leaves_of(raw)
        if name.lower() not in FORM
        and not is_preformatted(text)
        and text not in shown
        and json.dumps(text, ensure_ascii=False)[1:-1] not in escaped
    ]


def rows_of_files(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(SHAPES.glob(f"{folder}/*")):
        for piece in read_source(path, source_format(path)):
            if isinstance(piece, SourceRow):
                yield f"{path.parent.name}/{path.name}", dict(piece.raw)


@pytest.mark.parametrize("folder", ["a", "c", "p"])
def test_nothing_in_a_file_of_any_shape_is_invisible(folder: str) -> None:
    for file, raw in rows_of_files(folder):
        mapping = guess_row(raw)
        if mapping is not None:
            hidden = [(name, text) for name, text in invisible(raw, mapping) if text not in MARKS]
            assert not hidden, (file, hidden)


TEXTS = WORDS
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "critic"]), "content": TEXTS | THINGS},
        optional={
            "reasoning_content": TEXTS,
            "name": TEXTS,
            "tool_call_id": TEXTS,
            "foo": THINGS,
            "tool_calls": THINGS,
        },
    ),
    min_size=1,
    max_size=4,
)
ROWS = st.one_of(
    st.fixed_dictionaries({"messages": MESSAGES}, optional={"tools": THINGS, "system": THINGS, "chosen": THINGS}),
    st.fixed_dictionaries(
        {"instruction": THINGS, "output": THINGS},
        optional={"input": THINGS, "history": THINGS, "reasoning": THINGS, "label": THINGS, "images": THINGS},
    ),
    st.fixed_dictionaries({"prompt": TEXTS | MESSAGES, "chosen": TEXTS | MESSAGES, "rejected": TEXTS | MESSAGES}),
    st.fixed_dictionaries({"text": THINGS}),
    st.dictionaries(NAMES, THINGS | MESSAGES, min_size=1, max_size=4),
)


# How long making examples takes says how busy the machine is.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.dictionaries(NAMES, THINGS, max_size=2))
def test_whatever_stands_in_a_row_is_somewhere_in_its_conversation(row: dict[str, Any], more: dict[str, Any]) -> None:
    raw = more | row
    mapping = guess_row(raw)
    for by in (
        mapping,
        Mapping("messages", {"messages": "nowhere"}),
        Mapping("alpaca", {"instruction": "foo", "output": "output"}),
    ):
        if by is not None:
            assert not invisible(raw, by)
