"""How far reviewers agree: Cohen's kappa (Cohen 1960) over the rows that two of them decided."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any


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
