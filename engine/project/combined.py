"""Several journals' columns together: one verdict a row without a step of Python's for each row.

What one journal says of a row is a number below 16. The columns of two journals are made one by arithmetic on them as
whole numbers of so many digits: no digit overflows, so each digit of the sum is a pair, and a table turns pairs into
what both say together. Rows with edits or settled disagreements need more than verdicts and are told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

from engine.project.snapshot import CODE, Columns

SAID = 4
"""Added to the code of a verdict where the journal speaks of the row at all."""
DISPUTED = 8
ACCEPTED, REJECTED = SAID + CODE["accepted"], SAID + CODE["rejected"]
_WORD = 4


def said(columns: Columns) -> bytes:
    """What one journal says of each row: 0 where nothing, else SAID + the code of its verdict."""
    spoken = bytes(map(bool, columns.reasons))
    codes, marks = int.from_bytes(columns.codes, "little"), int.from_bytes(spoken, "little")
    return (codes + SAID * marks).to_bytes(len(spoken), "little")


def together(parts: Sequence[bytes]) -> bytes:
    """What journals say together, DISPUTED where they differ; the earlier one's word where one has to be chosen.

    The same rule as `states.combined`, for rows without edits and without settled disagreements.
    """
    whole = parts[0]
    for part in parts[1:]:
        pairs = int.from_bytes(whole, "little") * 16 + int.from_bytes(part, "little")
        whole = pairs.to_bytes(len(part), "little").translate(_TABLE)
    return whole


def _both(before: int, now: int) -> int:
    decided = (ACCEPTED, REJECTED)
    if before == DISPUTED or (before in decided and now in decided and before != now):
        return DISPUTED
    if before in decided:
        return before
    return now or before


_TABLE = bytes(_both(pair >> _WORD, pair & 15) for pair in range(256))
_VERDICT = bytes(value & 3 if SAID <= value < DISPUTED else 0 for value in range(256))


def verdict_codes(whole: bytes) -> bytes:
    """The code of the verdict of each row; a disputed row has none."""
    return whole.translate(_VERDICT)


def numbers_of(whole: bytes, values: Iterable[int]) -> list[int]:
    """The rows of which one of these is said."""
    wanted = frozenset(values)
    return list(compress(range(len(whole)), whole.translate(bytes(value in wanted for value in range(256)))))
