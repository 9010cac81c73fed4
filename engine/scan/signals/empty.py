"""Rows without an answer, and rows of which nothing could be read."""

from __future__ import annotations

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, has_calls, last_turn
from engine.scan.text import shorten


def _empty_output(example: Reading, survey: None) -> Found | None:
    if not example.messages or example.messages[-1].role != "assistant" or has_calls(example) or example.answer.strip():
        return None
    return Found("the answer is empty", Span(last_turn(example), 0, len(example.answer)))


def _no_turns(example: Reading, survey: None) -> Found | None:
    """A row of which no conversation could be made may still hold one: nobody drops it unseen."""
    if example.messages:
        return None
    beside = example.example.conversation.other
    if beside:
        return Found(
            f'no turns could be read; the row holds "{shorten(beside[0].path, 30)}": {shorten(beside[0].value)}'
        )
    if any(example.raw.values()):
        return Found("no turns could be read: none of its fields is a request, an answer or a list of messages")
    return Found("no turns could be read: its fields are missing or empty")


EMPTY_OUTPUT = Signal("empty_output", "drop", "the answer is empty", _empty_output)
NO_TURNS = Signal("no_turns", "check", "no conversation could be read from the row", _no_turns)
