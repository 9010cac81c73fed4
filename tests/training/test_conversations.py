"""Tools, calls and reasoning on their way to the trainer: the exact text a chat template writes, and what of it is
learnt; and what a template drops or refuses, told by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trl
from tool_rows import (
    ANSWER,
    ASKED,
    CALLING,
    RESULT,
    SAID_BY_TOOL_TEMPLATE,
    TOOL_TEMPLATE,
    WEATHER,
    conversation_row,
    tool_row,
)
from transformers import AutoTokenizer

from engine.export.training_rows import conversation_of_messages, training_row
from engine.model import Conversation, Example, Message, Part, ToolCall, TrainingRow
from engine.training.runs.data_files import row_lines, row_of
from engine.training.worker.chat import Unrenderable, dropped
from engine.training.worker.evaluate import as_seen
from engine.training.worker.preflight import shown
from engine.training.worker.rows import Row, as_chat, choose_masking, label, prepare, read_rows

UNMARKED = TOOL_TEMPLATE.replace("{%- generation %}", "").replace("{%- endgeneration %}", "")
TEXT_ARGUMENTS = TOOL_TEMPLATE.replace(
    "{{- call.function.arguments | tojson }}", "{{- call.function.arguments + ' ' }}"
)
PRINTED_ARGUMENTS = TOOL_TEMPLATE.replace("{{- call.function.arguments | tojson }}", "{{- call.function.arguments }}")


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    """The built-in model's real tokenizer; its template may be changed."""
    return AutoTokenizer.from_pretrained(tiny_model)


def read_back(row: TrainingRow, folder: Path) -> Row:
    """The row as a run reads it from its data."""
    path = folder / "train.jsonl"
    path.write_bytes(row_lines([row]))
    return read_rows(path)[0]


def bracketed(row: TrainingRow, tokenizer: Any, folder: Path, train_on: str = "all") -> str:
    """The row as the plan shows it; what is not learnt stands in brackets."""
    labelled = label(read_back(row, folder), tokenizer, choose_masking(tokenizer, train_on))
    pieces = shown(labelled, tokenizer, 1000)["pieces"]
    return "".join(piece["text"] if piece["learnt"] else f"[{piece['text']}]" for piece in pieces)


def left_out(row: TrainingRow, tokenizer: Any, folder: Path) -> set[str]:
    masking = choose_masking(tokenizer)
    return dropped(tokenizer, as_chat(read_back(row, folder), masking), masking.template)


def test_a_tool_conversation_is_written_in_the_templates_own_terms(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = TOOL_TEMPLATE
    assert bracketed(tool_row(), tokenizer, tmp_path) == SAID_BY_TOOL_TEMPLATE


def test_without_marks_only_the_last_answer_is_learnt_with_its_reasoning(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = UNMARKED
    text = bracketed(tool_row(), tokenizer, tmp_path, "last")
    assert text.replace("[", "").replace("]", "") == SAID_BY_TOOL_TEMPLATE.replace("[", "").replace("]", "")
    assert text.endswith("<|im_start|>assistant\n]<think>\nThe tool said so.\n</think>\n\nIt is 12 C.<|im_end|>\n")


def test_the_built_in_model_and_a_bare_base_are_told_everything(tokenizer: Any, tmp_path: Path) -> None:
    row = conversation_row(Message("system", "Be brief."), ASKED, CALLING, RESULT, ANSWER, tools=(WEATHER,))
    tool = json.dumps({"type": "function", "function": json.loads(WEATHER)})
    call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}\n</tool_call>'
    assert bracketed(row, tokenizer, tmp_path) == (
        f"[<|im_start|>system\nBe brief.\n\nTools:\n{tool}<|im_end|>\n<|im_start|>user\nWeather in Köln?<|im_end|>\n"
        f"<|im_start|>assistant\n]<think>\nI need the tool.\n</think>\n\n{call}<|im_end|>[\n"
        "<|im_start|>tool name=get_weather\n12 C<|im_end|>\n<|im_start|>assistant\n]"
        "<think>\nThe tool said so.\n</think>\n\nIt is 12 C.<|im_end|>[\n]"
    )
    assert left_out(row, tokenizer, tmp_path) == set()
    tokenizer.chat_template = None
    assert left_out(row, tokenizer, tmp_path) == set()
    assert bracketed(row, tokenizer, tmp_path).startswith(f"[Tools:\n{tool}\n\nsystem:\nBe brief.\n\nuser:\n")


def test_a_plain_chat_is_written_as_it_always_was(tokenizer: Any, tmp_path: Path) -> None:
    row = conversation_row(
        Message("user", "a"), Message("assistant", "b", train=False), ASKED, Message("assistant", "d")
    )
    assert bracketed(row, tokenizer, tmp_path) == (
        "[<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nWeather in Köln?"
        "<|im_end|>\n<|im_start|>assistant\n]d<|im_end|>[\n]"
    )


def test_rows_of_earlier_runs_are_read_and_labelled_as_then(tokenizer: Any, tmp_path: Path) -> None:
    asked = {"role": "user", "content": "x"}
    answers = ({"role": "assistant", "content": "y", "train": "no"}, {"role": "assistant", "content": '{"name": "f"}'})
    old = {"id": "a", "messages": [asked, answers[0], asked, answers[1]]}
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(old) + "\n")
    (row,) = prepare(read_rows(path), tokenizer, choose_masking(tokenizer), 500).rows
    assert tokenizer.decode([token for token in row.labels if token >= 0]) == '{"name": "f"}<|im_end|>'
    assert row_lines([row_of(old)]) == json.dumps(old).encode() + b"\n"


