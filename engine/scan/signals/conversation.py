"""Conversations whose turns do not follow one another as they should."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.model import Example, Span
from engine.nesting import loads
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.scan.text import shorten

ROLES = ("system", "user", "assistant", "tool")


def _calls_tool(row: Reading, number: int) -> bool:
    turn = row.messages[number]
    return bool(turn.calls) or "tool_call" in turn.text or "<function" in turn.text or "function_call" in turn.text


def _role_order(row: Reading, survey: None) -> Found | None:
    previous = ""
    for number, turn in enumerate(row.messages):
        place = Span(number, 0, len(turn.text))
        if turn.role == "system":
            if number:
                return Found(f"a system turn stands at place {number + 1}, not at the beginning", place)
            continue
        if not previous and turn.role == "assistant" and len(row.messages) > 1:
            return Found("the conversation begins with the assistant", place)
        if (
            turn.role == previous
            and turn.role in ("user", "assistant")
            and not (turn.role == "assistant" and row.messages[number - 1].calls)
        ):
            return Found(f'two {turn.role} turns in a row, the second: "{shorten(turn.text, 40)}"', place)
        previous = turn.role
    return None


def _tool_result(row: Reading, survey: None) -> Found | None:
    """A tool's result that no turn before it asked for. Several results may answer one turn."""
    called = False
    for number, turn in enumerate(row.messages):
        if turn.role == "tool" and not called:
            return Found("a tool result follows no tool call", Span(number, 0, len(turn.text)))
        if turn.role == "assistant":
            called = _calls_tool(row, number)
        elif turn.role == "user":
            called = False
    return None


_PAIRS = (
    ("think", "<think>", "</think>"),
    ("tool_call", "<tool_call>", "</tool_call>"),
    ("thinking", "<thinking>", "</thinking>"),
)


def _unbalanced(row: Reading, survey: None) -> Found | None:
    for number, turn in enumerate(row.messages):
        if turn.role != "assistant":
            continue
        for name, opening, closing in _PAIRS:
            opened, closed = turn.text.count(opening), turn.text.count(closing)
            if opened == closed:
                continue
            # The beginning is often part of the chat template: a lone end that comes first is how such sets look.
            if (
                name != "tool_call"
                and closed == opened + 1
                and _ends_first(turn.text, opening, closing)
                and opened == 0
            ):
                continue
            at = max(turn.text.rfind(opening), turn.text.rfind(closing))
            return Found(f"{opened} {opening} and {closed} {closing} in one turn", Span(number, at, at + len(opening)))
        found = _broken_call(turn.text)
        if found is not None:
            return Found("a tool call is not valid JSON", Span(number, *found))
        for call in turn.tool_calls:
            if call.arguments and not _is_json(call.arguments):
                shown = shorten(call.arguments, 40)
                return Found(f'a tool call is not valid JSON: "{shown}"', Span(number, 0, len(turn.text)))
    return None


def _ends_first(text: str, opening: str, closing: str) -> bool:
    start = text.find(opening)
    return start < 0 or text.find(closing) < start


def _broken_call(text: str) -> tuple[int, int] | None:
    if "<tool_call>" not in text:
        return None
    for found in re.finditer(r"<tool_call>\s{0,8}(\{[\s\S]{0,8000}?)\s{0,8}</tool_call>", text):
        if not _is_json(found.group(1)):
            return found.span()
    return None


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True


def _empty_turn(row: Reading, survey: None) -> Found | None:
    last = len(row.messages) - 1
    for number, turn in enumerate(row.messages):
        if turn.text.strip() or turn.calls or turn.reasoning or (number == last and turn.role == "assistant"):
            continue
        return Found(f"turn {number + 1} of {last + 1} ({turn.role}) is empty", Span(number, 0, len(turn.text)))
    return None


def _ends_on_user(row: Reading, survey: None) -> Found | None:
    if not row.messages or row.messages[-1].role == "assistant":
        return None
    turn = row.messages[-1]
    return Found(
        f"the conversation ends on the {turn.role}, there is no answer to learn",
        Span(len(row.messages) - 1, 0, len(turn.text)),
    )


USUAL, FEWEST_ROWS = 0.9, 20


def _share_with_system(examples: Sequence[Example]) -> float:
    """The share of rows that begin with a system prompt; 0 where the set is too small to have a habit."""
    if len(examples) < FEWEST_ROWS:
        return 0.0
    return sum(bool(example.messages) and example.messages[0].role == "system" for example in examples) / len(examples)


def _no_system(row: Reading, share: float) -> Found | None:
    if share < USUAL or not row.messages or row.messages[0].role == "system":
        return None
    return Found(f"no system prompt; {share:.0%} of the rows have one", Span(0, 0, 0))


def _unknown_role(row: Reading, survey: None) -> Found | None:
    """Someone speaks who is none of those that chat templates know: nothing says how a model is to learn that."""
    for number, turn in enumerate(row.messages):
        if turn.role not in ROLES:
            return Found(f'turn {number + 1} is spoken by "{shorten(turn.role, 40)}"', Span(number, 0, len(turn.text)))
    return None


UNKNOWN_ROLE = Signal("unknown_role", "check", "a role that is none of system, user, assistant and tool", _unknown_role)
ROLE_ORDER = Signal("role_order", "check", "turns are out of order", _role_order)
TOOL_RESULT = Signal("tool_result", "check", "a tool result without a call", _tool_result)
UNBALANCED = Signal("unbalanced", "check", "<think> or a tool call is not closed, or not JSON", _unbalanced)
EMPTY_TURN = Signal("empty_turn", "check", "a turn in the middle is empty", _empty_turn)
ENDS_ON_USER = Signal("ends_on_user", "check", "the last turn is not an answer", _ends_on_user)
NO_SYSTEM = Signal(
    "no_system_prompt", "check", "no system prompt where the set has one", _no_system, _share_with_system
)
