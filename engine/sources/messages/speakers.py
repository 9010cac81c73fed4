"""Who speaks in an object that may be a message, before anything is known of the row that it stands in."""

from __future__ import annotations

from typing import Any

SPEAKER_KEYS = ("role", "from", "speaker", "sender")
SPOKEN_KEYS = ("content", "value", "text", "parts", "message", "tool_calls", "function_call")
USERS = frozenset({"user", "human", "prompter"})
ASSISTANTS = frozenset({"assistant", "gpt", "chatgpt", "bot", "model", "chatbot", "ai"})
SPEAKERS = USERS | ASSISTANTS | {"system", "developer", "tool", "function", "observation", "function_call"}


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
