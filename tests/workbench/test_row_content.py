"""Everything that a row holds is on the screen: folded where it is long, whole where it is unfolded."""

from __future__ import annotations

import json

import pytest

from engine.model import Conversation, Example, Leaf, Message, Part, ToolCall
from workbench.render.content import beside_paragraphs, named_parts
from workbench.render.messages import turns
from workbench.text.blocks import Paragraph

TOOL = '{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}'
SOURCE = json.dumps({"type": "document", "source": {"text": "page " * 40}})
SCHEME = json.dumps({"colour": "blue " * 40})
WHOLE = Conversation(
    (
        Message("system", "Be kind."),
        Message("user", (Part("image", "pics/a.jpg"), Part("text", "What is on it?"), Part("json", SOURCE))),
        Message(
            "assistant",
            reasoning="I have to look first. " * 20,
            tool_calls=(ToolCall("look", '{"at": "a.jpg"}', "c1"), ToolCall("look", '{"at": "b.jpg"}', "c2")),
        ),
        Message("tool", "a cat", tool_call_id="c2", name="look"),
        Message("narrator", "Meanwhile.", name="Bob"),
        Message("assistant", "A cat.", train=False),
    ),
    tools=(TOOL, '{"name": "find"}'),
    rejected=((Message("assistant", "A dog.", reasoning="It barks."),),),
    candidates=((Message("user", "And?"), Message("assistant", "One cat.")), (Message("assistant", "Two cats."),)),
    label=False,
    other=(Leaf("extra.scheme", SCHEME), Leaf("note", '"caf\\u00e9 \\u001b[31m"')),
    links=(Leaf("parent", '"m-77"'),),
    metadata=(Leaf("year", "2018"), Leaf("messages.0.at", '"10:01"'), Leaf("messages.1.at", '"10:02"')),
)


def lines(paragraphs: list[Paragraph]) -> list[str]:
    return [f"{one.gutter[0]}|{''.join(text for text, _ in one.styled)}" for one in paragraphs]


def shown(held: Conversation, *, unfold: bool) -> list[str]:
    said = turns(held.messages, 3, (), unfold=unfold)
    return lines([*said, *beside_paragraphs(held, 3, unfold=unfold)])


def test_a_row_of_every_kind_of_content_is_told_line_by_line() -> None:
    assert shown(WHOLE, unfold=False) == [
        "sys ~2|Be kind.",
        "|",
        "user ~67|image  pics/a.jpg",
        "|What is on it?",
        f"|json  {SOURCE[:88].rstrip()}\u2026 ({len(SOURCE)} characters; w unfolds)",
        "|",
        f"reasoning|{('I have to look first. ' * 20)[:120]}\u2026 (100 words; w unfolds)",
        'asst ~120|look({"at": "a.jpg"})',
        '|look({"at": "b.jpg"})',
        "|",
        "tool ~2|result of look, call 2",
        "|a cat",
        "|",
        '?narrator ~3|a role that is not known: "narrator" \u00b7 named Bob',
        "|Meanwhile.",
        "|",
        "asst ~2|A cat.",
        "|(not trained on)",
        "|",
        "label|its answer is marked as not wanted",
        "|",
        "rejected|reasoning  It barks.",
        "|A dog.",
        "|",
        "cand 1|user",
        "|And?",
        "|assistant",
        "|One cat.",
        "|",
        "cand 2|Two cats.",
        "|",
        "tools|2: look, find (w unfolds)",
        f"other|extra.scheme  {SCHEME[:88].rstrip()}\u2026 ({len(SCHEME)} characters; w unfolds)",
        "|note  caf\u00e9 \u241b[31m",
        "meta|year 2018 \u00b7 messages.at (2)",
    ]


def test_unfolded_nothing_is_cut() -> None:
    text = "\n".join(shown(WHOLE, unfold=True))
    assert "unfolds" not in text
    assert "\u2026" not in text
    for whole in (
        "I have to look first. " * 20,
        "page " * 40,
        "blue " * 40,
        '"parameters": {',
        "c1",
        "c2",
        "m-77",
        "10:02",
    ):
        assert whole in text


