"""The screens that read answers: trying a run, judging two. The answering process is a small stand-in here, real lines
over real pipes; tests/training/test_inference.py has the real one."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import planted
import pytest
from planted import journal, shown, workbench

from engine.project.project import open_project
from engine.training.eval.pairwise import Judging
from engine.training.runs.trusted import trust_run
from workbench.ui.screens.judge import JudgeScreen
from workbench.ui.screens.try_run import TryScreen

STAND_IN = """
import json, os, sys
if os.path.exists(os.path.join(sys.argv[-1], "broken")):
    print(json.dumps({"error": "model nowhere cannot be loaded"})); sys.exit(1)
print(json.dumps({"ready": True, "model": "stand-in", "source": "", "kind": "full"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    asked = request["prompts"][0][-1]["content"]
    for side in request["sides"]:
        answer = "Answer 12." if side == "tuned" and asked == "Question 12?" else f"{side} to {asked} \\x1b[31m\\u202e"
        print(json.dumps({"id": request["id"], "side": side, "answers": [answer], "cut": [False]}), flush=True)
"""


def make_run(folder: Path, name: str, answers: dict[int, str] | None = None) -> Path:
    """A finished run on a project whose rows 12 and 13 are held out."""
    run = folder / "runs" / name
    for part in ("data", "model"):
        (run / part).mkdir(parents=True)
    (run / "stand_in.py").write_text(STAND_IN)
    values = {"model": {"value": "stand-in"}, "steps": {"value": 4}, "max_new_tokens": {"value": 16}}
    command = [sys.executable, str(run / "stand_in.py")]
    (run / "spec.json").write_text(
        json.dumps({"v": 1, "name": name, "group": "", "values": values, "command": command})
    )
    (run / "result.json").write_text(json.dumps({"outcome": "finished", "step": 4}))
    with open_project(folder, readonly=True) as project:
        held, measured = [], []
        for number in (12, 13):
            example = project.example(number)
            messages = [{"role": turn.role, "content": turn.text} for turn in example.messages]
            held.append({"id": example.id, "messages": messages})
            answer = (answers or {}).get(number, f"{name} says")
            measured.append({"step": 4, "id": example.id, "nll": 1.0, "tokens": 3, "answer": answer})
    for path, lines in ((run / "data" / "heldout.jsonl", held), (run / "eval.jsonl", measured)):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    trust_run(run)
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


async def test_both_answers_stand_beside_the_reference_and_hostile_ones_are_shown_not_obeyed(folder: Path) -> None:
    run = make_run(folder, "20260101T000000Z-a")
    async with workbench(folder) as (app, pilot):
        app.push_screen(TryScreen(run))
        text = await shown(app, pilot, lambda text: "tuned answers as the reference" in text)
        assert "= row 12" in text
        assert "base" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\u241b" in text  # the escape as a glyph
        await pilot.press("j")
        text = await shown(app, pilot, lambda text: "otherwise than the reference" in text)
        assert "Answer 13." in text


async def test_a_screen_opened_with_the_first_one_has_the_keys_in_the_footer(folder: Path) -> None:
    """The overview comes up below it and must not take the footer for itself."""
    run = make_run(folder, "20260101T000000Z-a")
    async with workbench(folder, opening=lambda: TryScreen(run)) as (app, pilot):
        text = await shown(app, pilot, lambda text: "as the reference" in text)
        assert text.splitlines()[-1].startswith(" t prompt  1 take base")
        assert app.session.place.screen == "try"
        await pilot.press("escape")
        assert app.session.place.screen == "overview"


async def test_a_typed_prompt_and_its_answer_become_a_new_undecided_row(folder: Path) -> None:
    run = make_run(folder, "20260101T000000Z-a")
    async with workbench(folder) as (app, pilot):
        app.push_screen(TryScreen(run))
        await shown(app, pilot, lambda text: "as the reference" in text)
        await pilot.press("t", "ctrl+a", *"x", "ctrl+s")
        await shown(app, pilot, lambda text: "1 or 2 makes an answer" in text)
        await pilot.press("e", *" Z", "ctrl+s")
        text = await shown(app, pilot, lambda text: "row 20: undecided" in text)
        assert "from the edited answer" in text
        await app.workers.wait_for_complete()
        row = app.session.project.rows.raw(20)
        assert row["instruction"].startswith("xQuestion 12?") or row["instruction"].endswith("x")
        assert row["output"].endswith(" Z")
        assert app.session.project.verdict(20) == "undecided"
    (act,) = journal(folder)[-1]["acts"]
    assert (act["do"], act["run"], act["answer"]) == ("add", run.name, "edited")


async def test_a_held_out_prompt_is_asked_about_before_it_becomes_a_row(folder: Path) -> None:
    run = make_run(folder, "20260101T000000Z-a")
    async with workbench(folder) as (app, pilot):
        app.push_screen(TryScreen(run))
        await shown(app, pilot, lambda text: "as the reference" in text)
        await pilot.press("1")
        await shown(app, pilot, lambda text: "this prompt is held out" in text)
        assert len(app.session.project.rows) == 20
        await pilot.press("2")  # another key is another question
        await shown(app, pilot, lambda text: "this prompt is held out" in text)
        await pilot.press("1", "1")
        await shown(app, pilot, lambda text: "row 20: undecided, from the base answer" in text)
        await app.workers.wait_for_complete()
    assert journal(folder)[-1]["acts"][0]["heldout"]


async def test_a_killed_process_leaves_a_line_and_enter_starts_another(folder: Path) -> None:
    run = make_run(folder, "20260101T000000Z-a")
    async with workbench(folder) as (app, pilot):
        screen = TryScreen(run)
        app.push_screen(screen)
        await shown(app, pilot, lambda text: "as the reference" in text)
        assert screen.answering is not None
        assert screen.answering.pid is not None
        os.kill(screen.answering.pid, signal.SIGKILL)
        await pilot.press("j")
        await shown(app, pilot, lambda text: "was killed (SIGKILL)" in text)
        await pilot.press("enter")
        await shown(app, pilot, lambda text: "otherwise than the reference" in text)
        await pilot.press("escape")
        assert app.screen.NAME == "overview"  # type: ignore[attr-defined]


async def test_what_cannot_answer_says_so_and_the_screen_stays_usable(folder: Path) -> None:
    broken = make_run(folder, "20260101T000000Z-broken")
    (broken / "broken").touch()
    empty = make_run(folder, "20260101T000001Z-empty")
    (empty / "model").rmdir()
    async with workbench(folder) as (app, pilot):
        for run, words in ((broken, "model nowhere cannot be loaded"), (empty, "has no model to try")):
            app.push_screen(TryScreen(run))
            await shown(app, pilot, lambda text, words=words: words in text)  # type: ignore[misc]
            await pilot.press("2")
            await shown(app, pilot, lambda text: "there is no tuned answer here yet" in text)
            await pilot.press("escape")
        assert app.screen.NAME == "overview"  # type: ignore[attr-defined]


def judgements(judging: Judging) -> list[dict[str, Any]]:
    return [json.loads(line) for line in judging.path.read_text().splitlines()]


async def test_judging_is_blind_until_the_end_and_kept_with_every_key(folder: Path) -> None:
    a, b = (make_run(folder, f"20260101T00000{n}Z-{name}") for n, name in ((0, "north"), (1, "south")))
    for run in (a, b):  # answers that do not give the run away
        lines = [json.loads(line) for line in (run / "eval.jsonl").read_text().splitlines()]
        told = [{**line, "answer": f"{'one' if run is a else 'two'} {place}"} for place, line in enumerate(lines)]
        (run / "eval.jsonl").write_text("".join(json.dumps(line) + "\n" for line in told))
    judging = Judging(a, b, by="ann")
    async with workbench(folder) as (app, pilot):
        app.push_screen(JudgeScreen(judging))
        text = await shown(app, pilot, lambda text: "0 of 2 judged" in text)
        assert "north" not in text
        assert "south" not in text
        first = judging.pairs[0]
        await pilot.press("h" if first.left.startswith("one") else "right")
        await shown(app, pilot, lambda text: "1 of 2 judged" in text)
        await pilot.press("t")
        await shown(app, pilot, lambda text: "All pairs are judged" in text)
        await pilot.press("u")
        assert "north" not in await shown(app, pilot, lambda text: "1 of 2 judged" in text)
        await pilot.press("space")
        text = await shown(app, pilot, lambda text: "All pairs are judged" in text)
        assert "1 of 1 decided pairs" in text
        assert "north" in text
        await pilot.press("l")
        await shown(app, pilot, lambda text: "every pair is judged" in text)
    assert [line.get("choice", "undo") for line in judgements(judging)][1:] == ["tie", "undo", "skip"]
    assert Judging(b, a).summary()["losses"] == 1
