"""The arms of a comparison, and what no honest verdict can come of: refused before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.training.runs.data_files import said

CURATED, BASE = "curated", "base"
FEWEST_HELDOUT = 20
"""With fewer rows a percentile bootstrap is too narrow to be believed (Hesterberg 2015)."""

Arms = Mapping[str, Sequence[TrainingRow]]
"""Rows by the arm's name. The base model is the arm `base`, without rows: it is measured, not trained."""
FindLeaks = Callable[[Arms, Sequence[TrainingRow]], Mapping[str, Sequence[str]]]
"""Arm -> ids of its rows whose request is also a held-out row's; see `engine.workflows.leak_check`."""


def check_arms(arms: Arms, heldout: Sequence[TrainingRow], find_leaks: FindLeaks | None = None) -> None:
    """Refuse what no honest verdict can come of. Raises TrainingError with the reason.

    No control; an arm without rows; held-out rows that are none, too few, the training rows themselves, or rows an arm
    is trained on: the same id, the same conversation, or what `find_leaks` calls the same request.
    """
    if CURATED not in arms or len(arms) < 2:
        raise TrainingError("a comparison needs the curated rows and at least one other arm", "", "accept rows first")
    for name, rows in arms.items():
        if not rows and name != BASE:
            raise TrainingError(f"arm {name} has no rows", "", "accept rows first")
    check_heldout(heldout)
    for name, rows in arms.items():
        refuse_overlap(name, rows, heldout)
    for name, leaked in (find_leaks(arms, heldout) if find_leaks else {}).items():
        if leaked:
            raise TrainingError(
                f"{len(leaked)} rows of arm {name} ask what held-out rows ask, so the measure would flatter it",
                named(leaked),
                "take them out of one of the two",
            )


def check_heldout(heldout: Sequence[TrainingRow]) -> None:
    """Refuse held-out rows that cannot measure anything. Raises TrainingError."""
    if not heldout:
        raise TrainingError(
            "nothing to measure with: no held-out row is accepted",
            "",
            "reserve some with `tamis holdout` and accept the good ones",
        )
    if len(heldout) < FEWEST_HELDOUT:
        raise TrainingError(
            f"{len(heldout)} held-out rows cannot measure anything: {FEWEST_HELDOUT} or more do",
            "",
            "accept more of the held-out rows (is:heldout and is:undecided)",
        )


def refuse_overlap(name: str, rows: Sequence[TrainingRow], heldout: Sequence[TrainingRow]) -> None:
    """Refuse an arm that is trained on rows it is measured with. Raises TrainingError."""
    ids = {row.id for row in heldout}
    words = {said(row.messages, row.tools) for row in heldout}
    leaked = [row.id for row in rows if row.id in ids or said(row.messages, row.tools) in words]
    if not leaked:
        return
    if len(leaked) == len(rows):
        raise TrainingError(
            f"the held-out rows are the training rows of arm {name}",
            "all of them are in both",
            "hold out rows that nothing is trained on",
        )
    raise TrainingError(
        f"{len(leaked)} rows of arm {name} are also held out", named(leaked), "take them out of one of the two"
    )


def named(ids: Sequence[str]) -> str:
    """The first few ids of a longer list."""
    return ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
