"""Blind judging: sides by chance, judgements that survive, and figures that others can check."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from engine.errors import ProjectError, TrainingError
from engine.training.eval.pairwise import Judging, judged_pairs, sign_test, summary_of, wilson


def make_run(folder: Path, name: str, answers: dict[str, str], step: int = 9) -> Path:
    """The files of a run that judging reads."""
    run = folder / name
    (run / "data").mkdir(parents=True)
    with (run / "data" / "heldout.jsonl").open("w") as held, (run / "eval.jsonl").open("w") as measured:
        for identifier, answer in answers.items():
            asked = {"role": "user", "content": f"ask {identifier}"}
            reference = {"role": "assistant", "content": f"right {identifier}"}
            held.write(json.dumps({"id": identifier, "messages": [asked, reference]}) + "\n")
            measured.write(json.dumps({"step": 1, "id": identifier, "nll": 1, "tokens": 1, "answer": "early"}) + "\n")
            measured.write(json.dumps({"step": step, "id": identifier, "nll": 1, "tokens": 1, "answer": answer}) + "\n")
    return run


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Forty rows; `a` and `b` say the same to four of them."""
    rows = [f"r{number}" for number in range(40)]
    a = make_run(tmp_path, "20260101T000000Z-a", {row: f"from a {row}" for row in rows})
    b = make_run(tmp_path, "20260101T000001Z-b", {row: f"from {'a' if row in rows[:4] else 'b'} {row}" for row in rows})
    return a, b


def prefer(judging: Judging, run: str, times: int) -> None:
    """Judge that many pairs for `run`, as a person would who sees only the texts."""
    for _ in range(times):
        pair = judging.next_pair()
        assert pair is not None
        judging.judge(pair, "left" if pair.left.startswith(f"from {run}") else "right")


def test_equal_answers_are_not_shown_and_sides_are_drawn(two: tuple[Path, Path]) -> None:
    judging = Judging(*two)
    assert len(judging.identical) == 4
    assert len(judging.pairs) == 36
    left = [pair.left.startswith("from a") for pair in judging.pairs]
    assert 9 <= sum(left) <= 27  # a fair coin of 36 lies outside once in 500
    assert [pair.row.id for pair in judging.pairs] != sorted(pair.row.id for pair in judging.pairs)
    for pair in judging.pairs:
        assert {pair.left, pair.right} == {f"from a {pair.row.id}", f"from b {pair.row.id}"}
        assert pair.left_run.endswith("-a") == pair.left.startswith("from a")


def test_lines_that_are_no_judgements_are_passed_over(two: tuple[Path, Path]) -> None:
    judging = Judging(*two, by="ann")
    prefer(judging, "a", 3)
    odd = [
        *({"n": 9, "by": ["x"], "undo": {}}, {"n": 9, "undo": [1]}, {"n": True, "row": "r5"}, {"n": 1e9, "undo": 1}),
        {"n": 9, "row": "r5", "choice": "left"}, {"n": 9, "row": ["r"], "left": "a", "choice": "tie", "by": {}}, [9], 9,
    ]  # fmt: skip
    with judging.path.open("a") as stream:
        stream.write("".join(json.dumps(line) + "\n" for line in odd) + "[" * 100_000 + "\n\xff\n")
    assert Judging(*two, by="ann").judged == judging.judged
    assert judged_pairs(two[0].parent)[0]["wins"] == 3


def test_a_judging_goes_on_where_it_was_left_whichever_run_is_named_first(two: tuple[Path, Path]) -> None:
    first = Judging(*two, by="ann")
    prefer(first, "a", 10)
    expected = first.next_pair()
    again = Judging(two[1], two[0], by="ann")
    assert again.next_pair() == expected
    assert (again.summary()["wins"], again.summary()["losses"]) == (0, 10)
    prefer(again, "b", 26)
    summary = Judging(*two).summary()
    assert (summary["wins"], summary["losses"], summary["ties"], summary["left"]) == (10, 26, 0, 0)
    assert judged_pairs(two[0].parent)[0] | {"identical": 4, "pairs": 36, "left": 0} == summary


def test_undo_takes_back_one_after_the_other_and_survives(two: tuple[Path, Path]) -> None:
    judging = Judging(*two, by="ann")
    prefer(judging, "a", 3)
    rows = list(judging.judged)
    assert [judging.undo(), judging.undo()] == [rows[2], rows[1]]
    assert list(Judging(*two).judged) == rows[:1]
    assert judging.next_pair() == judging.pairs[1]
    other = Judging(*two, by="bob")
    assert other.undo() is None  # what another person said is theirs to take back
    judging.undo()
    assert judging.undo() is None


def test_a_torn_line_is_passed_over_and_the_next_one_is_whole(two: tuple[Path, Path]) -> None:
    judging = Judging(*two, by="ann")
    prefer(judging, "a", 2)
    content = judging.path.read_bytes()
    judging.path.write_bytes(content + b'{"v":1,"n":3,"row":"r')
    again = Judging(*two, by="ann")
    assert len(again.judged) == 2
    prefer(again, "a", 1)
    assert len(Judging(*two).judged) == 3


def test_a_judgement_that_cannot_be_written_does_not_count(two: tuple[Path, Path]) -> None:
    judging = Judging(*two)
    judging.path.parent.write_text("a file where the folder should be")
    pair = judging.next_pair()
    assert pair is not None
    with pytest.raises(ProjectError, match="cannot write"):
        judging.judge(pair, "left")
    assert judging.judged == {}


def test_runs_that_cannot_be_judged_say_why(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="against itself"):
        Judging(two[0], two[0])
    other = make_run(tmp_path, "20260101T000002Z-c", {"x1": "y"})
    with pytest.raises(TrainingError, match="no held-out row in common"):
        Judging(two[0], other)
    (two[1] / "data" / "heldout.jsonl").unlink()
    with pytest.raises(TrainingError, match=r"held-out rows of .* cannot be read"):
        Judging(*two)


def test_ties_and_skips_do_not_move_the_share() -> None:
    lines = {"1": "left", "2": "left", "3": "right", "4": "tie", "5": "skip"}
    judged = {row: {"choice": choice, "left": "a", "by": ""} for row, choice in lines.items()}
    summary = summary_of("a", "b", judged, pairs=9)
    assert [summary[name] for name in ("wins", "losses", "ties", "skipped", "left")] == [2, 1, 1, 1, 4]
    assert summary["share"] == pytest.approx(2 / 3)
    assert summary["verdict"] == "no difference shown"


def test_the_interval_and_the_test_are_the_textbook_ones() -> None:
    # Newcombe 1998, table I: 81 of 263, Wilson without correction .2553 to .3662; 0 of 20: 0 to .1611.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert sign_test(9, 1) == pytest.approx(2 * 11 / 1024)
    assert sign_test(5, 5) == 1.0


def test_a_judge_who_tosses_a_coin_seldom_gets_a_verdict() -> None:
    chance = random.Random(0)
    called = 0
    for _ in range(400):
        judged = {str(row): {"choice": chance.choice(["left", "right"]), "left": "a", "by": ""} for row in range(60)}
        called += summary_of("a", "b", judged)["verdict"] != "no difference shown"
    assert called <= 400 * 0.05 + 3 * math.sqrt(400 * 0.05 * 0.95)
    assert summary_of("a", "b", {str(row): {"choice": "left", "left": "a"} for row in range(60)})["verdict"] == "better"
