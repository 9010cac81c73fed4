"""The selector language: what each word means, and what a wrong word is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.errors import UsageError
from engine.model import Act, Cluster, Findings, Flag
from engine.project.project import Project, open_project
from engine.select import parse_selector, select

ROWS = [
    alpaca("Refund my order", "ok", date="2023-11-05", meta={"year": 2017}),
    alpaca("REFUNDED twice", "no", date="2024-02-01", meta={"year": 2021}),
    alpaca("Where is it? " + "x" * 400, "there", year=2020),
    alpaca("a/b (c)", "not or and", meta={"year": "2018"}),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = open_project(make_project(tmp_path, ROWS), reviewer="ann")
    clusters = (Cluster("c1f09aa0", "near", (0, 1), 0), Cluster("x22", "conflict", (2, 3), 2))
    project.save_findings(
        Findings(
            clusters,
            (Flag(1, "refusal", "drop", "…"), Flag(2, "truncated", "check", "…")),
            ("clean", "drop", "check", "clean"),
            {},
        )
    )
    project.decide(
        [Act("accept", (project.rows.id(0),)), Act("holdout", (project.rows.id(3),))],
        seen=[project.rows.id(0)],
        why="by eye",
    )
    return project


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("row:2", [2]),
        ("row:1-2", [1, 2]),
        ("cluster:c1f09aa0", [0, 1]),
        ("cluster:c1", [0, 1]),
        ("kind:conflict", [2, 3]),
        ("bucket:drop or bucket:check", [1, 2]),
        ("flag:truncated", [2]),
        ("is:accepted", [0]),
        ("is:undecided not is:heldout", [1, 2]),
        ("is:seen", [0]),
        ("is:open kind:near", [0, 1]),
        ("by:ann", [0]),
        ("tokens>100", [2]),
        ("turns=2", [0, 1, 2, 3]),
        ("turns>4", []),
        ("date<2024-01", [0, 2, 3]),
        ("field.meta.year<=2018", [0, 3]),
        ("/refund(ed)?/i", [0, 1]),
        ("/^Refund/", [0]),
        ("refund", [0, 1]),
        ('"not or and"', [3]),
        ("/a\\/b \\(c\\)/", [3]),
        ("not (refund or kind:conflict)", []),
        ("refund and not is:accepted", [1]),
        ("shard:1/1", [0, 1, 2, 3]),
        ("role:assistant", [0, 1, 2, 3]),
        ("role:tool", []),
    ],
)
def test_selects(project: Project, text: str, rows: list[int]) -> None:
    assert select(project, text) == rows


def test_shards_part_the_rows(project: Project) -> None:
    shares = [set(select(project, f"shard:{part}/3")) for part in (1, 2, 3)]
    assert set.union(*shares) == {0, 1, 2, 3}
    assert sum(map(len, shares)) == 4


@pytest.mark.parametrize(
    "text",
    [
        "bucket:bad",
        "is:nothing",
        "row:x",
        "(refund",
        "not",
        "or a",
        "a or",
        "shard:3/2",
        "/(/",
        "turns>many",
        "flag:",
        'x "open',
        "cluster:zz",
        "a)",
    ],
)
def test_a_wrong_word_is_one_clear_line(project: Project, text: str) -> None:
    with pytest.raises(UsageError, match="selector"):
        parse_selector(text) and select(project, text)
