"""The training screen from plan to result: what is refused, why it is started all the same, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project

from engine import open_project
from engine.model import Act, Findings
from engine.training.runs.status import list_runs, read_run
from engine.trust import remember_made

sys.path.insert(0, str(Path(__file__).parents[1] / "workbench"))
from planted import screen_text, workbench

ROWS = [(f"Case {number}: sort the red lamp.", '{"colour": "red"}') for number in range(40)]


@pytest.fixture
def project(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty accepted rows, two of which are longer than the tiny `max_length` set in the project's own settings."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name, value in (("TERM", "xterm-256color"), ("COLORTERM", "truecolor")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    long = [(f"Case {number}: sort it. " + "please " * 60, "red") for number in (50, 51)]
    folder = make_project(tmp_path, [alpaca(asked, answer) for asked, answer in [*ROWS, *long]])
    with open_project(folder, reviewer="ann") as opened:
        ids = tuple(opened.rows.id(number) for number in range(len(opened.rows)))
        opened.decide([Act("accept", ids)])
        opened.save_findings(Findings.empty(len(opened.rows)))
    settings = f'[training]\nmodel = "{tiny_model}"\nmethod = "full"\nsteps = 20\nmax_length = 40\nthreads = 1\n'
    remember_made(folder)
    (folder / "config.toml").write_text(settings)
    return folder


async def until(app: Any, pilot: Any, words: str, seconds: float = 120) -> str:
    """The screen, once these words are on it."""
    text = ""
    for _ in range(int(seconds / 0.1)):
        await pilot.pause(0.1)
        text = "\n".join(screen_text(app))
        if words in text:
            return text
    raise AssertionError(f"{words!r} never came:\n{text}")


def test_what_the_plan_refuses_is_started_only_with_a_reason_which_the_run_keeps(project: Path) -> None:
    async def story() -> None:
        async with workbench(project) as (app, pilot):
            await pilot.press("T")
            assert "making the plan" in await until(app, pilot, "making the plan")
            text = await until(app, pilot, "2 of 42 rows are longer than 40 tokens")
            assert "refused" in text
            await pilot.press("enter")
            assert "! starts it with a reason" in "\n".join(screen_text(app))
            assert not list_runs(project / "runs")
            await pilot.press("exclamation_mark", "enter")
            assert "a reason is needed" in "\n".join(screen_text(app))
            await pilot.press(*"two", "space", *"long", "enter")
            await until(app, pilot, "finished  step 20/20")
            await until(app, pilot, "loss ")

    asyncio.run(story())
    (run,) = list_runs(project / "runs")
    assert read_run(run.dir).state == "finished"
    spec = json.loads((run.dir / "spec.json").read_text())
    for document in (spec["facts"], json.loads((run.dir / "model" / "tamis-manifest.json").read_text())):
        assert document["override"]["why"] == "two long"
        assert "truncated" in [note["kind"] for note in document["override"]["refusals"]]
    assert spec["facts"].keys() >= {"template_sha256", "model_commit", "versions", "journals", "source"}
    assert len(spec["facts"]["template_sha256"]) == 64


def test_settings_changed_on_the_screen_make_the_plan_anew_and_reach_the_run(project: Path) -> None:
    async def story() -> None:
        async with workbench(project) as (app, pilot):
            await pilot.press("T", "c")
            await pilot.press(*"max_lenth=90", "enter")
            assert "Did you mean 'max_length'" in "\n".join(screen_text(app))
            await pilot.press("escape", "c", *"max_length=400", "enter")
            assert "max_length = 400" in await until(app, pilot, "enter starts it")
            # A plan that is being made is stopped, and its process with it.
            await pilot.press("c", "enter", "s")
            await until(app, pilot, "the plan was stopped")

    asyncio.run(story())
    assert not list_runs(project / "runs")
