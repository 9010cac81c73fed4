"""What the overview lists: what can be settled, ranked by rows per key, buckets, years, what has been decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Literal, TypeVar

from engine.model import BUCKET_LABELS, BUCKET_ORDER, GROUP_KINDS, SETTLED_KINDS, VERDICTS, Cluster, ClusterKind
from engine.project.folder import Project
from engine.project.suspects import KINDS as SUSPECT_KINDS
from workbench.wording import counted

if TYPE_CHECKING:
    from workbench.years import Years

T = TypeVar("T")
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


# Verdict code -> 1 where a row is left to judge.
_LEFT = bytes(code == VERDICTS.index("undecided") for code in range(256))


class _Look:
    """A project and the verdict of each of its rows, read once for all lines.

    `left` has 1 for a row that is undecided, `judged` for one outside the held-out set; passes over all rows are
    left to `compress` and `Counter`: there may be half a million rows.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.codes = project.verdict_codes
        self.heldout = project.heldout
        self.judged = bytearray(b"\1") * len(self.codes)
        self.left = self.codes.translate(_LEFT)
        for row in self.heldout:
            self.judged[row] = 0
        # The held-out set is judged in a sitting of its own and counts in no other line.
        self.counted = bytearray(self.left)
        for row in self.heldout:
            self.counted[row] = 0
        self._without_heldout = " not is:heldout" if project.heldout else ""

    def is_left(self, row: int) -> bool:
        return bool(self.left[row])

    def counts(self, values: Sequence[T]) -> tuple[Counter[T], Counter[T]]:
        """(how many rows outside the held-out set have which value, how many of them are left)."""
        total = Counter(compress(values, self.judged) if self.heldout else values)
        return total, Counter(compress(values, self.counted))

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
    rows = len(look.project.disputed)
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
        plain = [cluster for cluster in clusters if not cluster.alternatives]
        others = [cluster for cluster in clusters if cluster.alternatives]
        yield from _line(look, plain, GROUP_WORDS[kind], f"kind:{kind}", keeps=kind in SETTLED_KINDS)
        # Answers that differ without disagreeing: alike enough to be a group, but a person looks at each.
        yield from _line(look, others, f"{GROUP_WORDS[kind]}, answers differ", f"kind:{kind} bucket:check", keeps=False)


def _line(look: _Look, clusters: Sequence[Cluster], words: str, text: str, *, keeps: bool) -> Iterator[Item]:
    """The line of groups of one kind; none where all of them are settled."""
    still_open = [cluster for cluster in clusters if any(map(look.is_left, cluster.rows))]
    if not still_open:
        return
    rows = {row for cluster in still_open for row in cluster.rows if look.is_left(row)}
    everything = {row for cluster in clusters for row in cluster.rows}
    # Duplicates are settled all at once; in a conflict one reads, and names the answer to keep by its digit.
    keys = min(len(still_open), KEYS_FOR_BULK) if keeps else len(still_open)
    noun, comma, rest = words.partition(",")
    label = f"{counted(len(still_open), noun)}{comma}{rest}"
    yield Item("settle", label, look.selector(text), len(rows), len(everything), keys, keeps=keeps)


def _signals(look: _Look) -> Iterator[Item]:
    """Rows that one signal proposes to drop, where no group settles them already."""
    project = look.project
    if project.findings is None:
        return
    left: Counter[str] = Counter()
    total: Counter[str] = Counter()
    buckets = project.findings.buckets
    for row, flags in project.flagged().items():
        if buckets[row] != "drop" or row in look.heldout:
            continue
        if any(cluster.kind in SETTLED_KINDS for cluster in project.clusters_of(row)):
            continue
        total[flags[0].signal] += 1
        left[flags[0].signal] += look.is_left(row)
    for signal, rows in left.items():
        if rows:
            text = look.selector(f"bucket:drop flag:{signal}")
            keys = min(rows, KEYS_FOR_BULK)
            yield Item("settle", f"{counted(rows, 'row')} flagged {signal}", text, rows, total[signal], keys, True)


def _buckets(look: _Look) -> Iterator[Item]:
    if look.project.findings is None or not look.project.is_scanned:
        # Before a scan has come to its end nobody can say that a row has no issue.
        return
    total, left = look.counts(look.project.findings.buckets)
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
    for row, flags in look.project.flagged().items():
        if row not in look.heldout:
            for signal in {flag.signal for flag in flags}.difference(SUSPECT_KINDS):
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
    from workbench.years import UNDATED

    total, left = look.counts(years)
    for year in sorted(total.keys() - {UNDATED}):
        text = look.selector(f"date={year}")
        yield Item("years", str(year), text, left[year], total[year], KEYS_FOR_BULK, True)


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
        judged = sum(1 for row in look.heldout if not look.is_left(row))
        yield Item("decided", f"held out ({judged} judged)", "is:heldout", len(look.heldout), len(look.codes))
