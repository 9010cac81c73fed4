"""Text that is almost JSON, as the strict JSON it plainly means: Python's notation, comments, raw tabs, stray commas.

Nothing is evaluated. Tokens are written over one by one: numbers keep their digits, and what could be read in two ways
(quotes that are not escaped, strings side by side) is no value at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.sources.files.pieces import COMMENTED, LOOSE_COMMA, PYTHON, RAW_CONTROLS

LONGEST = 8 * 1024 * 1024
"""Bytes of a record that is looked at so closely; what is longer has to be JSON."""
_TOKENS = re.compile(
    rb"""(?P<blank>(?:[ \t\r\n\x1e]|\xef\xbb\xbf)++)
    | (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\\n]*+(?:\\.[^'\\\n]*+)*+')
    | (?P<open>[\[{(]) | (?P<close>[\]})]) | (?P<comma>,) | (?P<colon>:)
    | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?(?![\w.]))
    | (?P<key>[A-Za-z_$][\w$]*+(?=[ \t\r\n]*+:)) | (?P<word>-?[A-Za-z]++(?![\w.(]))
    | (?P<comment>//[^\n]*+ | \#[^\n]*+ | /\*.*?\*/)""",
    re.DOTALL | re.VERBOSE,
)
_WORDS = {word: word for word in (b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity")}
_PYTHON_WORDS = {b"True": b"true", b"False": b"false", b"None": b"null", b"nan": b"NaN", b"inf": b"Infinity"}
_PYTHON_WORDS[b"-inf"] = b"-Infinity"
_STRICT_STRING = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"', re.DOTALL)
_ODD = re.compile(rb'\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|.)|[\x00-\x1f"]', re.DOTALL)
_CONTROLS = {b"\n": rb"\n", b"\r": rb"\r", b"\t": rb"\t"}
_ENDS = {ord("{"): b"}", ord("["): b"]", ord("("): b")"}


@dataclass(slots=True)
class LooseValue:
    """A value from byte `start` to `end` of a record: what it says as strict JSON on one line, and the note that tells
    what was not strict about it ('' where `text` is what stands there)."""

    start: int
    end: int = 0
    text: bytes = b""
    note: str = ""


def loose_values(content: bytes) -> list[LooseValue] | None:
    """The values that stand one behind the other in a record, with nothing but blanks, commas, separators and comments
    between them; none in a comment alone. None where something else stands there, or a value does not end."""
    if len(content) > LONGEST:
        return None
    found: list[LooseValue] = []
    ends: list[bytes] = []
    written: list[bytes] = []
    note = ""
    at = 0
    try:
        while at < len(content):
            token = _TOKENS.match(content, at)
            if token is None or token.lastgroup is None:
                return None
            kind, said, at = token.lastgroup, token.group(), token.end()
            if kind == "blank":
                if ends:
                    # A separator or a mark inside of a value is damage.
                    if said.strip():
                        return None
                    written.append(said.translate(_ON_ONE_LINE) if b"\n" in said or b"\r" in said else said)
                continue
            if kind == "comment":
                note = note or (COMMENTED if ends else "")
                continue
            if not ends and kind not in ("comma", "colon", "close"):
                found.append(LooseValue(token.start()))
                written, note = [], ""
            if kind == "comma" and not ends:
                continue
            if kind == "open":
                ends.append(_ENDS[said[0]])
                text, odd = (b"[", PYTHON) if said == b"(" else (said, "")
            elif kind == "close":
                if not ends or ends.pop() != said:
                    return None
                last = next((index for index in reversed(range(len(written))) if written[index].strip()), 0)
                text, odd = (b"]", PYTHON) if said == b")" else (said, "")
                if written[last] == b",":
                    written[last], odd = b"", odd or LOOSE_COMMA
            else:
                text, odd = _scalar(kind, said)
            note = note or odd
            written.append(text)
            if not ends:
                if not found or kind == "colon":
                    return None
                found[-1].end, found[-1].note = at, note
                found[-1].text = b"".join(written) if note else content[found[-1].start : at]
    except ValueError:
        return None
    return None if ends else found


_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def _scalar(kind: str, said: bytes) -> tuple[bytes, str]:
    """A token as strict JSON has it, and what was odd about it. Raises ValueError where it is none."""
    if kind == "string":
        return _string(said)
    if kind == "key":
        return b'"%b"' % said, PYTHON
    if kind == "word":
        if said in _WORDS:
            return said, ""
        if said not in _PYTHON_WORDS:
            raise ValueError(said)
        return _PYTHON_WORDS[said], PYTHON
    return said, ""


def _string(said: bytes) -> tuple[bytes, str]:
    if said.startswith(b'"') and _STRICT_STRING.fullmatch(said):
        return said, ""
    body = _ODD.sub(_as_json, said[1:-1])
    is_raw = said.startswith(b'"') and b"\\x" not in said and b"\\'" not in said
    return b'"%b"' % body, RAW_CONTROLS if is_raw else PYTHON


def _as_json(odd: re.Match[bytes]) -> bytes:
    """A raw control character, a quote, or an escape that JSON may not have."""
    said = odd.group()
    if len(said) == 1:
        if said in (b"\x00", b"\x1e"):
            raise ValueError("damage, not text")
        return _CONTROLS.get(said) or (rb"\"" if said == b'"' else rb"\u%04x" % said[0])
    letter = said[1:2]
    if letter in b'"\\/bfnrt' or (letter == b"u" and len(said) == 6):
        return said
    if letter == b"'":
        return b"'"
    if letter in b"xU" and len(said) > 2:
        code = int(said[2:], 16)
        return rb"\u%04x" % code if code < 0x10000 else chr(code).encode("utf-8")
    raise ValueError("an escape nobody knows")
