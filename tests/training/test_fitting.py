"""Conversations that a chat template cannot take as they are: what would help is named, and what is set is done alike
in training, measuring and answering."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tool_rows import ANSWER, ASKED, CALLING, RESULT, TOOL_TEMPLATE, WEATHER, conversation_row
from transformers import AutoTokenizer

from engine.errors import UsageError
from engine.harmless import VALUES
from engine.model import Message, TrainingRow
from engine.training.plan.template_notes import REFUSED, template_notes
from engine.training.runs.data_files import row_lines
from engine.training.spec.run_spec import ONE_OF, choose_spec
from engine.training.worker.answering import Pair, prompts
from engine.training.worker.card import card
from engine.training.worker.chat import Unrenderable, chat_of, check_template, dropped, terms_of
from engine.training.worker.fitting import Fitting, fitted, fitting_of
from engine.training.worker.row_checks import changed, label_rows, refused_of
from engine.training.worker.rows import Row, choose_masking, label, read_rows
from engine.training.worker.token_view import pieces

STRICT = """
{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}
    {%- else %}{{ message.content + '<|im_end|>\\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""
"""Takes user and assistant in turn and nothing else, as those of several families do."""

SHORT_IDS = TOOL_TEMPLATE.replace(
    "{%- for call in message.tool_calls %}",
    "{%- for call in message.tool_calls %}{% if call.id is not defined or call.id | length != 9 %}"
    "{{ raise_exception('ids of nine letters') }}{% endif %}{{- call.id }}",
).replace("'<|im_start|>user\\n<tool_response>", "message.tool_call_id + '<|im_start|>user\\n<tool_response>")

SYSTEM, USER, REPLY = Message("system", "Be brief."), Message("user", "2+2?"), Message("assistant", "4")
SPOKEN_TO = conversation_row(SYSTEM, USER, REPLY, name="spoken to")
TWICE = conversation_row(USER, Message("user", "Now."), REPLY, name="twice")
BOTH = conversation_row(SYSTEM, USER, Message("user", "Now."), REPLY, name="both")
THOUGHT = conversation_row(USER, Message("assistant", "4", "two and two"), name="thought")
TOOLS = conversation_row(ASKED, CALLING, RESULT, ANSWER, tools=(WEATHER,))


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model)


def read(folder: Path, *rows: TrainingRow) -> tuple[Row, ...]:
    path = folder / "train.jsonl"
    path.write_bytes(row_lines(rows))
    return read_rows(path)


def text_of(row: Row, tokenizer: Any, **settings: str) -> str:
    labelled = label(row, tokenizer, choose_masking(tokenizer, fitting=fitting_of(settings)))
    return "".join(one["text"] if one["learnt"] else f"[{one['text']}]" for one in pieces(labelled, tokenizer, 500)
                   ).replace("][", "")  # fmt: skip


def told(
    rows: tuple[Row, ...], tokenizer: Any, train_on: str = "all", **settings: str
) -> list[tuple[str, str, tuple[str, ...]]]:
    masking = choose_masking(tokenizer, train_on, fitting_of(settings))
    _, refused, lost, proposed = label_rows(rows, tokenizer, masking, lambda phase, done, of: None)
    answer = {"refused_rows": refused, "lost": lost, "proposed": proposed, "changed": changed(rows, masking)}
    answer["refused_heldout"] = refused_of(rows, tokenizer, masking)
    return [(note.kind, note.text, note.ids) for note in template_notes(len(rows), answer)]


def test_each_refused_row_is_named_with_the_setting_that_helps(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = STRICT
    rows = read(tmp_path, SPOKEN_TO, TWICE, BOTH, conversation_row(Message("critic", "No."), REPLY, name="critic"))
    notes = [note for note in told(rows, tokenizer) if note[0] == "template"]
    assert {ids: text.partition(": ")[2] for _, text, ids in notes} == {
        ("spoken to",): 'System role not supported: set system_prompt="first user turn"',
        ("both",): 'System role not supported: set system_prompt="first user turn" and repeated_turns=merged',
        ("twice",): "roles must alternate: set repeated_turns=merged",
        ("critic",): "roles must alternate: edit or reject them, or choose another model",
    }
    helped = told(rows, tokenizer, system_prompt="first user turn", repeated_turns="merged")
    assert [(kind, ids) for kind, _, ids in helped] == [
        ("template", ("critic",)),
        ("template_heldout", ("critic",)),
        ("changed", ("spoken to", "twice", "both")),
    ]


def test_what_is_set_is_trained_measured_asked_and_told_alike(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = STRICT
    (row,) = read(tmp_path, BOTH)
    settings = {"system_prompt": "first user turn", "repeated_turns": "merged"}
    prompt = "<|im_start|>user\nBe brief.\n\n2+2?\n\nNow.<|im_end|>\n<|im_start|>assistant\n"
    assert text_of(row, tokenizer, **settings) == f"[{prompt}]4<|im_end|>[\n]"
    masking = choose_masking(tokenizer, fitting=fitting_of(settings))
    measured = label(row, tokenizer, masking)
    (asked,) = prompts(Pair(None, None, tokenizer, masking, ""), [row.messages[:-1]], [()])
    assert tokenizer.decode(measured.prompt_ids) == tokenizer.decode(asked.prompt_ids) == prompt
    assert "head of the user turn" in masking.how
    values = {"model": "org/base", "method": "lora", "learning_rate": 1, "batch": 1, "max_length": 1, "seed": 0}
    assert "ask it in the same: the system prompt stands at the head" in card("r", {**values, **settings}, {"r": 8}, {})
    assert "ask it in the same" not in card("r", values, {"r": 8}, {})


def test_turns_keep_their_order_and_what_is_not_learnt_stays_apart() -> None:
    def turn(role: str, content: str, **more: Any) -> dict[str, Any]:
        return {"role": role, "content": content, **more}

    moved = Fitting(system_prompt="first user turn")
    late = [turn("user", "a"), turn("assistant", "b"), turn("developer", "c"), turn("user", "d"), turn("system", "e")]
    assert fitted(late, moved) == (
        turn("user", "a"), turn("assistant", "b"), turn("user", "c\n\nd"), turn("system", "e"),
    )  # fmt: skip
    opening = [turn("system", "a"), turn("assistant", "b"), turn("user", "c")]
    assert fitted(opening, moved) == tuple(opening)  # never past a turn of the assistant
    merged = Fitting(repeated_turns="merged")
    apart = [turn("assistant", "a", train="no"), turn("assistant", "b"), turn("tool", "c"), turn("tool", "d")]
    assert fitted(apart, merged) == tuple(apart)
    call = {"function": {"name": "f", "arguments": "{}"}}
    said = [
        turn("assistant", "a", reasoning_content="r"),
        turn("assistant", "b", tool_calls=[call]),
        turn("assistant", "c"),
    ]
    assert fitted(said, merged) == (
        turn("assistant", "a\n\nb", reasoning_content="r", tool_calls=[call]), turn("assistant", "c"),
    )  # fmt: skip
    for fitting in (moved, merged, Fitting(reasoning="in the answer"), Fitting(reasoning="left out")):
        once = fitted([*late, *said], fitting)
        assert fitted(once, fitting) == once


def test_reasoning_goes_where_it_is_set(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = STRICT
    (row,) = read(tmp_path, THOUGHT)
    (note,) = [note for note in told((row,), tokenizer) if note[0] in REFUSED]
    assert note[:2] == (
        "lost_reasoning",
        'the chat template leaves out the reasoning in 1 of 1 rows: set reasoning="in the answer", '
        'or set reasoning="left out" to train without it',
    )
    assert text_of(row, tokenizer, reasoning="in the answer").endswith(
        "]<think>\ntwo and two\n</think>\n\n4<|im_end|>[\n]"
    )
    for wish in ("in the answer", "left out"):
        assert not [note for note in told((row,), tokenizer, reasoning=wish) if note[0] in REFUSED]
    in_text = Row("t", (row.messages[0], {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4"}))
    assert text_of(in_text, tokenizer, reasoning="left out").endswith("]4<|im_end|>[\n]")


def test_earlier_reasoning_that_is_not_learnt_may_be_left_out(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = TOOL_TEMPLATE.replace(
        "if message.reasoning_content", "if message.reasoning_content and loop.last"
    )
    first = Message("assistant", "4", "two and two")
    rows = read(tmp_path, conversation_row(USER, first, USER, ANSWER, name="a"),
                conversation_row(USER, replace(first, train=False), USER, ANSWER, name="b"))  # fmt: skip
    refused, warned = told(rows, tokenizer)
    assert (refused[0], refused[2], warned[0], warned[2]) == ("lost_history", ("a",), "lost_unlearnt_history", ("b",))
    assert ": set train_on=last, or " in refused[1]
    assert [(kind, ids) for kind, _, ids in told(rows, tokenizer, "last")] == [("lost_unlearnt_history", ("a", "b"))]
    assert "lost_unlearnt_history" not in REFUSED


def test_ids_of_calls_take_the_form_that_the_template_asks_for(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = SHORT_IDS
    (row,) = read(tmp_path, TOOLS)
    text = text_of(row, tokenizer)
    assert 'call00001<tool_call>\n{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}' in text
    assert "call00001<|im_start|>user\n<tool_response>" in text
    terms = terms_of(tokenizer, SHORT_IDS)
    function = {"name": "f", "arguments": "{}"}
    calls = [{"id": "a", "function": function}, {"id": "Abc456789", "function": function}, {"function": function}]
    results = [{"role": "tool", "content": "x", "tool_call_id": "Abc456789"}, {"role": "tool", "content": "y"}]
    chat = chat_of([{"role": "assistant", "content": "", "tool_calls": calls}, *results], (), terms)
    assert [call["id"] for call in chat.messages[0]["tool_calls"]] == ["call00001", "Abc456789", "call00002"]
    assert [message["tool_call_id"] for message in chat.messages[1:]] == ["Abc456789", "call00001"]


def test_what_is_dropped_is_seen_where_the_template_refuses_some_of_the_marks(tokenizer: Any, tmp_path: Path) -> None:
    template = TOOL_TEMPLATE.replace("message.reasoning_content", "false").replace(
        "{%- for call in message.tool_calls %}",
        "{%- for call in message.tool_calls %}{% if call.function.name != 'get_weather' %}"
        "{{ raise_exception('unknown tool') }}{% endif %}",
    )
    (row,) = read(tmp_path, TOOLS)
    assert dropped(tokenizer, chat_of(row.messages, row.tools), template) == {"reasoning"}


def test_calls_in_the_text_in_another_form_than_the_templates_are_told(tokenizer: Any, tmp_path: Path) -> None:
    calling = conversation_row(USER, Message("assistant", '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'))
    rows = read(tmp_path, calling)
    tokenizer.chat_template = TOOL_TEMPLATE
    assert told(rows, tokenizer) == []
    tokenizer.chat_template = STRICT
    ((kind, words, _),) = told(rows, tokenizer)
    assert (kind, kind in REFUSED) == ("lost_call_text", False)
    assert words == "1 of 1 rows hold tool calls as text, in a form that is not the chat template's own"


def test_a_template_that_is_no_program_is_told_as_that(tokenizer: Any) -> None:
    for template, words in (("{% if", "line 1: unexpected"), ("\n{{ messages | nosuch }}", "line 2: No filter")):
        tokenizer.chat_template = template
        with pytest.raises(ValueError, match=f"its chat template cannot be read, {words}"):
            choose_masking(tokenizer)
    tokenizer.chat_template = STRICT
    check_template(tokenizer)


@pytest.mark.parametrize(
    "fault", ["{{ 1 / 0 }}", "{{ messages[99].x.y }}", "{{ 'a' + 1 }}", "{{ raise_exception('no') }}", "{{ none() }}"]
)
def test_whatever_a_template_raises_is_a_row_refused(tokenizer: Any, tmp_path: Path, fault: str) -> None:
    tokenizer.chat_template = STRICT + fault
    (row,) = read(tmp_path, THOUGHT)
    with pytest.raises(Unrenderable):
        label(row, tokenizer, choose_masking(tokenizer))


def test_the_settings_stand_in_the_spec_with_reasons_and_wrong_ones_are_named() -> None:
    spec = choose_spec(name="x", rows=9, settings={"system_prompt": "first user turn"})
    content = json.loads(json.dumps(spec.to_json()))["values"]
    assert content["system_prompt"] == {"value": "first user turn", "reason": "as you set it"}
    assert all(content[name]["reason"] for name in ("repeated_turns", "reasoning"))
    with pytest.raises(UsageError, match='"own turn" or "first user turn"'):
        choose_spec(name="x", rows=9, settings={"system_prompt": "user"})
    for name in ("system_prompt", "repeated_turns", "reasoning"):
        assert ONE_OF[name] == VALUES[name]
        assert getattr(fitting_of({}), name) == ONE_OF[name][0]
