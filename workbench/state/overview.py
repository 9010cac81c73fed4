"""What the overview lists: what can be settled, ranked by rows per key, buckets, years, what has been decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress
from typing import Literal, TypeVar

from engine.model import (
    BUCKET_LABELS,
    BUCKET_ORDER,
    BUCKETS,
    CLUSTER_KINDS,
    GROUP_KINDS,
    SETTLED_KINDS,
    VERDICTS,
    ClusterKind,
)
from engine.phrases import counted
from engine.project.by_source import rows_of_source, source_selector
from engine.project.project import Project
from engine.project.proposals import waiting_rows
from engine.project.suspects import KINDS as SUSPECT_KINDS
from engine.scan.columns import ALTERNATIVES, marked
from workbench.state.row_pass import UNDATED, Years
from workbench.text.escape import visible_line

T = TypeVar("T")
Section = Literal["settle", "proposed", "trained", "buckets", "flags", "years", "sources", "decided"]
SECTION_TITLES: dict[Section, str] = {
    "settle": "What can be settled, most rows per key first",
    "proposed": "What came along with the rows, and decides nothing by itself",
    "trained": "What training says of rows",
    "buckets": "What the scan proposes",
    "flags": "Flags",
    "years": "Years",
    "sources": "Files",
    "decided": "What has been decided",
}
# `x` on an item takes its key twice, beside the count.
KEYS_FOR_BULK = 2
PROPOSED_BY = "proposed by "
# A project that grows by a file a night has many: those that came first are listed.
MOST_SOURCES = 20
GROUP_WORDS: dict[ClusterKind, str] = {
    "exact": "exact group",
    "near": "near group",
    "prefix": "prefix group",
    "conflict": "conflict",
    "variant": "variant family",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the overview. `rows` are still open (in `decided`: all); `keys` is what settling them takes.

    With `bulk` a verdict can be given on all of its rows at once, with `keeps` one row of each group can be kept.
    """

    section: Section
    label: str
    filter_text: str
    rows: int
    of: int
    keys: int = 0
    bulk: bool = False
    keeps: bool = False


class Overview:
    """The lines of a project's overview, worked out when first asked for, and the `cursor` in them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._items: list[Item] | None = None
        self.years: Years | None = None
        self.cursor = 0

    @property
    def items(self) -> list[Item]:
        if self._items is None:
            self._items = overview_items(self._project, self.years)
        return self._items

    @property
    def item(self) -> Item | None:
        """The line under the cursor."""
        return self.items[self.cursor] if self.items else None

    def move(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.items) - 1))

    def refresh(self) -> None:
        """Count afresh; the cursor stays on its line."""
        here = self.item.filter_text if self._items and self.item is not None else None
        self._items = overview_items(self._project, self.years)
        for index, item in enumerate(self._items):
            if item.filter_text == here:
                self.cursor = index
        self.move(0)


def overview_items(project: Project, years: Years | None = None) -> list[Item]:
    """The items in the order shown; those with nothing left to do are dropped, but for buckets and years."""
    look = _Look(project)
    settle = [*_disagreements(look), *_groups(look), *_signals(look)]
    settle.sort(key=lambda item: item.rows / item.keys, reverse=True)
    return [
        *settle,
        *_proposed(look),
        *_trained(look),
        *_buckets(look),
        *_flags(look),
        *_years(look, years),
        *_sources(look),
        *_decided(look),
    ]


class _Look:
    """A project and the verdict of each of its rows, read once for all lines.

    `left` has 1 for a row that is undecided, `training` for one outside the held-out set, `left_training` for one that
    is both; passes over all rows are left to `compress` and `Counter`: there may be half a million rows.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.codes = project.verdict_codes
        self.heldout = project.heldout
        self.training = bytearray(b"\1") * len(self.codes)
        self.left = marked(self.codes, (VERDICTS.index("undecided"),))
        for row in self.heldout:
            self.training[row] = 0
        # The held-out set is judged in a sitting of its own and counts in no other line.
        self.left_training = bytearray(self.left)
        for row in self.heldout:
            self.left_training[row] = 0
        self._without_heldout = " not is:heldout" if project.heldout else ""

    def counts(self, values: Sequence[T]) -> tuple[Counter[T], Counter[T]]:
        """(how many rows outside the held-out set have which value, how many of them are left)."""
        total = Counter(compress(values, self.training) if self.heldout else values)
        return total, Counter(compress(values, self.left_training))

    @cached_property
    def groups(self) -> list[tuple[str, bool, Sequence[int]]]:
        """Kind, whether the answers differ, and rows of every group."""
        columns = self.project.finding_columns
        if columns is None:
            return []
        names, ends, members = CLUSTER_KINDS, columns.member_ends, columns.members
        bounds = zip(columns.kinds, columns.cluster_marks, chain((0,), ends), ends, strict=False)
        return [(names[kind], bool(mark & ALTERNATIVES), members[a:b]) for kind, mark, a, b in bounds]

    def selector(self, text: str) -> str:
        return text + self._without_heldout


