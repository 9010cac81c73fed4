"""What several reviewers say of the same rows: one verdict a row, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, compress
from typing import Any

from engine.project.snapshot import CODE, Columns

DECIDED = (CODE["accepted"], CODE["rejected"])


def together(journals: Sequence[Columns]) -> tuple[bytearray, set[int]]:
    """(the code of each row's verdict, the rows that the journals differ on; these have no verdict).

    A decided row stays as the first journal decided it. The same rule as `row_states.combined`, for rows without edits
    and without settled disagreements: those need more than verdicts.
    """
    codes = bytearray(len(journals[0].codes))
    disputed: set[int] = set()
    for journal in journals:
        for number in compress(range(len(codes)), journal.reasons):
            before, now = codes[number], journal.codes[number]
            if before not in DECIDED:
                codes[number] = now
            elif now in DECIDED and now != before:
                disputed.add(number)
    for number in disputed:
        codes[number] = CODE["undecided"]
    return codes, disputed


# -- how far reviewers agree: Cohen's kappa (Cohen 1960) over the rows that two of them decided


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
