"""What a conversation holds beside the user's words and the closing answer's: what makes it another request, and what
makes its answer another one.

Both are kept as they stand and brought into a comparable form only where two rows might be the same. Metadata counts
for nothing; links are compared up to renaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from engine.model import Conversation, Message, ToolCall
from engine.nesting import loads
from engine.scan.text import exact_form

Content = tuple[tuple[str, str], ...]
"""Pieces of content: what each is, and its text. What begins with "=" is compared as it is written."""


SYSTEM_PROMPT, LABEL, _TOOL = "system prompt", "=label", "tool"


class Said(NamedTuple):
    """One answer: its words, its calls, and whether it is to be learnt. `asked` is the number of user turns before."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    train: bool = True
    asked: int = 1


def words_of(message: Message) -> str:
    """The text of a message without what it only shows: another picture is told apart by its address."""
    content = message.content
    if isinstance(content, str):
        return content
    return "\n".join([part.value for part in content if part.type in ("text", "json")])


def is_plain(conversation: Conversation) -> bool:
    """Whether nothing stands beside the messages that counts."""
    return not (
        conversation.tools
        or conversation.other
        or conversation.rejected
        or conversation.candidates
        or conversation.label is not None
    )


def has_only_words(message: Message) -> bool:
    """Whether a message is its words and nothing more."""
    return (
        type(message.content) is str
        and not message.tool_calls
        and not message.reasoning
        and not message.name
        and message.train
    )


def context_of(conversation: Conversation) -> Content:
    """What makes the same words of a user another request: tools, their results, what is shown, other speakers."""
    found: list[tuple[str, str]] = [(_TOOL, tool) for tool in conversation.tools]
    spoken = [message for message in conversation.messages if message.role != "system"]
    if not spoken:
        found += _other(conversation)
    if any(message.role != ("assistant" if place % 2 else "user") for place, message in enumerate(spoken)):
        found.append(("=roles", " ".join([message.role for message in spoken])))
    for message in conversation.messages:
        if message.role == "system":
            found += _shown(message, "system")
    called: dict[str, int] = {}
    for place, message in enumerate(spoken):
        for call in message.tool_calls:
            called[call.id] = len(called)
        if message.role == "assistant":
            continue
        found += _shown(message, str(place))
        if message.role != "user":
            # Which call a result belongs to, not how the two are tied.
            which = called.get(message.tool_call_id, "") if message.tool_call_id else ""
            found.append((f"{message.role} {message.name} {which}", words_of(message)))
            found += [(f"={message.role} call", canonical_call(call)) for call in message.tool_calls]
    return tuple(found)


def beside_of(conversation: Conversation) -> Content:
    """What makes the same words of an assistant another answer: reasoning, what is shown, what is to be learnt, answers
    that are not wanted, further ones, and content that nobody understood."""
    found: list[tuple[str, str]] = []
    systems = [words_of(message) for message in conversation.messages if message.role == "system"]
    if systems:
        found.append((SYSTEM_PROMPT, "\n".join(systems)))
    answers = [message for message in conversation.messages if message.role == "assistant"]
    for place, message in enumerate(answers):
        if message.reasoning:
            found.append((f"reasoning {place}", message.reasoning))
        found += _shown(message, str(place))
    if not all(message.train for message in answers):
        found.append(("=what is learnt", " ".join([str(int(message.train)) for message in answers])))
    found += [(f"=name {place}", one.name) for place, one in enumerate(conversation.messages) if one.name]
    return (*found, *_other_answers(conversation), *_other(conversation))


def beside_messages(conversation: Conversation) -> Content:
    """All content of a row that stands in no message of the talk: system prompt, tools, other answers, the rest."""
    systems = [message for message in conversation.messages if message.role == "system"]
    found = [(SYSTEM_PROMPT, "\n".join(map(words_of, systems)))] if systems else []
    for message in systems:
        found += _shown(message, "system")
    found += [(_TOOL, tool) for tool in conversation.tools]
    return (*found, *_other_answers(conversation), *_other(conversation))


def beside_words(message: Message) -> Content:
    """All content of one message beside its words and calls."""
    found = [("reasoning", message.reasoning), ("=name", message.name), ("=learnt", str(message.train))]
    return (*found, *_shown(message, ""))


def comparable(content: Content) -> Content:
    """The form in which content counts as the same: JSON by its values, words but for case and spacing. The order of
    tools says nothing."""
    formed = [(name, text if name[0] == "=" else canonical(text)) for name, text in content]
    return tuple(sorted(piece for piece in formed if piece[0] == _TOOL) + [one for one in formed if one[0] != _TOOL])


def canonical(text: str) -> str:
    """JSON in one way of writing it; any other text in the form in which it counts as the same."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(_numbers(loads(text)), sort_keys=True, ensure_ascii=False)
        except ValueError:
            pass
    return exact_form(text)


def canonical_call(call: ToolCall) -> str:
    """A call without its id, its arguments in one way of writing them."""
    arguments = call.arguments.strip()
    return f"{call.name}\0{canonical(arguments) if arguments[:1] in ('{', '[') else arguments}"


def differing(one: Content, other: Content) -> tuple[str, ...]:
    """What differs between two contents in comparable form, by name and without places."""
    names = [name for name, _ in sorted(set(one) ^ set(other))] or ["order"]
    return tuple(dict.fromkeys(name.strip("=").rstrip(" 0123456789") for name in names))


def _numbers(value: object) -> object:
    if isinstance(value, dict):
        return {key: _numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shown(message: Message, place: str) -> list[tuple[str, str]]:
    if isinstance(message.content, str):
        return []
    return [
        (f"{'' if part.type == 'json' else '='}{part.type} {place}", part.value)
        for part in message.content
        if part.type != "text"
    ]


def _answer(name: str, answer: Iterable[Message]) -> Iterator[tuple[str, str]]:
    for message in answer:
        yield name, f"{message.role}\n{message.reasoning}\n{message.text}"
        for call in message.tool_calls:
            yield f"={name}", canonical_call(call)


def _other_answers(conversation: Conversation) -> Iterator[tuple[str, str]]:
    for kind, others in (("rejected answer", conversation.rejected), ("further answer", conversation.candidates)):
        for place, answer in enumerate(others):
            yield from _answer(f"{kind} {place}", answer)
    if conversation.label is not None:
        yield LABEL, str(conversation.label)


def _other(conversation: Conversation) -> Sequence[tuple[str, str]]:
    return [(f"={leaf.path}", leaf.value) for leaf in conversation.other]
