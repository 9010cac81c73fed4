"""The first open: a new file shows its rows, what a guess rests on is shown once, a large file opens at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted import TamisApp, opened, screen_text, shown, workbench

from engine.model import Findings
from engine.project.create import create_project
from engine.project.project import open_project
from engine.project.settings import read_settings, write_settings
from engine.sources.mapping import Mapping
from engine.sources.shapes.map_words import mapping_from_words, words_of
from workbench.actions.first_open import changed_proposal, proposed_rows, was_guessed
from workbench.state.saved import load_state


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def asked_and_answered(count: int) -> list[dict[str, Any]]:
    return [{"query": f"What is {n} and {n}?", "response": f"{2 * n}", "topic": "sums"} for n in range(count)]


@pytest.mark.parametrize(
    ("row", "guessed"),
    [
        ({"instruction": "a", "input": "", "output": "b"}, False),
        ({"prompt": "a", "completion": "b"}, False),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, False),
        ({"chat_rounds": [{"role": "human", "content": "a"}, {"role": "bot", "content": "b"}]}, False),
        ({"query": "a", "response": "b"}, True),
        ({"instruction": "a", "context": "c", "response": "b"}, True),
        ({"request": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}}, True),
    ],
)
def test_fields_of_other_names_are_a_guess(tmp_path: Path, row: dict[str, Any], guessed: bool) -> None:
    folder = create_project(lines(tmp_path / "raw.jsonl", [row] * 3))
    with open_project(folder, readonly=True) as project:
        assert was_guessed(project) is guessed
        assert mapping_from_words(words_of(project.mapping)) == project.mapping


def test_two_shapes_in_one_file_are_a_guess(tmp_path: Path) -> None:
    rows = [{"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"}, {"text": "e"}]
    with open_project(create_project(lines(tmp_path / "raw.jsonl", rows)), readonly=True) as project:
        assert was_guessed(project)


async def test_the_guess_is_shown_once_and_enter_takes_it(tmp_path: Path) -> None:
    folder = create_project(lines(tmp_path / "raw.jsonl", asked_and_answered(12)))
    async with workbench(folder) as (app, pilot):
        text = screen_text(app)
        assert "Guessed by the names of the fields" in "\n".join(text)
        assert "What is 0 and 0?" in "\n".join(text)
        assert "prompt=query,response=response" in "\n".join(text)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.session.place.screen == "triage"
        assert app.session.project.findings is not None
    async with workbench(folder) as (app, _):
        assert app.session.place.screen == "triage"
    assert load_state(folder).asked == {"mapping"}


async def test_a_wrong_guess_is_corrected_and_taken_back_as_any_act(tmp_path: Path) -> None:
    rows = [{"query": f"q{n}", "response": "r", "reply": {"text": f"said {n}"}} for n in range(4)]
    folder = create_project(lines(tmp_path / "raw.jsonl", rows))
    async with workbench(folder) as (app, pilot):
        await pilot.press("w", "end", *["backspace"] * len("response"), *"reply.text,colour=x", "enter")
        assert "does not understand 'colour=x'" in "\n".join(screen_text(app))
        await pilot.press(*["backspace"] * len(",colour=x"), "enter")
        assert "said 0" in "\n".join(screen_text(app))
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert app.session.project.example(2).answer == "said 2"
        # How rows are read is asked about before it is taken back.
        app.session.undo()
        app.session.undo()
        assert app.session.project.example(2).answer == "r"
        app.session.redo()
        app.session.redo()
        assert app.session.project.example(2).answer == "said 2"
    with open_project(folder, readonly=True) as project:
        assert project.mapping.fields["output"] == "reply.text"
        assert project.findings is not None


async def test_escape_leaves_the_guess_as_it_is(tmp_path: Path) -> None:
    folder = create_project(lines(tmp_path / "raw.jsonl", asked_and_answered(3)))
    async with workbench(folder) as (app, pilot):
        await pilot.press("r", "j", "p", "escape")
        assert app.session.place.screen == "triage"
        assert app.session.project.mapping.fields["output"] == "response"


def test_the_proposal_is_a_tenth_within_reason() -> None:
    assert [proposed_rows(rows) for rows in (200, 240, 1000, 50_000)] == [40, 40, 100, 200]
    assert changed_proposal(240, 40, 100) == 80
    assert changed_proposal(240, 40, 0.01) == 20


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_first_screen_of_a_new_file_is_its_rows_and_the_overview_is_a_key_away(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    rows = [{"instruction": f"What is {n}?", "output": f"Answer {n}."} for n in range(12)]
    more = lines(tmp_path / "more.jsonl", [{"prompt": "Last?", "completion": "Yes."}])
    folder = create_project(lines(tmp_path / "raw.jsonl", rows), further=[more])
    with opened(folder) as project:
        app = TamisApp(project)
        async with app.run_test(size=size) as pilot:
            text = "\n".join(screen_text(app))
            assert "What is 0?" in text
            assert "Answer 0." in text
            assert "13 rows of 2 files, read as alpaca" in text
            await app.workers.wait_for_complete()
            await shown(app, pilot, lambda text: "scanned: o shows what can be settled" in text)
            # Who is reading stays with the row.
            assert app.session.place.entry is not None
            assert app.session.place.entry.row == 0
            await pilot.press("o")
            text = await shown(app, pilot, lambda text: "What the scan proposes" in text)
            assert "Files" in text
            assert "more.jsonl" in text
    async with workbench(folder) as (app, _):
        assert app.session.place.screen == "overview"


async def test_what_was_scanned_already_opens_on_what_can_be_settled(tmp_path: Path) -> None:
    folder = create_project(lines(tmp_path / "raw.jsonl", [{"instruction": "a", "output": "b"}] * 3))
    with open_project(folder, readonly=True) as project:
        project.save_findings(Findings.empty(3))
    async with workbench(folder) as (app, _):
        assert app.session.place.screen == "overview"


async def test_rows_that_are_still_being_read_come_in(tmp_path: Path) -> None:
    source = lines(tmp_path / "raw.jsonl", [{"instruction": f"q{n}", "output": "a"} for n in range(150)])
    folder = create_project(source, first=100)
    async with workbench(folder) as (app, pilot):
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.session.project.is_complete
        assert "·150" in screen_text(app)[0]
        assert app.session.project.findings is not None


async def test_while_a_file_is_read_the_overview_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lines(tmp_path / "raw.jsonl", [{"instruction": f"q{n}", "output": "a"} for n in range(150)])
    folder = create_project(source, first=100)
    (tmp_path / "slow_job.py").write_text("import sys; sys.stdin.read()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("workbench.ui.jobs.READ_MODULE", "slow_job")
    with opened(folder) as project:
        app = TamisApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await shown(app, pilot, lambda text: "reading 100 rows" in text)
            await pilot.press("o")
            text = await shown(app, pilot, lambda text: "Reading the file" in text)
            assert "100 rows so far" in text
            await pilot.press("escape")
            await app.workers.wait_for_complete()
            assert "reading was stopped" in screen_text(app)[-2]


async def test_a_source_that_changed_meanwhile_says_so_and_its_rows_can_be_judged(tmp_path: Path) -> None:
    source = lines(tmp_path / "raw.jsonl", [{"instruction": f"q{n}", "output": "a"} for n in range(150)])
    folder = create_project(source, first=100)
    source.write_text('{"instruction": "x", "output": "y"}\n')
    async with workbench(folder) as (app, pilot):
        assert "reading ended early" in "\n".join(screen_text(app))
        await pilot.press("slash", *"row:7", "enter", "a")
        assert app.session.project.verdict(7) == "accepted"


async def test_an_old_project_that_could_be_read_more_fully_is_told_of_once_it_is_painted(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    folder = create_project(lines(tmp_path / "raw.jsonl", [{"text": "all", "messages": said}] * 3))
    write_settings(folder, replace(read_settings(folder), mapping=Mapping("text", {"text": "text"})))
    with open_project(folder, readonly=True) as project:
        project.save_findings(Findings.empty(3))
    async with workbench(folder) as (app, pilot):
        text = await shown(app, pilot, lambda text: "tamis reread raw.tamis" in text)
        assert "3 of the first rows can be read more fully by now" in text


async def test_a_role_of_the_files_own_is_shown_when_the_fields_are_confirmed_and_afterwards(tmp_path: Path) -> None:
    said = [{"role": "narrator", "content": "Night falls."}, {"role": "assistant", "content": "The end."}]
    folder = create_project(lines(tmp_path / "raw.jsonl", [{"request": {"messages": said}}] * 2))
    async with workbench(folder) as (app, pilot):
        text = "\n".join(screen_text(app))
        assert '?narrator a role that is not known: "narrator"' in text
        assert "Night falls." in text
        await pilot.press("enter")
        await shown(app, pilot, lambda text: "scanned:" in text)
        await pilot.press("slash", *"role:narrator", "enter")
        text = "\n".join(screen_text(app))
        assert "2 rows match 'role:narrator'" in text
        await pilot.press("j")
        assert '?narrator a role that is not known: "narrator"' in "\n".join(screen_text(app))
