"""Training runs that an earlier version began: one that was stopped goes on from its checkpoint to its end, and a
comparison that was cut short ends with a verdict. The projects were moved, and tamis is now the present one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from box import MADE_IN, Box, bring, expected, run_facts
from conftest import ROOT, make_home

PATIENCE = 280.0


@dataclass(frozen=True)
class Going:
    """An old run that was taken up, and an old comparison that was asked for once more, both at once."""

    box: Box
    run: Path
    events: bytes
    state: dict[str, Any]
    project: Path
    compare: subprocess.Popen[str]
    old_specs: dict[str, bytes]


def replace_tamis(runs: Path, home: Path) -> None:
    """What an upgrade in place and moving the home come to: the spec of a run names its interpreter, the text that the
    built-in model is made from, and a model in a folder, each by where it is. Everything else in its folder is left as
    it was; a checkpoint whose files have another size is no longer whole."""
    moved = (
        (f"{MADE_IN}/tamis/.venv/bin/python", sys.executable),
        (f"{MADE_IN}/tamis", str(ROOT)),
        (MADE_IN, str(home)),
    )
    for path in runs.glob("*/spec.json"):
        text = path.read_text(encoding="utf-8")
        for old, new in moved:
            text = text.replace(f'"{old}', f'"{new}')
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def going(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Going]:
    box = make_home(tmp_path_factory.mktemp("box") / "home")
    for name in ("half-run", "cut-comparison"):
        folder = bring(name, box.home)
        assert f'"{MADE_IN}/' in next((folder / "support.tamis" / "runs").glob("*/spec.json")).read_text()
        replace_tamis(folder / "support.tamis" / "runs", box.home)
    words = [word.replace(MADE_IN, str(box.home)) for word in expected("cut-comparison")["words"]]
    folder = box.home / "cut-comparison"
    specs = {path.parent.name: path.read_bytes() for path in (folder / "support.tamis" / "runs").glob("*/spec.json")}
    run = box.home / "half-run" / "support.tamis" / "runs" / expected("half-run")["run"]
    events, state = (run / "events.jsonl").read_bytes(), run_facts(box, box.home / "half-run", run)
    box.run("resume", run.name)  # by its id, from the list of runs
    compare = subprocess.Popen(
        box.command(*words, "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env=box.environment(), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    yield Going(box, run, events, state, folder / "support.tamis", compare, specs)
    compare.kill()
    compare.wait()


def test_a_stopped_run_is_read_as_it_was_left(going: Going) -> None:
    then = expected("half-run")["then"]
    assert going.state == then
    assert then["state"] == "stopped"
    assert 0 < then["step"] < then["max_steps"]


def test_the_text_of_the_built_in_model_lies_where_old_runs_look_for_it() -> None:
    assert (ROOT / "sample_data" / "pretrain.txt").is_file()


def test_a_stopped_run_goes_on_from_its_checkpoint_to_its_end(going: Going) -> None:
    told = expected("half-run")
    then, whole = told["then"], told["now"]
    going.box.run("watch", going.run)
    now = run_facts(going.box, going.box.home / "half-run", going.run)
    for key in ("state", "step", "max_steps", "steps", "from_step", "batches"):
        assert now[key] == whole[key], key
    assert now["steps"] == list(range(1, then["max_steps"] + 1)), "no step is missing, none is taken twice"
    assert now["from_step"] == [0, then["step"]]
    assert now["losses"][: then["step"]] == then["losses"]
    assert now["losses"] == pytest.approx(whole["losses"], abs=0.2)  # other processors round otherwise
    assert (going.run / "events.jsonl").read_bytes().startswith(going.events)
    assert (going.run / "result.1.json").is_file()
    assert (going.run / "model" / "adapter_model.safetensors").is_file()
    (listed,) = [each for each in going.box.json("runs")["runs"] if each["run"] == going.run.name]
    assert (listed["state"], Path(listed["dir"])) == ("finished", going.run)


def ended(going: Going) -> dict[str, Any]:
    """What the comparison printed; worked out once."""
    path = going.box.home / "compared.json"
    if not path.exists():
        out, complaint = going.compare.communicate(timeout=PATIENCE)
        assert going.compare.returncode == 0, complaint
        assert "Traceback" not in complaint
        path.write_text(out)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_comparison_that_was_cut_short_ends_with_a_verdict(going: Going) -> None:
    then, now = expected("cut-comparison")["now"], ended(going)
    assert now["verdict"] in ("better", "no difference shown", "worse")
    for key in ("name", "rows", "steps"):
        assert [arm[key] for arm in now["arms"]] == [arm[key] for arm in then["arms"]]
    assert [len(arm["runs"]) for arm in now["arms"]] == [0, 2, 2]
    runs = going.project / "runs"
    assert len(list(runs.glob("*-compare"))) == 2
    assert all(one["state"] != "running" for one in going.box.json("runs", going.project)["runs"])


def test_finished_arms_are_taken_again_where_the_worker_is_the_same_and_trained_anew_where_it_is_not(
    going: Going,
) -> None:
    then, now = expected("cut-comparison"), ended(going)
    finished = {run for run, state in then["runs"].items() if state == "finished"}
    stopped = {run for run, state in then["runs"].items() if state == "stopped"}
    assert (len(finished), len(stopped)) == (2, 2)
    taken = {run for arm in now["arms"] for run in arm["runs"]}
    fresh = taken - set(then["runs"])
    assert fresh, "the arm that had not begun is trained"
    present = {json.loads((going.project / "runs" / run / "spec.json").read_bytes())["worker_sha256"] for run in fresh}
    if present == {then["worker"]}:
        assert finished <= taken
        assert taken & stopped, "the arm that had a checkpoint goes on from it"
        old = {arm["name"]: arm["nll_by_seed"][0] for arm in then["now"]["arms"]}
        assert {arm["name"]: arm["nll_by_seed"][0] for arm in now["arms"]} == old
    else:
        assert not taken & set(then["runs"])
    for run, spec in going.old_specs.items():
        assert (going.project / "runs" / run / "spec.json").read_bytes() == spec


def test_a_run_whose_interpreter_is_gone_says_so_in_one_line(box: Box) -> None:
    """The home was moved and nothing else was done: the run names an interpreter that is not there."""
    folder = bring("half-run", box.home)
    run = folder / "support.tamis" / "runs" / expected("half-run")["run"]
    gone = f"{box.home}/gone/bin/python"
    spec = run / "spec.json"
    spec.write_text(spec.read_text().replace(f"{MADE_IN}/tamis/.venv/bin/python", gone))
    box.run("resume", run)
    deadline = time.monotonic() + 60
    while (told := box.json("runs", folder / "support.tamis")["runs"][0])["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
    assert told["state"] == "crashed"
    assert f"{gone} cannot be started" in told["error"]