def test_the_reference_is_what_a_model_would_write(tokenizer: Any, tmp_path: Path) -> None:
    labelled = label(read_back(conversation_row(ASKED, CALLING), tmp_path), tokenizer, choose_masking(tokenizer))
    call = '{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}'
    assert labelled.answer.strip() == (
        f"<think>\nI need the tool.\n</think>\n\n<tool_call>\n{call}\n</tool_call><|im_end|>"
    )
    assert as_seen(labelled.answer, labelled.prompt_ids, tokenizer) == call
    plain = label(read_back(conversation_row(ASKED, Message("assistant", " two\nlines ")), tmp_path), tokenizer,
                  choose_masking(tokenizer))  # fmt: skip
    assert plain.answer == " two\nlines <|im_end|>\n"


@pytest.mark.parametrize(
    ("template", "written"),
    [
        (TOOL_TEMPLATE, '"arguments": {"city": "Köln", "days": 2}}'),
        (TEXT_ARGUMENTS, '"arguments": {"city": "Köln", "days": 2} }'),  # fails on an object
        (PRINTED_ARGUMENTS, '"arguments": {"city": "Köln", "days": 2}}'),  # would print Python's {'city': …}
    ],
)
def test_arguments_are_an_object_but_for_templates_that_want_a_text(
    tokenizer: Any, tmp_path: Path, template: str, written: str
) -> None:
    tokenizer.chat_template = template
    assert written in bracketed(tool_row(), tokenizer, tmp_path)


def test_arguments_that_are_no_object_stay_as_they_are_written(tokenizer: Any, tmp_path: Path) -> None:
    def arguments(written: str) -> str:
        call = Message("assistant", tool_calls=(ToolCall("f", written),))
        return (
            bracketed(conversation_row(ASKED, call), tokenizer, tmp_path).partition('"arguments": ')[2].split("\n")[0]
        )

    assert arguments("") == "{}}"
    assert arguments("city=Köln") == '"city=Köln"}'
    assert arguments("[1, 2]") == '"[1, 2]"}'


@pytest.mark.parametrize(
    ("gone", "instead", "told"),
    [
        ("message.reasoning_content", "false", {"reasoning"}),
        ("{{- call.function.arguments | tojson }}", "", {"arguments"}),
        ("message.tool_calls", "[]", {"calls", "arguments"}),
        ("if tools", "if false", {"tools"}),
        ("messages[0].role == 'system'", "false", {"system"}),
        ("+ message.content + '\\n</tool_response>", "+ '", {"turns of tool"}),
        ("raise_exception('no turn of a ' + message.role)", "''", {"turns of narrator"}),
    ],
)
def test_what_a_template_drops_is_seen(tokenizer: Any, tmp_path: Path, gone: str, instead: str, told: set[str]) -> None:
    assert gone in TOOL_TEMPLATE
    tokenizer.chat_template = TOOL_TEMPLATE.replace(gone, instead)
    narrator = (Message("narrator", "Rain falls."),) if "narrator" in gone + str(told) else ()
    row = conversation_row(
        Message("system", "Weather in Köln, 2 days."), *narrator, ASKED, CALLING, RESULT, ANSWER, tools=(WEATHER,)
    )
    assert left_out(row, tokenizer, tmp_path) == told


