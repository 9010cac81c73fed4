"""Tools, calls and reasoning on their way to the trainer: the exact text a chat template writes, and what of it is
learnt; and what a template drops or refuses, told by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
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
from engine.training.runs.data_files import row_lines
from engine.training.worker.chat import Unrenderable, as_text, chat_of, dropped
from engine.training.worker.rows import IGNORED, Row, as_chat, choose_masking, label, prepare, read_rows

OPEN_UNMARKED = TOOL_TEMPLATE.replace("{%- generation %}", "").replace("{%- endgeneration %}", "")
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
    """The text that is trained on; what is not learnt stands in brackets."""
    labelled = label(read_back(row, folder), tokenizer, choose_masking(tokenizer, train_on))
    pieces, learnt = "", True
    for token, wanted in zip(labelled.input_ids, labelled.labels, strict=True):
        if (wanted != IGNORED) != learnt:
            learnt = not learnt
            pieces += "]" if learnt else "["
        pieces += f"\x00{token},"
    out = ""
    for part in pieces.replace("[", "\x01[\x01").replace("]", "\x01]\x01").split("\x01"):
        ids = [int(one.strip("\x00")) for one in part.split(",") if one.strip("\x00[]")] if part not in "[]" else []
        out += tokenizer.decode(ids) if ids else part
    return out


def test_a_tool_conversation_is_written_in_the_templates_own_terms(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = TOOL_TEMPLATE
    assert bracketed(tool_row(), tokenizer, tmp_path) == SAID_BY_TOOL_TEMPLATE
