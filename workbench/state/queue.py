"""The order in which rows are looked at, and what this person's own verdicts have taught about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress

from engine.project.project import Project
from engine.review.outcomes import Record, outcome_of, records
from engine.review.store import Queue

GROUPS_FIRST = "groups"
"""The order at the start: groups first, then rows by bucket."""


class ReviewQueue:
    """`sorted_by` names the order of the list, `ranked` holds all rows in it (None: groups first).

    `learned` is what the queue job has found last, `verdicts_since_learned` the number of verdicts by eye after it.
    `outcomes` say of the verdicts by eye, by filter and oldest first, whether the row was bad: advice to stop is drawn
    from them.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self.sorted_by = GROUPS_FIRST
        self.ranked: Sequence[int] | None = None
        self.learned: Queue | None = None
        self.verdicts_since_learned = 0
        self.outcomes: dict[str, list[bool]] = {}
        self._records: Mapping[str, Record] | None = None

    def take_rows(self) -> None:
        """After rows came in: an order that knows nothing of them is given up."""
        if len(self.ranked or ()) != len(self._project.rows):
            self.sorted_by, self.ranked = GROUPS_FIRST, None

    def take_learned(self, learned: Queue) -> None:
        """What the queue job has found from the verdicts so far."""
        self.learned, self.verdicts_since_learned = learned, 0

    def signal_records(self) -> Mapping[str, Record]:
        """How often each signal with a row that was judged by eye was right. Looks at the decided flagged rows, once an
        act."""
        if self._records is None:
            columns = self._project.finding_columns
            found: list[tuple[int, str]] = []
            if columns is not None:
                rows, codes = columns.signals_of_rows()
                pairs = zip(rows, map(columns.signals.__getitem__, codes), strict=True)
                found = list(compress(pairs, map(self._project.verdict_codes.__getitem__, rows)))
            outcomes = ((row, outcome_of(self._project, row)) for row in {row for row, _ in found})
            known = {row: bad for row, bad in outcomes if bad is not None}
            self._records = {record.signal: record for record in records(found, known)}
        return self._records

    def forget_records(self) -> None:
        """After an act: they are counted anew when asked for."""
        self._records = None
