"""Ids that hang on content, so that decisions survive a re-ordered or grown source."""

from __future__ import annotations

import hashlib
import json

from engine.model import Row
from engine.numerals import whole_number


def canonical_json(row: Row) -> bytes:
    """The one spelling of a row: sorted keys, no spaces, ASCII only. All fields count; the mapping does not."""
    return json.dumps(row, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def content_hash(row: Row) -> int:
    """64 bits of BLAKE2b over the canonical JSON, as an unsigned integer."""
    return int.from_bytes(hashlib.blake2b(canonical_json(row), digest_size=8).digest(), "big")


def row_id(content: int, copy: int = 0) -> str:
    """16 hex digits, with `.k` for the k-th further equal copy."""
    return f"{content:016x}.{copy}" if copy else f"{content:016x}"


def split_id(identifier: str) -> tuple[int, int] | None:
    """The (content hash, copy) of a row id, or None where the text is no id."""
    try:
        if len(identifier) == 16:
            # Nearly every id: a row without an equal one.
            return int(identifier, 16), 0
        digits, _, copy = identifier.partition(".")
        number = whole_number(copy) if copy else 0
        return (int(digits, 16), number) if len(digits) == 16 and number is not None else None
    except ValueError:
        return None
