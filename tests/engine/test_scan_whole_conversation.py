"""All content of a row is compared, not its end alone: two rows that differ in any of it are never exact duplicates."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.model import Conversation, Example, Leaf, Message, Part, ToolCall
from engine.scan.flag_cache import row_keys
from engine.scan.pipeline import scan

WEATHER = '{"type": "function", "function": {"name": "weather", "parameters": {"city": {"type": "string"}}}}'
BOOKING = '{"type": "function", "function": {"name": "book_table"}}'


def made(*conversations: Conversation) -> list[Example]:
    return [Example(f"{n:016x}", n, one, "made.jsonl", n + 1, {}) for n, one in enumerate(conversations)]


def said(*conversations: Conversation) -> str:
    """What a scan says of the first two of these rows."""
    findings = scan(made(*conversations), signals=(), processes=1)
    kinds = [
        "alternatives" if cluster.alternatives else cluster.kind
        for cluster in findings.clusters
        if {0, 1} <= set(cluster.rows)
    ]
    return next(
        (kind for kind in ("exact", "prefix", "conflict", "near", "alternatives", "variant") if kind in kinds), ""
    )


def asked(*parts: Part | str) -> Message:
    content = tuple(part if isinstance(part, Part) else Part("text", part) for part in parts)
    return Message("user", content)


def talk(*messages: Message, **rest: Any) -> Conversation:
    return Conversation(messages, **rest)


USER, ANSWER = Message("user", "What is 17 times 3?"), Message("assistant", "51")
FULL = Conversation(
    (
        Message("system", "You help travellers. Answer in 3 sentences."),
        asked(
            "Which animal is this, and is it warm enough for it in Oslo?", Part("image", "https://example.com/a.jpg")
        ),
        Message(
            "assistant",
            "Let me look that up.",
            reasoning="I see a cat. It is warm where the tool says so.",
            tool_calls=(ToolCall("weather", '{"city": "Oslo", "unit": "C"}', "t1"),),
        ),
        Message("tool", '{"degrees": 4}', tool_call_id="t1", name="weather"),
        Message("assistant", "A cat; at 4 degrees it is too cold for it.", reasoning="4 is cold."),
        Message("user", "Thank you, that is all I wanted to know about cats.", name="alice"),
        Message("assistant", "You are welcome, and good luck with your cat!"),
    ),
    tools=(WEATHER,),
    rejected=((Message("assistant", "Whatever."),),),
    candidates=((Message("assistant", "My pleasure."),),),
    label=True,
    other=(Leaf("notes.0", '"checked by hand"'),),
    links=(Leaf("messages.2.id", '"m-17"'),),
    metadata=(Leaf("score", "0.3"),),
)


def with_message(place: int, **changes: Any) -> Conversation:
    messages = list(FULL.messages)
    messages[place] = replace(messages[place], **changes)
    return replace(FULL, messages=tuple(messages))


def with_call(name: str, arguments: str) -> Conversation:
    return with_message(2, tool_calls=(ToolCall(name, arguments, "t1"),))


DIFFERENT = {
    "system prompt": with_message(0, content="You help sailors. Answer in 3 sentences."),
    "number in the system prompt": with_message(0, content="You help travellers. Answer in 5 sentences."),
    "image": with_message(1, content=(FULL.messages[1].content[0], Part("image", "https://example.com/b.jpg"))),  # type: ignore[arg-type]
    "part nobody knows": with_message(1, content=(*FULL.messages[1].content, Part("json", '{"box": [1, 2]}'))),  # type: ignore[arg-type]
    "reasoning": with_message(4, reasoning="It guesses."),
    "reasoning before a call": with_message(2, reasoning="I see a dog."),
    "argument of a call": with_call("weather", '{"city": "Rome", "unit": "C"}'),
    "case in an argument": with_call("weather", '{"city": "Oslo", "unit": "c"}'),
    "one argument less": with_call("weather", '{"city": "Oslo"}'),
    "name of a call": with_call("weather_2", '{"city": "Oslo", "unit": "C"}'),
    "result of a call": with_message(3, content='{"degrees": 9}'),
    "earlier answer": with_message(4, content="A dog; at 4 degrees it is fine."),
    "what is learnt": with_message(4, train=False),
    "name of a speaker": with_message(5, name="bob"),
    "role": with_message(5, role="critic"),
    "tools": replace(FULL, tools=(BOOKING,)),
    "rejected answer": replace(FULL, rejected=((Message("assistant", "No idea."),),)),
    "further answer": replace(FULL, candidates=()),
    "label": replace(FULL, label=False),
    "content nobody understood": replace(FULL, other=(Leaf("notes.0", '"not checked"'),)),
}
SAME = {
    "links": replace(FULL, links=(Leaf("messages.2.id", '"m-99"'),)),
    "metadata": replace(FULL, metadata=(Leaf("score", "0.9"),)),
    "ids of calls": replace(
        FULL,
        messages=tuple(
            replace(
                message,
                tool_calls=tuple(replace(call, id="call_9") for call in message.tool_calls),
                tool_call_id="call_9" if message.tool_call_id else "",
            )
            for message in FULL.messages
        ),
    ),
    "spaces in JSON": replace(FULL, tools=(json.dumps(json.loads(WEATHER), indent=2),)),
    "order of keys": with_call("weather", '{"unit":"C","city":"Oslo"}'),
    "case and spaces of words": with_message(6, content="You are  welcome, and good luck with your cat."),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_rows_that_differ_in_content_are_never_exact_and_neither_begins_the_other(what: str) -> None:
    assert said(FULL, DIFFERENT[what]) in ("", "variant", "alternatives", "conflict", "near")
    keys = row_keys(made(FULL, DIFFERENT[what]))
    assert keys[0] != keys[1]


@pytest.mark.parametrize("what", SAME)
def test_rows_that_differ_in_links_metadata_and_layout_alone_are_exact(what: str) -> None:
    assert said(FULL, SAME[what]) == ("near" if what == "case and spaces of words" else "exact")


@pytest.mark.parametrize(
    "what",
    ["image", "part nobody knows", "result of a call", "tools", "role", "system prompt", "number in the system prompt"],
)
def test_with_another_picture_tool_result_or_persona_it_is_another_request(what: str) -> None:
    assert said(FULL, DIFFERENT[what]) in ("", "variant")


def test_the_same_answer_by_another_reasoning_is_for_a_person_to_choose() -> None:
    thought = [
        talk(USER, replace(ANSWER, reasoning=reasoning))
        for reasoning in ("17*3: 10*3=30, 7*3=21, sum 51.", "17+17+17 = 34+17 = 51.", "I guess 17*3 = 49. Answer 51.")
    ]
    assert said(*thought) == said(thought[0], thought[2]) == "alternatives"
    assert said(thought[0], thought[0]) == "exact"


def test_contradicting_first_answers_before_one_goodbye_are_a_conflict() -> None:
    chats = [
        talk(
            Message("user", "When was the lighthouse of Brant built?"),
            Message("assistant", answer),
            Message("user", "Thanks a lot for the help with the lighthouse!"),
            Message("assistant", "You are welcome. Have a nice day!"),
        )
        for answer in ("In 1851.", "In 1951.", "In 1851.")
    ]
    assert said(chats[0], chats[1]) == "conflict"
    assert said(chats[0], chats[2]) == "exact"
    unlearnt = [
        replace(chat, messages=(chat.messages[0], replace(chat.messages[1], train=False), *chat.messages[2:]))
        for chat in chats
    ]
    assert said(unlearnt[0], unlearnt[1]) == "alternatives"


def test_pictures_and_tools_make_requests_apart() -> None:
    def shown(picture: str, answer: str) -> Conversation:
        return talk(asked("What animal is in this picture?", Part("image", picture)), Message("assistant", answer))

    assert said(shown("a.jpg", "A cat."), shown("b.jpg", "A dog.")) == ""
    assert said(shown("a.jpg", "A cat."), shown("c.jpg", "A cat.")) == ""
    assert said(shown("a.jpg", "A cat."), shown("a.jpg", "A dog.")) == "conflict"
    assert said(shown("a.jpg", "A cat."), shown("a.jpg", "A cat.")) == "exact"
    table = Message("user", "Book a table for two in Rome.")
    calls = Message("assistant", tool_calls=(ToolCall("book_table", '{"n":2}', "x"),))
    sorry = Message("assistant", "I am sorry, but I do not have a tool to book tables.")
    assert said(talk(table, sorry, tools=(WEATHER,)), talk(table, calls, tools=(BOOKING,))) == ""


def test_a_thousand_pictures_under_one_question_hide_no_duplicate() -> None:
    question = "What animal is in this picture?"
    shown = [talk(asked(question, Part("image", f"{n}.jpg")), Message("assistant", "A cat.")) for n in range(1000)]
    pair = [
        talk(Message("user", f"What is the colour of {sea} sea at noon?"), Message("assistant", "Blue"))
        for sea in ("the", "teh")
    ]
    (cluster,) = scan(made(*pair, *shown), signals=(), processes=1).clusters
    assert (cluster.kind, cluster.rows) == ("near", (0, 1))


def test_calls_are_compared_by_name_and_arguments() -> None:
    def calling(arguments: str, name: str = "weather", number: str = "1") -> Conversation:
        call = ToolCall(name, arguments, number)
        return talk(
            Message("user", "How warm is it in Oslo?"), Message("assistant", tool_calls=(call,)), tools=(WEATHER,)
        )

    oslo = calling('{"city": "Oslo"}')
    assert said(oslo, calling('{ "city":"Oslo" }', number="2")) == "exact"
    assert said(oslo, calling('{"city": "Rome"}')) == "conflict"
    assert said(oslo, calling('{"city": "Oslo"}', name="forecast")) == "conflict"
    assert said(oslo, calling('{"city": "OSLO"}')) == "near"
    assert said(oslo, calling('{"city": "Oslo", "days": 2}')) == "alternatives"
    assert said(calling('{"flag": "-r"}'), calling('{"flag": "-R"}')) == "conflict"


def test_rejected_answers_and_labels_count() -> None:
    river = Message("user", "Which river flows through Brant?"), Message("assistant", "The Aune.")
    pairs = [talk(*river, rejected=((Message("assistant", text),),)) for text in ("The Nile.", "I do not know.")]
    assert said(*pairs) == "alternatives"
    assert said(pairs[0], pairs[0]) == "exact"
    good, bad = (talk(*river, label=label) for label in (True, False))
    assert said(good, bad) == "conflict"
    other = talk(river[0], Message("assistant", "The Nile."), label=False)
    assert said(good, other) == "alternatives"
    assert said(good, replace(other, label=True)) == "conflict"


def test_rows_nobody_could_read_are_compared_by_what_they_hold_and_never_dropped() -> None:
    rows = made(
        Conversation(other=(Leaf("body.q", '"first"'),)),
        Conversation(other=(Leaf("body.q", '"second"'),)),
        Conversation(other=(Leaf("body.q", '"first"'),)),
        Conversation(metadata=(Leaf("id", "4"),)),
        Conversation(metadata=(Leaf("id", "5"),)),
    )
    findings = scan(rows, processes=1)
    assert [(cluster.kind, cluster.rows) for cluster in findings.clusters] == [("exact", (0, 2))]
    assert findings.buckets == ("check", "check", "drop", "check", "check")
    assert {flag.signal for flag in findings.flags if flag.row == 3} == {"no_turns"}


def test_speakers_that_nobody_knows_are_content_in_order_and_told() -> None:
    story = [
        talk(Message("narrator", "The gate opens."), Message(who, "Halt! Who goes there?")) for who in ("guard", "king")
    ]
    assert said(*story) == ""
    assert said(story[0], story[0]) == "exact"
    assert said(story[0], talk(*reversed(story[0].messages))) == ""
    findings = scan(made(talk(USER, ANSWER), talk(USER, Message("critic", "Wrong!"), ANSWER)), processes=1)
    (flag,) = [flag for flag in findings.flags if flag.signal == "unknown_role"]
    assert (flag.row, flag.severity, flag.reason) == (1, "check", 'turn 2 is spoken by "critic"')


def test_a_conversation_begins_another_only_with_the_same_system_prompt_tools_and_reasoning() -> None:
    short = talk(
        Message("user", "Which river flows through Brant?"), Message("assistant", "The Aune.", reasoning="Map.")
    )
    more = (Message("user", "And where does it end?"), Message("assistant", "In the sea."))
    longer = talk(*short.messages, *more)
    assert said(short, longer) == "prefix"
    assert said(talk(Message("system", "You are a pirate."), *short.messages), longer) == ""
    assert said(replace(short, tools=(WEATHER,)), longer) == ""
    assert said(replace(short, rejected=((Message("assistant", "The Nile."),),)), longer) == ""
    assert said(talk(short.messages[0], replace(short.messages[1], reasoning="A guess.")), longer) == ""
    assert said(short, talk(short.messages[0], replace(short.messages[1], train=False), *more)) == ""


def test_parts_whose_texts_are_read_are_three_questions() -> None:
    texts = (
        ("What is the capital of France?", "The capital of France is Paris."),
        ("How many legs does a spider have?", "A spider has eight legs."),
        ("Name a primary colour.", "Red is a primary colour."),
    )
    rows = [talk(asked(question), Message("assistant", (Part("text", answer),))) for question, answer in texts]
    assert scan(made(*rows), signals=(), processes=1).clusters == ()


def test_a_picture_that_is_there_is_no_missing_attachment_and_no_link() -> None:
    shown = talk(
        asked("What animal is in this picture?", Part("image", "https://example.com/a.jpg")),
        Message("assistant", "A cat."),
    )
    missing = talk(Message("user", "What animal is in this picture?"), Message("assistant", "A cat."))
    flags = scan(made(shown, missing), processes=1).flags
    assert {(flag.row, flag.signal) for flag in flags if flag.severity == "drop"} == {(1, "attachment")}


def test_a_text_that_was_read_into_turns_bears_no_marks_of_a_template() -> None:
    text = "<|im_start|>user\nWhich river flows through Brant?<|im_end|>\n<|im_start|>assistant\nThe Aune.<|im_end|>\n"
    turns = (Message("user", "Which river flows through Brant?"), Message("assistant", "The Aune."))
    row = Example("0" * 16, 0, Conversation(turns), "made.jsonl", 1, {"text": text})
    assert scan([row], processes=1).flags == ()


def test_a_request_that_points_at_its_picture_holds_what_it_points_at() -> None:
    animal = asked("What animal is this?", Part("image", "https://example.com/a.jpg"))
    one, other = talk(animal, Message("assistant", "A cat.")), talk(animal, Message("assistant", "A dog."))
    assert said(one, other) == "conflict"
