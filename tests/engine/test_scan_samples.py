"""The shipped samples: everything planted is found, and nothing is invented."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

import pytest
from scan_rows import SAMPLES, answers, clusters, sample, signals

from engine.model import Findings
from engine.scan.pipeline import scan

pytestmark = pytest.mark.skipif(not (SAMPLES / "support.jsonl").exists(), reason="the samples are not here")

FOUND_BY = {
    "placeholder input": {"placeholder_input"},
    "refusal": {"refusal"},
    "truncated": {"truncated"},
    "wrong format": {"format_majority"},
    "typos": {"format_majority"},
    "off-topic": {"off_topic"},
    "stale": {"stale"},
    "truncated code fence": {"truncated"},
    "ends on a user turn": {"ends_on_user"},
    "role order": {"role_order"},
    "empty turn": {"empty_turn", "empty_output"},
    "tool result without a call": {"tool_result"},
    "template leftovers": {"template"},
    "mojibake": {"mojibake"},
    "unbalanced <think>": {"unbalanced"},
}
WORSE_THAN_INFO = {"fix", "drop", "check"}


@pytest.fixture(scope="module")
def support() -> Findings:
    return scan(sample("support.jsonl"))


@pytest.fixture(scope="module")
def chats() -> Findings:
    return scan(sample("chats.jsonl"))


def planted_groups(name: str) -> dict[frozenset[int], set[str]]:
    rows: dict[str, set[int]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for answer in answers(name):
        if answer["group"] is not None:
            rows[answer["group"]].add(answer["row"])
            kinds[answer["group"]].add(answer["planted"])
    return {frozenset(members): kinds[group] - {"clean"} for group, members in rows.items()}


def test_every_planted_cluster_and_contradiction_is_found_and_none_invented(support: Findings) -> None:
    groups = planted_groups("support.answers.jsonl")
    contradictions = {members for members, kinds in groups.items() if "contradiction" in kinds}
    assert {frozenset(cluster.rows) for cluster in clusters(support, "conflict")} == contradictions
    assert {frozenset(cluster.rows) for cluster in clusters(support, "exact", "near")} == groups.keys() - contradictions
    assert contradictions


def test_the_keeper_is_the_one_a_careful_person_keeps(support: Findings) -> None:
    keeper = {answer["row"]: answer.get("keeper") for answer in answers("support.answers.jsonl")}
    for cluster in clusters(support, "exact", "near"):
        wanted = {keeper[number] for number in cluster.rows} - {None}
        assert wanted <= {cluster.keeper}


@pytest.mark.parametrize("name", ["support", "chats"])
def test_every_planted_fault_is_flagged(name: str, request: pytest.FixtureRequest) -> None:
    findings = request.getfixturevalue(name)
    missed = [
        answer
        for answer in answers(f"{name}.answers.jsonl")
        if answer["planted"] in FOUND_BY and not FOUND_BY[answer["planted"]] & signals(findings, answer["row"])
    ]
    assert missed == []


@pytest.mark.parametrize("name", ["support", "chats"])
def test_clean_rows_carry_no_flag_but_information(name: str, request: pytest.FixtureRequest) -> None:
    findings = request.getfixturevalue(name)
    clean = {answer["row"] for answer in answers(f"{name}.answers.jsonl") if answer["planted"] == "clean"}
    assert [flag for flag in findings.flags if flag.row in clean and flag.severity in WORSE_THAN_INFO] == []


def test_renamed_products_are_named_as_what_is_stale(support: Findings) -> None:
    stale = {answer["row"] for answer in answers("support.answers.jsonl") if answer["planted"] == "stale"}
    named = {flag.row for flag in support.flags if flag.signal == "stale" and "says" in flag.reason}
    assert stale <= named


def test_prefixes_of_conversations_are_found_and_nothing_else_clusters(chats: Findings) -> None:
    assert {frozenset(cluster.rows) for cluster in chats.clusters} == set(planted_groups("chats.answers.jsonl"))
    assert {cluster.kind for cluster in chats.clusters} == {"prefix"}


def test_the_textbook_case_is_eight_lines() -> None:
    findings = scan(sample("phrases.jsonl"))
    assert [cluster.kind for cluster in findings.clusters] == ["exact"] * 8
    assert sum(len(cluster.rows) for cluster in findings.clusters) == 400
    assert findings.buckets.count("drop") == 392


def test_the_held_out_sample_leaks_nothing() -> None:
    training, reserved = sample("support.jsonl"), sample("support.heldout.jsonl")
    first = len(training)
    moved = [dataclasses.replace(one, number=first + place, id=one.id[::-1]) for place, one in enumerate(reserved)]
    findings = scan([*training, *moved], heldout=range(first, first + len(moved)))
    assert findings.leaks == ()
    assert all(max(cluster.rows) < first for cluster in clusters(findings, "exact", "near", "conflict"))
