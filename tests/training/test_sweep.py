"""`tamis sweep` on real runs of a project, what is said of rates that were planted, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from projects import make_project, numbered
from small_runs import field_text, rows

from engine.config import Training
from engine.model import Act
from engine.project.project import open_project
from engine.training.compare.stopping import comparisons_in, standing_of
from engine.training.runs.status import list_runs
from engine.workflows.sweep import MOST_HELDOUT, MOST_ROWS, prepare_sweep, rate_of_all
from workbench.cli.main import main
from workbench.cli.sweep import sweep_lines


def curated_project(folder: Path, training: int, heldout: int) -> Path:
    asked = [row.messages for row in rows(training + heldout)]
    path = make_project(folder, [{"instruction": a["content"], "output": b["content"]} for a, b in asked])
    with open_project(path, reviewer="ann") as project:
        ids = [project.rows.id(number) for number in range(training + heldout)]
        project.decide([Act("holdout", tuple(ids[training:]))])
        project.decide([Act("accept", tuple(ids))])
    return path


def named(folder: Path, name: str) -> Path:
    """A new folder in `folder`."""
    (folder / name).mkdir()
    return folder / name


def of_rates(*nll: float | None) -> dict[str, Any]:
    """What a sweep over 0.001, 0.003 and 0.009 found."""
    rates = [{"learning_rate": rate, "steps": 60, "nll": loss, "run": "r"}
             for rate, loss in zip((0.001, 0.003, 0.009), nll, strict=True)]  # fmt: skip
    held = [each for each in rates if each["nll"] is not None]
    return {"rates": rates, "recommended": min(held, key=lambda e: e["nll"])["learning_rate"] if held else None}


def test_three_rates_are_trained_in_one_worker_and_one_is_recommended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text(field_text()[:4000])  # a base of few words is made in a moment
    folder = curated_project(tmp_path, 8, 20)
    before = {path: path.read_bytes() for path in folder.glob("*.toml")}
    options = ["--steps", "3", "--set", f"pretrain_text={tmp_path / 'text.txt'}", "--set", "lr=0.003"]
    assert main(["sweep", str(folder), *options, "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert "3 of 3 runs to do: 3 steps each on 8 accepted rows, measured on 20 held-out rows; about" in captured.err
    assert [(each["learning_rate"], each["steps"]) for each in told["rates"]] == [(0.001, 3), (0.003, 3), (0.009, 3)]
    assert all(each["nll"] > 0 for each in told["rates"])
    assert (told["rows"], told["heldout_rows"], told["model"]) == (8, 20, "built-in")
    best = min(told["rates"], key=lambda each: each["nll"])
    assert told["recommended"] == best["learning_rate"]

    states = list_runs(folder / "runs")
    assert {state.id for state in states} == {each["run"] for each in told["rates"]}
    assert {(state.state, state.group) for state in states} == {("finished", "sweep")}
    spec = json.loads((folder / "runs" / best["run"] / "spec.json").read_text())
    assert [spec["values"][name]["value"] for name in ("generate_rows", "row_losses", "keep_best")] == [0, 0, False]
    assert not any((state.dir / "best").exists() for state in states)
    standings = [standing_of(comparison) for comparison in comparisons_in(folder / "runs")]
    assert [(each.command, each.stage, each.whole) for each in standings] == [("sweep", "finished", 3)]
    assert {path: path.read_bytes() for path in folder.glob("*.toml")} == before

    # Asked again, nothing is trained.
    assert main(["sweep", str(folder), *options]) == 0
    captured = capsys.readouterr()
    assert "0 of 3 runs to do, 3 were done before" in captured.err
    assert f"tamis train {folder} --set 'pretrain_text={tmp_path / 'text.txt'}'".replace("'", "") in (
        captured.out.replace("'", "")
    )
    assert f"learning_rate={best['learning_rate']:g}" in captured.out
    assert len(list_runs(folder / "runs")) == 3


@pytest.mark.slow
def test_a_rate_that_throws_the_model_off_is_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.txt").write_text(field_text())
    folder = curated_project(tmp_path, 8, 20)
    options = ["--steps", "6", "--set", f"pretrain_text={tmp_path / 'text.txt'}", "--set", "learning_rate=3e11"]
    assert main(["sweep", str(folder), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["nll"] is None for each in told["rates"]] == [True] * 3
    assert told["recommended"] is None
    standings = [standing_of(comparison) for comparison in comparisons_in(folder / "runs")]
    assert [each.stage for each in standings] == ["finished"]
    assert main(["sweep", str(folder), "--model", str(tmp_path / "no-model")]) == 2
    refused = capsys.readouterr().err
    assert "not started" in refused
    assert "no-model" in refused


def test_a_slice_is_drawn_by_seed_and_only_the_rate_differs(tmp_path: Path) -> None:
    with open_project(curated_project(tmp_path, 120, 80), readonly=True) as project:
        prepared = prepare_sweep(project, settings={"lr": 0.002})
        other = prepare_sweep(project, settings={"lr": 0.002, "seed": 1})
    jobs = [item.job for item in prepared.items]
    assert [job.spec.learning_rate.value for job in jobs] == [0.000667, 0.002, 0.006]
    assert {(len(job.train), len(job.heldout)) for job in jobs} == {(MOST_ROWS, MOST_HELDOUT)}
    assert jobs[0].train == jobs[2].train != other.items[0].job.train
    assert {job.spec.steps.value for job in jobs} == {300}
    assert not {row.id for row in jobs[0].train} & {row.id for row in jobs[0].heldout}


def test_the_middle_is_the_rate_of_a_run_on_all_rows_however_few_steps_the_sweep_takes() -> None:
    long, short = 2.9e-4, 4.3e-4  # of more than 100 steps, and of fewer
    assert rate_of_all(140, "no/config-here", {"steps": 9}, Training()).value == long
    assert rate_of_all(120, "no/config-here", {}, Training()).value == short
    assert rate_of_all(120, "no/config-here", {"learning_rate": 7e-5}, Training()).value == 7e-5


def test_it_recommends_says_what_is_within_noise_and_where_to_look_further() -> None:
    told = "\n".join(sweep_lines(of_rates(0.5, 0.4, 0.43), ["P"], ["P", "--steps", 9]))
    assert "0.003 is the lowest, 0.009 within 10 % of it. It was chosen on the held-out rows" in told
    assert "a difference below the noise is no reason" in told
    assert told.endswith("recommended, and nothing was set: tamis train P --set learning_rate=0.003")
    told = "\n".join(sweep_lines(of_rates(0.5, 0.4, 0.3), ["P"], ["P", "--steps", 9]))
    assert "no other within 10 % of it" in told
    assert told.endswith("look further up: tamis sweep P --steps 9 --set learning_rate=0.009")
    told = "\n".join(sweep_lines(of_rates(0.3, None, None), ["P"], ["P"]))
    assert told.count("thrown off") == 2
    assert told.endswith("look further down: tamis sweep P --set learning_rate=0.001")
    told = "\n".join(sweep_lines(of_rates(None, None, None), ["P"], ["P"]))
    assert "no rate held" in told
    assert "tamis train" not in told


def test_what_no_sweep_can_be_made_of_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = str(make_project(named(tmp_path, "nothing"), numbered(4)))
    unmeasured = str(curated_project(named(tmp_path, "unmeasured"), 8, 0))
    whole = str(curated_project(named(tmp_path, "whole"), 8, 20))
    for words, reason in (
        ([nothing], "no training row is accepted"),
        ([unmeasured], "no held-out row is accepted"),
        ([whole, "--set", "learning_rate=0"], "above zero"),
    ):
        assert main(["sweep", *words]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert reason in told
        assert not list(Path(words[0]).glob("runs/*"))
