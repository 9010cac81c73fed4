"""Real instruction data: pairs read by a person, and the time a whole scan takes."""

from __future__ import annotations

import gzip
import json

import pytest
from scan_rows import SHARED, alpaca, clusters, unique

from engine.model import Findings
from engine.scan.pipeline import scan

ALPACA, PAIRS = SHARED / "alpaca_52k.jsonl.gz", SHARED / "similar_pairs_dev.jsonl"
pytestmark = pytest.mark.skipif(
    not (ALPACA.exists() and PAIRS.exists()), reason="the measuring data (../shared/data) is not on this machine"
)


@pytest.fixture(scope="module")
def alpaca_findings() -> Findings:
    with gzip.open(ALPACA, "rt", encoding="utf-8") as lines:
        examples = unique(alpaca(json.loads(line), number) for number, line in enumerate(lines))
    assert len(examples) == 52_002
    return scan(examples)


def test_pairs_a_person_read_are_judged_as_they_were_read(alpaca_findings: Findings) -> None:
    together = {
        (one, other)
        for cluster in clusters(alpaca_findings, "exact", "near", "conflict")
        for one in cluster.rows
        for other in cluster.rows
        if one != other
    }
    pairs = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]
    called = dict.fromkeys(("duplicate", "ambiguous", "different"), 0)
    total = dict(called)
    for pair in pairs:
        total[pair["label"]] += 1
        called[pair["label"]] += (pair["row_a"], pair["row_b"]) in together
    assert called["duplicate"] / total["duplicate"] >= 0.85
    assert called["duplicate"] / (called["duplicate"] + called["different"]) >= 0.95


def test_a_whole_scan_floods_nobody(alpaca_findings: Findings) -> None:
    assert len(clusters(alpaca_findings, "variant")) <= 260
    assert len(clusters(alpaca_findings, "conflict")) <= 20
    # Curators replaced about a tenth of such rows; what is flagged here must stay readable.
    assert 48_000 < alpaca_findings.buckets.count("clean") < 50_500


def test_placeholders_of_the_set_are_found(alpaca_findings: Findings) -> None:
    counts = {
        name: sum(flag.signal == name for flag in alpaca_findings.flags)
        for name in ("placeholder_input", "empty_output")
    }
    assert 640 <= counts["placeholder_input"] <= 690
    assert counts["empty_output"] == 28
