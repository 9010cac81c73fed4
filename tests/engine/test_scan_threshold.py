"""A threshold moves without a scan: members fall out of their clusters and come back."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from scan_rows import ROOT, clusters, rows

from engine.model import Cluster, Findings, Flag
from engine.scan.duplicates.threshold import borderline, rethreshold
from engine.scan.pipeline import scan

NEAR = Cluster("c1", "near", (0, 1, 2), 1, ("3 rows",), (82.0, 100.0, 97.0))
FOUND = Findings(
    (
        Cluster("c0", "exact", (7, 8), 7, (), (100.0, 100.0)),
        NEAR,
        Cluster("p1", "prefix", (5, 6), 6),
        Cluster("x1", "conflict", (3, 4, 9), 3, (), (100.0, 85.0, 93.0), voices=(0, 1, 0)),
    ),
    (Flag(0, "refusal", "fix", "x"),),
    ("drop", "clean", "drop", "check", "check", "drop", "clean", "clean", "drop", "check"),
    {},
)


def test_the_least_alike_come_first() -> None:
    assert [(pair.score, pair.row) for pair in borderline(FOUND)] == [
        (82.0, 0),
        (85.0, 4),
        (93.0, 9),
        (97.0, 2),
        (100.0, 8),
    ]


def test_members_below_the_threshold_are_loosened_and_take_the_bucket_of_their_flags() -> None:
    moved = rethreshold(FOUND, 84)
    assert [cluster.rows for cluster in moved.clusters] == [(7, 8), (1, 2), (5, 6), (3, 4, 9)]
    assert moved.clusters[1].evidence == ("1 row less alike than 84 of 100 left out", "3 rows")
    assert moved.buckets == ("fix", *FOUND.buckets[1:])
    assert moved.clusters[1].id == "c1"


def test_a_conflict_whose_other_voice_is_loosened_is_none() -> None:
    moved = rethreshold(FOUND, 90)
    assert [cluster.kind for cluster in moved.clusters] == ["exact", "near", "prefix"]
    assert (moved.buckets[3], moved.buckets[4], moved.buckets[9]) == ("clean", "clean", "clean")


def test_a_threshold_below_the_scans_changes_nothing_and_the_highest_leaves_what_is_equal() -> None:
    assert rethreshold(FOUND, 0) is FOUND
    assert [cluster.kind for cluster in rethreshold(FOUND, 100).clusters] == ["exact", "prefix"]


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_higher_threshold_never_joins(one: float, other: float) -> None:
    low, high = sorted((one, other))
    loose, strict = rethreshold(FOUND, low), rethreshold(FOUND, high)
    members = {cluster.id: set(cluster.rows) for cluster in loose.clusters}
    assert all(set(cluster.rows) <= members[cluster.id] for cluster in strict.clusters)
    assert {cluster.rows for cluster in rethreshold(loose, high).clusters} == {
        cluster.rows for cluster in strict.clusters
    }


def test_it_moves_what_a_scan_found() -> None:
    findings = scan(
        rows(
            ("What is the colour of the clear sky at noon?", "Blue"),
            ("What is the color of the clear sky at noon?", "blue."),
            ("What is the colour of the clear sky at noon", "Blue"),
        )
    )
    (before,) = clusters(findings, "near")
    (after,) = rethreshold(findings, 99).clusters
    assert (before.rows, after.rows) == ((0, 1, 2), (0, 2))
    assert rethreshold(findings, 99).buckets == ("clean", "clean", "drop")


def test_moving_it_needs_neither_numpy_nor_rapidfuzz() -> None:
    code = (
        "import sys; from engine.scan.duplicates.threshold import rethreshold; "
        "print({'numpy', 'rapidfuzz'} & {name.split('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
