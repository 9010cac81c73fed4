"""The texts of a row that a person may change, and the row with them changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from engine.errors import UsageError
from engine.model import Conversation, Row
from engine.sources.conversation.conversation import conversation_of, mapping_of
from engine.sources.mapping import Mapping, Path, value_at
from engine.sources.messages.messages import speaker_in
from engine.sources.messages.own_messages import MessageForm, form_of
from engine.sources.messages.places import places_of


@dataclass(frozen=True, slots=True)
class EditableField:
    """One text of a row that a person may change: its label, its path in the raw row, its text."""

    label: str
    path: Path
    text: str


def editable_fields(row: Row, mapping: Mapping) -> tuple[EditableField, ...]:
    """The texts of `row` that the editor shows, in reading order: every string that is part of what the row says. What
    is no string in the file (a number, an object) is not edited in place."""
    own = mapping_of(row, mapping)
    said = _texts_of(conversation_of(row, own))
    form = form_of(own.fields)
    parts = [part for part in EDITED_PARTS if part in own.fields]
    if "messages" in parts and "prompt" in parts:
        # Request and answer stand in each element of the list.
        parts.remove("prompt")
    found: dict[Path, EditableField] = {}
    for part in parts:
        for path, value in places_of(row, own.fields[part]):
            path, value = _outside_of_text(row, path, value)
            for field in _texts_under(value, path, said, form):
                found.setdefault(field.path, field)
    return tuple(found.values())


def _outside_of_text(row: Row, path: Path, value: Any) -> tuple[Path, Any]:
    """Where a value stands in JSON text, that text: it is edited as it is written."""
    held: Any = row
    for place, step in enumerate(path):
        if isinstance(held, str):
            return path[:place], held
        held = value_at(held, (step,))
    return path, value


EDITED_PARTS = (
    *("system", "history", "instruction", "input", "reasoning", "output", "messages", "conversations"),
    *("prompt", "chosen", "rejected", "candidates", "text"),
)


# A text that is empty is said nowhere, and may be written all the same.
_SAID_AT: tuple[Path, ...] = (("content",), ("value",), ("message", "content"))


def _texts_of(conversation: Conversation) -> set[str]:
    """Every text that is said, each as the file may hold it."""
    texts: set[str] = set()
    for message in chain(conversation.messages, *conversation.rejected, *conversation.candidates):
        parts = (message.content,) if isinstance(message.content, str) else (part.value for part in message.content)
        texts.update(parts)
        texts.update((message.reasoning, *message.reasoning.split("\n"), message.written))
        texts.update(call.arguments for call in message.tool_calls)
    return texts


def _texts_under(value: Any, path: Path, said: set[str], form: MessageForm | None = None) -> Iterator[EditableField]:
    """A string is one field; of a list of turns each text that is said, under its place and who says it."""
    if isinstance(value, str):
        yield EditableField(".".join(map(str, path)), path, value)
        return
    turns = enumerate(value) if isinstance(value, list) else [(None, value)]
    for place, turn in turns:
        at = path if place is None else (*path, place)
        if isinstance(turn, str):
            yield EditableField(".".join(map(str, at)), at, turn)
            continue
        texts = [(inner, text) for inner, text in _strings(turn) if text in said or inner in _SAID_AT]
        for inner, text in texts:
            head = "" if place is None else f"turn {place + 1}, {_speaker(turn, form)}"
            below = _called(turn, inner) or ("" if len(texts) == 1 or inner in _SAID_AT else ".".join(map(str, inner)))
            label = ", ".join(part for part in (head, below) if part) or ".".join(map(str, (*at, *inner)))
            yield EditableField(label, (*at, *inner), text)


def _called(turn: Any, path: Path) -> str:
    """`calls NAME` where a text is what a call hands over."""
    name = value_at(turn, (*path[:-1], "name")) if path[-1] == "arguments" else None
    return f"calls {name}" if isinstance(name, str) else ""


def _strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every string in a value and where it stands; who speaks, and of what type a part is, are no texts."""
    if isinstance(value, str):
        if path and path[-1] not in ("role", "from", "type", "name"):
            yield path, value
    elif isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _strings(inner, (*path, step))


def _speaker(turn: Any, form: MessageForm | None) -> str:
    if form is not None and form.role is not None:
        spoken = value_at(turn, form.role)
        return form.role_of(spoken) if spoken is not None else "?"
    return speaker_in(turn) if isinstance(turn, dict) else "?"


def with_texts(row: Row, texts: dict[Path, str]) -> dict[str, Any]:
    """A copy of `row` in which the string at each path is replaced. Raises UsageError for a path that is not there."""
    changed: dict[str, Any] = copy.deepcopy(dict(row))
    for path, text in texts.items():
        holder: Any = changed
        dotted = ".".join(str(step) for step in path)
        if dotted in changed:
            changed[dotted] = text
            continue
        for step in path[:-1]:
            holder = value_at(holder, (step,))
        if not isinstance(holder, dict | list) or value_at(holder, path[-1:]) is None:
            raise UsageError(f"the row has no text at {dotted}")
        last = path[-1]
        # A key of digits is a place only in a list.
        holder[str(last) if isinstance(holder, dict) else last] = text  # type: ignore[index]
    return changed
