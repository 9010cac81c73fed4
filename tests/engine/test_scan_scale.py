"""Clusters of many rows, of copies, and of any text at all."""

from __future__ import annotations

import dataclasses

import pytest
from scan_rows import clusters, row, rows, unique

from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.pipeline import scan


def test_ten_thousand_identical_rows_are_one_cluster_without_a_single_judged_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[tuple[int, int]] = []
    verdict = JudgedPairs.verdict
    monkeypatch.setattr(
        JudgedPairs, "verdict", lambda self, one, other: judged.append((one, other)) or verdict(self, one, other)
    )
    one = row(0, "Name the capital of Mali.", "Bamako")
    made = [dataclasses.replace(one, number=number, id=f"{number:016x}") for number in range(10_000)]
    (cluster,) = scan(made).clusters
    assert (cluster.kind, len(cluster.rows)) == ("exact", 10_000)
    assert judged == []


def test_ten_thousand_answers_to_one_request_are_compared_linearly(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    from engine.scan.answers import calls

    compare = calls.compare_answers
    monkeypatch.setattr(calls, "compare_answers", lambda *given: compared.append(1) or compare(*given))
    made = [row(number, "Pick any number you like", f"It is {number}") for number in range(3_000)]
    scan(made)
    assert len(compared) < 45 * len(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        ".",
        "?!…",
        "—" * 500,
        "مرحبا بالعالم كيف حالك",
        "שלום עולם",
        "\u202eabc\u202c",
        "\x00\x1e\x1b[31m",
        "\ud800",
        "🙂" * 50,
        "<b>&amp;[/]",
    ],
)
def test_any_text_is_scanned(text: str) -> None:
    made = unique([row(0, text, text), row(1, text, text), row(2, "Name a river.", text), row(3, text, "The Niger.")])
    findings = scan(made)
    assert len(findings.buckets) == 4
    assert any(set(cluster.rows) >= {0, 1} for cluster in findings.clusters)


def test_giant_rows_and_tokens_are_scanned_in_no_time() -> None:
    giant = "a" * 1_000_000
    made = rows(
        (giant, giant),
        (giant + "b", giant),
        ("word " * 200_000, "x"),
        ("word " * 199_999, "x"),
        ("Name a river.", "The Niger."),
    )
    findings = scan(made)
    assert findings.seconds["total"] < 20
    assert clusters(findings, "exact", "near", "prefix", "conflict") == []
