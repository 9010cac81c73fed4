"""How many new tokens an answer is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .rows import LabelledRow

LEAST_ROOM = 16


def room_for(reference: int, most: int) -> int:
    """New tokens for an answer whose reference, thinking and end included, has `reference`: half as many again and a
    few, so that a longer way to the same answer is no failure; never more than `most`."""
    return max(1, min(most, reference + reference // 2 + LEAST_ROOM))


def answer_lengths(rows: Sequence[LabelledRow], tokenizer: Any) -> list[int]:
    """Tokens of each row's reference answer; at least 1."""
    if not rows:
        return []
    return [max(1, len(ids)) for ids in tokenizer([row.answer for row in rows], add_special_tokens=False)["input_ids"]]
