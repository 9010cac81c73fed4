"""A window that only reads: what it offers, how it becomes the one that decides, and what it sees of the others."""

from __future__ import annotations

import json
from pathlib import Path

import planted
import pytest
from planted import journal, screen_text, shown

from engine.model import Act
from engine.project.add_rows import grow
from engine.project.project import open_project
from workbench.cli.main import main
from workbench.ui.app import TamisApp

READ_ONLY = " read-only: another window decides here; :take-over makes it this one"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


async def test_a_second_window_offers_no_verb_and_says_at_80_columns_how_to_decide(folder: Path) -> None:
    with planted.opened(folder), planted.opened(folder) as second:
        app = TamisApp(second)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert screen_text(app)[-2] == READ_ONLY
            assert screen_text(app)[-1] == " ctrl+t take over  enter open  / filter  E export  ? help"
            await pilot.press("enter")
            hints = screen_text(app)[-1]
            assert "take over" in hints
            assert not {"keep", "reject", "undo"} & set(hints.split())
            for key in ("a", "x", "u", "1", "t", "e"):
                await pilot.press(key)
                assert screen_text(app)[-2] == READ_ONLY
            await pilot.press("colon", *"reject bucket:drop", "enter")
            assert screen_text(app)[-3] == READ_ONLY
            await pilot.press("escape", "colon", *"accept")
            assert screen_text(app)[-3] == READ_ONLY
            await pilot.press("escape", "question_mark")
            assert "another window decides here" in screen_text(app)[1]
    assert journal(folder) == []


async def test_a_window_takes_over_with_what_the_other_one_decided_and_that_one_then_reads(folder: Path) -> None:
    with planted.opened(folder) as first, planted.opened(folder) as second:
        writer, reader = TamisApp(first), TamisApp(second)
        async with reader.run_test(size=(80, 24)) as keys:
            await keys.pause()
            first.decide([Act("reject", (first.rows.id(10),))])
            await keys.press("colon", *"take-over", "enter")
            assert "this window decides now" in screen_text(reader)[-2]
            assert second.verdict(10) == "rejected"
            await planted.type_filter(keys, "row:12")
            await keys.press("a")
            assert second.verdict(12) == "accepted"
        async with writer.run_test(size=(80, 24)) as keys:
            text = await shown(writer, keys, lambda text: "read-only" in text)
            assert text.splitlines()[-2] == READ_ONLY
    assert [line["acts"][0]["do"] for line in journal(folder)] == ["reject", "accept"]


async def test_what_another_window_decides_shows_within_a_second_in_one_that_only_reads(folder: Path) -> None:
    with planted.opened(folder) as first, planted.opened(folder) as second:
        reader = TamisApp(second)
        async with reader.run_test(size=(80, 24)) as pilot:
            await shown(reader, pilot, lambda text: "\u00b720 left" in text)
            first.decide([Act("reject", tuple(map(first.rows.id, (10, 11))))])
            text = await shown(reader, pilot, lambda text: "\u27172" in text)
            assert "\u00b718 left" in text
            # Also what was taken back.
            first.undo()
            await shown(reader, pilot, lambda text: "\u00b720 left" in text)
            assert second.verdict(10) == "undecided"
            # It advises nothing that it cannot do.
            assert "K keeps" not in text
            assert "enter opens them" in text


async def test_what_another_person_decides_shows_in_a_window_that_decides(folder: Path) -> None:
    async with planted.workbench(folder) as (app, pilot):
        with planted.opened(folder, "bob") as other:
            other.decide([Act("accept", (other.rows.id(12),))])
        await shown(app, pilot, lambda text: "\u27131" in text)
        # What is being done here stands on top of it.
        await planted.type_filter(pilot, "row:12")
        await pilot.press("x")
        assert app.session.project.is_disputed(12)


async def test_rows_that_another_process_adds_come_in_by_themselves(folder: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"instruction": "A new question?", "input": "", "output": "Its answer."}) + "\n")
    async with planted.workbench(folder) as (app, pilot):
        grow(folder, more, "bob")
        text = await shown(app, pilot, lambda text: "1 row added by another process" in text)
        assert "\u00b721 left" in text


def test_what_only_looks_needs_no_right_to_decide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While a window of the same reviewer is open, every command that decides nothing does its work."""
    with planted.opened(folder) as window:
        window.decide([Act("accept", tuple(map(window.rows.id, range(12, 20))))])
        for words in (
            ["do", folder, "reject bucket:drop", "undo", "--dry-run", "--as", "ann", "--json"],
            ["status", folder, "--json"],
            ["journal", folder, "--json"],
            ["report", folder, "--json"],
            ["gate", folder, "--json", "--as", "ann"],
            ["pick", folder, "3", "--json"],
        ):
            assert main(list(map(str, words))) == 0, words
            told = json.loads(capsys.readouterr().out)
            if words[0] == "do":
                assert [one["text"] for one in told["done"]] == [
                    "would have rejected 5 rows",
                    "would undo: accept 8 rows",
                ]
        assert not window.readonly
    assert len(journal(folder)) == 1


def test_a_large_undo_typed_says_what_it_takes_back_and_wants_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(40)]
    folder = planted.make_folder(tmp_path, rows)
    with planted.opened(folder) as project:
        project.decide([Act("reject", tuple(map(project.rows.id, range(21))))], why="not token>50")
    words = ["do", str(folder), "undo", "--as", "ann"]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error == "tamis: undo takes back: reject 21 rows (not token>50). Add --yes to do it\n"
    # What the same call did is taken back without a question.
    assert main([*words[:2], "accept row:0-39", "undo", *words[3:]]) == 0
    assert main([*words[:2], "accept row:0-39", "undo", "undo", *words[3:]]) == 2
    assert "not token>50" in capsys.readouterr().err
    assert main([*words, "--yes"]) == 0
    with open_project(folder, readonly=True) as project:
        assert project.tally()["rejected"] == 0


def test_a_typed_verdict_takes_a_row_off_the_second_looks_and_a_needless_reset_writes_nothing(folder: Path) -> None:
    with planted.opened(folder) as project:
        row = project.rows.id(12)
        project.decide([Act("accept", (row,)), Act("tag", (row,), extra={"tags": ["recheck"]})])
    assert main(["do", str(folder), "reset row:13", "--as", "ann"]) == 0
    assert len(journal(folder)) == 1
    assert main(["do", str(folder), "reject row:12", "--as", "ann"]) == 0
    with open_project(folder, readonly=True) as project:
        assert project.tags(12) == frozenset()
