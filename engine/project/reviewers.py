"""Several journals' columns together: one verdict a row without a step of Python's for each row.

What one journal says of a row is a number below 16. The columns of two journals are made one by arithmetic on them as
whole numbers of so many digits: no digit overflows, so each digit of the sum is a pair, and a table turns pairs into
what both say together. Rows with edits or settled disagreements need more than verdicts and are told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, compress
from typing import Any

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


# How far reviewers agree: Cohen's kappa (Cohen 1960) over the rows that two of them decided.


def cohens_kappa(pairs: list[tuple[str, str]]) -> float:
    """Kappa of (verdict of one, verdict of the other); 1 where they agree always, also where nobody ever differed."""
    total = len(pairs)
    observed = sum(1 for one, other in pairs if one == other) / total
    labels = {label for pair in pairs for label in pair}
    expected = sum(
        (sum(1 for one, _ in pairs if one == label) / total) * (sum(1 for _, other in pairs if other == label) / total)
        for label in labels
    )
    return 1.0 if expected == 1.0 else (observed - expected) / (1.0 - expected)


def agreement(verdicts: Mapping[str, Mapping[Any, str]]) -> dict[str, Any] | None:
    """{"kappa", "rows", "pairs": [{"reviewers", "kappa", "rows"}]} from reviewer -> id -> accepted or rejected.

    The kappa on top is the mean of the pairs', weighted by rows. None where no row was decided by two.
    """
    found = []
    for one, other in combinations(sorted(verdicts), 2):
        both = verdicts[one].keys() & verdicts[other].keys()
        if both:
            kappa = cohens_kappa([(verdicts[one][key], verdicts[other][key]) for key in both])
            found.append({"reviewers": [one, other], "kappa": round(kappa, 4), "rows": len(both)})
    if not found:
        return None
    rows = sum(int(pair["rows"]) for pair in found)  # type: ignore[call-overload]
    mean = sum(float(pair["kappa"]) * int(pair["rows"]) for pair in found) / rows  # type: ignore[arg-type,call-overload]
    return {"kappa": round(mean, 4), "rows": rows, "pairs": found}
