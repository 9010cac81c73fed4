"""How many new tokens an answer is given. Standard library only: the plan uses it too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rows import LabelledRow

LEAST_ROOM = 16


def room_for(reference: int, most: int) -> int:
    """New tokens for an answer whose reference, thinking and end included, has `reference`: half as many again and a
    few, so that a longer way to the same answer is no failure; never more than `most`."""
    return max(1, min(most, reference + reference // 2 + LEAST_ROOM))


def written_tokens(references: Sequence[int], most: int, batch: int) -> int:
    """Tokens that batches of answers may take one after the other, where rows of like room are answered together."""
    rooms = sorted((room_for(reference, most) for reference in references), reverse=True)
    return sum(rooms[::batch])


def answer_lengths(rows: Sequence[LabelledRow], tokenizer: Any) -> list[int]:
    """Tokens of each row's reference answer; at least 1."""
    if not rows:
        return []
    return [max(1, len(ids)) for ids in tokenizer([row.answer for row in rows], add_special_tokens=False)["input_ids"]]