def _trained(look: _Look) -> Iterator[Item]:
    """Rows that the last run that was read names, and that nobody has judged since."""
    project = look.project
    total: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for suspected in project.suspects.rows:
        number = project.rows.number(suspected.id)
        if number is not None:
            total[suspected.kind] += 1
            left[suspected.kind] += project.is_suspect(number)
    for kind in SUSPECT_KINDS:
        if total[kind]:
            label = kind.replace("_", " ")
            yield Item("trained", label, f"flag:{kind} is:suspect", left[kind], total[kind], left[kind])


def _proposed(look: _Look) -> Iterator[Item]:
    """What each author proposes and nobody has answered yet."""
    authors = Counter(by for _, found in waiting_rows(look.project) for by in {one.by for one in found})
    for by, rows in sorted(authors.items()):
        yield Item("proposed", visible_line(f"{PROPOSED_BY}{by}"), f"is:proposed by:{by}", rows, rows, KEYS_FOR_BULK)


def _disagreements(look: _Look) -> Iterator[Item]:
    rows = len(look.project.disputed)
    if rows:
        yield Item("settle", counted(rows, "disagreement"), "is:disputed", rows, rows, 2 * rows)


def _groups(look: _Look) -> Iterator[Item]:
    found: dict[tuple[str, bool], list[Sequence[int]]] = {}
    for name, differ, rows in look.groups:
        if not (look.heldout and look.heldout.issuperset(rows)):
            found.setdefault((name, differ), []).append(rows)
    for kind in GROUP_KINDS:
        plain, others = found.get((kind, False), ()), found.get((kind, True), ())
        yield from _line(look, plain, GROUP_WORDS[kind], f"kind:{kind}", keeps=kind in SETTLED_KINDS)
        # Answers that differ without disagreeing: alike enough to be a group, but a person looks at each.
        yield from _line(look, others, f"{GROUP_WORDS[kind]}, answers differ", f"kind:{kind} bucket:check", keeps=False)


def _line(look: _Look, groups: Sequence[Sequence[int]], words: str, text: str, *, keeps: bool) -> Iterator[Item]:
    """The line of groups of one kind, each given by its rows; none where all of them are settled."""
    left = look.left.__getitem__
    still_open = sum(any(map(left, rows)) for rows in groups)
    if not still_open:
        return
    everything = set(chain.from_iterable(groups))
    rows = sum(map(left, everything))
    # Duplicates are settled all at once; in a conflict one reads, and names the answer to keep by its digit.
    keys = min(still_open, KEYS_FOR_BULK) if keeps else still_open
    noun, comma, rest = words.partition(",")
    label = f"{counted(still_open, noun)}{comma}{rest}"
    yield Item("settle", label, look.selector(text), rows, len(everything), keys, keeps=keeps)


