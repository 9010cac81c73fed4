"""Rows without an answer."""

from __future__ import annotations

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, has_calls, last_turn


def _empty_output(example: Reading, survey: None) -> Found | None:
    if not example.messages:
        return Found("the row has no turns: its fields are missing or empty")
    if example.messages[-1].role != "assistant" or has_calls(example) or example.answer.strip():
        return None
    return Found("the answer is empty", Span(last_turn(example), 0, len(example.answer)))


EMPTY_OUTPUT = Signal("empty_output", "drop", "the answer is empty", _empty_output)
