"""What loaders of training data ask of a row, each as a function that says what it would refuse, pass over or misread.

These are rules in our own words; where the library can be installed a test beside them asks the library itself. They
come from: OpenAI's guide to fine-tuning and the checks of its cookbook; `converter.py`, `formatter.py`, `tool_utils.py`
of LLaMA-Factory; `chat_template.py` of axolotl; `standardize_sharegpt` of Unsloth; `tuner/datasets.py` of MLX-LM; the
dataset formats of TRL; the standard format of ms-swift.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]
OPENAI_KEYS = {"role", "content", "name", "function_call", "tool_calls", "tool_call_id", "weight", "refusal"}
OPENAI_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
OPENAI_PARTS = {"text", "image_url", "input_audio", "file", "refusal"}
SWIFT_ROLES = {"system", "user", "assistant", "tool", "tool_call", "tool_response"}
UNSLOTH_NAMES = {"system", "user", "human", "input", "assistant", "gpt", "output"}


def openai(row: Row) -> Iterator[str]:
    """A line of a fine-tuning file."""
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        yield "no messages"
        return
    if not any(message["role"] == "assistant" for message in messages):
        yield "no assistant message"
    called: set[str] = set()
    for message in messages:
        if message["role"] not in OPENAI_ROLES:
            yield f"role {message['role']}"
        if not set(message) <= OPENAI_KEYS:
            yield f"keys {set(message) - OPENAI_KEYS}"
        yield from _openai_content(message)
        if "weight" in message and (message["weight"] not in (0, 1) or message["role"] != "assistant"):
            yield "a weight that is not 0 or 1 of an assistant message"
        for call in message.get("tool_calls", ()):
            called.add(call["id"])
            yield from _openai_call(call)
        if message["role"] == "tool" and message.get("tool_call_id") not in called:
            yield "a result of no call"
    for tool in row.get("tools", ()):
        if tool.get("type") != "function" or not tool["function"].get("name"):
            yield "a tool that is no function"


def _openai_content(message: Row) -> Iterator[str]:
    content = message.get("content")
    if isinstance(content, list):
        if not content or not all(part.get("type") in OPENAI_PARTS for part in content):
            yield "parts of a kind it does not know"
    elif not isinstance(content, str):
        yield "content that is no text"


def _openai_call(call: Row) -> Iterator[str]:
    if call.get("type") != "function" or not call["function"].get("name"):
        yield "a call of no function"
    arguments = call["function"].get("arguments")
    if not isinstance(arguments, str) or not _json(arguments)[0]:
        yield "arguments that are no JSON text"
    if not isinstance(call.get("id"), str) or not call["id"]:
        yield "a call without an id"


def chat_template(row: Row) -> Iterator[str]:
    """`messages` of TRL, axolotl and MLX-LM, which give them to the model's own template."""
    yield from _template_messages(row["messages"])
    if not isinstance(row.get("tools", []), list) or not all(isinstance(tool, dict) for tool in row.get("tools", ())):
        yield "tools that are no list of objects"


def _template_messages(messages: Any) -> Iterator[str]:
    # TRL looks at the first one before anything else.
    if not isinstance(messages, list) or not messages or "role" not in messages[0]:
        yield "no list of messages"
        return
    for message in messages:
        content = message.get("content")
        if not isinstance(content, str) and not (isinstance(content, list) and all("type" in part for part in content)):
            yield "content that is neither text nor parts"
        for call in message.get("tool_calls", ()):
            known, arguments = _json(call["function"]["arguments"])
            if not known or not isinstance(arguments, dict):
                yield "arguments that axolotl cannot take apart"


def swift(row: Row) -> Iterator[str]:
    """The standard format of ms-swift."""
    for message in row["messages"]:
        if message["role"] not in SWIFT_ROLES:
            yield f"role {message['role']}"
        if message.get("content") is None:
            yield "no content"


