"""Keys faster than the screen, and slower: where they go, what waits, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path

import planted
import pytest
from pseudo import Terminal, tamis

from engine.model import Findings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def test_keys_typed_ahead_go_where_they_were_meant(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:11-14\rjxk")
        terminal.wait_for("✗1 ")
        terminal.keys("ge\x1b[F!\x13a")
        terminal.wait_for("✓2 ")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
    with planted.opened(folder) as project:
        assert [project.verdict(row) for row in range(11, 15)] == ["accepted", "rejected", "accepted", "undecided"]
        assert project.current_row(11)["output"] == "one two thre!"


def test_what_a_filter_matched_is_said_however_slowly_it_was_typed(folder: Path) -> None:
    """The message line is hidden while one types; what it says then was not painted when it came back."""
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        for keys in ("/", "row:11-14", "\r"):
            terminal.type(keys)
            terminal.wait_for_rest()
        assert terminal.lines[-2] == " 4 rows match 'row:11-14'"


@pytest.mark.parametrize("keys", ["/", "/row:11\re"], ids=["filter", "editor"])
def test_a_line_open_to_type_into_sends_nothing_by_itself(folder: Path, keys: str) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys(keys)
        terminal.wait_for_rest()
        before = len(terminal.output)
        # A cursor that blinks would do so twice.
        terminal.read_for(1.2)
        assert len(terminal.output) == before


def verdicts(folder: Path) -> list[str]:
    with planted.opened(folder) as project:
        return [project.verdict(row) for row in range(12, 20)]


def test_a_verb_waits_for_its_row_to_be_shown_and_further_ones_are_dropped_and_counted(folder: Path) -> None:
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:12-19\r")
        terminal.wait_for("row 12  line 13")
        # On the screen a little before the program knows that its frame is out.
        terminal.wait_for_rest()
        # One packet: the first verb acts on the row that is shown, the second waits, the third and fourth are dropped.
        terminal.keys("axaxj")
        terminal.wait_for("2 keys typed before the row was shown: dropped")
        terminal.wait_for("✓1 ✗1")
        terminal.keys("q")
        terminal.wait_for_end()
    assert verdicts(folder)[:3] == ["accepted", "rejected", "undecided"]


def test_a_frame_waits_for_the_terminal_and_so_does_the_verb(folder: Path) -> None:
    with Terminal(tamis(folder), answers=True) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:12-19\r", "j")
        terminal.wait_for("row 13  line 14")
        terminal.answers = False
        terminal.keys(*"jjj")
        # Two frames went out and were not answered: the third is held.
        assert "row 15  line 16" in terminal.text
        terminal.keys("j", "a")
        assert "row 16  line 17" not in terminal.text
        assert "✓1" not in terminal.text
        terminal.answers = True
        terminal.answer(2)
        terminal.wait_for("✓1 ")
        terminal.keys("q")
        terminal.wait_for_end()
    assert verdicts(folder)[5] == "accepted"


def test_a_screen_that_was_opened_when_the_terminal_answered_can_be_left(folder: Path) -> None:
    """The answer is read in another thread; what is started there must know the application all the same."""
    with Terminal(tamis(folder), answers=True) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:12-19\r", "j")
        terminal.wait_for("row 13  line 14")
        terminal.answers = False
        terminal.keys(*"jjjj", "a", "R")
        assert "✓1" not in terminal.text
        terminal.answers = True
        terminal.answer(2)
        terminal.wait_for("No run yet")
        terminal.keys("\x1b")
        terminal.wait_for("row 18  line 19")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0


def test_a_held_key_ends_with_the_last_row_and_few_frames(folder: Path) -> None:
    with Terminal(tamis(folder), answers=True) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:12-19\r", "j")
        terminal.answers = False
        before = terminal.questions
        terminal.keys(*"jkjkjkjkjjjjj")
        assert terminal.questions - before == 2
        terminal.answers = True
        terminal.answer(2)
        terminal.wait_for("row 18  line 19")


def test_keys_typed_before_the_question_of_the_held_out_set_answer_nothing_and_fall_on_no_other_row(
    tmp_path: Path,
) -> None:
    """`x` asks; `y`, `x` and `enter` behind it came before anybody can have read the question."""
    rows = [{"instruction": f"What is {n} times {n}?", "output": f"{n * n}"} for n in range(240)]
    folder = planted.make_folder(tmp_path, rows, Findings((), (), ("clean",) * 240, {"total": 0.1}))
    (folder / "session.json").write_text(json.dumps({"v": 1, "screen": "triage"}))
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What is 0 times 0?")
        terminal.keys("jxyx\r")
        terminal.wait_for("hold out 40 of 240 rows to measure with, before you decide?")
        terminal.resize(60, 18)
        terminal.wait_for("before you decide?")
        assert planted.journal(folder) == []
        terminal.keys("\r")
        terminal.wait_for("H40")
        terminal.settle()
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
    acts = [act for line in planted.journal(folder) for act in line["acts"]]
    assert [act["do"] for act in acts] == ["holdout", "reject"]
    assert acts[1]["ids"] == [planted.opened_id(folder, 1)]