@pytest.mark.parametrize(
    ("family", "told"),
    [
        ("qwen3", set()),
        ("qwen2_5", {"reasoning"}),
        ("llama3_1", {"reasoning"}),
        ("deepseekv3", {"reasoning", "tools"}),
        ("glm4moe", set()),
        ("phi3", {"reasoning", "calls", "arguments", "tools", "turns of tool"}),
    ],
)
def test_templates_of_model_families_are_seen_through(
    tokenizer: Any, tmp_path: Path, family: str, told: set[str]
) -> None:
    templates = Path(trl.__file__).parent / "chat_templates"
    tokenizer.chat_template = (templates / f"{family}.jinja").read_text()
    tokenizer.bos_token = "<|endoftext|>"
    row = conversation_row(Message("system", "Be brief."), ASKED, CALLING, RESULT, ANSWER, tools=(WEATHER,))
    assert left_out(row, tokenizer, tmp_path) == told


def test_earlier_thoughts_that_a_template_cuts_out_of_the_text_are_seen(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = TOOL_TEMPLATE.replace("message.content }}", "message.content.split('</think>')[-1] }}")
    thought = Message("assistant", "<think>\nHm.\n</think>\nNo.")
    assert left_out(conversation_row(ASKED, thought, ASKED, ANSWER), tokenizer, tmp_path) == {"history"}
    assert left_out(conversation_row(ASKED, ANSWER), tokenizer, tmp_path) == set()


def test_a_row_without_a_request_is_all_answer(tokenizer: Any, tmp_path: Path) -> None:
    alone = conversation_row(Message("assistant", "Once upon a time."))
    assert bracketed(alone, tokenizer, tmp_path) == "[<|im_start|>assistant\n]Once upon a time.<|im_end|>[\n]"
    labelled = label(read_back(alone, tmp_path), tokenizer, choose_masking(tokenizer))
    assert tokenizer.decode(labelled.prompt_ids) == "<|im_start|>assistant\n"
    tokenizer.chat_template = UNMARKED
    assert bracketed(alone, tokenizer, tmp_path) == "[<|im_start|>assistant\n]Once upon a time.<|im_end|>\n"
    with_system = conversation_row(Message("system", "Once"), Message("assistant", "Once"))
    assert bracketed(with_system, tokenizer, tmp_path) == (
        "[<|im_start|>system\nOnce<|im_end|>\n<|im_start|>assistant\n]Once<|im_end|>\n"
    )


def test_a_row_that_the_template_refuses_is_left_out_of_a_run_and_the_others_stay(
    tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer.chat_template = TOOL_TEMPLATE
    rows = [read_back(conversation_row(Message("narrator", "Rain."), ASKED, ANSWER, name="odd"), tmp_path),
            read_back(conversation_row(ASKED, ANSWER, tools=("no JSON",), name="tool"), tmp_path),
            read_back(tool_row(), tmp_path)]  # fmt: skip
    prepared = prepare(rows, tokenizer, choose_masking(tokenizer), 500)
    assert (prepared.refused, [row.id for row in prepared.rows]) == (("odd", "tool"), ["tools"])
    with pytest.raises(Unrenderable, match="no turn of a narrator"):
        label(rows[0], tokenizer, choose_masking(tokenizer))


def test_a_row_becomes_messages_and_a_conversation_again() -> None:
    turns = (
        Message("system", "s"),
        Message("user", "u", name="Ann"),
        CALLING,
        RESULT,
        Message("assistant", "b", train=False),
    )
    row = conversation_row(*turns, tools=(WEATHER,))
    assert conversation_of_messages(row.messages, row.tools) == Conversation(turns, (WEATHER,))
    parts = Example("p", 0, Conversation((Message("user", (Part("text", "a"), Part("text", "b"))), ANSWER)), "", 1, {})
    assert training_row(parts).messages[0] == {"role": "user", "content": "a\nb"}
