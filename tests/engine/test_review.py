"""The queue: what is looked at next, what is left, when to stop, and a fix that is offered to all."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.jobs.review import order_project
from engine.jobs.scan import scan_project
from engine.model import Act, Flag
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.review.edit_rules import derive, derive_row
from engine.review.order import ORDERS, mixed, resorted
from engine.review.outcomes import demoted, outcomes, records
from engine.review.recheck import answered, asking, draw, self_agreement
from engine.review.remaining import bad_left, lower_bound, random_rank, sample_so_far, stop_advice, upper_bound
from engine.review.store import load_queue
from engine.scan.signals.table import SIGNALS
from engine.select import select

REPAIRS = {signal.name: signal.repair for signal in SIGNALS if signal.repair}


# -- how much is left


def test_the_bounds_are_those_of_the_tables() -> None:
    # Clopper-Pearson, one-sided 95 %: none in 60, 3 in 50, 10 in 20.
    assert upper_bound(0, 60) == pytest.approx(0.0487, abs=5e-4)
    assert upper_bound(3, 50) == pytest.approx(0.1478, abs=5e-4)
    assert lower_bound(10, 20) == pytest.approx(0.3020, abs=5e-4)
    assert (upper_bound(5, 5), lower_bound(0, 9), upper_bound(0, 0)) == (1.0, 0.0, 1.0)


def test_the_bounds_hold_as_often_as_they_say() -> None:
    draw_of = random.Random(4)
    held = 0
    for _ in range(400):
        share = draw_of.uniform(0.02, 0.4)
        bad = sum(draw_of.random() < share for _ in range(50))
        held += lower_bound(bad, 50) <= share <= upper_bound(bad, 50)
    assert held / 400 >= 0.88


def test_the_beginning_of_the_random_order_is_the_sample() -> None:
    identifiers = {number: f"id{number}" for number in range(100)}
    order = sorted(identifiers, key=lambda number: random_rank(identifiers[number]))
    judged = {number: number % 2 == 0 for number in order[:25]} | {order[40]: True}
    del judged[order[7]]
    assert sample_so_far(identifiers, judged, frozenset({order[7]})) == order[:7] + order[8:25]
    left = bad_left(order[8:25] + order[:7], judged, 100)
    assert left is not None
    assert left.least <= left.estimate <= left.most <= left.undecided == 75
    assert bad_left(order[:5], judged, 100) is None


def test_stop_advice_says_how_sure_it_is() -> None:
    assert stop_advice([True] + [False] * 60, 140, "clean") == (
        "the last 60 of `clean` changed nothing: accept the remaining 140? at most 4.9 % bad with 95 % confidence"
    )
    assert stop_advice([False] * 20, 140, "clean") is None
    assert stop_advice([False] * 60 + [True], 140, "clean") is None
    assert stop_advice([False] * 60, 0, "clean") is None


# -- orders


def test_four_by_risk_then_one_at_random_and_every_row_once() -> None:
    identifiers = {number: f"id{number}" for number in range(200)}
    by_risk = list(range(200))
    order = mixed(by_risk, identifiers)
    assert sorted(order) == by_risk
    at_random = sorted(by_risk, key=lambda number: random_rank(identifiers[number]))
    assert order[:4] == [0, 1, 2, 3]
    assert order[4] == next(number for number in at_random if number > 3)
    assert order[5] in (4, 5)


@given(st.lists(st.integers(0, 30), unique=True), st.lists(st.integers(0, 30), unique=True), st.integers(0, 40))
def test_nothing_moves_above_the_cursor(shown: list[int], fresh: list[int], cursor: int) -> None:
    order = resorted(shown, cursor, fresh)
    assert order[: cursor + 1][: len(shown)] == shown[: cursor + 1]
    assert len(set(order)) == len(order)
    assert set(order) == set(shown[: cursor + 1]) | set(fresh)


# -- signals by their record


def test_a_signal_that_is_wrong_more_often_than_right_is_demoted() -> None:
    flags = [Flag(number, "loud", "check", "x") for number in range(10)]
    flags += [Flag(number, "new", "check", "x") for number in range(3)]
    found = records(((flag.row, flag.signal) for flag in flags), {number: number < 3 for number in range(9)})
    assert [str(one) for one in found] == [
        "loud: right in 3 of 9 of your verdicts, so it only informs now",
        "new: right in 3 of 3 of your verdicts",
    ]
    assert demoted(found) == {"loud"}


# -- a project that learns


@pytest.fixture
def project(tmp_path: Path) -> Project:
    draw_of = random.Random(1)
    rows = []
    for number in range(160):
        if number % 4 == 0:
            text = f"Draw a picture of the {draw_of.choice(('red', 'old', 'tall'))} lighthouse number {number}"
        else:
            text = f"Explain how the {draw_of.choice(('wind', 'rain', 'tide'))} shapes coast number {number}"
        rows.append(
            {
                "instruction": text,
                "output": f"It takes a long time, as coast {number} shows.",
                "year": 2000 + number % 9,
            }
        )
    source = tmp_path / "raw.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    opened = open_project(create_project(source), reviewer="ann")
    scan_project(opened)
    return opened


def judge(project: Project, numbers: list[int]) -> None:
    for number in numbers:
        identifier = project.rows.id(number)
        verb = "reject" if number % 4 == 0 else "accept"
        project.decide([Act(verb, (identifier,))], seen=[identifier])


def test_it_learns_what_this_person_rejects_and_says_why(project: Project) -> None:
    before = order_project(project)
    assert (len(before.order), dict(before.chances), before.left) == (160, {}, None)
    assert before.order[0] % 4 == 0  # flagged rows first
    judge(project, list(before.order[:30]))
    after = order_project(project)
    assert after.decided == 30
    assert len(after.order) == 130
    worst = [number for number in after.order[:20] if number % 4 == 0]
    assert len(worst) >= 14  # four in five by risk, one at random
    assert {name for name, weight in after.why[worst[0]] if weight > 0} & {
        "word:draw",
        "flag:not_text_task",
        "word:picture",
    }
    assert load_queue(project.folder, project.scan_key()) == after
    assert all(0 <= chance <= 1 for chance in after.chances.values())
    assert load_queue(project.folder, "another scan") is None
    project.close()


def test_settings_and_the_own_record_change_what_a_signal_does(project: Project) -> None:
    flagged = [
        number for number in range(160) if any(flag.signal == "not_text_task" for flag in project.flags_of(number))
    ]
    assert len(flagged) == 40
    for number in flagged[:10]:
        identifier = project.rows.id(number)
        project.decide([Act("accept", (identifier,))], seen=[identifier])
    assert {flag.severity for flag in scan_project(project).flags if flag.signal == "not_text_task"} == {"info"}
    assert project.bucket(flagged[0]) == "clean"
    settings = project.folder / "config.toml"
    settings.write_text('[signals]\nnot_text_task = "drop"\n')
    assert {flag.severity for flag in scan_project(project).flags if flag.signal == "not_text_task"} == {"drop"}
    settings.write_text('[signals]\nnot_text_task = "off"\n')
    assert not [flag for flag in scan_project(project).flags if flag.signal == "not_text_task"]
    settings.write_text('[signals]\nnot_text_tsk = "off"\n')
    with pytest.raises(UsageError, match="unknown signal"):
        scan_project(project)
    settings.write_text('[signals]\nlink = "loud"\n')
    with pytest.raises(UsageError, match="one of off, fix, drop, check, info"):
        scan_project(project)
    project.close()


def test_bulk_acts_teach_nothing(project: Project) -> None:
    project.decide([Act("reject", tuple(project.rows.id(number) for number in range(40)))])
    assert outcomes(project) == {}
    judge(project, [50, 52])
    assert outcomes(project) == {50: False, 52: True}
    project.close()


def test_the_job_speaks_json_and_leaves_its_result(project: Project) -> None:
    folder = project.folder
    project.close()
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "engine.jobs.review", str(folder)],
        stdin=subprocess.PIPE,  # the job ends as soon as this closes
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    ) as job:
        assert job.stdout is not None
        lines = [json.loads(line) for line in job.stdout]
    assert lines[-1] == {"done": True, "rows": 160, "decided": 0, "learned": False}
    assert {line["phase"] for line in lines[:-1]} == {"reading", "learning"}


def test_other_orders(project: Project) -> None:
    numbers = range(len(project.rows))
    assert ORDERS["file"](project, numbers) == list(numbers)
    assert ORDERS["newest"](project, numbers)[:2] == [8, 17]
    lengths = [len(project.example(number).prompt) + len(project.example(number).answer) for number in numbers]
    assert lengths[ORDERS["length"](project, numbers)[0]] == max(lengths)
    buckets = [project.bucket(number) for number in ORDERS["bucket"](project, numbers)]
    assert buckets == sorted(buckets, key=("fix", "drop", "check", "clean").index)
    assert sorted(ORDERS["cluster"](project, numbers)) == list(numbers)
    project.close()


def test_a_second_look_shows_how_far_a_person_agrees_with_themselves(project: Project) -> None:
    judge(project, list(range(20)))
    chosen = draw(project, 4, seed=3)
    assert len(chosen) == 4
    identifiers = [project.rows.id(number) for number in chosen]
    project.decide([asking(identifiers)])
    assert select(project, "is:recheck") == chosen
    assert draw(project, 20) == [number for number in range(20) if number not in chosen]
    for place, identifier in enumerate(identifiers):
        old = project.verdict(chosen[place])
        verb = {"accepted": "accept", "rejected": "reject"}[old]
        other = {"accept": "reject", "reject": "accept"}[verb]
        project.decide([Act(other if place == 0 else verb, (identifier,)), answered([identifier])], seen=[identifier])
    (journal,) = project.journal_ends()
    found = self_agreement(json.loads(line) for line in journal.read_text().splitlines())
    assert (found.asked, found.answered, found.same) == (4, 4, 3)
    assert found.differing == (identifiers[0],)
    assert str(found) == "3 of 4 verdicts were the same at the second look (75 %)"
    assert not any("recheck" in project.tags(number) for number in chosen)
    project.close()


# -- fix once, offer to all


@pytest.mark.parametrize(
    ("before", "after", "about", "other", "changed"),
    [
        ("Answer: The Nile.", "The Nile.", 'strip "Answer:" at the beginning', "Answer: Rome.", "Rome."),
        ("Rome. Hope this helps!", "Rome.", 'strip "Hope this helps!" at the end', "Oslo. Hope this helps!", "Oslo."),
        ("```\nls", "```\nls\n```", "close the code fence", "```\npwd\n", "```\npwd\n```"),
        ("Buy the Oldmark.", "Buy the Newmark.", '"Oldmark" becomes "Newmark"', "An Oldmark!", "An Newmark!"),
        ("Ask Acme Corp now.", "Ask Zenith now.", '"Acme Corp" becomes "Zenith"', "Acme Corp.", "Zenith."),
        ("### Response: Rome", "Rome", "repair template", "### Response:\nOslo", "Oslo"),
        ("Tom &amp; Ann", "Tom & Ann", "repair html_entities", "A &lt; B", "A < B"),
    ],
)
def test_the_change_behind_an_edit(before: str, after: str, about: str, other: str, changed: str) -> None:
    rule = derive(before, after, REPAIRS)
    assert rule is not None
    assert rule.about == about
    assert rule.change(before) == after
    assert rule.change(other) == changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The Nile is long.", "It is a long river in Africa."),
        ("a", "a"),
        ("", "text"),
        ("one two three four", "four three two one"),
    ],
)
def test_a_change_that_is_none_of_the_mechanical_ones_offers_nothing(before: str, after: str) -> None:
    assert derive(before, after) is None


@settings(max_examples=200)
@given(st.text(max_size=40), st.text(max_size=40))
def test_a_rule_always_makes_the_edit_it_came_from(before: str, after: str) -> None:
    rule = derive(before, after, REPAIRS)
    assert rule is None or rule.change(before) == after


def test_a_fix_is_offered_to_the_rows_and_the_field_it_fits() -> None:
    def talk(answer: str, question: str = "Which river?") -> dict[str, object]:
        return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], "id": 7}

    rule = derive_row(talk("Answer: the Nile"), talk("the Nile"))
    assert rule is not None
    rows = (talk("Answer: the Oder"), talk("the Elbe"), {"output": "Answer: the Rhine"})
    assert [rule.changed(row) for row in rows] == [talk("the Oder"), None, None]
    assert derive_row(talk("Answer: the Nile"), talk("the Nile", "Which?")) is None
