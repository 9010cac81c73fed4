"""What the content of one message holds: texts, media, reasoning, calls of tools and their results.

Each API writes these in a form of its own (OpenAI's chat and responses, Anthropic, Bedrock, Gemini, LangChain). What is
in none of them is carried as JSON: nothing of a content is passed over.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import isnan
from typing import Any

from engine.model import Message, Part, PartType, ToolCall
from engine.nesting import loads
from engine.sources.mapping import Path
from engine.sources.messages.python_text import python_value

TEXT_KEYS = ("text", "value", "content", "refusal", "input_text", "output_text")
_TYPES = ("type", "block_type")
_TEXT_TYPES = frozenset(
    {
        "",
        "text",
        "input_text",
        "output_text",
        "summary_text",
        "refusal",
        "plain_text",
        "string",
        "markdown",
        "message",
        "request",
        "response",
    }
)
_REASONING_KEYS = ("thinking", "reasoning", "reasoningText", "reasoning_content", "text", "value", "content")
_REASONING_TYPES = frozenset({"thinking", "reasoning", "thought", "reasoning_content", "think"})
_CALL_KEYS = ("function", "functionCall", "toolUse", "function_call", "custom", "tool_call")
_DOTTED_CALL = "tool_call.function."
"""How OpenInference writes the keys of a call."""
_CALLS_IN = ("toolUse", "functionCall", "tool_call")
_CALL_TYPES = frozenset({"tool_use", "tool_call", "tool-call", "function_call"})
_RESULT_KEYS = ("toolResult", "functionResponse", "tool_call_result")
_RESULT_TYPES = frozenset({"tool_result", "tool-result", "function_response", "function_call_output"})
_NAMES, _ARGUMENTS = ("name", "toolName", "tool_name"), ("arguments", "args", "input", "parameters", "kwargs")
_IDS = ("id", "call_id", "tool_use_id", "toolUseId", "toolCallId", "tool_call_id")
_RESULTS = ("content", "output", "result", "response")
# The key that holds a medium; the `type` of a part may be any of these words, too.
_MEDIA: dict[str, PartType] = {
    **dict.fromkeys(("image_url", "image", "input_image", "img"), "image"),
    **dict.fromkeys(("audio_url", "input_audio", "audio"), "audio"),
    **dict.fromkeys(("video_url", "video", "input_video"), "video"),
    **dict.fromkeys(("input_file", "file_data", "fileData", "file", "document", "inlineData", "inline_data"), "file"),
}
# What ChatGPT's export says a content is, and the key that holds it.
_OF_CHATGPT = {
    "thoughts": "thoughts",
    "reasoning_recap": "content",
    "image_asset_pointer": "asset_pointer",
    "audio_asset_pointer": "asset_pointer",
}
# Where a medium lies, in the object that describes it: elsewhere, or in the row itself.
_PLACES = ("url", "image_url", "uri", "fileUri", "file_uri", "path", "file_id", "fileId", "filename", "file_name")
_BYTES = ("data", "bytes", "file_data", "base64", "b64_json")
_WRAPPED = ("source", "image_url", "file", "image", "s3Location")


@dataclass(slots=True)
class Said:
    """What a content says. `results` are the results of tools that stand in it, as messages of their own; `left` what
    stands beside in its parts, each with the place where it stands."""

    parts: list[Part] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: list[Message] = field(default_factory=list)
    left: list[tuple[Path, Any]] = field(default_factory=list)

    @property
    def content(self) -> str | tuple[Part, ...]:
        """One text alone is a text."""
        if not self.parts:
            return ""
        if len(self.parts) == 1 and self.parts[0].type == "text":
            return self.parts[0].value
        return tuple(self.parts)

    def leave(self, part: dict[str, Any], at: Path, *read: str) -> None:
        """Note what of a part was not read. That it is a part of its type is its form, and says nothing more."""
        self.left += [((*at, key), value) for key, value in part.items() if key not in read and key not in _TYPES]


def said_in(content: Any, at: Path = ()) -> Said:
    """What a content of any form says; `at` is where it stands in its row."""
    said = Said()
    _read(content, at, said)
    return said


def json_text(value: Any) -> str:
    """A value as the one line of JSON it is compared and shown by."""
    return json.dumps(value, ensure_ascii=False)


def plain(value: Any) -> str:
    """A value as text: a string as it is, nothing as '', anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text(value)


