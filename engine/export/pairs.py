"""A request and its answer as Alpaca fields, as prompt and completion, as a preference pair, or as a row of KTO.

Each but Alpaca has two forms, and a whole set takes one of them, so that a trainer sees one kind of column: plain texts
where every row is one request and one answer, else lists of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.export import losses as lost
from engine.export.chat_messages import beside_messages, messages_of, plain_text
from engine.export.losses import CHAT, TEXTS_ALONE, Converted, Holds, Unwritable, unheld
from engine.model import Example, Message, Row

# Trainers look at the first message of a prompt, so that none of them takes an empty list.
NO_REQUEST = ({"role": "user", "content": ""},)
NO_RESPONSE = ({"role": "assistant", "content": ""},)
FURTHER_TURNS = "further turns"
SYSTEM_PLACE = "the place of a later system prompt"


def _split(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """(the request with all before it, the closing answer: one message or none)."""
    ends = bool(messages) and messages[-1].role == "assistant"
    return (messages[:-1], messages[-1:]) if ends else (messages, ())


def _no_answer(example: Example) -> tuple[str, ...]:
    return () if not example.messages or _split(example.messages)[1] else (lost.NO_ANSWER,)


def to_pair(example: Example) -> Converted:
    """`{"prompt": text, "completion": text}` for one request and one answer."""
    return _plain_pair(example, TEXTS_ALONE)


def _plain_pair(example: Example, holds: Holds) -> Converted:
    request, answer = _split(example.messages)
    found = unheld(example, holds)
    further = (FURTHER_TURNS,) if len(request) > 1 else ()
    row = {"prompt": _joined(request), "completion": _joined(answer)}
    return Converted(row, (*found.losses, *further, *_no_answer(example)), found.left_behind)


def _joined(messages: Sequence[Message]) -> str:
    return "\n\n".join(plain_text(message) for message in messages)


def to_conversational_pair(example: Example) -> Converted:
    """`{"prompt": [messages], "completion": [the closing answer]}`, with `tools` beside them."""
    request, _ = _split(example.messages)
    earlier = any(message.role == "assistant" and message.train for message in request)
    made = _chat_pair(example, CHAT)
    return Converted(made.row, made.losses + ((lost.EARLIER_ANSWERS,) if earlier else ()), made.left_behind)


def _chat_pair(example: Example, holds: Holds) -> Converted:
    request, answer = _split(example.messages)
    found = unheld(example, holds)
    # A prompt is never trained on, so its marks say nothing; what is marked at the end would be.
    mark = (lost.MARK,) if answer and not answer[0].train else ()
    written = [
        {key: value for key, value in message.items() if key != "weight"}
        for message in messages_of(example.messages, example.raw)
    ]
    row: dict[str, Any] = {
        "prompt": written[: len(request)] or list(NO_REQUEST),
        "completion": written[len(request) :] or list(NO_RESPONSE),
    }
    return Converted(row | beside_messages(example), (*found.losses, *mark, *_no_answer(example)), found.left_behind)


def to_alpaca(example: Example) -> Converted:
    """`{"instruction", "input", "output"}`, and where there are any `system`, and earlier turns as `history`."""
    spoken = [message for message in example.messages if message.role != "system"]
    before, answer = _split(spoken)
    asked = max((place for place, message in enumerate(before) if message.role == "user"), default=len(before))
    request, earlier = before[asked : asked + 1], before[:asked]
    history = _history(earlier)
    found = unheld(example, TEXTS_ALONE)
    losses = [*found.losses, *_no_answer(example)]
    if len(history) * 2 != len(earlier) or len(before) > asked + 1:
        losses.append(FURTHER_TURNS)
    instruction, given = _as_the_row_splits(_joined(request), example.raw)
    row: dict[str, Any] = {"instruction": instruction, "input": given, "output": _joined(answer)}
    systems = [place for place, message in enumerate(example.messages) if message.role == "system"]
    if systems:
        row["system"] = "\n\n".join(plain_text(example.messages[place]) for place in systems)
    if history:
        row["history"] = history
    moved = (SYSTEM_PLACE,) if systems and systems[-1] >= len(systems) else ()
    return Converted(row, tuple(losses), (*found.left_behind, *moved))


def _history(earlier: Sequence[Message]) -> list[list[str]]:
    """Earlier requests with their answers; [] where they are not one of each in turn."""
    roles = [message.role for message in earlier]
    if len(roles) % 2 or roles != ["user", "assistant"] * (len(roles) // 2):
        return []
    texts = [plain_text(message) for message in earlier]
    return [[asked, said] for asked, said in zip(texts[::2], texts[1::2], strict=True)]


def _as_the_row_splits(request: str, row: Row) -> tuple[str, str]:
    """(instruction, input): a request that two fields of the row make up stays two fields."""
    texts = [value for value in row.values() if isinstance(value, str) and value]
    for first in texts:
        rest = request.removeprefix(f"{first}\n\n")
        if rest != request and rest in texts:
            return first, rest
    return request, ""


def to_preference(example: Example) -> Converted:
    """`{"prompt", "chosen", "rejected"}` as texts. Raises Unwritable for a row that has no rejected answer."""
    rejected = _rejected(example)
    made = _plain_pair(example, TEXTS_ALONE | {"rejected"})
    row = {"prompt": made.row["prompt"], "chosen": made.row["completion"], "rejected": _joined(rejected)}
    return Converted(row, made.losses, made.left_behind)


def to_conversational_preference(example: Example) -> Converted:
    """`{"prompt", "chosen", "rejected"}` as lists of messages, with `tools` beside them. Raises Unwritable for a row
    that has no rejected answer."""
    rejected = _rejected(example)
    shared = _shared(example.messages, rejected)
    found = unheld(example, CHAT | {"rejected"})
    written = messages_of(example.messages, example.raw)
    row: dict[str, Any] = {
        "prompt": written[:shared] or list(NO_REQUEST),
        "chosen": written[shared:] or list(NO_RESPONSE),
        "rejected": messages_of(rejected, example.raw) or list(NO_RESPONSE),
    }
    return Converted(row | beside_messages(example), (*found.losses, *_no_answer(example)), found.left_behind)


def _rejected(example: Example) -> Sequence[Message]:
    if not example.conversation.rejected:
        raise Unwritable(example, "it has no rejected answer", "preference pairs cannot be made of single answers")
    return example.conversation.rejected[0]


def _shared(messages: Sequence[Message], rejected: Sequence[Message]) -> int:
    """How many messages both answers follow: where the rejected one, put in their place, is as long as the chosen."""
    request = len(_split(messages)[0])
    place = len(messages) - len(rejected)
    fits = 0 < place < len(messages) and messages[place].role == "assistant" == rejected[0].role
    return place if fits else request


def to_kto(example: Example) -> Converted:
    """`{"prompt": text, "completion": text, "label"}`. Raises Unwritable for a row without a label."""
    label = _label(example)
    made = _plain_pair(example, TEXTS_ALONE | {"label"})
    return Converted({**made.row, "label": label}, made.losses, made.left_behind)


def to_conversational_kto(example: Example) -> Converted:
    """`{"prompt": [messages], "completion": [the answer], "label"}`. Raises Unwritable for a row without a label."""
    label = _label(example)
    made = _chat_pair(example, CHAT | {"label"})
    return Converted({**made.row, "label": label}, made.losses, made.left_behind)


def _label(example: Example) -> bool:
    if example.conversation.label is None:
        raise Unwritable(
            example, "it has no label", "rows of KTO say of each answer whether it is wanted: true or false"
        )
    return example.conversation.label