def test_a_plain_row_says_nothing_but_its_texts() -> None:
    plain = Conversation((Message("user", "Hello?"), Message("assistant", "Hi.")))
    assert shown(plain, unfold=False) == shown(plain, unfold=True) == ["user|Hello?", "|", "assistant|Hi."]


def test_an_unknown_role_is_in_the_colour_of_a_warning_and_no_users() -> None:
    (first, *_) = turns((Message("user2\x1b]0;", "x"),), 0, (), unfold=False)
    assert first.gutter == ("?user2\u241b]0;", "fix")
    assert ('a role that is not known: "user2\u241b]0;"', "fix") in first.styled


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (Message("tool", "5", name="add"), "tool|result of add"),
        (Message("tool", "5", tool_call_id="c9"), "tool|answers no call above: c9"),
        (Message("tool", "5", tool_call_id="c1", name="add"), "tool|result of look \u00b7 named add"),
        (Message("user", "5", name="Ann"), "user|named Ann"),
    ],
)
def test_a_result_says_what_it_answers(turn: Message, told: str) -> None:
    call = Message("assistant", tool_calls=(ToolCall("look", "{}", "c1"),))
    assert shown(Conversation((call, turn)), unfold=False)[2] == told


CALL = Message("assistant", tool_calls=(ToolCall("look", '{"at": "a.jpg"}', "c1"),))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (Message("assistant", "x", reasoning="so"), Message("assistant", "x", reasoning="no"), (0, "reasoning", "")),
        (CALL, Message("assistant", tool_calls=(ToolCall("look", '{"at": "b.jpg"}', "c1"),)), (0, "calls", "")),
        (Message("user", (Part("image", "a"),)), Message("user", (Part("image", "b"),)), (0, "text", "user")),
        (Message("assistant", "x"), Message("assistant", "x", train=False), (0, "mark", "")),
    ],
)
def test_what_differs_has_a_name(one: Message, other: Message, apart: tuple[int, str, str]) -> None:
    left, right = named_parts(Conversation((one,))), named_parts(Conversation((other,)))
    assert [name for name in left | right if left.get(name) != right.get(name)] == [apart]


def test_ids_of_calls_and_metadata_set_no_rows_apart() -> None:
    renamed = Message("assistant", tool_calls=(ToolCall("look", '{"at": "a.jpg"}', "c7"),))
    dated = Conversation((renamed,), links=(Leaf("id", "7"),), metadata=(Leaf("year", "2018"),))
    assert named_parts(Conversation((CALL,))) == named_parts(dated)


def test_beside_the_messages_differences_are_marked_and_what_is_gone_is_struck() -> None:
    one = Conversation(WHOLE.messages, tools=('{"name": "look"}',), other=(Leaf("style", '"plain words"'),))
    keeper = Conversation(WHOLE.messages, tools=('{"name": "find"}',), other=(Leaf("mood", '"glad"'),))
    pieces = [piece for one in beside_paragraphs(one, 3, others=[keeper]) for piece in one.styled]
    assert ("look", "added") in pieces
    assert ("find", "removed") in pieces
    assert ("plain words", "added") in pieces
    assert ("glad", "removed") in pieces


def test_a_search_looks_through_all_of_it() -> None:
    searched = "\n".join(Example("0" * 16, 0, WHOLE, "made.jsonl", 1, {}).searched)
    for text in (
        "pics/a.jpg",
        "page page",
        "look first",
        "b.jpg",
        "Bob",
        "barks",
        "Two cats",
        "parameters",
        "blue",
        "café",
    ):
        assert text in searched
    for text in ("2018", "10:02", "m-77"):
        assert text in searched
        assert text not in "\n".join(WHOLE.content_texts)
    unread = Example("0" * 16, 0, Conversation(), "made.jsonl", 1, {"odd": ["café"]})
    assert any("café" in text for text in unread.searched)
