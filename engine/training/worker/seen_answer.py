"""What a user sees of what a model wrote: its words, without the thinking part and the tokens that end it, and calls.

Two answers are the same where their words are equal but for white space at both ends, and their calls are equal one by
one: name and arguments as JSON. The ids of calls, the order of keys and white space between them say nothing. The forms
are those that published chat templates write; a call in another form is compared as the text it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

THINKING = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<seed:think>", "</seed:think>"),
)
"""Where a thinking part begins and ends: Qwen, DeepSeek and most others; Mistral; Command A; Seed."""

CHANNEL = "<|channel|>"
_CHANNELS = re.compile(
    r"(?P<head>[^<]*)<\|channel\|>(?P<name>\w+)(?P<more>.*?)<\|message\|>(?P<text>.*?)"
    r"(?:<\|(?:end|call|return)\|>|(?=<\|start\|>)|\Z)(?:<\|start\|>assistant)?",
    re.DOTALL,
)
_RECIPIENT = re.compile(r"to=(?:functions\.)?([\w.-]+)")
_XML_CALL = re.compile(r"<function=([^>\n]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_XML_VALUE = re.compile(r"<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_NAMED_ARGUMENTS = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\])?\s*(?=\{)")
_DEEPSEEK_CALL = re.compile(
    r"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>(\S+)\s*```json\s*(.*?)\s*```|(\S+?)<｜tool▁sep｜>(.*?))<｜tool▁call▁end｜>",
    re.DOTALL,
)
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Seen:
    """`words`, and each call as JSON text: `{"name": …, "arguments": …}` with its keys in order."""

    words: str
    calls: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, a call a line."""
        return "\n".join(part for part in (self.words, *self.calls) if part)


def seen(written: str, special: Sequence[str] = (), *, prompt: str = "") -> Seen:
    """What is seen of what was `written` behind `prompt`. `special`: the tokenizer's tokens that are no text.

    A thinking part that never ends hides all that follows.
    """
    if CHANNEL in written:
        return _without(special, *_of_channels(written))
    return _without(special, *_calls_in(_behind_thinking(written, prompt)))


def _without(special: Sequence[str], words: str, calls: Sequence[str]) -> Seen:
    for token in special:
        words = words.replace(token, "")
    return Seen(words.strip(), tuple(calls))


def _behind_thinking(written: str, prompt: str) -> str:
    """Without the thinking part: it stands first, or the prompt has opened it already."""
    for begin, end in THINKING:
        opened = prompt.rstrip().endswith(begin)
        if opened or written.lstrip().startswith(begin):
            return written.partition(end)[2]
    return written


def _of_channels(written: str) -> tuple[str, list[str]]:
    """Words and calls of a text in channels (GPT-OSS): what is analysed is not seen."""
    words, calls = [], []
    for part in _CHANNELS.finditer(written):
        recipient = _RECIPIENT.search(part["head"] + part["more"])
        if recipient:
            calls.append(_call(recipient[1], part["text"]))
        elif part["name"] != "analysis":
            words.append(part["text"])
    return "\n".join(words), calls


def _calls_in(text: str) -> tuple[str, list[str]]:
    """The words around the calls of a text, and the calls."""
    for begin, end, read in _FORMS:
        if begin not in text:
            continue
        words, calls = [], []
        before, *parts = text.split(begin)
        words.append(before)
        for part in parts:
            inside, _, behind = part.partition(end) if end else (part, "", "")
            found = list(read(inside))
            calls += found
            words.append(behind if found else begin + part)
        return "".join(words), calls
    whole = list(_json_calls(text))
    return ("", whole) if whole else (text, [])


def _json_calls(text: str) -> Iterator[str]:
    """The calls that a JSON text is: `{"name", "arguments"}` or `"parameters"`, or a list of such; else none.

    Behind the first JSON value only tokens may stand, and further calls behind a ";".
    """
    rest = text.strip()
    calls: list[str] = []
    while rest:
        try:
            value, end = _decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            break
        one = value if isinstance(value, list) else [value]
        if not one or not all(map(_is_call, one)):
            return
        calls += [_call(each.get("name", each.get("tool_name")), _arguments(each)) for each in one]
        rest = rest[end:].lstrip(" ;\n")
    if rest == "" or re.fullmatch(r"<[^<>\n]{1,40}>|\[/?[A-Z_]{1,20}\]", rest):
        yield from calls


def _is_call(value: object) -> bool:
    """Whether a JSON value is a call and nothing beside it."""
    if not isinstance(value, dict):
        return False
    named = {"name", "tool_name"} & value.keys()
    given = {"arguments", "parameters"} & value.keys()
    return len(named) == len(given) == 1 and value.keys() - named - given <= {"id", "type", "tool_call_id"}


def _arguments(value: dict[str, Any]) -> Any:
    return value["arguments"] if "arguments" in value else value["parameters"]


def _tagged_calls(text: str) -> Iterator[str]:
    """What stands between the tags of a call: JSON, or Qwen's `<function=NAME><parameter=KEY>`."""
    found = list(_json_calls(text))
    yield from found
    if not found:
        for name, inside in _XML_CALL.findall(text):
            yield _call(name, dict(_XML_VALUE.findall(inside)) or inside)


def _named_calls(text: str) -> Iterator[str]:
    """Mistral's: a JSON list, or `NAME[ARGS]{…}`."""
    found = list(_json_calls(text))
    yield from found
    named = _NAMED_ARGUMENTS.match(text)
    if not found and named:
        try:
            value, _ = _decoder.raw_decode(text, named.end())
        except (ValueError, RecursionError):
            return
        yield _call(named[1], value)


def _deepseek_calls(text: str) -> Iterator[str]:
    for name, arguments, newer, its in _DEEPSEEK_CALL.findall(text):
        yield _call(name or newer, arguments or its)


_FORMS: tuple[tuple[str, str, Callable[[str], Iterator[str]]], ...] = (
    ("<tool_call>", "</tool_call>", _tagged_calls),
    ("[TOOL_CALLS]", "", _named_calls),
    ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", _deepseek_calls),
    ("<|START_ACTION|>", "<|END_ACTION|>", _json_calls),
    ("<|tool_call|>", "<|/tool_call|>", _json_calls),
    ("<|python_tag|>", "", _json_calls),
)
"""How calls are written: Qwen and Hermes; Mistral; DeepSeek; Command; Phi; Llama. Without a tag: JSON alone."""


def _call(name: object, arguments: Any) -> str:
    """A call in the one form that calls are compared in; arguments that are JSON text are what that says."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments.strip() or "{}")
        except (ValueError, RecursionError):
            arguments = arguments.strip()
    written = json.dumps(arguments, ensure_ascii=False, sort_keys=True)
    return f'{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {written}}}'
