"""Findings in columns: numbers by row and by cluster, from which a flag or a cluster is made when it is looked at.

Half a million rows have tens of thousands of findings, of which a screen shows forty. Kept as objects they take longer
to make than everything else that opening a project does, and most of its memory.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress
from typing import Any, Generic, TypeVar, overload

from engine.model import BUCKETS, CLUSTER_KINDS, SEVERITIES, BucketName, Cluster, Findings, Flag, Leak, Span

T = TypeVar("T")

FIRST, TOP = 1, 2
"""Marks of a flag: the first one of its signal in its row; the first one of its row."""
ALTERNATIVES = 1
"""Mark of a cluster whose answers differ without disagreeing."""


def marked(codes: bytes | bytearray, wanted: Container[int]) -> bytes:
    """For each code 1 where it is one of `wanted`, else 0; through a table, so that no row takes a step of Python's."""
    return bytes(codes).translate(bytes(code in wanted for code in range(256)))


class Made(Sequence[T], Generic[T]):
    """A sequence whose items are made when they are asked for, and not kept; equal to any sequence of equal items."""

    def __init__(self, make: Callable[[int], T], numbers: Sequence[int]) -> None:
        self._make = make
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return Made(self._make, self.numbers[index])
        return self._make(self.numbers[index])

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self.numbers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Made({list(self)!r})"


class Buckets(Made[BucketName]):
    """The bucket of every row; `codes` holds its place in BUCKETS."""

    def __init__(self, codes: bytes) -> None:
        super().__init__(BUCKETS.__getitem__, codes)
        self.codes = codes

    def count(self, value: Any) -> int:
        return self.codes.count(BUCKETS.index(value)) if value in BUCKETS else 0


class Texts:
    """Many texts in one run of bytes; text `i` lies before `ends[i]`. UTF-8, lone surrogates as they were."""

    def __init__(self, ends: Sequence[int], content: memoryview) -> None:
        self._ends = ends
        self._content = content

    def __getitem__(self, index: int) -> str:
        start = self._ends[index - 1] if index else 0
        return str(self._content[start : self._ends[index]], "utf-8", "surrogatepass")

    def between(self, first: int, last: int) -> tuple[str, ...]:
        """The texts from number `first` up to `last`."""
        return tuple(self[index] for index in range(first, last))


class FindingColumns:
    """See the module. `column` holds the columns by name as `engine.scan.store` writes them; flags lie by row.

    `signals` are the names that codes of signals stand for, `seconds` and `complete` those of the scan, `about` what
    the file says of itself.
    """

    def __init__(
        self,
        column: Mapping[str, memoryview],
        signals: Sequence[str],
        seconds: Mapping[str, float],
        complete: bool,
        about: Mapping[str, str],
    ) -> None:
        self.about = dict(about)
        self.signals = tuple(signals)
        self._seconds = dict(seconds)
        self._complete = complete
        self.bucket_codes = bytes(column["buckets"])
        self.flag_rows: Sequence[int] = column["flag_rows"]
        self.flag_signals: Sequence[int] = column["flag_signals"]
        self._flag_marks = bytes(column["flag_marks"])
        self._severities = column["severities"]
        self._spans = column["spans"]
        self._reasons = Texts(column["reason_ends"], column["reasons"])
        self.kinds = bytes(column["kinds"])
        self.cluster_marks = bytes(column["cluster_marks"])
        self.keepers: Sequence[int] = column["keepers"]
        self.member_ends: Sequence[int] = column["member_ends"]
        self.members: Sequence[int] = column["members"]
        self._scores, self._score_ends = column["scores"], column["score_ends"]
        self._voices, self._voice_ends = column["voices"], column["voice_ends"]
        self._evidence_ends = column["evidence_ends"]
        self._evidence = Texts(column["sentence_ends"], column["sentences"])
        self._ids = Texts(column["id_ends"], column["ids"])
        self._member_rows, self._member_clusters = column["member_rows"], column["member_clusters"]
        leaks = zip(column["leak_rows"], column["leak_heldout"], column["leak_kinds"], strict=True)
        self.leaks = tuple(Leak(row, heldout, CLUSTER_KINDS[kind]) for row, heldout, kind in leaks)

    @cached_property
    def findings(self) -> Findings:
        """All of it; flags and clusters are made as they are asked for."""
        return Findings(
            Made(self.cluster, range(len(self.kinds))),
            Made(self.flag, range(len(self.flag_rows))),
            Buckets(self.bucket_codes),
            self._seconds,
            self.leaks,
            self._complete,
        )

    # -- flags

    def flag(self, number: int) -> Flag:
        turn, start, end = self._spans[3 * number : 3 * number + 3]
        return Flag(
            self.flag_rows[number],
            self.signals[self.flag_signals[number]],
            SEVERITIES[self._severities[number]],
            self._reasons[number],
            Span(turn, start, end) if turn >= 0 else None,
        )

    def flags_of(self, row: int) -> tuple[Flag, ...]:
        """The flags of a row, in the order of the scan."""
        first = bisect_left(self.flag_rows, row)
        return tuple(map(self.flag, range(first, bisect_right(self.flag_rows, row, first))))

    def signals_of_rows(self) -> tuple[list[int], list[int]]:
        """(rows, codes of signals): each signal of each row, once."""
        marks = marked(self._flag_marks, (FIRST, FIRST | TOP))
        return list(compress(self.flag_rows, marks)), list(compress(self.flag_signals, marks))

    def top_signals(self) -> tuple[list[int], list[int]]:
        """(rows that have flags, the code of the signal of the first flag of each)."""
        marks = marked(self._flag_marks, (TOP, FIRST | TOP))
        return list(compress(self.flag_rows, marks)), list(compress(self.flag_signals, marks))

    # -- clusters

    def cluster(self, number: int) -> Cluster:
        return Cluster(
            self._ids[number],
            CLUSTER_KINDS[self.kinds[number]],
            tuple(self.rows_of(number)),
            self.keepers[number],
            self._evidence.between(*_bounds(self._evidence_ends, number)),
            _part(self._scores, self._score_ends, number),
            bool(self.cluster_marks[number] & ALTERNATIVES),
            _part(self._voices, self._voice_ends, number),
        )

    def rows_of(self, number: int) -> Sequence[int]:
        """The members of a cluster, ascending."""
        first, last = _bounds(self.member_ends, number)
        return self.members[first:last]

    def clusters_of(self, row: int) -> tuple[Cluster, ...]:
        """The clusters a row is in, in the order of the scan."""
        first = bisect_left(self._member_rows, row)
        last = bisect_right(self._member_rows, row, first)
        return tuple(map(self.cluster, self._member_clusters[first:last]))

    def clusters(self, numbers: Sequence[int]) -> Sequence[Cluster]:
        """These clusters, made as they are asked for."""
        return Made(self.cluster, numbers)

    @cached_property
    def number_by_id(self) -> dict[str, int]:
        return {self._ids[number]: number for number in range(len(self.kinds))}


def _bounds(ends: Sequence[int], number: int) -> tuple[int, int]:
    return ends[number - 1] if number else 0, ends[number]


def _part(column: memoryview, ends: Sequence[int], number: int) -> tuple[Any, ...]:
    first, last = _bounds(ends, number)
    return tuple(column[first:last])
