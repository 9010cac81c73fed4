"""Findings as a whole: on disk and back, light to read, progress and an end when asked for."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from scan_rows import ROOT, row, rows

from engine.model import CLUSTER_KINDS, Cluster, Findings, Flag, Leak, Span
from engine.scan.buckets import buckets_of
from engine.scan.columns import FindingColumns
from engine.scan.dates import date_of
from engine.scan.pipeline import scan
from engine.scan.progress import ScanCancelled
from engine.scan.store import pack_findings, read_findings

FINDINGS = Findings(
    clusters=(
        Cluster("c1f09aaaa", "near", (1, 4), 4, ("2 rows", 'row 1: "colour"\n'), (97.5, 100.0)),
        Cluster("c2f09aaaa", "near", (2, 3), 3, (), (), True),
    ),
    flags=(Flag(0, "refusal", "drop", "“I can’t” \ud800", Span(1, 0, 7)), Flag(2, "stale", "info", "dated 2018")),
    buckets=("drop", "drop", "check", "check", "clean"),
    seconds={"duplicates": 0.5, "signals": 0.25, "total": 0.75},
    leaks=(Leak(1, 9, "exact"),),
)


def test_findings_survive_the_way_to_disk_and_back() -> None:
    columns = read_findings(pack_findings(FINDINGS, {"key": "k", "at": "now"}), {"key": "k"})
    assert columns is not None
    assert columns.findings == FINDINGS
    assert columns.findings == FINDINGS
    assert there_and_back(Findings.empty(3)).findings == Findings.empty(3)


def there_and_back(findings: Findings) -> FindingColumns:
    columns = read_findings(pack_findings(findings, {}), {})
    assert columns is not None
    return columns


def test_findings_of_other_rows_are_not_taken_and_damaged_ones_are_told() -> None:
    content = pack_findings(FINDINGS, {"key": "k"})
    assert read_findings(content, {"key": "other"}) is None
    for damaged in (b"", content[:40], content[:-1], content[:-9] + b"\xff" + content[-8:], b"TAMISSC0" + content[8:]):
        with pytest.raises((ValueError, KeyError, TypeError)):
            read_findings(damaged, {"key": "k"})


def test_rows_find_their_flags_and_clusters() -> None:
    """Rows in several clusters, flags that do not come by row, two of one signal in a row: as a plain search finds."""
    dice = random.Random(3)
    flags = [Flag(dice.randrange(30), dice.choice("abc"), "check", f"flag {number}") for number in range(60)]
    clusters = [
        Cluster(f"c{number}", dice.choice(CLUSTER_KINDS), tuple(sorted(dice.sample(range(30), 3))), 0)
        for number in range(12)
    ]
    columns = there_and_back(Findings(clusters, flags, ("clean",) * 30, {}))
    for number in range(30):
        mine = tuple(flag for flag in flags if flag.row == number)
        assert columns.flags_of(number) == mine
        assert columns.clusters_of(number) == tuple(cluster for cluster in clusters if number in cluster.rows)
    assert sorted(zip(*columns.signals_of_rows(), strict=True)) == sorted(
        {(flag.row, "abc".index(flag.signal)) for flag in flags}
    )
    firsts = {row: "abc".index(columns.flags_of(row)[0].signal) for row in {flag.row for flag in flags}}
    assert dict(zip(*columns.top_signals(), strict=True)) == firsts
    assert list(columns.clusters([4, 1])) == [clusters[4], clusters[1]]
    assert columns.findings.clusters[-1] == clusters[-1]
    assert columns.findings.clusters[2:4] == clusters[2:4]


def test_what_a_scan_finds_survives_too() -> None:
    findings = scan(
        rows(("Name a river.\n\nnoinput", "Nile"), ("Name a river.", "Nile"), ("Name a river!", "")), heldout={1}
    )
    assert there_and_back(findings).findings == findings


@pytest.mark.parametrize("module", ["engine.scan", "engine.scan.store"])
def test_findings_are_read_without_what_made_them(module: str) -> None:
    script = f"import sys, {module}; print([name for name in ('numpy', 'rapidfuzz') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_progress_names_each_phase_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.scan.progress.SPACING", 0)
    seen: list[tuple[str, int, int]] = []
    made = [row(number, f"Describe harbour number {number}", "Quiet.") for number in range(300)]
    scan(made, progress=lambda *step: seen.append(step))
    assert list(dict.fromkeys(phase for phase, _, _ in seen)) == ["duplicates", "signals", "clusters"]
    for phase in ("duplicates", "signals", "clusters"):
        steps = [(done, of) for name, done, of in seen if name == phase]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_scan_ends_when_it_is_cancelled(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.scan.progress.SPACING", 0.0)
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > after

    with pytest.raises(ScanCancelled):
        scan(rows(*[(f"Describe harbour {number}", "Quiet.") for number in range(100)]), cancelled=cancelled)
    assert len(asked) == after + 1


def test_seconds_add_up() -> None:
    seconds = scan(rows(("Name a river.", "Nile"), ("Name a sea.", "Red"))).seconds
    assert set(seconds) == {"duplicates", "signals", "total"}
    assert seconds["total"] == pytest.approx(seconds["duplicates"] + seconds["signals"], abs=0.01)


def test_buckets_follow_contradictions_then_copies_then_flags_and_a_variant_keeps_that_of_its_flags() -> None:
    made = rows(*[(f"Request {number}", "Answer") for number in range(10)])
    clusters = (
        Cluster("x1", "conflict", (0, 1), 0),
        Cluster("c1", "exact", (1, 2, 3), 2),
        Cluster("c2", "near", (4, 5), 4, alternatives=True),
        Cluster("v1", "variant", (6, 7), 6),
    )
    severities = ((0, "drop"), (2, "fix"), (6, "drop"), (8, "fix"), (8, "check"), (9, "info"))
    flags = [Flag(number, "made", severity, "so") for number, severity in severities]  # type: ignore[arg-type]
    assert buckets_of(made, clusters, flags) == (
        *("check", "check", "fix", "drop", "check"),
        *("check", "drop", "clean", "check", "clean"),
    )


@pytest.mark.parametrize(
    ("raw", "date"),
    [
        ({"year": 2019}, "2019"),
        ({"year": "2019"}, "2019"),
        ({"date": "2019-4-30T10:00"}, "2019-04-30"),
        ({"meta": {"created_at": 1_556_618_400}}, "2019-04-30"),
        ({"timestamp": 1_556_618_400_000}, "2019-04-30"),
        ({"date": None, "year": 2020}, "2020"),
        ({"year": True}, ""),
        ({"date": "soon", "time": 12}, ""),
        ({"year": float("nan")}, ""),
        ({"timestamp": float("inf")}, ""),
        ({}, ""),
    ],
)
def test_dates_are_read_as_they_are_written(raw: dict[str, object], date: str) -> None:
    assert date_of(raw) == date
