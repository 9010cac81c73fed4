"""What a chat template makes of each row before anything is trained: refused, cut down, and what would help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .chat import Unrenderable, dropped
from .fitting import fitted, proposals
from .rows import LabelledRow, Masking, Row, as_chat, label

NEVER_LEARNT = {"names", "unlearnt history", "call text"}
"""What a template may do and nothing that should be learnt is lost."""
CALL_MARKS = ("<tool_call>", "<functioncall>", "[TOOL_CALLS]", "<|python_tag|>")


def label_rows(
    rows: Sequence[Row], tokenizer: Any, masking: Masking, progress: Callable[[str, int, int], None]
) -> tuple[list[LabelledRow], dict[str, str], dict[str, list[str]], dict[str, dict[str, str]]]:
    """The rows labelled; of those that the chat template refuses, why; what it leaves out of which rows; and for rows
    that it refuses or cuts down the settings under which it would write all of them, where there are any."""
    labelled, refused = [], {}
    lost: dict[str, list[str]] = {}
    proposed: dict[str, dict[str, str]] = {}
    for count, row in enumerate(rows):
        progress("labelling rows", count, len(rows))
        gone: set[str] = set()
        try:
            labelled.append(label(row, tokenizer, masking))
            gone = lost_of(row, tokenizer, masking)
        except Unrenderable as fault:
            refused[row.id] = str(fault)
        for kind in sorted(gone):
            lost.setdefault(kind, []).append(row.id)
        if row.id in refused or gone - NEVER_LEARNT:
            proposed[row.id] = proposal(row, tokenizer, masking, gone)
    return labelled, refused, lost, proposed


def lost_of(row: Row, tokenizer: Any, masking: Masking) -> set[str]:
    """What the template leaves out of a row, see `chat.dropped`; of reasoning before the last request it is told apart
    ("unlearnt history") whether any of it would have been learnt. "call text": a call stands in the text of an answer,
    by marks that are not the template's own. Raises Unrenderable."""
    gone = dropped(tokenizer, as_chat(row, masking), masking.template)
    earlier = row.messages[:-1]
    if "history" in gone and (masking.last_only or all(turn.get("train") == "no" for turn in earlier if thinks(turn))):
        gone = gone - {"history"} | {"unlearnt history"}
    own = str(masking.template or tokenizer.chat_template)
    said = [turn["content"] for turn in row.messages if turn["role"] == "assistant"]
    if any(mark in text and mark not in own for text in said for mark in CALL_MARKS):
        gone = gone | {"call text"}
    return gone


def thinks(turn: Mapping[str, Any]) -> bool:
    """Whether the assistant thinks in this turn, in a field of its own or in the text."""
    return turn["role"] == "assistant" and bool(turn.get("reasoning_content") or "</think>" in turn["content"])


def proposal(row: Row, tokenizer: Any, masking: Masking, gone: set[str]) -> dict[str, str]:
    """The settings nearest to those of the run under which the template writes the whole row; {} where none are."""
    tries = [(settings, replace(masking, fitting=replace(masking.fitting, **settings)))
             for settings in proposals(row.messages, masking.fitting)]  # fmt: skip
    if "history" in gone:
        tries.insert(0, ({"train_on": "last"}, replace(masking, last_only=True)))
    for settings, other in tries:
        try:
            label(row, tokenizer, other)
            if not lost_of(row, tokenizer, other) - NEVER_LEARNT:
                return settings
        except Unrenderable:
            continue
    return {}


def changed(rows: Sequence[Row], masking: Masking) -> list[str]:
    """The ids of the rows that the run's settings change before the template writes them."""
    return [row.id for row in rows if fitted(row.messages, masking.fitting) != row.messages]


def refused_of(rows: Sequence[Row], tokenizer: Any, masking: Masking) -> dict[str, str]:
    """The ids of the rows that the template refuses, each with its reason."""
    refused = {}
    for row in rows:
        try:
            label(row, tokenizer, masking)
        except Unrenderable as fault:
            refused[row.id] = str(fault)
    return refused
