"""Numbers in words, for the sentences of the screen. On its own, so that the first paint needs no rule of a verdict."""

from __future__ import annotations

HELD_OUT_MARK = "H"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2 rows`, `1,904 held-out rows`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"
