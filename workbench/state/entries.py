"""What the list shows, and in which order: groups first, largest first, then single rows by bucket.

The order is worked out once per filter. A verdict never moves an entry: the eye finds things where they were.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain, compress
from typing import NamedTuple

from engine.model import BUCKET_ORDER, BUCKETS, CLUSTER_KINDS, GROUP_KINDS, Cluster, ClusterKind
from engine.project.project import Project
from engine.project.suspects import KINDS as SUSPECT_KINDS
from engine.project.suspects import rank_of
from engine.review.recheck import TAG
from engine.scan.columns import ALTERNATIVES, marked
from engine.select import select

# In this filter a row asks for a verdict until it has got its second one.
SECOND_LOOK = f"is:{TAG}"

# Stands for the bucket of a row that does not stand among those that carry nothing.
NOT_PLAIN = 255

_SUSPECTS = re.compile(rf"(?<![\w.])(is:suspect|flag:({'|'.join(SUSPECT_KINDS)}))\b")
_KIND = re.compile(r"(?<![\w.])(not\s+)?kind:(\w+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: a row, alone or in `cluster`, or the header of a cluster (`row` is its keeper)."""

    row: int
    cluster: Cluster | None
    is_header: bool


class EntryKey(NamedTuple):
    """What finds an entry again in another list: its row, the id of the cluster it is shown in, whether it is the
    header of that."""

    row: int
    cluster_id: str | None = None
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of one filter. Two arrays, so that half a million rows cost a few megabytes."""

    filter_text: str
    clusters: Sequence[Cluster]
    headers: tuple[int, ...]
    matched: int
    _groups: array[int]
    _rows: array[int]

    def __len__(self) -> int:
        return len(self._rows)

    def entry(self, index: int) -> Entry:
        group, row = self._groups[index], self._rows[index]
        cluster = self.clusters[group] if group >= 0 else None
        if row < 0 and cluster is not None:
            return Entry(cluster.keeper, cluster, True)
        return Entry(row, cluster, False)

    def find(self, row: int, cluster_id: str | None, is_header: bool = False) -> int | None:
        """The entry of a row, in the given cluster if it is there, else anywhere; None where it is not shown."""
        found: int | None = None
        for index, number in enumerate(self._rows):
            group = self._groups[index]
            here = self.clusters[group].id if group >= 0 else None
            if is_header and number < 0 and here == cluster_id:
                return index
            if number == row:
                if here == cluster_id and not is_header:
                    return index
                found = index if found is None else found
        return found

    def next_header(self, index: int) -> int | None:
        """The header after `index`; behind the last group the first single row."""
        place = bisect_right(self.headers, index)
        if place < len(self.headers):
            return self.headers[place]
        single = self.first_single
        return single if single is not None and index < single else None

    def previous_header(self, index: int) -> int | None:
        place = bisect_left(self.headers, index) - 1
        return self.headers[place] if place >= 0 else None

    @property
    def first_single(self) -> int | None:
        """Where the single rows begin."""
        place = bisect_left(self._groups, 1, key=lambda group: 1 if group < 0 else 0)
        return place if place < len(self._groups) else None

    def open_from(self, index: int, project: Project) -> int | None:
        """The first entry from `index` on, then from the top, that still asks for a verdict; None: none does."""
        again = SECOND_LOOK in self.filter_text
        suspects = names_suspects(self.filter_text)
        for candidate in chain(range(index, len(self)), range(min(index, len(self)))):
            row = self._rows[candidate]
            if row >= 0:
                asked_again = (again and TAG in project.tags(row)) or (suspects and project.is_suspect(row))
                if asked_again or project.verdict(row) == "undecided":
                    return candidate
            elif is_open(project, self.entry(candidate)):
                return candidate
        return None


def is_open(project: Project, entry: Entry) -> bool:
    """Whether an entry still asks for a verdict; a header does while one of its members does."""
    if entry.is_header and entry.cluster is not None:
        return project.is_open(entry.cluster) and any(project.verdict(row) == "undecided" for row in entry.cluster.rows)
    return project.verdict(entry.row) == "undecided"


def names_suspects(text: str) -> bool:
    """Whether a selector asks for what training says of rows."""
    return _SUSPECTS.search(text) is not None


def named_kinds(text: str) -> set[str]:
    """The cluster kinds a selector asks for by name."""
    return {kind for negated, kind in _KIND.findall(text) if not negated}


def groups_within(
    project: Project, rows: Collection[int], text: str, kinds: Iterable[ClusterKind] = GROUP_KINDS
) -> Sequence[Cluster]:
    """The clusters that are wholly within `rows`, in queue order. A selector that names kinds gets no others."""
    columns = project.finding_columns
    if columns is None:
        return ()
    named = named_kinds(text)
    ranks = {CLUSTER_KINDS.index(kind): place for place, kind in enumerate(kinds) if not named or kind in named}
    everything = len(rows) == len(project.rows)
    found: list[tuple[int, int, int, int, int]] = []
    for number, kind in enumerate(columns.kinds):
        members = columns.rows_of(number) if kind in ranks else ()
        if members and (everything or all(row in rows for row in members)):
            differ = columns.cluster_marks[number] & ALTERNATIVES
            found.append((ranks[kind], differ, -len(members), members[0], number))
    return columns.clusters([number for *_, number in sorted(found)])


def flat_entries(filter_text: str, rows: Sequence[int]) -> Entries:
    """Rows alone, as they came: what a search has found so far."""
    return Entries(filter_text.strip(), (), (), len(rows), array("i", [-1]) * len(rows), array("i", rows))


def build_entries(
    project: Project, filter_text: str, ranked: Sequence[int] | None = None, matched: Sequence[int] | None = None
) -> Entries:
    """The entries for a filter. Raises UsageError where the text is no selector.

    `ranked` holds every row in an order that was asked for: rows then stand alone, in that order. `matched` are the
    rows of the filter where they are known already.
    """
    everything = range(len(project.rows))
    if matched is None:
        matched = select(project, filter_text) if filter_text.strip() else everything
    if ranked is None and names_suspects(filter_text):
        # What training says of rows is ranked: each stands alone, the one to look at first on top.
        ranks = rank_of(project.suspects)
        ranked = sorted(matched, key=lambda row: (ranks.get(project.rows.id(row), (len(ranks), 0)), row))
    if ranked is not None:
        wanted = set(matched)
        flat = array("i", (row for row in ranked if row in wanted))
        return Entries(filter_text.strip(), (), (), len(matched), array("i", [-1]) * len(flat), flat)
    within: Collection[int] = everything if len(matched) == len(everything) else set(matched)
    clusters = groups_within(project, within, filter_text)
    groups, rows, headers = array("i"), array("i"), []
    grouped: set[int] = set()
    for number, cluster in enumerate(clusters):
        headers.append(len(rows))
        groups.extend([number] * (len(cluster.rows) + 1))
        rows.append(-1)
        # The keeper first: everything below it is compared with it.
        rows.extend((cluster.keeper, *cluster.others))
        grouped.update(cluster.rows)
    for singles in _singles(project, matched, grouped):
        rows.extend(singles)
    groups.extend(array("i", [-1]) * (len(rows) - len(groups)))
    return Entries(filter_text.strip(), clusters, tuple(headers), len(matched), groups, rows)


def _singles(project: Project, matched: Sequence[int], grouped: set[int]) -> Iterator[Iterable[int]]:
    """The rows outside groups in their order, part by part.

    By bucket; within one, rows with the same flag stand together (the eye learns a kind of fault once), and so do the
    members of a family of variants. The held-out set comes last: it is judged row by row, in a sitting of its own.
    Most rows carry nothing and stand as they came: they are not sorted, half a million of them would take a second.
    """
    columns, flagged, heldout = project.finding_columns, project.top_signals(), project.heldout
    family: dict[int, int] = {}
    for number, kind in enumerate(columns.kinds if columns is not None else ()):
        if columns is not None and CLUSTER_KINDS[kind] == "variant":
            members = columns.rows_of(number)
            for row in members:
                family[row] = min(members[0], family.get(row, row))
    apart = {*flagged, *family, *heldout} - grouped
    codes = columns.bucket_codes if columns is not None else bytes(len(project.rows))
    places = bytearray(codes)
    for row in chain(apart, grouped):
        places[row] = NOT_PLAIN
    plain = {code: array("i", compress(matched, _marked(places, code, matched))) for code in range(len(BUCKETS))}
    special: dict[tuple[bool, str], list[int]] = {}
    everything = len(matched) == len(project.rows)
    for row in sorted(apart) if everything else filter(apart.__contains__, matched):
        special.setdefault((row in heldout, BUCKETS[codes[row]]), []).append(row)

    def order(row: int) -> tuple[str, int, int]:
        return flagged.get(row, ""), family.get(row, row), row

    for bucket in BUCKET_ORDER:
        by_signal = sorted(special.get((False, bucket), ()), key=order)
        unflagged = bisect_right(by_signal, "", key=lambda row: order(row)[0])
        # Members of families move up to their first row, in among those that carry nothing.
        members = by_signal[:unflagged]
        alone = plain[BUCKETS.index(bucket)]
        yield merge(alone, members, key=lambda row: (family.get(row, row), row)) if members else alone
        yield by_signal[unflagged:]
    for bucket in BUCKET_ORDER:
        yield sorted(special.get((True, bucket), ()), key=order)


def _marked(places: bytearray, code: int, rows: Sequence[int]) -> Iterable[int]:
    """For each of the rows 1 where its place is `code`, else 0; where they are all the rows there are, without a look
    at each."""
    marks = marked(places, (code,))
    return marks if len(rows) == len(places) else map(marks.__getitem__, rows)
