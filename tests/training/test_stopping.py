"""`tamis stop` on comparisons, curves and projects: real supervisors, with a worker that waits until it is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import make_project, numbered
from small_runs import ended, wait_until
from test_supervisor import process_ids, start

from engine.training.compare.store import Comparison, Trial, save_comparison
from engine.training.runs.launch import Run
from engine.training.runs.status import read_run
from workbench.cli.main import main


def plant(runs: Path, kind: str, going_on: tuple[Run, ...], whole: Run) -> Comparison:
    """A comparison that took a whole run from an earlier one and waits for the others."""
    trials = [Trial("curated", seed, run.id) for seed, run in enumerate(going_on)]
    folder = runs / f"20260101T000000Z-{kind}"
    folder.mkdir()
    trials.append(Trial("raw", 0, whole.id, reused=True))
    comparison = Comparison(folder, "built-in", 7, 3, (("raw", 8), ("curated", 8)), tuple(trials))
    save_comparison(comparison)
    return comparison


def has_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b""
    except OSError:
        return True


@pytest.mark.parametrize("named", ["id", "beginning", "folder", "project"])
@pytest.mark.parametrize("kind", ["compare", "curve", "sweep"])
def test_every_run_of_it_ends_and_what_is_whole_stays(
    kind: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path, numbered(4))
    runs = project / "runs"
    (whole,) = start(runs, "finish")
    ended(whole)
    # Two queues: of one the second run still waits for its turn.
    going_on = (*start(runs, "obey", "obey"), *start(runs, "obey"))
    comparison = plant(runs, kind, going_on, whole)
    wait_until(lambda: process_ids(going_on[0]) and process_ids(going_on[2]))
    words = {
        **{"id": comparison.id, "beginning": comparison.id[:-2]},
        **{"folder": str(comparison.dir), "project": str(project)},
    }  # fmt: skip
    assert main(["runs", str(project)]) == 0
    assert f"{comparison.id}" in capsys.readouterr().out
    assert main(["stop", words[named]]) == 0
    said = capsys.readouterr().out
    assert f"{comparison.id}: 3 runs asked to save and end" in said
    assert f"`tamis {kind}` asked again" in said
    assert [ended(run).state for run in going_on] == ["stopped"] * 3
    assert all(has_gone(pid) for run in going_on for pid in process_ids(run))
    assert wait_until(lambda: all(has_gone(run.pid) for run in going_on))
    assert read_run(whole.dir).state == "finished"
    assert main(["stop", words[named]]) == 2
    assert "going on" in capsys.readouterr().err
    assert main(["runs", str(project), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert (told["comparison"], told["state"], len(told["runs"])) == (comparison.id, "cut short", 4)


def test_a_project_stops_single_runs_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path, numbered(4))
    (run,) = start(project / "runs", "obey")
    wait_until(lambda: process_ids(run))
    assert main(["stop", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stopped"] == [run.id]
    assert ended(run).state == "stopped"


def test_a_comparison_is_not_resumed_as_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path, numbered(4))
    (whole,) = start(project / "runs", "finish")
    comparison = plant(project / "runs", "compare", (), whole)
    assert main(["resume", comparison.id]) == 2
    assert "is no run. Ask for the comparison again" in capsys.readouterr().err
