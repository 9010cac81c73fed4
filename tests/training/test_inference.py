"""The answering process on real runs of a tiny model: both kinds of training, and what goes wrong."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_runs import ended, rows
from tool_rows import tool_row

from engine.errors import TrainingError
from engine.training.eval.heldout_outputs import heldout_rows, recorded_answers
from engine.training.eval.inference import Answering
from engine.training.runs.launch import Job, Run, choose_spec, launch_queue
from engine.training.runs.trusted import trust_run

TRAIN, HELDOUT = rows(24), rows(6, 100)
SINCE_ADDED = ("attention", "precision", "train_on", "four_bit", "revision", "gpu")


@pytest.fixture(scope="module", autouse=True)
def _offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def runs(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A LoRA adapter and a model trained whole, on a base of their own that a test may take away."""
    base = tmp_path_factory.mktemp("base") / "model"
    shutil.copytree(tiny_model, base)
    common = {"batch": 8, "micro_batch": 8, "threads": 1, "max_new_tokens": 24, "learning_rate": 5e-3}
    specs = [
        choose_spec(name="lora", rows=24, model=str(base), settings={**common, "steps": 6}),
        choose_spec(name="full", rows=24, model=str(base), settings={**common, "steps": 30, "method": "full"}),
    ]
    started = launch_queue([Job(spec, TRAIN, HELDOUT) for spec in specs], tmp_path_factory.mktemp("runs"))
    assert [ended(run).state for run in started] == ["finished", "finished"]
    return {"lora": started[0], "full": started[1]}


@pytest.fixture(scope="module")
def processes(runs: dict[str, Run]) -> Iterator[dict[str, Answering]]:
    """One answering process a run, loaded."""
    started = {name: Answering(run.dir) for name, run in runs.items()}
    for answering in started.values():
        answering.wait_ready()
    yield started
    for answering in started.values():
        answering.close()


@pytest.mark.parametrize("name", ["lora", "full"])
def test_both_sides_answer_and_the_tuned_one_as_the_run_wrote_it_down(
    runs: dict[str, Run], processes: dict[str, Answering], name: str
) -> None:
    rows = heldout_rows(runs[name].dir)
    sides = processes[name].ask([row.prompt for row in rows], longest=24)
    said = {side.side: side.answers for side in sides}
    written = recorded_answers(runs[name].dir)
    shorter = [text[: len(written[row.id])] for text, row in zip(said["tuned"], rows, strict=True)]
    assert shorter == list(written.values())  # the run cut its answers at the length of the reference
    assert said["base"] != said["tuned"]


def test_a_prompt_is_asked_with_its_tools_and_calls(processes: dict[str, Answering]) -> None:
    row = tool_row()
    asked = {"sides": ["tuned"], "longest": 8}
    (with_tools,) = processes["full"].ask([row.messages[:-1]], tools=[row.tools], **asked)
    assert len(with_tools.answers) == 1
    with pytest.raises(TrainingError, match="a tool is no JSON object: nonsense"):
        list(processes["full"].ask([row.messages[:-1]], tools=[["nonsense"]], **asked))


def test_an_adapter_is_off_for_the_base_whatever_was_asked_before(processes: dict[str, Answering]) -> None:
    prompt = [{"role": "user", "content": "Case 7: please sort the red lamp."}]
    first = {side.side: side.answers for side in processes["lora"].ask([prompt], longest=16)}
    again = {side.side: side.answers for side in processes["lora"].ask([prompt], longest=16, sides=["tuned", "base"])}
    assert first == again


def test_a_prompt_longer_than_the_model_is_refused_and_the_next_one_answered(processes: dict[str, Answering]) -> None:
    with pytest.raises(TrainingError, match="the model holds"):
        list(processes["full"].ask([[{"role": "user", "content": "lamp " * 3000}]], longest=8))
    assert len(list(processes["full"].ask([[{"role": "user", "content": "lamp"}]], longest=8))) == 2


def test_a_killed_process_is_named(processes: dict[str, Answering]) -> None:
    os.kill(processes["full"].pid, signal.SIGKILL)
    with pytest.raises(TrainingError, match=r"the answering process is gone: it was killed \(SIGKILL\)"):
        list(processes["full"].ask([[{"role": "user", "content": "lamp"}]], longest=8))
    assert not processes["full"].is_alive


def test_a_line_that_is_no_request_is_told_and_the_end_of_stdin_ends_the_process(
    processes: dict[str, Answering],
) -> None:
    process = processes["lora"]._process
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"nonsense\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"id": None, "error": "this is no request"}
    process.stdin.close()
    assert process.stdout.read() == b""
    assert process.wait(30) == 0


def test_a_base_model_that_is_gone_is_told_in_a_line(runs: dict[str, Run], tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(runs["lora"].dir, copied)
    spec = json.loads((copied / "spec.json").read_text())
    spec["values"]["model"]["value"] = str(tmp_path / "nowhere")
    (copied / "spec.json").write_text(json.dumps(spec))
    trust_run(copied)
    with Answering(copied) as answering, pytest.raises(TrainingError, match=r"no folder .*nowhere is here"):
        answering.wait_ready()


def test_a_run_without_a_model_is_refused_before_anything_is_started(runs: dict[str, Run], tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(runs["full"].dir, copied, ignore=shutil.ignore_patterns("model"))
    with pytest.raises(TrainingError, match="has no model to try"):
        Answering(copied)


def test_a_run_that_goes_on_is_refused_with_where_it_stands(runs: dict[str, Run], tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(runs["full"].dir, copied)
    (copied / "result.json").unlink()
    for path in copied.glob("end.*.json"):
        path.unlink()
    with (copied / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match=r"run is still running \(step 30/30\)"):
            Answering(copied)


def test_the_command_prints_the_held_out_answers_of_an_earlier_tamis_as_well(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    copied = tmp_path / "run"
    shutil.copytree(runs["full"].dir, copied)
    spec = json.loads((copied / "spec.json").read_text())
    for name in SINCE_ADDED:
        spec["values"].pop(name, None)
    (copied / "spec.json").write_text(json.dumps(spec))
    trust_run(copied)
    words = [sys.executable, "-m", "workbench.cli.main", "try", str(copied), "--json", "--rows", "2"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=90)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert [row["id"] for row in told["rows"]] == ["r100", "r101"]
    assert told["rows"][0]["reference"] == '{"colour": "black", "thing": "rug"}'
    assert told["rows"][0]["tuned_exact"] is (told["rows"][0]["tuned"].strip() == told["rows"][0]["reference"])
