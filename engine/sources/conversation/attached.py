"""What stands beside the messages in fields of its own and belongs to one of them: system prompt, reasoning, media."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.model import Message, Part, PartType
from engine.sources.conversation.row_fields import RowFields
from engine.sources.messages.parts import is_parts, parsed, plain, said_in
from engine.sources.messages.preformatted import system_of_text

Branch = tuple[Message, ...]
_MEDIA: tuple[tuple[str, PartType], ...] = (("images", "image"), ("audios", "audio"), ("videos", "video"))


def with_attached(messages: Branch, fields: RowFields) -> Branch:
    """The messages with what the fields say of them."""
    return _with_media(_with_reasoning(_with_system(messages, fields), fields), fields)


def _with_system(messages: Branch, fields: RowFields) -> Branch:
    value = fields.value("system")
    if isinstance(value, str) and isinstance(parts := parsed(value), list) and is_parts(parts):
        value = parts
    if value in (None, "", [], {}):
        return messages
    if isinstance(value, str):
        content: Any = system_of_text(value)
    else:
        said = said_in(value, fields.at("system"))
        fields.left += [(path, inner, True) for path, inner in said.left if path[-1] != "role"]
        content = said.content
    if not (content.strip() if isinstance(content, str) else content):
        return messages
    if messages and messages[0] == Message("system", content):
        return messages
    return (Message("system", content), *messages)


def _with_reasoning(messages: Branch, fields: RowFields) -> Branch:
    """Reasoning in a field of its own belongs to the closing answer."""
    value = fields.value("reasoning")
    if not isinstance(value, str) or not value.strip():
        return messages
    if not messages or messages[-1].role != "assistant" or messages[-1].reasoning:
        fields.left.append((fields.at("reasoning"), value, False))
        return messages
    return (*messages[:-1], replace(messages[-1], reasoning=value, written=""))


def _with_media(messages: Branch, fields: RowFields) -> Branch:
    """Media in a column of their own belong to the first request, as trainers read them."""
    parts: list[Part] = []
    for field, kind in _MEDIA:
        value = fields.value(field)
        for held in value if isinstance(value, list) else () if value is None else (value,):
            said = said_in([{kind: held}])
            parts += [part for part in said.parts if part.type == kind] or [Part(kind, plain(held))]
    if not parts:
        return messages
    place = next((place for place, message in enumerate(messages) if message.role == "user"), -1)
    if place < 0:
        return (Message("user", tuple(parts)), *messages)
    asked = messages[place]
    texts = asked.content if isinstance(asked.content, tuple) else (Part("text", asked.content),)
    shown = Message("user", (*parts, *texts), name=asked.name)
    return (*messages[:place], shown, *messages[place + 1 :])
