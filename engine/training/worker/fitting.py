"""A conversation changed, as the run's settings say, where a chat template cannot take it as it is; and which of these
settings would help a row.

Each change may be made twice: what is fitted already stays. A turn is never moved past one that is not like it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Message = Mapping[str, Any]

SYSTEM_ROLES = ("system", "developer")
BETWEEN = "\n\n"
THINK, CLOSED = "<think>", "</think>"
OWN_TURN, FIRST_USER_TURN = "own turn", "first user turn"
AS_THEY_ARE, MERGED = "as they are", "merged"
OWN_FIELD, IN_THE_ANSWER, LEFT_OUT = "own field", "in the answer", "left out"


@dataclass(frozen=True, slots=True)
class Fitting:
    """The settings `system_prompt`, `repeated_turns` and `reasoning` of a run; the defaults change nothing."""

    system_prompt: str = OWN_TURN
    repeated_turns: str = AS_THEY_ARE
    reasoning: str = OWN_FIELD

    def in_words(self) -> str:
        """What is changed, as a clause of a sentence; "" where nothing is."""
        told = (
            (self.system_prompt == FIRST_USER_TURN, "the system prompt stands at the head of the user turn behind it"),
            (self.repeated_turns == MERGED, "turns of one role behind each other are one"),
            (self.reasoning == IN_THE_ANSWER, f"reasoning stands in the answer, as {THINK}\u2026{CLOSED}"),
            (self.reasoning == LEFT_OUT, "reasoning is left out"),
        )
        return "; ".join(words for is_set, words in told if is_set)


AS_IT_IS = Fitting()


def fitting_of(values: Mapping[str, Any]) -> Fitting:
    """The fitting that a spec's values, or a request's, name; those of an earlier tamis name none."""
    return Fitting(
        values.get("system_prompt", OWN_TURN),
        values.get("repeated_turns", AS_THEY_ARE),
        values.get("reasoning", OWN_FIELD),
    )


def fitted(messages: Sequence[Message], fitting: Fitting) -> tuple[Message, ...]:
    """The messages as the settings want them."""
    found = list(messages)
    if fitting.reasoning != OWN_FIELD:
        found = [_reasoning_moved(message, fitting.reasoning) for message in found]
    if fitting.system_prompt == FIRST_USER_TURN:
        found = list(_system_moved(found))
    if fitting.repeated_turns == MERGED:
        found = list(_merged(found))
    return tuple(found)


def _reasoning_moved(message: Message, where: str) -> Message:
    reasoning = message.get("reasoning_content")
    kept = {key: value for key, value in message.items() if key != "reasoning_content"}
    if where == IN_THE_ANSWER:
        if not reasoning:
            return message
        return {**kept, "content": f"{THINK}\n{reasoning}\n{CLOSED}{BETWEEN}{message['content']}"}
    if message["role"] == "assistant" and message["content"].lstrip().startswith(THINK):
        inside, closed, answer = message["content"].partition(CLOSED)
        if closed and inside:
            kept["content"] = answer.lstrip("\n")
    return kept


def _system_moved(messages: Sequence[Message]) -> Iterator[Message]:
    """Each system turn goes to the head of the user turn behind it; where none is, it stays."""
    waiting: list[Message] = []
    for message in messages:
        if message["role"] in SYSTEM_ROLES:
            waiting.append(message)
        elif message["role"] == "user":
            yield {**message, "content": _joined([*(turn["content"] for turn in waiting), message["content"]])}
            waiting = []
        else:
            yield from waiting
            yield message
            waiting = []
    yield from waiting


def _merged(messages: Sequence[Message]) -> Iterator[Message]:
    """Neighbours of one role as one message, where nothing of either changes its place."""
    before: Message | None = None
    for message in messages:
        if before is not None and _can_follow(before, message):
            joined = {**before, **message, "content": _joined([before["content"], message["content"]])}
            before = joined | ({"reasoning_content": before["reasoning_content"]} if _thinks(before) else {})
            continue
        if before is not None:
            yield before
        before = message
    if before is not None:
        yield before


def _can_follow(before: Message, message: Message) -> bool:
    """Results of tools answer each to its own call; what is not learnt stays apart from what is."""
    return bool(
        before["role"] == message["role"] != "tool"
        and not before.get("tool_calls")
        and not _thinks(message)
        and before.get("train") == message.get("train")
        and before.get("name") == message.get("name")
    )


def _thinks(message: Message) -> bool:
    return bool(message.get("reasoning_content"))


def _joined(texts: Sequence[str]) -> str:
    return BETWEEN.join(text for text in texts if text)


def proposals(messages: Sequence[Message], fitting: Fitting) -> Iterator[dict[str, str]]:
    """Settings that would change this conversation, those that change least first. Leaving out is never proposed: it
    is a loss, and the person's to choose."""
    wanted: list[tuple[bool, dict[str, str]]] = [
        (any(message["role"] in SYSTEM_ROLES for message in messages), {"system_prompt": FIRST_USER_TURN}),
        (True, {"repeated_turns": MERGED}),
        (True, {"system_prompt": FIRST_USER_TURN, "repeated_turns": MERGED}),
        (any(map(_thinks, messages)), {"reasoning": IN_THE_ANSWER}),
        (any(map(_thinks, messages)), {"reasoning": IN_THE_ANSWER, "system_prompt": FIRST_USER_TURN}),
    ]
    now = fitted(messages, fitting)
    for is_of_use, settings in wanted:
        change: Callable[..., Fitting] = replace
        if is_of_use and fitted(messages, change(fitting, **settings)) != now:
            yield settings
