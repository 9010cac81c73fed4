"""Numbers as a person or a file writes them: ASCII digits, and no more of them than a number here can need.

`str.isdigit` holds for `²` too, which `int` refuses; `int` takes the digits of every script, `float` takes `nan` and
`1e999`, and a thousand digits overflow. So whatever reads a number out of a text asks here.
"""

from __future__ import annotations

import math
import re

MOST_DIGITS = 15
"""More than rows, steps, bytes or milliseconds ever need; a float holds so many exactly."""
MOST_CHARACTERS = 40
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def whole_number(text: str) -> int | None:
    """The number that `text` writes in ASCII digits alone; None where it is anything else, or too long."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def decimal_number(text: str) -> float | None:
    """The finite number that `text` writes: `4`, `-0.5`, `1e3`; None where it is anything else, or too long."""
    if len(text) > MOST_CHARACTERS or _DECIMAL.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None
