"""What the overview lists: what can be settled, ranked by rows per key, buckets, years, what has been decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.model import BUCKET_LABELS, ClusterKind, VerdictName
from engine.project.folder import Project
from engine.project.suspects import KINDS as SUSPECT_KINDS
from workbench.verdicts import counted
from workbench.view import BUCKET_ORDER, GROUP_KINDS, SETTLED_KINDS
from workbench.years import UNDATED, Years

Section = Literal["settle", "trained", "buckets", "flags", "years", "decided"]
SECTION_TITLES: dict[Section, str] = {
    "settle": "What can be settled, most rows per key first",
    "trained": "What training says of rows",
    "buckets": "What the scan proposes",
    "flags": "Flags",
    "years": "Years",
    "decided": "What has been decided",
}
# `x` on an item takes its key twice, beside the count.
KEYS_FOR_BULK = 2
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


class _Look:
    """A project and the verdict of each of its rows, read once for all lines."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.verdicts: Sequence[VerdictName] = [project.verdict(row) for row in range(len(project.rows))]
        self.heldout = project.heldout
        # The held-out set is judged in a sitting of its own and counts in no other line.
        self._without_heldout = " not is:heldout" if project.heldout else ""

    def is_left(self, row: int) -> bool:
        return self.verdicts[row] == "undecided"

    def selector(self, text: str) -> str:
        return text + self._without_heldout


def overview_items(project: Project, years: Years | None = None) -> list[Item]:
    """The items in the order shown; those with nothing left to do are dropped, but for buckets and years."""
    look = _Look(project)
    settle = [*_disagreements(look), *_groups(look), *_signals(look)]
    settle.sort(key=lambda item: item.rows / item.keys, reverse=True)
    return [*settle, *_trained(look), *_buckets(look), *_flags(look), *_years(look, years), *_decided(look)]


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


def _disagreements(look: _Look) -> Iterator[Item]:
    rows = sum(map(look.project.is_disputed, range(len(look.verdicts))))
    if rows:
        yield Item("settle", counted(rows, "disagreement"), "is:disputed", rows, rows, 2 * rows)


def _groups(look: _Look) -> Iterator[Item]:
    if look.project.findings is None:
        return
    for kind in GROUP_KINDS:
        clusters = [
            cluster
            for cluster in look.project.findings.clusters
            if cluster.kind == kind and not look.heldout.issuperset(cluster.rows)
        ]
        still_open = [cluster for cluster in clusters if any(map(look.is_left, cluster.rows))]
        if not still_open:
            continue
        rows = {row for cluster in still_open for row in cluster.rows if look.is_left(row)}
        everything = {row for cluster in clusters for row in cluster.rows}
        # Duplicates are settled all at once; in a conflict one reads, and names the answer to keep by its digit.
        keeps = kind in SETTLED_KINDS
        keys = min(len(still_open), KEYS_FOR_BULK) if keeps else len(still_open)
        label = counted(len(still_open), GROUP_WORDS[kind])
        yield Item("settle", label, look.selector(f"kind:{kind}"), len(rows), len(everything), keys, keeps=keeps)


def _signals(look: _Look) -> Iterator[Item]:
    """Rows that one signal proposes to drop, where no group settles them already."""
    project = look.project
    if project.findings is None:
        return
    left: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row, bucket in enumerate(project.findings.buckets):
        flags = project.flags_of(row)
        if bucket != "drop" or not flags or row in look.heldout:
            continue
        if any(cluster.kind in SETTLED_KINDS for cluster in project.clusters_of(row)):
            continue
        total[flags[0].signal] += 1
        left[flags[0].signal] += look.is_left(row)
    for signal, rows in left.items():
        if rows:
            text = look.selector(f"bucket:drop flag:{signal}")
            yield Item(
                "settle", f"{counted(rows, 'row')} flagged {signal}", text, rows, total[signal], KEYS_FOR_BULK, True
            )


def _buckets(look: _Look) -> Iterator[Item]:
    if look.project.findings is None:
        return
    buckets = look.project.findings.buckets
    judged = [row for row in range(len(buckets)) if row not in look.heldout]
    total = Counter(buckets[row] for row in judged)
    left = Counter(buckets[row] for row in judged if look.is_left(row))
    for bucket in BUCKET_ORDER:
        if total[bucket]:
            label = f"{bucket:<6} {BUCKET_LABELS[bucket]}"
            text = look.selector(f"bucket:{bucket}")
            yield Item("buckets", label, text, left[bucket], total[bucket], KEYS_FOR_BULK, True)


def _flags(look: _Look) -> Iterator[Item]:
    if look.project.findings is None:
        return
    total: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for signal, row in {(flag.signal, flag.row) for flag in look.project.findings.flags}:
        if row not in look.heldout:
            total[signal] += 1
            left[signal] += look.is_left(row)
    # Ranked by all of them, not by what is left: a line stays where the eye found it.
    for signal in sorted(total, key=lambda signal: (-total[signal], signal)):
        if left[signal]:
            text = look.selector(f"flag:{signal}")
            yield Item("flags", signal, text, left[signal], total[signal], KEYS_FOR_BULK, True)


def _years(look: _Look, years: Years | None) -> Iterator[Item]:
    if years is None:
        return
    total: Counter[int] = Counter()
    left: Counter[int] = Counter()
    for row, year in enumerate(years):
        if year != UNDATED and row not in look.heldout:
            total[year] += 1
            left[year] += look.is_left(row)
    for year in sorted(total):
        text = look.selector(f"date={year}")
        yield Item("years", str(year), text, left[year], total[year], KEYS_FOR_BULK, True)


def _decided(look: _Look) -> Iterator[Item]:
    project = look.project
    rows = len(look.verdicts) - len(look.heldout)
    tally = Counter(look.verdicts)
    tally.subtract(look.verdicts[row] for row in look.heldout)
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
        judged = sum(1 for row in look.heldout if not look.is_left(row))
        yield Item("decided", f"held out ({judged} judged)", "is:heldout", len(look.heldout), len(look.verdicts))
