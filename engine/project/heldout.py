"""Reserving the held-out set: drawn by seed and by cluster, so that no two halves of a cluster straddle the line."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from engine.errors import UsageError
from engine.model import Act, Cluster, Row
from engine.numerals import decimal_number
from engine.project.create import continue_reading, stage_rows
from engine.project.project import Project, open_project
from engine.project.row_change import changing_rows, declare
from engine.project.views import open_staged, refuse_readonly
from engine.sources.mapping import parse_path, value_at
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

STRADDLING_KINDS = ("exact", "near", "prefix", "conflict")
# No number, but nobody calls a file so: `1..2`, `1e400`, digits of other scripts.
_NUMBER_LIKE = re.compile(r"[-+.,e%\s\d\u00b2\u00b3\u00b9\u2070-\u2089]*", re.IGNORECASE)


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
    """`120` or `20%` of `rows`; None where the text is neither (a file name). Raises UsageError out of range, and for
    what is meant for a number and is none."""
    number = decimal_number(text.removesuffix("%"))
    if number is None:
        if _NUMBER_LIKE.fullmatch(text) and not os.path.exists(text):
            raise UsageError(
                f"cannot hold out {text[:40]!r} rows", "", "write a number such as 120, or a share such as 20%"
            )
        return None
    wanted = round(rows * number / 100) if text.endswith("%") else int(number)
    if not 0 < wanted < rows:
        raise UsageError(f"cannot hold out {text} of {rows} rows", "", "hold out at least one and fewer than all")
    return wanted


def reserve_drawn(project: Project, wanted: int, *, seed: int = 0, by: str | None = None) -> list[int]:
    """Draw the held-out set and write it to the journal; its row numbers.

    `by` is the dotted path of a field whose values each get their share. Raises UsageError where a set is reserved, and
    where every group of alike rows is larger than the set.
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
    if not drawn:
        raise UsageError(
            f"cannot hold out {wanted} rows: each row is in a group of alike rows that is larger",
            "such a group is held out whole",
            "hold out more rows",
        )
    _reserve(
        project,
        drawn,
        {"seed": seed} | ({"stratified_by": by} if by else {}),
        f"held out {len(drawn)} rows, seed {seed}",
    )
    return drawn


def reserve_file(
    folder: Path,
    path: Path,
    reviewer: str,
    *,
    scan: Callable[[Project], object] | None = None,
    encoding: str | None = None,
) -> tuple[Project, range]:
    """Add the rows of a file and hold them out: the project, opened anew, and the numbers of the rows.

    All of it or nothing, as for `grow`. `scan` looks at old and new rows together before they are parted, so that
    variants that straddle are known. Raises UsageError where a set is held out already, SourceError, ProjectError.
    """
    continue_reading(folder)
    with changing_rows(folder), open_project(folder, reviewer=reviewer) as project:
        _refuse_second(project)
        refuse_readonly(project)
        format_name = source_format(path, encoding)
        numbers = stage_rows(folder, path, format_name, read_source(path, format_name))
        with open_staged(folder) as together:
            if scan is not None:
                scan(together)
            ids = tuple(together.rows.id(number) for number in numbers)
            extra = _parted(together, numbers)
        token = declare(folder, project.own_journal)
        added = Act("add", ids, extra={"file": path.name, "token": token})
        project.decide([added, Act("holdout", ids, extra=extra)], why=f"held out the {len(ids)} rows of {path.name}")
    return open_project(folder, reviewer=reviewer), numbers


def _reserve(project: Project, numbers: Sequence[int], extra: Row, why: str) -> None:
    ids = tuple(project.rows.id(number) for number in numbers)
    project.decide([Act("holdout", ids, extra=dict(extra) | _parted(project, numbers))], why=why)


def _parted(project: Project, numbers: Sequence[int]) -> dict[str, list[list[str]]]:
    """What the act says of the families of variants that the set is cut through, where there are any."""
    straddling = straddling_variants(project, numbers)
    return {"variants": [[project.rows.id(row) for row in family] for family in straddling]} if straddling else {}


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
