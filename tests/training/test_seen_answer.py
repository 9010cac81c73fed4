"""What is compared of an answer is what a user sees of it: no thinking, no end tokens, and calls as calls."""

from __future__ import annotations

import pytest

from engine.training.worker.room import room_for
from engine.training.worker.seen_answer import Seen, seen

SPECIAL = ("<|im_end|>", "</s>", "<|eot_id|>", "<|eom_id|>", "<|END_RESPONSE|>", "<|START_RESPONSE|>")
CALL = '{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}'
OTHER_ORDER = '{"arguments": {"days":2, "city":"K\\u00f6ln"}, "name": "get_weather"}'

WORDS = {
    "plain, with its end": "It is 12 C.<|im_end|>\n",
    "an empty thinking part": "<think>\n\n</think>\n\nIt is 12 C.<|im_end|>",
    "a full one": "<think>\nWarm, <b>or</b> not?\n</think>\n\nIt is 12 C.",
    "Mistral's": "[THINK]Warm?[/THINK]It is 12 C.</s>",
    "Command's": "<|START_THINKING|>Warm?<|END_THINKING|><|START_RESPONSE|>It is 12 C.<|END_RESPONSE|>",
    "in channels": "<|channel|>analysis<|message|>Warm?<|end|><|start|>assistant<|channel|>final<|message|>"
    "It is 12 C.<|return|>",
}
CALLS = {
    "Qwen 2.5 and 3": f"<tool_call>\n{CALL}\n</tool_call><|im_end|>",
    "keys in another order": f"<tool_call>{OTHER_ORDER}</tool_call>",
    "behind an empty thinking part": f"<think>\n\n</think>\n\n<tool_call>\n{CALL}\n</tool_call><|im_end|>",
    "Mistral, with a random id": '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}, '
    '"id": "VvvODy9mT"}]</s>',
    "newer Mistral": '[TOOL_CALLS]get_weather[ARGS]{"city": "Köln", "days": 2}</s>',
    "Llama 3": '{"name": "get_weather", "parameters": {"city": "Köln", "days": 2}}<|eot_id|>',
    "Llama 3.1": '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Köln", "days": 2}}<|eom_id|>',
    "DeepSeek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
    '{"city": "Köln", "days": 2}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    "Command": '<|START_ACTION|>[\n{"tool_call_id": "0", "tool_name": "get_weather", "parameters": '
    '{"city": "Köln", "days": 2}}\n]<|END_ACTION|>',
    "Phi": f"<|tool_call|>[{CALL}]<|/tool_call|>",
    "in channels": "<|channel|>analysis<|message|>Warm?<|end|><|start|>assistant to=functions.get_weather"
    '<|channel|>commentary json<|message|>{"city": "Köln", "days": 2}<|call|>',
}


@pytest.mark.parametrize("form", WORDS)
def test_the_words_are_what_is_left_without_thinking_and_ends(form: str) -> None:
    assert seen(WORDS[form], SPECIAL) == Seen("It is 12 C.")


@pytest.mark.parametrize("form", CALLS)
def test_calls_are_equal_by_name_and_arguments_however_they_are_written(form: str) -> None:
    assert seen(CALLS[form], SPECIAL) == Seen("", (CALL,))


def test_values_of_calls_in_tags_are_read_by_their_names() -> None:
    text = "Let me see.\n<tool_call>\n<function=find>\n<parameter=city>\nKöln\n</parameter>\n</function>\n</tool_call>"
    assert seen(text) == Seen("Let me see.", ('{"name": "find", "arguments": {"city": "Köln"}}',))


def test_other_calls_are_other_answers() -> None:
    assert seen(CALL) != seen(CALL.replace("2", "3"))
    assert seen(f"<tool_call>{CALL}</tool_call><tool_call>{CALL}</tool_call>").calls == (CALL, CALL)


def test_thinking_that_the_prompt_opened_or_that_never_ends_is_not_seen() -> None:
    assert seen("Warm?\n</think>\n\nIt is 12 C.", prompt="<|im_start|>assistant\n<think>\n") == Seen("It is 12 C.")
    assert seen("Warm, I would", prompt="<|im_start|>assistant\n<think>\n") == Seen("")
    assert seen("<think>\nWarm, I would") == Seen("")


def test_what_only_looks_like_it_stays_text() -> None:
    for text in (
        'Write "<think>" and "</think>" around it.',
        '{"name": "Ann", "age": 3}',
        "<tool_call>never mind</tool_call>",
        '[{"name": "Ann"}]',
        "{",
        "[" * 5000,
    ):
        assert seen(text) == Seen(text)


def test_an_answer_has_half_as_much_room_again_as_its_reference() -> None:
    assert [room_for(length, 1024) for length in (1, 40, 400, 900)] == [17, 76, 616, 1024]
