"""A project of somebody else in the workbench: what its settings would run is told, and not run."""

from __future__ import annotations

import json
from pathlib import Path

from planted import screen_text, workbench
from projects import make_project, numbered

from engine import open_project
from engine.config import load_config
from engine.model import Act, Findings
from workbench.cli.open import waiting_words

SECONDS = 60


async def test_the_plan_of_a_foreign_project_says_what_waits_and_runs_nothing(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(6))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(map(project.rows.id, range(6))))])
        project.save_findings(Findings.empty(6))
    mark = json.dumps(f"touch {tmp_path / 'ran'}")
    (folder / "config.toml").write_text(f'[training]\ncommand = ["/bin/sh", "-c", {mark}]\n')
    (told,) = waiting_words(folder, load_config(folder))
    assert told == f"set by this folder, and waiting for your yes or no: training.command: tamis trust {folder}"
    async with workbench(folder) as (app, pilot):
        await pilot.press("T")
        for _ in range(SECONDS * 10):
            await pilot.pause(0.1)
            if "waits for your yes" in (text := " ".join(screen_text(app))):
                break
        else:
            raise AssertionError(text)
        assert "tamis trust" in text
        await pilot.press("enter")
        await pilot.pause()
    assert not (tmp_path / "ran").exists()
    assert not list(folder.glob("runs/*"))
