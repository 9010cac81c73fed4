"""Lists and objects as Python writes them (`[{'role': 'user', 'content': None}]`), and tables saved from Python hold.

It is turned into JSON text and read as that: nothing is evaluated.
"""

from __future__ import annotations

import json
import re
from typing import Any

from engine.nesting import loads

_OPENS = re.compile(r"\s*(?:array\()?\[?\s*\{\s*'")
# Objects may follow each other without a comma: numpy writes them so. Strings first: nothing inside one is looked at,
# and one that never closes is passed over once, not tried from each place.
_TOKENS = re.compile(
    r"'(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)(?:'|\\?\Z)"
    r'|"(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)'
    r"|\b(?P<word>True|False|None|nan)\b"
    r"|(?P<between>(?<=\})\s+(?=\{))"
    r"|(?P<array>\barray\(|,\s*dtype=object\))",
    re.DOTALL,
)
_WORDS = {"True": "true", "False": "false", "None": "null", "nan": "null"}
_ESCAPES = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "0": "\0", "\n": ""}


def is_python_text(text: str) -> bool:
    """Whether a text begins as an object, or a list of objects, does in Python and in no JSON."""
    return _OPENS.match(text) is not None


def python_value(text: str) -> Any:
    """The list or object that a text is; the text itself where it is none. Numbers that JSON lacks (`nan`) are null."""
    if not is_python_text(text):
        return text
    try:
        return loads(_TOKENS.sub(_as_json, text))
    except ValueError:
        return text


def _as_json(token: re.Match[str]) -> str:
    kind = token.lastgroup
    if kind in ("single", "double"):
        return json.dumps(_ESCAPES.sub(_character, token[kind]))
    return _WORDS[token["word"]] if kind == "word" else ", " if kind == "between" else ""


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    if code:
        return chr(int(code, 16))
    return _CHARACTERS.get(escape[4], escape[4] if escape[4] in "'\"\\" else escape[0])