def _signals(look: _Look) -> Iterator[Item]:
    """Rows that one signal proposes to drop, where no group settles them already."""
    columns = look.project.finding_columns
    if columns is None:
        return
    proposed = bytearray(marked(columns.bucket_codes, (BUCKETS.index("drop"),)))
    for row in chain(look.heldout, *(rows for kind, _, rows in look.groups if kind in SETTLED_KINDS)):
        proposed[row] = 0
    tops = look.project.top_signals(proposed)
    total = Counter(tops.values())
    left = Counter(compress(tops.values(), map(look.left.__getitem__, tops)))
    for signal, rows in left.items():
        if rows:
            text = look.selector(f"bucket:drop flag:{signal}")
            keys = min(rows, KEYS_FOR_BULK)
            yield Item("settle", f"{counted(rows, 'row')} flagged {signal}", text, rows, total[signal], keys, True)


def _buckets(look: _Look) -> Iterator[Item]:
    columns = look.project.finding_columns
    if columns is None or not look.project.is_scanned:
        # Before a scan has come to its end nobody can say that a row has no issue.
        return
    total, left = look.counts(columns.bucket_codes)
    for bucket in BUCKET_ORDER:
        code = BUCKETS.index(bucket)
        if total[code]:
            label = f"{bucket:<6} {BUCKET_LABELS[bucket]}"
            text = look.selector(f"bucket:{bucket}")
            yield Item("buckets", label, text, left[code], total[code], KEYS_FOR_BULK, True)


def _flags(look: _Look) -> Iterator[Item]:
    columns = look.project.finding_columns
    if columns is None:
        return
    rows, codes = columns.signals_of_rows()
    total = Counter(compress(codes, map(look.training.__getitem__, rows)))
    left = Counter(compress(codes, map(look.left_training.__getitem__, rows)))
    # Ranked by all of them, not by what is left: a line stays where the eye found it.
    for code in sorted(total, key=lambda code: (-total[code], columns.signals[code])):
        if left[code]:
            signal = columns.signals[code]
            text = look.selector(f"flag:{signal}")
            yield Item("flags", signal, text, left[code], total[code], KEYS_FOR_BULK, True)


def _years(look: _Look, years: Years | None) -> Iterator[Item]:
    if years is None:
        return
    total, left = look.counts(years)
    for year in sorted(total.keys() - {UNDATED}):
        text = look.selector(f"date={year}")
        yield Item("years", str(year), text, left[year], total[year], KEYS_FOR_BULK, True)


def _sources(look: _Look) -> Iterator[Item]:
    """A line a file, where there are several."""
    project = look.project
    sources = project.settings.sources
    for place in range(min(len(sources), MOST_SOURCES)) if len(sources) > 1 else ():
        rows = rows_of_source(project, place)
        total, left = (sum(marks[rows.start : rows.stop]) for marks in (look.training, look.left_training))
        if total:
            text = look.selector(source_selector(project, place))
            yield Item("sources", visible_line(sources[place].name), text, left, total, KEYS_FOR_BULK, True)


def _decided(look: _Look) -> Iterator[Item]:
    project = look.project
    rows = len(look.codes) - len(look.heldout)
    tally = Counter({verdict: look.codes.count(code) for code, verdict in enumerate(VERDICTS)})
    tally.subtract(VERDICTS[look.codes[row]] for row in look.heldout)
    for verdict in ("accepted", "rejected", "skipped", "undecided"):
        if tally[verdict]:
            # What is left can be judged as a whole, like a bucket.
            bulk = verdict == "undecided"
            yield Item("decided", verdict, look.selector(f"is:{verdict}"), tally[verdict], rows, KEYS_FOR_BULK, bulk)
    agreed = project.agreement()
    if agreed is not None:
        label = f"decided by two: kappa {agreed['kappa']:.2f}"
        yield Item("decided", label, "is:disputed", int(agreed["rows"]), rows)
    if look.heldout:
        judged = sum(1 for row in look.heldout if not look.left[row])
        yield Item("decided", f"held out ({judged} judged)", "is:heldout", len(look.heldout), len(look.codes))
