"""JSON of any origin, with one bound on how deep it may be nested, so that nothing which walks it runs out of stack.

Python gives up at about a thousand frames, and how many are left depends on who calls. The bound is far below that and
the same everywhere: what is read once can be shown, edited, compared and written.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

MAX_NESTING = 200
"""Objects and arrays within each other, the row itself counted."""
TOO_DEEP = f"nested more than {MAX_NESTING} levels"
# Quotes do not end behind a backslash. Possessive: an unclosed string is passed over once, not tried from each place.
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRINGS = re.compile(STRING, re.DOTALL)
_STRINGS_AND_BRACKETS = re.compile(STRING + rb"|[\[\]{}]", re.DOTALL)
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_STEPS = {**dict.fromkeys(b"[{", 1), **dict.fromkeys(b"]}", -1)}


def nested_too_deep(text: str | bytes) -> bool:
    """Whether JSON text is nested more than MAX_NESTING levels. Texts with few brackets are done with at once."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if content.count(b"[") + content.count(b"{") <= MAX_NESTING:
        return False
    brackets = _STRINGS.sub(b"", content).translate(None, _NO_BRACKETS)
    return any(depth > MAX_NESTING for depth in accumulate(map(_STEPS.__getitem__, brackets)))


def loads(text: str) -> Any:
    """`json.loads`, with nesting beyond the bound a ValueError like all else that cannot be read."""
    if nested_too_deep(text):
        raise ValueError(TOO_DEEP)
    return json.loads(text)


def loads_row(content: bytes) -> dict[str, Any]:
    """A row that was kept. Versions before the bound took deeper ones in: what lies deeper stands there as its JSON
    text, so that the row can be shown and judged; its bytes are untouched."""
    row: dict[str, Any] = json.loads(_deep_as_text(content) if nested_too_deep(content) else content)
    return row


def _deep_as_text(content: bytes) -> bytes:
    pieces: list[bytes] = []
    depth = taken = start = 0
    for token in _STRINGS_AND_BRACKETS.finditer(content):
        step = _STEPS.get(content[token.start()], 0)
        depth += step
        if step > 0 and depth == MAX_NESTING + 1:
            start = token.start()
        elif step < 0 and depth == MAX_NESTING:
            text = content[start : token.end()].decode("utf-8", "surrogatepass")
            pieces += [content[taken:start], json.dumps(text).encode("ascii")]
            taken = token.end()
    return b"".join(pieces) + content[taken:]
