"""What a person said about rows outweighs every score."""

from __future__ import annotations

import random

import pytest
from scan_rows import chat, clusters, rows

from engine.model import Findings
from engine.scan.pipeline import scan

ASKED = "Name the capital of Mali"


def settled(findings: Findings) -> list[tuple[str, tuple[int, ...]]]:
    return [(cluster.kind, cluster.rows) for cluster in clusters(findings, "exact", "near", "prefix", "conflict")]


def test_rows_told_apart_share_no_cluster_again() -> None:
    made = rows(*[(text, "Bamako") for text in (ASKED, ASKED + ".", f"Please {ASKED}")])
    assert settled(scan(made)) == [("near", (0, 1, 2))]
    assert settled(scan(made, not_duplicates=[frozenset((0, 2))])) == [("exact", (0, 1))]
    assert settled(scan(made, not_duplicates=[frozenset((0, 1, 2))])) == []


def test_rows_told_apart_do_not_contradict_each_other_either() -> None:
    made = rows((ASKED, "Bamako"), (ASKED, "Dakar"), (ASKED, "Lima"))
    assert settled(scan(made)) == [("conflict", (0, 1, 2))]
    assert settled(scan(made, not_duplicates=[frozenset((0, 1))])) == [("conflict", (0, 2))]


def test_answers_that_are_fine_together_are_no_contradiction_until_another_comes() -> None:
    made = rows((ASKED, "Bamako"), (ASKED, "Dakar"))
    fine = [frozenset((0, 1))]
    findings = scan(made, fine_together=fine)
    assert settled(findings) == []
    assert findings.buckets == ("clean", "clean")
    more = rows((ASKED, "Bamako"), (ASKED, "Dakar"), (ASKED, "Lima"))
    assert settled(scan(more, fine_together=fine)) == [("conflict", (0, 1, 2))]


def test_what_was_split_off_stays_together_and_apart_from_the_rest() -> None:
    made = rows(*[(text, "Bamako") for text in (ASKED, ASKED + ".", ASKED.upper(), f"Please {ASKED}")])
    assert settled(scan(made, split=[frozenset((1, 3))])) == [("exact", (0, 2)), ("near", (1, 3))]


def test_beginnings_told_apart_from_the_longest_are_no_prefix() -> None:
    talk = ("How do I prune roses?", "Cut above a bud.", "And when?", "In March.", "And hedges?", "In June.")
    made = [chat(0, *talk[:2]), chat(1, *talk[:4]), chat(2, *talk)]
    assert settled(scan(made)) == [("prefix", (0, 1, 2))]
    assert settled(scan(made, not_duplicates=[frozenset((1, 2))])) == [("prefix", (0, 2))]
    assert settled(scan(made, not_duplicates=[frozenset((0, 2)), frozenset((1, 2))])) == [("prefix", (0, 1))]


def test_rows_told_apart_do_not_leak() -> None:
    made = rows((ASKED, "Bamako"), (ASKED, "Bamako"))
    assert len(scan(made, heldout={1}).leaks) == 1
    assert scan(made, heldout={1}, not_duplicates=[frozenset((0, 1))]).leaks == ()


def test_ten_thousand_copies_with_one_told_apart_are_one_cluster_less_that_row() -> None:
    made = rows(*[(ASKED, "Bamako")] * 10_000)
    findings = scan(made, not_duplicates=[frozenset((7, 8))])
    assert [len(cluster.rows) for cluster in findings.clusters] == [9_999]


@pytest.mark.parametrize("seed", range(5))
def test_no_cluster_ever_holds_two_rows_that_were_told_apart(seed: int) -> None:
    rng = random.Random(seed)
    texts = (ASKED, ASKED + ".", f"Please {ASKED}", "Name the capitol of Mali", "What is 2+2?", "what is 2 + 2")
    made = rows(*[(rng.choice(texts), rng.choice(("Bamako", "bamako.", "4", "Dakar"))) for _ in range(40)])
    apart = [frozenset(rng.sample(range(40), rng.randint(2, 5))) for _ in range(6)]
    off = [frozenset(rng.sample(range(40), 4))]
    findings = scan(made, not_duplicates=apart, split=off)
    for _, members in settled(findings):
        assert all(len(pair & set(members)) < 2 for pair in apart)
        assert set(members) <= off[0] or not off[0] & set(members)
    assert settled(findings)
