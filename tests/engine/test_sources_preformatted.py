"""Texts that are formatted already: the conversation between their markers, and nothing of it lost or guessed."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model import Message, ToolCall
from engine.sources.messages.answer_marks import calls_in, reasoning_in
from engine.sources.messages.preformatted import messages_of_text, system_of_text, turn_spans

ALPACA_PREFACE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
)
VICUNA_PREFACE = "A chat between a curious user and an artificial intelligence assistant."
Said = tuple[str, str]


def said_in(text: str) -> list[Said] | None:
    messages = messages_of_text(text)
    return None if messages is None else [(message.role, message.text) for message in messages]


def llama2(turns: list[Said]) -> str:
    system = f"<<SYS>>\n{turns[0][1]}\n<</SYS>>\n\n" if turns[0][0] == "system" else ""
    spoken = turns[1:] if system else turns
    pairs = list(zip(spoken[::2], spoken[1::2], strict=True))
    return "".join(
        f"<s>[INST] {'' if number else system}{request[1]} [/INST] {answer[1]} </s>"
        for number, (request, answer) in enumerate(pairs)
    )


def between(opening: str, closing: str, roles: dict[str, str] | None = None, begin: str = "") -> object:
    return lambda turns: (
        begin + "".join(opening.format((roles or {}).get(role, role)) + text + closing for role, text in turns)
    )


def vicuna(turns: list[Said]) -> str:
    written = {"system": "{} ", "user": "USER: {} ", "assistant": "ASSISTANT: {}</s>"}
    return "".join(written[role].format(VICUNA_PREFACE if role == "system" else text) for role, text in turns)


def alpaca(turns: list[Said]) -> str:
    written = {"system": "{}\n\n", "user": "### Instruction:\n{}\n\n", "assistant": "### Response:\n{}\n\n"}
    return "".join(written[role].format(ALPACA_PREFACE if role == "system" else text) for role, text in turns)


FAMILIES = {
    "chatml": between("<|im_start|>{}\n", "<|im_end|>\n"),
    "phi4": between("<|im_start|>{}<|im_sep|>", "<|im_end|>"),
    "llama2": llama2,
    "llama3": between("<|start_header_id|>{}<|end_header_id|>\n\n", "<|eot_id|>", begin="<|begin_of_text|>"),
    "gemma": between("<start_of_turn>{}\n", "<end_of_turn>\n", {"assistant": "model"}, begin="<bos>"),
    "phi3": between("<|{}|>\n", "<|end|>\n"),
    "zephyr": between("<|{}|>\n", "</s>\n"),
    "glm4": between("<|{}|>\n", "", begin="[gMASK]<sop>"),
    "deepseek": between("<｜{}｜>", "", {"user": "User", "assistant": "Assistant"}, begin="<｜begin▁of▁sentence｜>"),
    "vicuna": vicuna,
    "alpaca": alpaca,
    "guanaco": between("### {}: ", "", {"user": "Human", "assistant": "Assistant", "system": "System"}),
    "hh": between("\n\n{}: ", "", {"user": "Human", "assistant": "Assistant", "system": "System"}),
    "glaive": between("{}: ", " <|endoftext|>\n\n\n", {"user": "USER", "assistant": "ASSISTANT", "system": "SYSTEM"}),
    "oig": between("<{}>: ", "\n", {"user": "human", "assistant": "bot"}),
    "openchat": between(
        "GPT4 Correct {}: ", "<|end_of_turn|>", {"user": "User", "assistant": "Assistant", "system": "User"}
    ),
}
NO_SYSTEM = ("gemma", "deepseek", "openchat")
WORDS = st.text("ab Zé漢😀 .,;:?!'\"()*-_#<>[]|/\n\t1=", min_size=1, max_size=40).map(str.strip).filter(bool)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_conversation_comes_back_out_of_its_format(family: str, data: st.DataObject) -> None:
    pairs = data.draw(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3))
    turns = [said for request, answer in pairs for said in (("user", request), ("assistant", answer))]
    if family not in NO_SYSTEM and data.draw(st.booleans()):
        preface = {"alpaca": ALPACA_PREFACE, "vicuna": VICUNA_PREFACE}.get(family)
        turns = [("system", preface or data.draw(WORDS)), *turns]
    text = FAMILIES[family](turns)  # type: ignore[operator]
    assert said_in(text) == turns
    spans = turn_spans(text)
    assert spans is not None
    assert [(span.role, text[span.start : span.end]) for span in spans] == turns


MARKS = (
    r"</?s>|<bos>|\[/?INST\]|<</?SYS>>|<\|im_start\|>\w+\n|<\|im_end\|>|<\|(?:begin|end)_of_text\|>|<\|endoftext\|>|"
    r"<\|start_header_id\|>\w+<\|end_header_id\|>|<\|eot_id\|>|<start_of_turn>\w+\n|<end_of_turn>|"
    r"<\|(?:user|assistant|system|end)\|>|### (?:Instruction|Input|Response|Human|Assistant):|"
    r"(?:SYSTEM|USER|ASSISTANT|FUNCTION RESPONSE|Human|Assistant|User):|</?think>|</?tool_response>"
)
FRAGMENTS = (
    *("<s>", "</s>", "<bos>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<|im_start|>user\n", "<|im_end|>"),
    *("<|im_start|>assistant\n", "<|im_start|>critic\n", "<|begin_of_text|>", "<|endoftext|>", "<|eot_id|>", "<|end|>"),
    *("<|start_header_id|>user<|end_header_id|>", "<|start_header_id|>assistant<|end_header_id|>", "<|user|>"),
    *("<start_of_turn>user\n", "<start_of_turn>model\n", "<end_of_turn>", "<|assistant|>", "<|system|>"),
    *("### Instruction:", "### Input:", "### Response:", "### Human:", "### Assistant:", "Below is", "You are"),
    *("SYSTEM:", "USER:", "ASSISTANT:", "FUNCTION RESPONSE:", "Human:", "Assistant:", "User:", "A chat between "),
    *("<think>", "</think>", "<tool_response>", "</tool_response>", "hello", "7", "{", "\n", "\n\n", " ", "\t"),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join) | st.text())
def test_whatever_is_no_mark_is_in_a_message(text: str) -> None:
    messages, spans = messages_of_text(text), turn_spans(text)
    if messages is None or spans is None:
        assert messages is spans is None
        return
    assert [message.role for message in messages] == [span.role for span in spans]
    outside, at = [], 0
    for span, message in zip(spans, messages, strict=True):
        outside.append(text[at : span.start])
        at = span.end
        inside = Counter(re.sub(rf"{MARKS}|\s", "", text[span.start : span.end]))
        shown = Counter(message.text + message.reasoning)
        assert not inside - shown
    for gap in (*outside, text[at:]):
        assert re.fullmatch(rf"(?:\s|{MARKS})*", gap), gap


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A text like any other.",
        "[INST] is the mark that Llama 2 puts before a request.",
        'prompt = "[INST] Hi [/INST]"',
        "# Chat templates\n\n<|im_start|>user\nHi<|im_end|>",
        "<|im_start|>user\nHi<|im_end|>\n\nThis is how ChatML looks.",
        "<|im_start|> and <|im_end|> are its marks.",
        "USER: the one who uses it. SYSTEM: what is used.",
        "Human: a primate of the genus Homo.",
        "Assistant: we hire one. Human: no robots.",
        "### Instruction:\nPress the button.",
        "### Response:\nR\n\n### Instruction:\nI",
        "Below is an instruction. It has no marks.",
        "You are here. This is a map.",
        "<s>struck out</s> and the text goes on",
        "<html><body>Hi</body></html>",
        "[1, 2, 3]",
        "[INST] never closed",
        "[INST] <<SYS>> never closed [/INST] A",
    ],
)
def test_a_text_that_only_speaks_of_marks_stays_a_text(text: str) -> None:
    assert messages_of_text(text) is None
    assert turn_spans(text) is None


def test_glaive_calls_its_functions_in_its_own_way() -> None:
    text = (
        "SYSTEM: You have functions.\n\n\nUSER: Price?\n\n\n"
        'ASSISTANT: <functioncall> {"name": "price", "arguments": \'{"of": "it\\\'s"}\'} <|endoftext|>\n\n\n'
        'FUNCTION RESPONSE: {"price": 4}\n\n\nASSISTANT: Four. <|endoftext|>\n\n\n'
    )
    assert messages_of_text(text) == (
        Message("system", "You have functions."),
        Message("user", "Price?"),
        Message("assistant", tool_calls=(ToolCall("price", '{"of": "it\'s"}'),)),
        Message("tool", '{"price": 4}'),
        Message("assistant", "Four."),
    )


def test_the_label_of_a_system_prompt_in_a_field_of_its_own() -> None:
    assert system_of_text("SYSTEM: You help.\n") == "You help."
    assert system_of_text(" The SYSTEM: is on.\n") == " The SYSTEM: is on.\n"


def test_an_instruction_and_its_input_are_one_request() -> None:
    text = f"{ALPACA_PREFACE}\n\n### Instruction:\nSum up.\n\n### Input:\n1 2\n\n### Response:\n3"
    assert said_in(text) == [("system", ALPACA_PREFACE), ("user", "Sum up.\n\n1 2"), ("assistant", "3")]


def test_reasoning_calls_and_results_inside_of_turns() -> None:
    text = (
        "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n<think>\nI ask.\n</think>\n\n"
        '<tool_call>\n{"name": "w", "arguments": {"city": "Oslo"}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\n4\n</tool_response><|im_end|>\n<|im_start|>assistant\n4 degrees.<|im_end|>"
    )
    assert messages_of_text(text) == (
        Message("user", "Weather?"),
        Message("assistant", "", "I ask.", (ToolCall("w", '{"city": "Oslo"}'),)),
        Message("tool", "4"),
        Message("assistant", "4 degrees."),
    )
    mistral = (
        '<s>[INST] W? [/INST][TOOL_CALLS] [{"name": "w", "arguments": {}, "id": "c1"}]</s>'
        "[TOOL_RESULTS] 4[/TOOL_RESULTS] Four.</s>"
    )
    assert messages_of_text(mistral) == (
        Message("user", "W?"),
        Message("assistant", tool_calls=(ToolCall("w", "{}", "c1"),)),
        Message("tool", "4"),
        Message("assistant", "Four."),
    )


def test_where_the_model_is_to_go_on_there_is_no_turn_yet() -> None:
    assert said_in("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n") == [("user", "Hi")]
    assert said_in("\n\nHuman: Hi\n\nAssistant:") == [("user", "Hi")]
    assert said_in("[INST] Hi [/INST]") == [("user", "Hi")]
    # An answer that is there and empty is one.
    assert said_in("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n") == [
        ("user", "Hi"),
        ("assistant", ""),
    ]


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>\nhm\n</think>\n\nYes", "hm", "Yes"),
        ("\n<think>hm</think> Yes", "hm", "Yes"),
        ("<thinking>hm</thinking>\n\n    code", "hm", "    code"),
        ("<reasoning>hm</reasoning>", "hm", ""),
        ("<|begin_of_thought|>hm<|end_of_thought|>\nYes", "hm", "Yes"),
        ("<think></think>\n\nYes", "", "Yes"),
        ("No <think>block</think> at the head", "", "No <think>block</think> at the head"),
        ("<think>never closed", "", "<think>never closed"),
        ("<think>a<think>b</think>c</think>d", "", "<think>a<think>b</think>c</think>d"),
        ("only closed</think>Yes", "", "only closed</think>Yes"),
        ("<think>a</think>b</think>c", "", "<think>a</think>b</think>c"),
    ],
)
def test_reasoning_stands_at_the_head_or_is_none(text: str, reasoning: str, answer: str) -> None:
    assert reasoning_in(text) == (reasoning, answer)


@pytest.mark.parametrize(
    "text",
    [
        "no call",
        "<tool_call>no JSON</tool_call>",
        '<tool_call>{"name": "f", "arguments": {}, "why": "kept"}</tool_call>',
        '<tool_call>{"name": "f"}</tool_call> <tool_call>5</tool_call>',
        '<functioncall> {"arguments": {}}',
        '<|python_tag|>print("hi")',
    ],
)
def test_a_call_that_holds_more_than_a_call_stays_text(text: str) -> None:
    assert calls_in(text) == (text, ())


def test_several_calls_and_the_text_around_them() -> None:
    text = (
        'I ask.\n<tool_call>{"name": "f", "arguments": "{}"}</tool_call>'
        '<tool_call>{"id": "2", "type": "function", "function": {"name": "g", "parameters": [1]}}</tool_call>'
    )
    assert calls_in(text) == ("I ask.", (ToolCall("f", "{}"), ToolCall("g", "[1]", "2")))
