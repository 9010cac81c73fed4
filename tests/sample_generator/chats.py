"""Conversations as real exports hold them: read from chats.txt, given the form of messages, and mixed.

A conversation starts with `=== LANGUAGE KIND [mojibake] [broken=FAULT]`; a turn with `U`, `A`, `T` (tool result) or
`C NAME JSON` (tool call); any other line goes on with the turn above it.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("chats.txt")
SYSTEMS = {
    "shop": "You are the assistant of the Haldenby Home shop. Look things up before you answer. Be brief and kind.",
    "boutique": "Vous êtes l'assistant de la boutique Haldenby Home. Vérifiez avant de répondre, soyez bref.",
    "tutor": "You are a terse programming tutor. Show code first, then one or two sentences.",
    "think": "Think step by step between <think> and </think>, then give the answer in one line.",
}
ROLES = {"U": "user", "A": "assistant", "T": "tool"}
SEED = 60


def make_chats() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(rows, oracle): per row what is planted in it, "clean" where nothing is."""
    blocks = re.split(r"^=== ", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    order = list(range(len(blocks)))
    rng = random.Random(SEED)
    rng.shuffle(order)
    rows = []
    truths: list[dict[str, Any]] = []
    for number, place in enumerate(order):
        header, _, body = blocks[place].partition("\n")
        before, _, fault = header.partition(" broken=")
        words = before.split()
        messages = _messages(body, mojibake="mojibake" in words)
        system = next((SYSTEMS[word] for word in words if word in SYSTEMS), None)
        if system:
            messages.insert(0, {"role": "system", "content": system})
        day = f"2024-{rng.randint(1, 9):02}-{rng.randint(1, 28):02}"
        row: dict[str, Any] = {"id": f"chat-{place + 1:03}", "date": day, "lang": words[0], "messages": messages}
        if names := _called(messages):
            row["tools"] = [_tool(name) for name in names]
        rows.append(row)
        planted = fault or ("prefix" if "prefix" in words else "clean")
        truths.append({"row": number, "planted": planted, "group": None, "keep": planted == "clean"})
    for place, block in enumerate(blocks):
        if block.split("\n")[0].endswith(" prefix"):
            for member in (place, place + 1):
                truths[order.index(member)] |= {"group": f"p{place:02}", "keeper": order.index(place + 1)}
    return rows, truths


def _messages(body: str, *, mojibake: bool) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    calls = 0
    for line in body.rstrip("\n").split("\n"):
        mark, _, text = line.partition(" ")
        if mark == "C":
            calls += 1
            messages.append(_call(text, f"call_{calls}"))
        elif mark in ROLES:
            message: dict[str, Any] = {"role": ROLES[mark], "content": text}
            messages.append({**message, "tool_call_id": f"call_{calls}"} if mark == "T" and calls else message)
        else:
            messages[-1]["content"] += "\n" + line
    if mojibake:
        for message in messages:
            message["content"] = message["content"].encode("utf-8").decode("cp1252", errors="replace")
    return messages


def _call(text: str, identifier: str) -> dict[str, Any]:
    """An assistant turn that only calls a tool; its arguments are JSON text, as the common APIs export them."""
    name, _, arguments = text.partition(" ")
    function = {"name": name, "arguments": json.dumps(json.loads(arguments), ensure_ascii=False)}
    calls = [{"id": identifier, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _called(messages: list[dict[str, Any]]) -> list[str]:
    names = [call["function"]["name"] for message in messages for call in message.get("tool_calls", ())]
    return sorted(set(names))


def _tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": name, "description": name.replace("_", " "), "parameters": parameters},
    }
