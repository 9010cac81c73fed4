"""The held-out set of a project: drawn by seed, cluster and share, or taken from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import alpaca, make_project, numbered, write_jsonl

from engine.errors import UsageError
from engine.model import Cluster, Findings
from engine.project.heldout import draw_heldout, reserve_drawn, reserve_file, straddling_variants
from engine.project.project import Project, open_project


def test_heldout_is_drawn_by_seed_and_by_whole_clusters(tmp_path: Path) -> None:
    clusters = [
        Cluster("c1", "near", (0, 1, 2, 3), 0),
        Cluster("x1", "conflict", (3, 9), 3),
        Cluster("v1", "variant", (20, 21), 20),
    ]
    for seed in range(30):
        drawn = draw_heldout(100, 20, clusters, seed)
        assert len(drawn) == 20
        assert drawn == draw_heldout(100, 20, clusters, seed)
        assert len({0, 1, 2, 3, 9} & set(drawn)) in (0, 5)
    assert len({tuple(draw_heldout(100, 20, clusters, seed)) for seed in range(30)}) > 25
    folder = make_project(tmp_path, numbered(30))
    with open_project(folder, reviewer="ann") as project:
        held = reserve_drawn(project, 10)
        assert project.heldout == set(held)
        with pytest.raises(UsageError, match="held out already"):
            reserve_drawn(project, 5)


def test_where_every_group_is_larger_than_the_set_nothing_is_written(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, numbered(8)), reviewer="ann") as project:
        halves = Cluster("c1", "near", (0, 1, 2, 3), 0), Cluster("c2", "near", (4, 5, 6, 7), 4)
        project.save_findings(Findings(halves, (), ("clean",) * 8, {}))
        with pytest.raises(UsageError, match="larger"):
            reserve_drawn(project, 3)
        assert project.last_line == 0
        assert len(reserve_drawn(project, 4)) == 4


def test_heldout_from_a_file_adds_its_rows(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(10))
    extra = write_jsonl(tmp_path / "held.jsonl", [alpaca("H", "h"), numbered(10)[3]])
    project, numbers = reserve_file(folder, extra, "ann")
    with project:
        assert list(numbers) == [10, 11]
        assert project.heldout == {10, 11}
        assert project.rows.id(11) == f"{project.rows.id(3)}.1"
        assert project.training == list(range(10))


def test_families_of_variants_that_the_held_out_set_cuts_are_counted_and_kept(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(10))
    family = Cluster("c1", "variant", (0, 1, 2), 0)
    inside = Cluster("c2", "variant", (4, 5), 4)
    with open_project(folder, reviewer="ann") as project:
        project.save_findings(Findings((family, inside), (), ("clean",) * 10, {}))
        assert straddling_variants(project, [2, 4, 5]) == [(0, 1, 2)]
        assert straddling_variants(project, [0, 1, 2]) == []
        reserve_drawn(project, 9)
        (left,) = set(range(10)) - project.heldout
        cut = [[0, 1, 2]] if left < 3 else [[4, 5]] if left in (4, 5) else []
        assert project.heldout_variants == cut
    extra = write_jsonl(tmp_path / "held.jsonl", [alpaca("Question 11?", "Answer 11.")])
    (tmp_path / "b").mkdir()
    other = make_project(tmp_path / "b", numbered(10))

    def scan(project: Project) -> None:
        project.save_findings(Findings((Cluster("c3", "variant", (9, 10), 9),), (), ("clean",) * 11, {}))

    project, _ = reserve_file(other, extra, "ann", scan=scan)
    with project:
        assert project.heldout_variants == [[9, 10]]
        project.undo()
        assert project.heldout_variants == []


def test_a_stratified_draw_gives_every_value_its_share() -> None:
    strata = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    drawn = draw_heldout(100, 20, [], 3, strata)
    assert [sum(1 for row in drawn if strata[row] == name) for name in "abc"] == [12, 6, 2]
