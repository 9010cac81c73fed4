"""Answers that are JSON, or meant to be."""

from __future__ import annotations

import re
from typing import Any

from engine.nesting import loads

_FENCE = re.compile(r"```[\w-]{0,20}[ \t]{0,8}\n")


def as_json(text: str) -> Any:
    """The object or array that `text` is (a code fence around it aside), or None."""
    body = json_body(text)
    if not body.startswith(("{", "[")):
        return None
    try:
        return loads(body)
    except ValueError:
        return None


def json_body(text: str) -> str:
    """`text` without the space and the code fence around it."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```") and len(body) > 6:
        opening = _FENCE.match(body)
        if opening:
            return body[opening.end() : -3].strip()
    return body


def stops_half_way(text: str) -> bool:
    """Whether `text` is the beginning of a JSON object or array that never closes. Linear."""
    body = text.strip()
    opening = _FENCE.match(body) if body.startswith("```") else None
    if opening:
        body = body[opening.end() :]
    if not re.match(r'(?:\{\s{0,20}["}]|\[\s{0,20}["{\[\d\-tfn])', body):
        return False
    depth = 0
    quoted = escaped = False
    for char in body:
        if quoted:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                quoted = False
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return False
    return True
