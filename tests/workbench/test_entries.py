"""The order of single rows, against the sort it stands for: random findings, with and without a held-out set."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import planted
import pytest

from engine.model import BUCKET_ORDER, Act, Cluster, ClusterKind, Findings, Flag
from engine.project.project import Project
from workbench.state.entries import build_entries
from workbench.state.overview import Overview, overview_items

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
            project.save_findings(found)
        for text in ("", "row:20-150", "not flag:a"):
            view = build_entries(project, text)
            entries = [view.entry(index) for index in range(len(view))]
            singles = [entry.row for entry in entries if entry.cluster is None]
            assert singles == sorted(singles, key=plain_order(project))
            assert len(singles) + sum(len(cluster.rows) for cluster in view.clusters) == view.matched


@pytest.mark.parametrize("seed", range(4))
def test_the_overview_counts_what_a_plain_count_finds(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    found = planted_findings(dice)
    content = [{"instruction": f"question {number}", "input": "", "output": "4"} for number in range(ROWS)]
    with planted.opened(planted.make_folder(tmp_path, content, found)) as project:
        for do in ("accept", "reject", "skip"):
            project.decide([Act(do, tuple(map(project.rows.id, dice.sample(range(ROWS), 40))))])
        if seed % 2:
            project.decide([Act("holdout", tuple(map(project.rows.id, dice.sample(range(ROWS), 20))))])
            project.save_findings(found)
        items = {(item.section, item.label.split(" ", 1)[-1] if item.section == "settle" else item.label): item
                 for item in overview_items(project)}  # fmt: skip
        rows = [row for row in range(ROWS) if not project.is_heldout(row)]
        left = {row for row in rows if project.verdict(row) == "undecided"}
        for signal in "abc":
            flagged = {flag.row for flag in found.flags if flag.signal == signal} & set(rows)
            item = items["flags", signal]
            assert (item.rows, item.of) == (len(flagged & left), len(flagged))
        settled = {row for cluster in found.clusters if cluster.kind in ("exact", "near", "prefix")
                   for row in cluster.rows}  # fmt: skip
        for signal in "abc":
            top = {row for row in rows if found.buckets[row] == "drop" and row not in settled
                   and project.flags_of(row)[:1] and project.flags_of(row)[0].signal == signal}  # fmt: skip
            told = next((item for (_, label), item in items.items() if label.endswith(f" flagged {signal}")), None)
            assert (told.rows, told.of) == (len(top & left), len(top)) if told else not top & left
        for kind, word in (("exact", "exact group"), ("near", "near group"), ("conflict", "conflict")):
            groups = [set(cluster.rows) for cluster in found.clusters
                      if cluster.kind == kind and not all(map(project.is_heldout, cluster.rows))]  # fmt: skip
            undecided = {row for row in range(ROWS) if project.verdict(row) == "undecided"}
            still_open = [rows for rows in groups if rows & undecided]
            told = items.get(("settle", word)) or items.get(("settle", f"{word}s"))
            members = set().union(*groups)
            assert (told.rows, told.of) == (len(members & undecided), len(members)) if told else not still_open
        for bucket in BUCKET_ORDER:
            mine = {row for row in rows if found.buckets[row] == bucket}
            told = next(item for (section, label), item in items.items()
                        if section == "buckets" and label.startswith(bucket))  # fmt: skip
            assert (told.rows, told.of) == (len(mine & left), len(mine))


def test_the_cursor_of_the_overview_stays_on_its_line_when_lines_go(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        overview = Overview(project)
        overview.move(2)
        assert overview.item is not None
        line = overview.item.filter_text
        assert line == "kind:conflict"
        project.decide([Act("reject", tuple(map(project.rows.id, (0, 1, 2))))])
        overview.refresh()
        assert (overview.cursor, overview.item.filter_text) == (1, line)
        overview.move(99)
        assert overview.item is overview.items[-1]
