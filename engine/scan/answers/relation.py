"""How two answers to one request relate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relation = Literal["same", "nearly", "alternative", "conflict"]

SHORT = 120
"""Characters of an answer from which on words alone are no disagreement."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two answers relate, and the difference in words ('"high" against "low"'). `firm`: the answers alone show that
    they speak of one thing, as two texts do that are the same but for a number.
    """

    relation: Relation
    why: str = ""
    firm: bool = False
