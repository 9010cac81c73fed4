"""Records of a JSON source as rows: an object is one, so is a list of messages; a list of rows is many."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from engine.model import Quarantined
from engine.nesting import TOO_DEEP, nested_too_deep
from engine.sources.arrays import ArrayText
from engine.sources.pieces import ON_ONE_LINE, WRAPPED, SourceRow, set_aside
from engine.sources.text_source import SourceText

MARKED, CRLF, TWICE = "byte order mark", "CRLF line end", "key stands twice"
SPEAKER_KEYS = ("role", "from", "speaker", "sender")
SPOKEN_KEYS = ("content", "value", "text", "parts", "message", "tool_calls", "function_call")
USERS = frozenset({"user", "human", "prompter"})
ASSISTANTS = frozenset({"assistant", "gpt", "chatgpt", "bot", "model", "chatbot", "ai"})
SPEAKERS = USERS | ASSISTANTS | {"system", "developer", "tool", "function", "observation", "function_call"}


def pieces_of(line: int, offset: int, content: bytes, notes: tuple[str, ...] = ()) -> Iterable[SourceRow | Quarantined]:
    """One line or element as its row, or as its rows where it is a list of them, or set aside with the reason.

    A list of messages becomes a row that holds it under `messages` (`conversations` where they say `from`).
    """
    watch = _Watch()
    value = _value_of(line, offset, content, watch)
    if isinstance(value, Quarantined):
        return (value,)
    notes += ((CRLF,) if content.endswith(b"\r") else ()) + ((TWICE,) if watch.twice else ())
    if isinstance(value, dict):
        return (_on_one_line(SourceRow(line, offset, content, value, notes)),)
    if is_message_list(value):
        name = list_name(value[0])
        wrapped = b'{"%b": %b}' % (name.encode(), _one_line(content))
        if nested_too_deep(wrapped):
            return (set_aside(line, offset, TOO_DEEP, content),)
        return (SourceRow(line, offset, wrapped, {name: value}, (*notes, WRAPPED)),)
    if isinstance(value, list) and any(map(_holds_objects, value)):
        return _elements_of(line, offset, content, tuple(note for note in notes if note == MARKED))
    return (set_aside(line, offset, f"a JSON {_json_kind(value)}, not an object", content),)


def _elements_of(line: int, offset: int, content: bytes, notes: tuple[str, ...]) -> Iterator[SourceRow | Quarantined]:
    for start, record, _ in ArrayText(SourceText(io.BytesIO(content))).elements():
        yield from pieces_of(line, offset + start, record.content, notes)


def _value_of(line: int, offset: int, content: bytes, watch: _Watch) -> Any:
    try:
        text = content.decode("utf-8")
        if nested_too_deep(content):
            return set_aside(line, offset, TOO_DEEP, content)
        return json.loads(text, object_pairs_hook=watch)
    except UnicodeDecodeError as error:
        return set_aside(line, offset, f"not UTF-8 at byte {error.start} of the line", content)
    except json.JSONDecodeError as error:
        return set_aside(line, offset, f"not JSON: {error.msg} at column {error.colno}", content)
    except ValueError:
        # The one other thing the parser refuses, because making such a number takes time in the square of its length.
        return set_aside(line, offset, f"a whole number of more than {sys.get_int_max_str_digits():,} digits", content)
    except MemoryError:
        return set_aside(line, offset, "needs more memory than there is", content)


class _Watch:
    """Makes objects of pairs as `dict` does (the last of equal keys counts) and notices equal keys."""

    twice = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.twice = self.twice or len(made) != len(pairs)
        return made


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}[type(value)]


def _holds_objects(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def _on_one_line(row: SourceRow) -> SourceRow:
    """rows.jsonl holds a row a line."""
    if b"\n" not in row.content:
        return row
    return replace(row, content=_one_line(row.content), notes=(*row.notes, ON_ONE_LINE))


def _one_line(content: bytes) -> bytes:
    """Line breaks of valid JSON stand between its parts, never in a string."""
    return b" ".join(filter(None, map(bytes.strip, content.splitlines()))) if b"\n" in content else content.strip()


def is_message_list(value: object) -> bool:
    """Whether a JSON value is a conversation by its form: objects alone, each with a speaker and something said."""
    return isinstance(value, list) and bool(value) and all(map(_is_message, value)) and _has_known_speaker(value)


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and speaker(value) != "" and any(key in value for key in SPOKEN_KEYS)


def _has_known_speaker(messages: list[dict[str, Any]]) -> bool:
    """`role` says what it is; who sends mails or tweets is in fields of the other names, too."""
    return all("role" in message for message in messages) or any(speaker(message) in SPEAKERS for message in messages)


def speaker(message: dict[str, Any]) -> str:
    """Who speaks, in lower case; '' where nothing says so."""
    said = next((message[key] for key in SPEAKER_KEYS if isinstance(message.get(key), str)), "")
    return said.strip().lower()


def list_name(message: dict[str, Any]) -> str:
    """The name under which the message lists of its form stand in a row."""
    return "conversations" if "from" in message and "role" not in message else "messages"
