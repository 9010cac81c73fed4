"""Where the next record of a list begins, when one is no JSON and its own brackets and quotes cannot be trusted.

A record begins with the same field as others that were read; or, while none was, where one whole object follows the
other up to the end of the list, which messages inside of a record do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

CHAIN_BYTES = 1 << 16
"""How far ahead it is looked whether objects follow one another."""
_GAP = rb"(?:[ \t\r\n\x1e]|\xef\xbb\xbf){0,300}+"
_FIRST = rb"(?:\[%b)?\{%b(?P<quote>[\"'])(?P<key>[^\"'\\\x00-\x1f]{0,200})(?P=quote)[ \t\r\n]{0,9}:" % (_GAP, _GAP)
FIRST_KEY = re.compile(_GAP + _FIRST)
"""The beginning of a record: the name of its first field as it is written, or of the first field of its first item."""
_ANCHOR = re.compile(
    rb"(?:(?P<end>[}\]])|[\n,]|(?=\{))%b,?%b(?P<bound>\]%b,?%b(?:\"(?P<list>[^\"\\\n]{1,100})\"%b:%b)?\[%b)?(?P<record>%b)"
    % (*(_GAP,) * 7, _FIRST)
)
# The end of each of these, which the regex engine finds many times faster, and how much of it may stand before that.
_OPENS = re.compile(_FIRST.removeprefix(rb"(?:\[%b)?" % _GAP))
_OPENS_AFTER = 8 * 900 + 200
_TAIL = re.compile(rb"(?<=[}\"\]])[ \t\r\n]*+\][ \t\r\n]*+(?:,[^\[\]{}]{0,2000})?\}?[ \t\r\n]*+\Z")
_REST_OF_OBJECT = re.compile(r"(?:,[^\[\]{}]*+)?\}")
_DECODER = json.JSONDecoder(strict=False, parse_int=str)
_OF_MESSAGES = frozenset((b"role", b"from", b"content", b"value", b"speaker", b"type"))
_SKIPPED = re.compile(r"[ \t\r\n,]*+")


@dataclass(frozen=True, slots=True)
class NextRecord:
    """Where a record ends (`end_before`) and what comes behind it begins: another one, or the end of its list."""

    end_before: int
    start: int


def next_record(
    content: bytes,
    fault: int,
    keys: set[bytes],
    lists: frozenset[bytes] = frozenset(),
    *,
    is_all: bool,
    chains: bool = True,
) -> NextRecord | None:
    """The first place around the byte `fault` or behind it where a record begins that starts with one of `keys`; or,
    where `chains` may tell, the first of a chain of objects. `is_all`: the source ends where `content` does."""
    # What is one brace short is found faulty only by how the next one begins.
    start = len(content[:fault].rstrip(b" \t\r\n,")) - 1 if fault else 0
    for found in _anchors(content, max(0, start)):
        if fault and not found.start("record"):
            continue
        named = found.group("list")
        if named is not None and named not in lists:
            continue
        key, at = found.group("key"), found.start("record")
        if key in keys or (chains and _begins_chain(content, at, is_all and key not in _OF_MESSAGES)):
            end = found.end("end") if found.group("end") else found.start()
            return NextRecord(end, found.start("bound") if found.group("bound") else found.start("record"))
    return None


def _anchors(content: bytes, start: int) -> Iterator[re.Match[bytes]]:
    """What `_ANCHOR` finds from `start` on: megabytes in which no record begins are passed at once."""
    while opens := _OPENS.search(content, start):
        found = _ANCHOR.search(content, max(start, opens.start() - _OPENS_AFTER))
        assert found is not None, "it ends where a record opens"
        yield found
        start = found.end()


def first_fault(content: bytes, *, is_whole: bool = False) -> int | None:
    """The byte at which text that begins as JSON is none; None where it is JSON, or may become it by what follows
    (unless it `is_whole`). Raw line breaks and tabs in texts are let pass."""
    # Every byte is one character, so that places in the text are places in the bytes; what JSON is made of is ASCII.
    text = content.decode("latin-1")
    try:
        _, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        # A word, a number or an escape may be cut in the middle.
        is_cut = error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()) - 6
        return None if is_cut and not is_whole else error.pos
    except RecursionError:
        return None
    return end if is_whole and text[end:].strip() else None


def tail_of_list(content: bytes, start: int) -> int:
    """Where the brackets begin that close the list at the end of a source, else its end."""
    found = _TAIL.search(content, max(start, len(content) - 4096))
    return found.start() if found is not None else len(content)


def _begins_chain(content: bytes, start: int, is_all: bool) -> bool:
    """Whether objects follow one another from here on, as far as is looked, or to the end of a list that is in no other
    value."""
    text = content[start : start + CHAIN_BYTES].decode("latin-1")
    at = count = 0
    while at < len(text) and text[at] in "{[":
        try:
            _, at = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            # Cut off by how far is looked, or another that is broken.
            return count > 0
        count += 1
        skipped = _SKIPPED.match(text, at)
        at = skipped.end() if skipped is not None else at
    if text[at : at + 1] != "]":
        return text[at : at + 1] != "}"
    behind = text[at + 1 :].strip()
    return not behind or (is_all and _REST_OF_OBJECT.fullmatch(behind) is not None) or behind[0] in "[{"
