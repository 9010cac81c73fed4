"""The order of single rows, against the sort it stands for: random findings, with and without a held-out set."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import planted
import pytest

from engine.model import BUCKET_ORDER, Act, Cluster, ClusterKind, Findings, Flag
from engine.project.folder import Project
from engine.project.found import Found
from workbench.view import build_view

ROWS = 200
KINDS: tuple[ClusterKind, ...] = ("exact", "variant", "variant", "conflict")


def planted_findings(dice: random.Random) -> Findings:
    rows = list(range(ROWS))
    dice.shuffle(rows)
    clusters = []
    for number in range(12):
        members = tuple(sorted(rows[number * 5 : number * 5 + dice.randint(2, 5)]))
        clusters.append(Cluster(f"c{number}", dice.choice(KINDS), members, members[0], ("alike",)))
    flags = [Flag(row, dice.choice("abc"), "check", "planted") for row in sorted(dice.sample(range(ROWS), 60))]
    return Findings(tuple(clusters), tuple(flags), tuple(dice.choice(BUCKET_ORDER) for _ in range(ROWS)), {})


def plain_order(project: Project) -> Callable[[int], tuple[bool, int, str, int, int]]:
    assert project.findings is not None
    buckets = project.findings.buckets

    def key(row: int) -> tuple[bool, int, str, int, int]:
        flags = project.flags_of(row)
        variants = (cluster.rows[0] for cluster in project.clusters_of(row) if cluster.kind == "variant")
        place = BUCKET_ORDER.index(buckets[row])
        return project.is_heldout(row), place, flags[0].signal if flags else "", min(variants, default=row), row

    return key


@pytest.mark.parametrize("seed", range(6))
def test_single_rows_stand_in_their_order(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    found = planted_findings(dice)
    content = [{"instruction": f"question {number}", "input": "", "output": "4"} for number in range(ROWS)]
    with planted.opened(planted.make_folder(tmp_path, content, found)) as project:
        if seed % 2:
            project.decide([Act("holdout", tuple(map(project.rows.id, dice.sample(range(ROWS), 20))))])
            project._found = Found(found)
        for text in ("", "row:20-150", "not flag:a"):
            view = build_view(project, text)
            entries = [view.entry(index) for index in range(len(view))]
            singles = [entry.row for entry in entries if entry.cluster is None]
            assert singles == sorted(singles, key=plain_order(project))
            assert len(singles) + sum(len(cluster.rows) for cluster in view.clusters) == view.matched
