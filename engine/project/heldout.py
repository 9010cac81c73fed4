"""Reserving the held-out set: drawn by seed and by cluster, so that no two halves of a cluster straddle the line."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from engine.errors import LockedError, UsageError
from engine.model import Act, Cluster, Row
from engine.project.create import append_rows
from engine.project.project import Project, open_project
from engine.sources.mapping import parse_path, value_at

STRADDLING_KINDS = ("exact", "near", "prefix", "conflict")


def draw_heldout(
    rows: int, wanted: int, clusters: Iterable[Cluster], seed: int = 0, strata: Sequence[str] = ()
) -> list[int]:
    """About `wanted` of `rows` row numbers, whole clusters at a time, ascending; the same for the same seed.

    `strata` names a stratum per row; each gets its share of the draw (largest remainders), a cluster counting as its
    first row. A cluster that would overshoot is passed over while smaller ones are left, so the count is exact where
    rows without a cluster remain.
    """
    dice = random.Random(seed)
    by_stratum: dict[str, list[list[int]]] = {}
    for group in _groups(rows, clusters):
        by_stratum.setdefault(strata[group[0]] if strata else "", []).append(group)
    sizes = {name: sum(map(len, groups)) for name, groups in by_stratum.items()}
    drawn: list[int] = []
    for name, quota in _quotas(sizes, wanted).items():
        order = by_stratum[name]
        dice.shuffle(order)
        taken = 0
        for group in order:
            if taken + len(group) <= quota:
                drawn += group
                taken += len(group)
    return sorted(drawn)


def _quotas(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """`wanted` shared out in proportion to the sizes, remainders to the largest fractions."""
    total = sum(sizes.values())
    shares = {name: wanted * size / total for name, size in sorted(sizes.items())}
    quotas = {name: int(share) for name, share in shares.items()}
    for name in sorted(shares, key=lambda name: quotas[name] - shares[name])[: wanted - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def _groups(rows: int, clusters: Iterable[Cluster]) -> list[list[int]]:
    """The rows as groups that must not be parted, in order of their first row."""
    parent = list(range(rows))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for cluster in clusters:
        if cluster.kind in STRADDLING_KINDS:
            for row in cluster.rows[1:]:
                parent[root(row)] = root(cluster.rows[0])
    groups: dict[int, list[int]] = {}
    for row in range(rows):
        groups.setdefault(root(row), []).append(row)
    return list(groups.values())


def parse_amount(text: str, rows: int) -> int | None:
    """`120` or `20%` of `rows`; None where the text is neither (a file name). Raises UsageError out of range."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    if not number.replace(".", "", 1).isdecimal():
        return None
    wanted = round(rows * float(number) / 100) if percent else int(float(number))
    if not 0 < wanted < rows:
        raise UsageError(f"cannot hold out {text} of {rows} rows", "", "hold out at least one and fewer than all")
    return wanted


def reserve_drawn(project: Project, wanted: int, *, seed: int = 0, by: str | None = None) -> list[int]:
    """Draw the held-out set and write it to the journal; its row numbers.

    `by` is the dotted path of a field whose values each get their share. Raises UsageError where a set is reserved.
    """
    _refuse_second(project)
    clusters = project.findings.clusters if project.findings is not None else ()
    strata: list[str] = []
    if by is not None:
        path = parse_path(by)
        strata = [str(value_at(project.rows.raw(number), path)) for number in range(len(project.rows))]
        if set(strata) == {"None"}:
            raise UsageError(f"no row has the field {by!r}", "", "name a field that the rows have")
    drawn = draw_heldout(len(project.rows), wanted, clusters, seed, strata)
    _reserve(
        project,
        (),
        drawn,
        {"seed": seed} | ({"stratified_by": by} if by else {}),
        f"held out {len(drawn)} rows, seed {seed}",
    )
    return drawn


def reserve_file(
    folder: Path, path: Path, reviewer: str, *, scan: Callable[[Project], object] | None = None
) -> tuple[Project, range]:
    """Add the rows of a file and hold them out: the project, opened anew, and the numbers of the rows.

    `scan` looks at old and new rows together before they are parted, so that variants that straddle are known.
    """
    with open_project(folder, reviewer=reviewer) as project:
        _refuse_second(project)
        if project.readonly:
            raise LockedError(project.readonly_reason, "", "close the other window first")
        numbers = append_rows(folder, path)
    project = open_project(folder, reviewer=reviewer)
    if scan is not None:
        scan(project)
    added = Act("add", tuple(project.rows.id(number) for number in numbers), extra={"file": path.name})
    _reserve(project, (added,), numbers, {}, f"held out the {len(numbers)} rows of {path.name}")
    return project, numbers


def _reserve(project: Project, before: Sequence[Act], numbers: Sequence[int], extra: Row, why: str) -> None:
    straddling = straddling_variants(project, numbers)
    variants = {"variants": [[project.rows.id(row) for row in family] for family in straddling]} if straddling else {}
    ids = tuple(project.rows.id(number) for number in numbers)
    project.decide([*before, Act("holdout", ids, extra=dict(extra) | variants)], why=why)


def straddling_variants(project: Project, heldout: Iterable[int]) -> list[tuple[int, ...]]:
    """Families of variants (row numbers, ascending) with rows on both sides of a held-out set that is about to be cut.

    Their rows look alike but ask for different things, so parting them is no leak; a person is told of them all the
    same. Told from the findings as they are before the cut: a scan after it never mixes the two sides.
    """
    reserved = set(heldout)
    clusters = project.findings.clusters if project.findings is not None else ()
    families = (cluster.rows for cluster in clusters if cluster.kind == "variant")
    return [rows for rows in families if not reserved.isdisjoint(rows) and not reserved.issuperset(rows)]


def _refuse_second(project: Project) -> None:
    if project.heldout:
        raise UsageError(
            f"{len(project.heldout)} rows are held out already",
            "",
            "the set is reserved once, before anything is decided",
        )