def parsed(value: Any) -> Any:
    """The text of an object or a list, in JSON or as Python writes it, as its value; anything else as it is."""
    if isinstance(value, str):
        head = value.lstrip()[:7]
        if head[:1] in ("{", "["):
            try:
                return loads(value)
            except ValueError:
                return python_value(value)
        if head == "array([":
            return python_value(value)
    return value


def first_of(held: dict[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    """The first of these names that has something behind it, and that; ('', None) where none has."""
    return next(((name, held[name]) for name in names if held.get(name) is not None), ("", None))


def call_of(held: Any, at: Path = (), left: list[tuple[Path, Any]] | None = None) -> ToolCall:
    """A call of a tool in any of the forms it is written in; what is none of them is kept as its arguments. What stands
    beside name, arguments and id is put on `left`."""
    call = parsed(held)
    if not isinstance(call, dict):
        return ToolCall("", plain(held))
    if any(key.startswith(_DOTTED_CALL) for key in call):
        call = {key.removeprefix("tool_call.").removeprefix("function."): value for key, value in call.items()}
    inner = next((name for name in _CALL_KEYS if isinstance(call.get(name), dict)), "")
    function = call[inner] if inner else call
    name_key, name = first_of(function, _NAMES)
    if not isinstance(name, str):
        return ToolCall("", plain(held))
    arguments_key, arguments = first_of(function, _ARGUMENTS)
    id_key, identifier = first_of(call, _IDS)
    if not identifier and inner:
        id_key, identifier = first_of(function, _IDS)
    if left is not None:
        read = {name_key, arguments_key, id_key, inner, "type"}
        left += [((*at, key), value) for key, value in call.items() if key not in read]
        if inner:
            left += [((*at, inner, key), value) for key, value in function.items() if key not in read]
    return ToolCall(name, plain(arguments), plain(identifier))


def is_parts(value: list[Any]) -> bool:
    """Whether a list holds parts of a content, each a text."""
    return bool(value) and all(
        isinstance(part, dict) and isinstance(part.get("type"), str) and isinstance(first_of(part, TEXT_KEYS)[1], str)
        for part in value
    )


def looks_like_calls(value: Any) -> bool:
    """Whether a value is a list of calls, each with a name and arguments."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(call, dict) and isinstance(call.get("name"), str) and "arguments" in call for call in value)
    )


def _read(content: Any, at: Path, said: Said) -> None:
    if content is None or (isinstance(content, float) and isnan(content)):
        return
    if isinstance(content, str):
        said.parts.append(Part("text", content))
    elif isinstance(content, list) and content and all(isinstance(one, int | float) for one in content):
        # A list of numbers is one value, not a text of several parts.
        said.parts.append(Part("json", json_text(content)))
    elif isinstance(content, list):
        for place, part in enumerate(content):
            _read(part, (*at, place), said)
    elif isinstance(content, dict):
        _read_object(content, at, said)
    else:
        said.parts.append(Part("json", json_text(content)))


def _read_object(part: dict[str, Any], at: Path, said: Said) -> None:
    kind = next((part[key] for key in _TYPES if key in part), "")
    kind = kind.lower() if isinstance(kind, str) else ""
    if isinstance(part.get("parts"), list):
        _read(part["parts"], (*at, "parts"), said)
        said.leave(part, at, "parts", "role", "content_type")
    elif part.get("content_type") in _OF_CHATGPT:
        _read_of_chatgpt(part, at, said)
    elif kind in _REASONING_TYPES or part.get("thought") is True or "reasoningContent" in part:
        _read_reasoning(part, at, said)
    elif is_tool_of_vercel(part):
        _read_tool_of_vercel(part, at, said)
    elif part.keys() == {"type"} and kind == "step-start":
        return
    elif kind in _RESULT_TYPES or any(isinstance(part.get(name), dict) for name in _RESULT_KEYS):
        _read_result(part, at, said)
    elif kind in _CALL_TYPES or any(isinstance(part.get(name), dict) for name in _CALLS_IN):
        if "value" in part and not any(name in part for name in (*_NAMES, *_CALL_KEYS)):
            said.calls.append(call_of(part["value"], (*at, "value"), said.left))
            said.leave(part, at, "value")
        else:
            said.calls.append(call_of(part, at, said.left))
    elif (medium := _medium_in(part, kind)) is not None:
        key, found = medium
        said.parts.append(found)
        held, inside = (part[key], (*at, key)) if key else (part, at)
        if isinstance(held, dict):
            _leave_around(held, inside, found.value, said)
        if key:
            said.leave(part, at, key)
    elif (kind in _TEXT_TYPES or part.keys() == {"type", "text"}) and isinstance(
        (held := first_of(part, TEXT_KEYS))[1], str
    ):
        said.parts.append(Part("text", held[1]))
        said.leave(part, at, held[0])
    else:
        said.parts.append(Part("json", json_text(part)))


def is_tool_of_vercel(part: dict[str, Any]) -> bool:
    """Whether a part is a call and its result in one, as the AI SDK keeps them: `tool-NAME`, `dynamic-tool`,
    `tool-invocation`."""
    kind, call = part.get("type"), part.get("toolInvocation", part)
    if not isinstance(kind, str) or not isinstance(call, dict) or "toolCallId" not in call or "state" not in call:
        return False
    return kind.startswith("tool-") or kind == "dynamic-tool"


def _read_tool_of_vercel(part: dict[str, Any], at: Path, said: Said) -> None:
    wrapped = "toolInvocation" in part
    call, inside = (part["toolInvocation"], (*at, "toolInvocation")) if wrapped else (part, at)
    name = plain(call.get("toolName")) or part["type"].removeprefix("tool-")
    arguments_key, arguments = first_of(call, ("input", "args", "rawInput"))
    result_key, result = first_of(call, ("output", "result", "errorText"))
    said.calls.append(ToolCall(name, plain(arguments), plain(call["toolCallId"])))
    if result_key:
        said.results.append(Message("tool", plain(result), tool_call_id=plain(call["toolCallId"])))
    said.leave(call, inside, "toolName", "toolCallId", arguments_key, result_key)
    if wrapped:
        said.leave(part, at, "toolInvocation")


def _read_of_chatgpt(part: dict[str, Any], at: Path, said: Said) -> None:
    """What ChatGPT's export holds besides texts: thoughts, each with a headline, the note of how long they took, and
    where a medium lies."""
    key = _OF_CHATGPT[part["content_type"]]
    held = part.get(key)
    if key == "thoughts" and isinstance(held, list) and all(isinstance(thought, dict) for thought in held):
        for place, thought in enumerate(held):
            told = [thought[name] for name in ("summary", "content") if isinstance(thought.get(name), str)]
            said.reasoning.append("\n".join(filter(None, told)))
            said.left += [
                ((*at, key, place, name), value)
                for name, value in thought.items()
                if not (name in ("summary", "content") and isinstance(value, str))
            ]
        said.leave(part, at, key, "content_type")
    elif key == "asset_pointer" and isinstance(held, str):
        said.parts.append(Part("image" if part["content_type"].startswith("image") else "audio", held))
        said.leave(part, at, key, "content_type")
    elif key == "content" and isinstance(held, str):
        said.leave(part, at, "content_type")
    else:
        said.parts.append(Part("json", json_text(part)))


def _leave_around(held: dict[str, Any], at: Path, address: str, said: Said) -> None:
    """Note what stands beside the address, or the bytes, of a medium, in whatever objects it is wrapped."""
    for key, value in held.items():
        if key in _WRAPPED and isinstance(value, dict):
            _leave_around(value, (*at, key), address, said)
        elif key not in (*_BYTES, *_TYPES) and value != address and not str(value).startswith("data:"):
            said.left.append(((*at, key), value))


def _read_reasoning(part: dict[str, Any], at: Path, said: Said) -> None:
    """Anthropic's `thinking`, Gemini's `thought`, Bedrock's `reasoningContent`, OpenAI's list of summaries."""
    wrapped = part.get("reasoningContent")
    held, inside = (wrapped, (*at, "reasoningContent")) if isinstance(wrapped, dict) else (part, at)
    key, text = first_of(held, _REASONING_KEYS)
    if isinstance(text, dict):
        held, inside = text, (*inside, key)
        key, text = first_of(held, ("text", "value"))
    if isinstance(text, str):
        said.reasoning.append(text)
        said.leave(held, inside, key, "thought")
        return
    summaries = [name for name in ("summary", "content") if isinstance(part.get(name), list)]
    texts = list(_texts_of(part[name] for name in summaries))
    if texts and None not in texts:
        said.reasoning += [text for text in texts if text is not None]
        said.leave(part, at, *summaries)
    else:
        said.parts.append(Part("json", json_text(part)))


def _texts_of(lists: Iterator[list[Any]]) -> Iterator[str | None]:
    for pieces in lists:
        for piece in pieces:
            text = piece.get("text") if isinstance(piece, dict) and set(piece) <= {"type", "text"} else None
            yield text if isinstance(text, str) else None


def _read_result(part: dict[str, Any], at: Path, said: Said) -> None:
    """The result of a tool inside the content of a message: it is a message of the tool."""
    key = next((name for name in _RESULT_KEYS if isinstance(part.get(name), dict)), "")
    held, inside = (part[key], (*at, key)) if key else (part, at)
    result_key, result = first_of(held, _RESULTS)
    inner = said_in(result, (*inside, result_key))
    # Haystack repeats the whole call.
    origin = held["origin"] if isinstance(held.get("origin"), dict) else {}
    id_key, identifier = first_of(held | origin, tuple(reversed(_IDS)))
    name_key, name = first_of(held | origin, _NAMES)
    content = inner.content
    if not isinstance(content, str):
        content = _as_one_text(content)
    said.results.append(Message("tool", content, tool_call_id=plain(identifier), name=plain(name)))
    said.left += inner.left
    said.leave(held, inside, result_key, id_key, name_key, "origin" if origin else "")
    said.leave(origin, (*inside, "origin"), id_key, name_key)


def _as_one_text(parts: tuple[Part, ...]) -> str | tuple[Part, ...]:
    """What a tool returns is text also where it is JSON; Bedrock wraps that in an object of one key."""
    if len(parts) != 1 or parts[0].type != "json":
        return parts
    value = parsed(parts[0].value)
    return json_text(value["json"]) if isinstance(value, dict) and list(value) == ["json"] else parts[0].value


def _medium_in(part: dict[str, Any], kind: str) -> tuple[str, Part] | None:
    """The key that holds a medium ('' where the part is all about it), and the medium; None where there is none."""
    key = next((name for name in _MEDIA if part.get(name) not in (None, "")), "")
    if not key and kind not in _MEDIA:
        return None
    held = part[key] if key else part
    medium = _MEDIA[kind if kind in _MEDIA else key]
    if isinstance(held, dict):
        # Gemini keeps every medium under one name and says in its MIME type which it is.
        family = str(first_of(held, ("mimeType", "mime_type", "media_type"))[1] or "").partition("/")[0]
        medium = {"image": "image", "audio": "audio", "video": "video"}.get(family, medium)  # type: ignore[assignment]
    address = _address_of(held)
    return None if address is None else (key, Part(medium, address))


def _address_of(held: Any) -> str | None:
    """Where a medium lies: its URL or path; `sha256:HEX` of bytes that stand in the row; None where nothing says it."""
    if isinstance(held, str):
        return _fingerprint(held.partition(",")[2]) if held.startswith("data:") else held
    if not isinstance(held, dict):
        return None
    for name in _WRAPPED:
        if isinstance(held.get(name), dict):
            return _address_of(held[name])
    _, data = first_of(held, _BYTES)
    if data is not None:
        return _fingerprint(data if isinstance(data, str) else json_text(data))
    _, place = first_of(held, _PLACES)
    return _address_of(place) if isinstance(place, str) and place else None


def _fingerprint(text: str) -> str:
    """The digest of bytes in base64; of the text itself where it is none."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = text.encode("utf-8", "surrogatepass")
    return f"sha256:{sha256(content).hexdigest()}"
