"""Which field of a row is what: from a row in its own shape to turns, and back for edits.

The raw row is always kept, so a shape only has to say where the texts are; nothing is converted on reading.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import UsageError
from engine.model import Row, ShapeName, Turn
from engine.sources.guess import guess_row
from engine.sources.mapping import Mapping, Path, is_turn_list, parse_path, turn_list, value_at

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class EditableField:
    """One text of a row that a person may change: its label, its path in the raw row, its text."""

    label: str
    path: Path
    text: str


ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "ipython": "tool",
}


def text_of(value: Any) -> str:
    """A value as text: strings as they are, nothing as '', content parts joined, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, dict) and "type" in part for part in value):
        return "\n".join(_part_text(part) for part in value)
    return json.dumps(value, ensure_ascii=False)


def _part_text(part: dict[str, Any]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else f"[{part.get('type')}]"


def turns_of(row: Row, mapping: Mapping) -> tuple[Turn, ...]:
    """The conversation in `row`; a row of another shape than the mapping's is read by its own. () where it has none."""
    turns = _turns(row, mapping)
    if not turns:
        own = guess_row(row)
        if own is not None and own.shape != mapping.shape:
            return _turns(row, own)
    return turns


def _turns(row: Row, mapping: Mapping) -> tuple[Turn, ...]:
    fields = mapping.fields
    if mapping.shape == "messages":
        return _chat_turns(value_at(row, parse_path(fields["messages"])), "role", "content")
    if mapping.shape == "sharegpt":
        system = text_of(value_at(row, parse_path(fields["system"]))) if "system" in fields else ""
        head = (Turn("system", system),) if system.strip() else ()
        return head + _chat_turns(value_at(row, parse_path(fields["conversations"])), "from", "value")
    if mapping.shape == "preference":
        return _preference_turns(row, fields)
    if mapping.shape == "text":
        text = value_at(row, parse_path(fields["text"]))
        return () if text is None else (Turn("assistant", text_of(text)),)
    return _pair_turns(row, fields)


def _chat_turns(value: Any, role_key: str, text_key: str) -> tuple[Turn, ...]:
    messages = turn_list(value)
    if not isinstance(messages, list):
        return ()
    return tuple(_chat_turn(message, role_key, text_key) for message in messages if isinstance(message, dict))


def _chat_turn(message: dict[str, Any], role_key: str, text_key: str) -> Turn:
    spoken = str(message.get(role_key, "")).strip().lower()
    text = text_of(message.get(text_key))
    calls = message.get("tool_calls")
    call_texts = tuple(json.dumps(call, ensure_ascii=False) for call in calls) if isinstance(calls, list) else ()
    if spoken == "function_call":
        text, call_texts = "", (text,)
    weight = message.get("weight", 1)
    return Turn(ROLES.get(spoken, "user"), text, call_texts, train=weight != 0)


def _side(value: Any, role: Role) -> tuple[Turn, ...]:
    """One half of a pair: a string is one turn, a list of messages is its turns."""
    if is_turn_list(value, "role"):
        return _chat_turns(value, "role", "content")
    return (Turn(role, text_of(value)),)


def _preference_turns(row: Row, fields: dict[str, str]) -> tuple[Turn, ...]:
    """The request and the chosen answer; the rejected one is no turn, it stays in the raw row and in the editor."""
    chosen = value_at(row, parse_path(fields["chosen"]))
    if chosen is None:
        return ()
    prompt = value_at(row, parse_path(fields["prompt"])) if "prompt" in fields else None
    return (() if prompt is None else _side(prompt, "user")) + _side(chosen, "assistant")


def _pair_turns(row: Row, fields: dict[str, str]) -> tuple[Turn, ...]:
    def value(name: str) -> Any:
        return value_at(row, parse_path(fields[name])) if name in fields else None

    if value("instruction") is None and value("output") is None:
        return ()
    turns: list[Turn] = []
    if text_of(value("system")).strip():
        turns.append(Turn("system", text_of(value("system"))))
    history = turn_list(value("history"))
    for pair in history if isinstance(history, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            turns += [Turn("user", text_of(pair[0])), Turn("assistant", text_of(pair[1]))]
    request = _side(value("instruction"), "user")
    context = text_of(value("input"))
    if context.strip() and len(request) == 1:
        request = (Turn("user", f"{request[0].text}\n\n{context}"),)
    return (*turns, *request, *_side(value("output"), "assistant"))


def editable_fields(row: Row, mapping: Mapping) -> tuple[EditableField, ...]:
    """The texts of `row` that the editor shows, in reading order. Only plain strings can be edited in place."""
    own = mapping
    if not _turns(row, mapping):
        own = guess_row(row) or mapping
    found: list[EditableField] = []
    for part in EDITED_PARTS[own.shape]:
        if part in own.fields:
            found += _texts_under(value_at(row, parse_path(own.fields[part])), parse_path(own.fields[part]))
    return tuple(found)


EDITED_PARTS: dict[ShapeName, tuple[str, ...]] = {
    "alpaca": ("system", "instruction", "input", "output"),
    "messages": ("messages",),
    "sharegpt": ("system", "conversations"),
    "preference": ("prompt", "chosen", "rejected"),
    "text": ("text",),
}


def _texts_under(value: Any, path: Path) -> list[EditableField]:
    """A string is one field; of a list of turns each turn's string is one."""
    if isinstance(value, str):
        return [EditableField(".".join(map(str, path)), path, value)]
    if not isinstance(value, list):
        return []
    fields = []
    for number, turn in enumerate(value):
        if isinstance(turn, dict):
            role = turn.get("role", turn.get("from", "?"))
            for key in ("content", "value"):
                if isinstance(turn.get(key), str):
                    fields.append(EditableField(f"turn {number + 1}, {role}", (*path, number, key), turn[key]))
    return fields


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


def trainable(turns: Sequence[Turn]) -> bool:
    """Whether a trainer can learn from these turns: a request, and an answer at the end."""
    return bool(turns) and turns[-1].role == "assistant" and any(turn.role in ("user", "tool") for turn in turns[:-1])
