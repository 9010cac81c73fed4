"""What speaks for each row as the one to keep, worked out when a cluster asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.model import Example, Flag
from engine.scan.dates import date_of
from engine.scan.duplicates.judged import Judged
from engine.scan.duplicates.keeper import Merit
from engine.scan.duplicates.requests import Request


def merits_of(
    examples: Sequence[Example],
    requests: Sequence[Request],
    judged: Judged,
    node_of: Sequence[int],
    flags: Sequence[Flag],
    prefer: Callable[[int], int],
) -> Sequence[Merit]:
    """What speaks for each row, worked out when a cluster asks."""
    counts: dict[int, int] = {}
    cut: set[int] = set()
    for flag in flags:
        if flag.severity != "info":
            counts[flag.row] = counts.get(flag.row, 0) + 1
        if flag.signal in ("truncated", "empty_output", "placeholder_output"):
            cut.add(flag.row)
    return _Merits(examples, requests, judged, node_of, counts, cut, prefer)


class _Merits(Sequence[Merit]):
    """Merits by position; most rows stand in no cluster and are never asked for."""

    def __init__(
        self,
        examples: Sequence[Example],
        requests: Sequence[Request],
        judged: Judged,
        node_of: Sequence[int],
        flags: dict[int, int],
        cut: set[int],
        prefer: Callable[[int], int],
    ) -> None:
        self._examples, self._requests, self._judged, self._node_of = examples, requests, judged, node_of
        self._flags, self._cut, self._prefer = flags, cut, prefer
        self._known: dict[int, Merit] = {}

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, row: int) -> Merit:  # type: ignore[override]
        merit = self._known.get(row)
        if merit is None:
            example, request = self._examples[row], self._requests[row]
            merit = self._known[row] = Merit(
                preferred=self._prefer(example.number),
                flags=self._flags.get(example.number, 0),
                date=date_of(example.raw),
                whole=bool(request.answer.strip()) and example.number not in self._cut,
                length=len(request.answer),
                odd_words=self._judged.odd_words[self._node_of[row]] if self._judged.odd_words else 0,
                number=example.number,
            )
        return merit
