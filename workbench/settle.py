"""What the overview lists: what can be settled, ranked by rows per key, buckets, years, what has been decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from engine.model import BUCKET_LABELS, ClusterKind
from engine.project.folder import Project
from workbench.verdicts import counted
from workbench.view import BUCKET_ORDER, GROUP_KINDS, SETTLED_KINDS

Section = Literal["settle", "buckets", "flags", "years", "decided"]
SECTION_TITLES: dict[Section, str] = {
    "settle": "What can be settled, most rows per key first",
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
FAMILY_WORDS = "variant families"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the overview. `rows` are still open (in `decided`: all); `keys` is what settling them takes."""

    section: Section
    label: str
    filter_text: str
    rows: int
    of: int
    keys: int = 0
    bulk: bool = False


def overview_items(project: Project, years: Counter[str] | None = None) -> list[Item]:
    """The items in the order shown; those with nothing left to do are dropped, but for buckets and years."""
    settle = [*_disagreements(project), *_groups(project), *_signals(project)]
    settle.sort(key=lambda item: item.rows / item.keys, reverse=True)
    return [*settle, *_buckets(project), *_flags(project), *_years(years), *_decided(project)]


def _disagreements(project: Project) -> Iterator[Item]:
    rows = sum(map(project.is_disputed, range(len(project.rows))))
    if rows:
        yield Item("settle", counted(rows, "disagreement"), "is:disputed", rows, rows, 2 * rows)


def _groups(project: Project) -> Iterator[Item]:
    if project.findings is None:
        return
    for kind in GROUP_KINDS:
        clusters = [cluster for cluster in project.findings.clusters if cluster.kind == kind]
        still_open = [
            cluster for cluster in clusters if any(project.verdict(row) == "undecided" for row in cluster.rows)
        ]
        if not still_open:
            continue
        rows = {row for cluster in still_open for row in cluster.rows if project.verdict(row) == "undecided"}
        everything = {row for cluster in clusters for row in cluster.rows}
        # One key settles a group of duplicates; in a conflict one first reads, and moves to the answer to keep.
        keys = len(still_open) * (1 if kind in SETTLED_KINDS else 2)
        yield Item(
            "settle", counted(len(still_open), GROUP_WORDS[kind]), f"kind:{kind}", len(rows), len(everything), keys
        )


def _signals(project: Project) -> Iterator[Item]:
    """Rows that one signal proposes to drop, where no group settles them already."""
    if project.findings is None:
        return
    left: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row, bucket in enumerate(project.findings.buckets):
        flags = project.flags_of(row)
        in_group = any(cluster.kind in SETTLED_KINDS for cluster in project.clusters_of(row))
        if bucket != "drop" or not flags or in_group or project.is_heldout(row):
            continue
        total[flags[0].signal] += 1
        left[flags[0].signal] += project.verdict(row) == "undecided"
    for signal, rows in left.items():
        if rows:
            label = f"{counted(rows, 'row')} flagged {signal}"
            yield Item("settle", label, f"bucket:drop flag:{signal}", rows, total[signal], KEYS_FOR_BULK, True)


def _buckets(project: Project) -> Iterator[Item]:
    if project.findings is None:
        return
    total = Counter(project.findings.buckets)
    left = Counter(bucket for row, bucket in enumerate(project.findings.buckets) if project.verdict(row) == "undecided")
    for bucket in BUCKET_ORDER:
        if total[bucket]:
            label = f"{bucket:<6} {BUCKET_LABELS[bucket]}"
            yield Item("buckets", label, f"bucket:{bucket}", left[bucket], total[bucket], KEYS_FOR_BULK, True)


def _flags(project: Project) -> Iterator[Item]:
    if project.findings is None:
        return
    total: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for signal, row in {(flag.signal, flag.row) for flag in project.findings.flags}:
        total[signal] += 1
        left[signal] += project.verdict(row) == "undecided"
    for signal, rows in sorted(total.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Item("flags", signal, f"flag:{signal}", left[signal], rows, KEYS_FOR_BULK, True)


def _years(years: Counter[str] | None) -> Iterator[Item]:
    for year, rows in sorted((years or {}).items()):
        yield Item("years", year, f"field.year={year}", rows, rows, KEYS_FOR_BULK, True)


def _decided(project: Project) -> Iterator[Item]:
    tally = Counter(project.verdict(row) for row in range(len(project.rows)))
    for verdict in ("accepted", "rejected", "skipped", "undecided"):
        if tally[verdict]:
            yield Item("decided", verdict, f"is:{verdict}", tally[verdict], len(project.rows))
    agreed = project.agreement()
    if agreed is not None:
        label = f"decided by two: kappa {agreed['kappa']:.2f}"
        yield Item("decided", label, "is:disputed", int(agreed["rows"]), len(project.rows))
    if project.heldout:
        judged = sum(1 for row in project.heldout if project.verdict(row) != "undecided")
        yield Item("decided", f"held out ({judged} judged)", "is:heldout", len(project.heldout), len(project.rows))


def count_years(project: Project, cancelled: Callable[[], bool] = lambda: False) -> Counter[str] | None:
    """Rows per `year`, or None where the first row has no such field. Reads every row once: not for the paint path."""
    if "year" not in project.rows.raw(0):
        return None
    years: Counter[str] = Counter()
    for row in range(len(project.rows)):
        if cancelled():
            return None
        try:
            year = project.rows.raw(row).get("year")
        except OSError:
            # The project was closed while this ran in a thread: nobody waits for the count any more.
            return None
        if isinstance(year, int | str) and not isinstance(year, bool) and str(year).strip():
            years[str(year)[:12]] += 1
    return years
