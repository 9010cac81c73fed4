"""ShareGPT turns in the order that loaders ask for: a human or an observation, then an answer or a call, in turns.

LLaMA-Factory passes over a row of any other order with a warning in its log. So what stands beside a call is one turn
with it, results that follow each other are one observation, and messages of one speaker are one turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.export.chat_messages import plain_text
from engine.model import Message
from engine.nesting import loads

NAMES = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
CALL = "function_call"
TEXT_BESIDE_CALL = "text beside tool calls"
BORDERS = "where one message ends and the next of the same speaker begins"


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns, the content that found no place, and what else is not in them."""

    turns: tuple[dict[str, str], ...]
    losses: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()


def turns_of(messages: Sequence[Message]) -> Turns:
    """`messages` as `{"from", "value"}` turns."""
    turns: list[dict[str, str]] = []
    losses: list[str] = []
    left_behind: list[str] = []
    for role, run in groupby(messages, key=lambda message: message.role):
        spoken = list(run)
        calls = [call.text for message in spoken for call in message.tool_calls]
        texts = [plain_text(message) for message in spoken]
        if calls:
            turns.append({"from": CALL, "value": _list_of(calls)})
            losses += [TEXT_BESIDE_CALL] if any(texts) else []
        elif role == "tool":
            turns.append({"from": NAMES[role], "value": _list_of(list(_as_json(texts)))})
        else:
            turns.append({"from": NAMES.get(role, role), "value": "\n\n".join(texts)})
            left_behind += [BORDERS] if len(spoken) > 1 else []
    return Turns(tuple(turns), tuple(dict.fromkeys(losses)), tuple(dict.fromkeys(left_behind)))


def _as_json(texts: Sequence[str]) -> Iterator[str]:
    """One result stands as it is; of several each has to be JSON, to be told from the others."""
    for text in texts:
        yield text if len(texts) == 1 or _is_json(text) else json.dumps(text, ensure_ascii=False)


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True


def _list_of(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
