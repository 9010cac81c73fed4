"""What stands in a written row, and what is said of the rest."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from engine.errors import UsageError
from engine.export.convert import CONVERSIONS, needs_wide
from engine.export.losses import Converted
from engine.model import Conversation, Example, Leaf, Message, Part, ToolCall

QUESTION, ANSWER = Message("user", "Why?"), Message("assistant", "Because.")


def of(*messages: Message, raw: dict[str, Any] | None = None, **rest: Any) -> Example:
    return Example("0" * 16, 0, Conversation(messages, **rest), "made.jsonl", 1, raw or {})


def as_(format_name: str, example: Example) -> Converted:
    conversion = CONVERSIONS[format_name]
    convert = conversion.wide if conversion.wide is not None and needs_wide(example) else conversion.convert
    return convert(example)


def test_messages_hold_every_part_of_a_message() -> None:
    row = as_(
        "messages",
        of(
            Message("user", "Q", name="ann"),
            Message("assistant", "A", "thought", (ToolCall("f", "{}", "id1"),), name="bot", train=False),
            Message("tool", "R", tool_call_id="id1"),
            Message("assistant", "B"),
        ),
    ).row
    assert row["messages"] == [
        {"role": "user", "content": "Q", "name": "ann"},
        {
            "role": "assistant",
            "content": "A",
            "reasoning_content": "thought",
            "tool_calls": [{"id": "id1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "name": "bot",
            "weight": 0,
        },
        {"role": "tool", "content": "R", "tool_call_id": "id1"},
        {"role": "assistant", "content": "B"},
    ]


PICTURE = Message("user", (Part("image", "a.jpg"), Part("text", "What is it?")))


def test_a_picture_is_a_part_of_messages() -> None:
    made = as_("messages", of(PICTURE, ANSWER))
    assert made.losses == ()
    assert made.row["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "a.jpg"}},
        {"type": "text", "text": "What is it?"},
    ]


@pytest.mark.parametrize("format_name", ["alpaca", "sharegpt"])
def test_a_picture_is_lost_by_name_where_a_row_holds_text_alone(format_name: str) -> None:
    raw = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "a.jpg"}}]}]}
    made = as_(format_name, of(PICTURE, ANSWER, raw=raw))
    assert made.losses == ("images (image_url)",)
    assert "a.jpg" not in json.dumps(made.row)
    assert "[image" not in json.dumps(made.row)
    assert "What is it?" in json.dumps(made.row)


def test_a_picture_whose_bytes_lie_in_the_row_leaves_with_them() -> None:
    content = b"\x89PNG not really"
    packed = base64.b64encode(content).decode()
    part = Part("image", f"sha256:{hashlib.sha256(content).hexdigest()}")
    message = Message("user", (part, Part("text", "Q")))
    for raw in ({"images": [{"bytes": packed}]}, {"image": f"data:image/png;base64,{packed}"}):
        made = as_("messages", of(message, ANSWER, raw=raw))
        assert made.losses == ()
        assert made.row["messages"][0]["content"][0]["image_url"]["url"] == f"data:image/png;base64,{packed}"
    gone = as_("messages", of(message, ANSWER))
    assert gone.losses == ("images",)
    assert gone.row["messages"][0]["content"] == [{"type": "text", "text": "Q"}]


def test_rows_without_a_request_leave_with_an_empty_one() -> None:
    example = of(Message("assistant", " Our voice."))
    assert as_("messages", example).row == {"messages": [{"role": "assistant", "content": " Our voice."}]}
    assert as_("sharegpt", example).row == {"conversations": [{"from": "gpt", "value": " Our voice."}]}
    assert as_("alpaca", example).row == {"instruction": "", "input": "", "output": " Our voice."}
    assert as_("prompt-completion", example).row == {"prompt": "", "completion": " Our voice."}
    wide = CONVERSIONS["prompt-completion"].wide
    assert wide is not None
    assert wide(example).row["prompt"] == [{"role": "user", "content": ""}]


def test_a_row_that_does_not_end_on_an_answer_has_none_made_of_its_request() -> None:
    example = of(QUESTION, ANSWER, Message("user", "And then?"))
    for name in ("alpaca", "prompt-completion"):
        made = as_(name, example)
        assert "the row: it does not end on an answer" in made.losses
        answer = made.row.get("output", made.row.get("completion"))
        assert answer in ("", [{"role": "assistant", "content": ""}])


@pytest.mark.parametrize("format_name", [name for name in CONVERSIONS if name not in ("preference", "kto")])
def test_a_row_without_a_message_is_named(format_name: str) -> None:
    made = as_(format_name, of(other=(Leaf("blob", '{"a": 1}'),)))
    assert made.losses[0] == "the row: it holds no message"
    assert "blob" in made.losses


def test_a_role_that_nobody_knows_stands_as_it_is_or_is_named() -> None:
    example = of(QUESTION, Message("critic", "Hm."), ANSWER)
    assert [message["role"] for message in as_("messages", example).row["messages"]] == ["user", "critic", "assistant"]
    assert as_("messages", example).losses == ()
    assert "the role 'critic'" in as_("sharegpt", example).losses


def test_an_alpaca_row_keeps_the_request_whatever_stands_between_it_and_the_answer() -> None:
    looked_up = Message("assistant", "", tool_calls=(ToolCall("look", "{}", "c1"),))
    for between in ((looked_up, Message("tool", "4", tool_call_id="c1")), (Message("critic", "Hm."),)):
        made = as_("alpaca", of(QUESTION, *between, ANSWER))
        assert (made.row["instruction"], made.row["output"]) == (QUESTION.text, ANSWER.text)
        assert "further turns" in made.losses


def test_earlier_turns_are_the_history_of_an_alpaca_row() -> None:
    made = as_(
        "alpaca", of(Message("system", "S"), QUESTION, ANSWER, Message("user", "More?"), Message("assistant", "No."))
    )
    assert made.losses == ()
    assert made.row == {
        "instruction": "More?",
        "input": "",
        "output": "No.",
        "system": "S",
        "history": [["Why?", "Because."]],
    }


def test_the_two_fields_of_a_request_stay_two() -> None:
    raw = {"question": "Sum up.", "context": "A long text.", "answer": "Short."}
    example = of(Message("user", "Sum up.\n\nA long text."), Message("assistant", "Short."), raw=raw)
    assert as_("alpaca", example).row == {"instruction": "Sum up.", "input": "A long text.", "output": "Short."}


def test_losses_have_the_names_of_the_row() -> None:
    raw = {
        "messages": [{"role": "assistant", "content": "Because.", "thinking": "Hm, why?"}],
        "functions": '[{"name": "f"}]',
        "non_preferred_output": [{"role": "assistant", "content": "Dunno."}],
        "thumbs_up": True,
    }
    example = of(
        QUESTION,
        Message("assistant", "Because.", "Hm, why?"),
        raw=raw,
        tools=('{"name": "f"}',),
        rejected=((Message("assistant", "Dunno."),),),
        label=True,
        other=(Leaf("notes.0.draft", '"x"'),),
        metadata=(Leaf("meta.score", "3"),),
    )
    made = as_("alpaca", example)
    assert made.losses == (
        "reasoning_content (thinking)",
        "tools (functions)",
        "rejected (non_preferred_output)",
        "label (thumbs_up)",
        "notes.draft",
    )
    assert made.left_behind == ("meta.score",)


BAD = (Message("assistant", "Dunno."),)


def test_a_preference_pair_keeps_its_request() -> None:
    assert as_("preference", of(QUESTION, ANSWER, rejected=(BAD,))).row == {
        "prompt": "Why?",
        "chosen": "Because.",
        "rejected": "Dunno.",
    }
    long = of(
        Message("system", "S"),
        QUESTION,
        Message("assistant", "What?"),
        Message("user", "Why?"),
        ANSWER,
        rejected=(BAD,),
    )
    row = as_("preference", long).row
    assert [message["content"] for message in row["prompt"]] == ["S", "Why?", "What?", "Why?"]
    assert row["chosen"] == [{"role": "assistant", "content": "Because."}]
    assert row["rejected"] == [{"role": "assistant", "content": "Dunno."}]


def test_chats_that_part_early_share_what_comes_before() -> None:
    call = ToolCall("search", "{}", "a")
    chosen = (QUESTION, Message("assistant", tool_calls=(call,)), Message("tool", "R", tool_call_id="a"), ANSWER)
    rejected = (Message("assistant", "Dunno."), Message("user", "Try."), Message("assistant", "No."))
    row = as_("preference", of(*chosen, rejected=(rejected,))).row
    assert [message["role"] for message in row["prompt"]] == ["user"]
    assert [message["role"] for message in row["chosen"]] == ["assistant", "tool", "assistant"]
    assert [message["content"] for message in row["rejected"]] == ["Dunno.", "Try.", "No."]


def test_a_second_rejected_answer_is_named() -> None:
    made = as_("preference", of(QUESTION, ANSWER, rejected=(BAD, (Message("assistant", "No idea."),))))
    assert made.losses == ("further rejected answers",)


def test_kto_rows_say_of_their_answer_whether_it_is_wanted() -> None:
    for label in (True, False):
        made = as_("kto", of(QUESTION, ANSWER, label=label))
        assert made.losses == ()
        assert made.row == {"prompt": "Why?", "completion": "Because.", "label": label}
    with pytest.raises(UsageError, match="has no label"):
        as_("kto", of(QUESTION, ANSWER))


def test_an_answer_that_is_not_to_be_learnt_is_no_completion() -> None:
    marked = Message("assistant", "Wrong.", train=False)
    earlier = of(QUESTION, marked, Message("user", "Again?"), ANSWER)
    assert as_("prompt-completion", earlier).losses == ()
    for name in ("alpaca", "prompt-completion", "sharegpt"):
        assert "a do-not-train mark" in as_(name, of(QUESTION, marked)).losses


def test_settings_of_the_chat_template_go_where_messages_go() -> None:
    raw = {"chat_template_kwargs": {"enable_thinking": False}}
    leaf = Leaf("chat_template_kwargs.enable_thinking", "false")
    example = of(Message("system", "S"), QUESTION, ANSWER, raw=raw, metadata=(leaf,))
    for name in ("messages", "prompt-completion"):
        made = as_(name, example)
        assert made.row["chat_template_kwargs"] == {"enable_thinking": False}
        assert made.left_behind == ()
    assert as_("alpaca", example).left_behind == ("chat_template_kwargs.enable_thinking",)
