"""The checksum that a journal line ends with: what a disk, a memory or an editor has changed of a line since it was
written is not taken for what was decided.

`,"sum":"xxxxxxxx"}`: eight hex digits of the CRC-32 of the bytes of the line before it. It is looked at on the bytes as
they stand. Lines of earlier versions, and those that people write by hand, have none and are read as ever.
"""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

OPENING = b',"sum":"'
CLOSING = b'"}'
LENGTH = len(OPENING) + 8 + len(CLOSING)
_PREV = b',"prev":"'
_PREV_LENGTH = len(_PREV) + 16 + len(CLOSING)


def with_sum(line: bytes) -> bytes:
    """A line, a JSON object with something in it, with its checksum as the last key."""
    body = line[:-1]
    return body + OPENING + b"%08x" % crc32(body) + CLOSING


def has_sum(line: bytes) -> bool:
    """Whether a line ends as one with a checksum does, fitting or not."""
    return line[-LENGTH : len(OPENING) - LENGTH] == OPENING and line[-2:] == CLOSING


def sum_fits(line: bytes) -> bool:
    """Whether a line has a checksum, and it is that of the rest of the line."""
    body, _, end = line.rpartition(OPENING)
    return end == b'%08x"}' % crc32(body)


def ends_with_prev(line: bytes) -> bool:
    """Whether a line ends as versions wrote it that knew no checksum: with the hash of the line before."""
    return line[-_PREV_LENGTH : len(_PREV) - _PREV_LENGTH] == _PREV and line[-2:] == CLOSING


def changed(line: bytes) -> str:
    """Why a line whose checksum does not fit is left out, with what it says now, so that a person can do it again."""
    reason = "it was changed after it was written: its checksum does not fit"
    try:
        plain = json.loads(line)
        said = [f"{key} {plain[key]}" for key in ("undo", "redo") if key in plain]
        said += [_in_words(act) for act in plain.get("acts", ())]
        return f"{reason}; number {plain['n']}, it says: {' and '.join(said)[:200]}"
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return reason


def _in_words(act: dict[str, Any]) -> str:
    rows = act.get("ids_count", len(act.get("ids", ())))
    return f"{act['do']} {rows} row{'' if rows == 1 else 's'}"