def llama_factory_sharegpt(row: Row) -> Iterator[str]:
    """`formatting: sharegpt`: a row of another order is passed over with a warning in the log."""
    turns = list(row["conversations"])
    if turns and turns[0]["from"] == "system":
        turns = turns[1:]
    for place, turn in enumerate(turns):
        if turn["from"] not in (("gpt", "function_call") if place % 2 else ("human", "observation")):
            yield f"{turn['from']} at place {place + 1}"
        if not isinstance(turn["value"], str):
            yield "a value that is no text"
        if turn["from"] == "function_call":
            known, calls = _json(turn["value"])
            calls = calls if isinstance(calls, list) else [calls]
            if not known or not all("name" in call and "arguments" in call for call in calls):
                yield "a call without name and arguments"
    if len(turns) % 2:
        yield "an odd number of turns"
    if "tools" in row:
        known, tools = _json(row["tools"]) if isinstance(row["tools"], str) else (False, None)
        if not known or not all(_tool_name(tool) for tool in tools):
            yield "tools that are no JSON text of functions"


def _tool_name(tool: Row) -> Any:
    """With the wrapper `function` or without."""
    held = tool.get("function", tool) if tool.get("type") == "function" else tool
    return held.get("name")


def unsloth_sharegpt(row: Row) -> Iterator[str]:
    """`standardize_sharegpt`: two keys in all turns, and no name that it does not know."""
    if {key for turn in row["conversations"] for key in turn} != {"from", "value"}:
        yield "other keys than from and value"
    unknown = {turn["from"] for turn in row["conversations"]} - UNSLOTH_NAMES
    if unknown:
        yield f"names {unknown}"


def llama_factory_alpaca(row: Row) -> Iterator[str]:
    """The default formatting, with `system` and `history` named as columns."""
    if not all(isinstance(row.get(name, ""), str) for name in ("instruction", "input", "output", "system")):
        yield "a column that is no text"
    for pair in row.get("history", ()):
        if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            yield "a history that is no pairs of texts"
    if set(row) - {"instruction", "input", "output", "system", "history"}:
        yield "further columns"


def trl_columns(row: Row, *names: str) -> Iterator[str]:
    """All texts, or all lists of messages of which none is empty."""
    values = [row[name] for name in names]
    if all(isinstance(value, str) for value in values):
        return
    for value in values:
        yield from _template_messages(value)
    if any(message["role"] != "assistant" for name in names[1:] for message in row[name][:1]):
        yield "an answer that does not begin with the assistant"


def trl_pair(row: Row) -> Iterator[str]:
    yield from trl_columns(row, "prompt", "completion")


def trl_preference(row: Row) -> Iterator[str]:
    yield from trl_columns(row, "prompt", "chosen", "rejected")


def trl_kto(row: Row) -> Iterator[str]:
    yield from trl_columns(row, "prompt", "completion")
    if not isinstance(row["label"], bool):
        yield "a label that is neither true nor false"


def mlx_completions(row: Row) -> Iterator[str]:
    """MLX-LM puts both texts into messages itself."""
    if not isinstance(row["prompt"], str) or not isinstance(row["completion"], str):
        yield "prompt or completion that is no text"


def llama_factory_ranking(row: Row) -> Iterator[str]:
    """`ranking: true` of the default formatting, with the columns prompt, chosen and rejected."""
    if not all(isinstance(row[name], str) for name in ("prompt", "chosen", "rejected")):
        yield "an answer that is no text"


def llama_factory_kto(row: Row) -> Iterator[str]:
    """The default formatting, with the columns prompt and completion, and label as `kto_tag`."""
    if not isinstance(row["label"], bool) or not isinstance(row["prompt"], str) or not row["completion"]:
        yield "no label, no text, or an empty answer"


def _json(text: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except ValueError:
        return False, None


TEXTS_ALONE = (mlx_completions, llama_factory_ranking, llama_factory_kto)
Loader = Callable[[Row], Iterator[str]]
LOADERS: dict[str, tuple[Loader, ...]] = {
    "messages": (openai, chat_template, swift),
    "sharegpt": (llama_factory_sharegpt, unsloth_sharegpt),
    "alpaca": (llama_factory_alpaca,),
    "prompt-completion": (trl_pair, mlx_completions),
    "preference": (trl_preference, llama_factory_ranking),
    "kto": (trl_kto, llama_factory_kto),
}
