"""Conversations whose turns do not follow one another as they should."""

from __future__ import annotations

from engine.model import Example, Span
from engine.scan.signals.signal import Found, Signal
from engine.scan.text import shorten


def _role_order(example: Example, survey: None) -> Found | None:
    previous = ""
    for number, turn in enumerate(example.turns):
        place = Span(number, 0, len(turn.text))
        if turn.role == "system":
            if number:
                return Found(f"a system turn stands at place {number + 1}, not at the beginning", place)
            continue
        if not previous and turn.role in ("assistant", "tool"):
            return Found(f"the conversation begins with the {turn.role}", place)
        if (
            turn.role == previous
            and turn.role in ("user", "assistant")
            and not (turn.role == "assistant" and example.turns[number - 1].calls)
        ):
            return Found(f'two {turn.role} turns in a row, the second: "{shorten(turn.text, 40)}"', place)
        if (
            turn.role == "tool"
            and previous not in ("tool", "")
            and not example.turns[number - 1].calls
            and "tool_call" not in example.turns[number - 1].text
        ):
            return Found("a tool result follows a turn that called no tool", place)
        previous = turn.role
    return None


def _empty_turn(example: Example, survey: None) -> Found | None:
    last = len(example.turns) - 1
    for number, turn in enumerate(example.turns):
        if turn.text.strip() or turn.calls or (number == last and turn.role == "assistant"):
            continue
        return Found(f"turn {number + 1} of {last + 1} ({turn.role}) is empty", Span(number, 0, len(turn.text)))
    return None


def _ends_on_user(example: Example, survey: None) -> Found | None:
    if not example.turns or example.turns[-1].role == "assistant":
        return None
    turn = example.turns[-1]
    return Found(
        f"the conversation ends on the {turn.role}, there is no answer to learn",
        Span(len(example.turns) - 1, 0, len(turn.text)),
    )


ROLE_ORDER = Signal("role_order", "check", "turns are out of order", _role_order)
EMPTY_TURN = Signal("empty_turn", "check", "a turn in the middle is empty", _empty_turn)
ENDS_ON_USER = Signal("ends_on_user", "check", "the last turn is not an answer", _ends_on_user)
