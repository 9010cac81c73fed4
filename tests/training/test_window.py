"""The worker under older and newer libraries: the same losses, a resume with the same rows, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fault_injection import launch_with_faults, take_away_faults
from small_runs import ended, events, rows
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from engine.training.eval.inference import Answering
from engine.training.plan.plan import make_plan
from engine.training.runs.launch import Job, choose_spec
from engine.training.runs.resume import resume
from engine.training.runs.status import read_run
from engine.training.runs.trusted import trust_run

ROUNDED = 1e-4
"""transformers 4 writes the loss of a step with four places."""

SETS = {
    "oldest of both": "transformers==4.54.1 trl==0.20.0 peft==0.16.0 accelerate==1.9.0 datasets==4.0.0",
    "trl without marked templates": "transformers==4.57.6 trl==0.24.0 peft==0.17.1 accelerate==1.11.0 datasets==4.4.2",
    "transformers 5.4, which divides gradients twice": "transformers==5.4.0 trl==1.0.0 peft==0.18.1 accelerate==1.13.0",
    "newest transformers, oldest trl": "transformers==5.24.0 trl==0.20.0 peft==0.21.2 accelerate==1.15.0",
    "newest of both": "transformers==5.24.0 trl==1.16.0 peft==0.21.2 accelerate==1.15.0",
}


@pytest.fixture(scope="module", params=SETS, ids=lambda name: name.replace(" ", "-"))
def interpreter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A venv with these libraries, and the torch of this interpreter, which is gigabytes elsewhere."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in ("torch", "torch-*", "torchgen", "functorch", "nvidia*", "triton*"):
        for path in Path(torch.__file__).parent.parent.glob(name):
            (site / path.name).symlink_to(path)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    wanted = [f"torch=={torch.__version__.partition('+')[0]}", *SETS[request.param].split()]
    done = subprocess.run([*install, *wanted], capture_output=True, text=True, timeout=600)
    if done.returncode:
        assert "ResolutionImpossible" not in done.stderr, done.stderr
        pytest.skip(f"pip cannot install {' '.join(wanted)}: {done.stderr.strip()[-200:]}")
    yield python
    shutil.rmtree(folder)


def job(name: str, model: Path, python: Path | str, **settings: Any) -> Job:
    """Ten steps of two micro-batches, three steps an epoch, a checkpoint at each."""
    small = {"batch": 8, "micro_batch": 4, "steps": 10, "threads": 1, "max_new_tokens": 8, "learning_rate": 5e-3}
    saved = {"save_strategy": "steps", "save_steps": 1}
    spec = choose_spec(name=name, rows=24, model=str(model), settings={**small, **saved, "method": "full", **settings})
    return Job(replace(spec, command=(str(python),)), rows(24), rows(4, 100))


def done(model: Path, python: Path | str, folder: Path) -> Mapping[str, Any]:
    """Losses, held-out losses and rows by step: of a whole run, of one killed in an epoch and taken up, of a LoRA."""
    jobs = [
        (job("whole", model, python), ()),
        (job("lora", model, python, method="lora", steps=5), ()),
        (job("killed", model, python), [{"kind": "kill", "step": 5}]),
    ]
    runs = launch_with_faults(jobs, folder)
    ended(runs[-1], 280)
    take_away_faults(runs[-1].dir)
    trust_run(runs[-1].dir)
    resume(runs[-1].dir)
    ended(runs[-1], 280)
    found: dict[str, Any] = {"answers": ""}
    for (made, _), run in zip(jobs, runs, strict=True):
        assert read_run(run.dir).state == "finished", (run.dir / "console.log").read_text()[-1500:]
        found[f"{made.spec.name} loss"] = {event["step"]: event["loss"] for event in events(run, "log")}
        found[f"{made.spec.name} held out"] = {event["step"]: event["nll"] for event in events(run, "eval")}
        lines = map(json.loads, (run.dir / "batch.jsonl").read_text().splitlines())
        found[f"{made.spec.name} rows"] = {line["step"]: line["rows"] for line in lines}
    with Answering(runs[0].dir) as answering:
        answering.wait_ready()
        found["answers"] = [side.answers for side in answering.ask([rows(1)[0].messages[:1]], longest=8)]
    return found


@pytest.fixture(scope="module")
def present(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the libraries do that tamis is developed with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        return done(tiny_model, sys.executable, tmp_path_factory.mktemp("present"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_under_every_set_of_libraries_the_same_run_has_the_same_losses_rows_and_answers(
    interpreter: Path, present: Mapping[str, Any], tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    planned = job("planned", tiny_model, interpreter)
    assert make_plan(planned.spec, planned.train, planned.heldout, runs_dir=tmp_path).refusals == ()
    found = done(tiny_model, interpreter, tmp_path)
    for name, value in present.items():
        if name.endswith(("loss", "held out")):
            assert found[name] == pytest.approx(value, abs=ROUNDED), name
        else:
            assert found[name] == value, name
    assert found["killed loss"] == found["whole loss"]


@pytest.mark.slow
@pytest.mark.parametrize("interpreter", ["oldest of both"], indirect=True)
def test_a_model_whose_positions_an_older_transformers_would_misread_is_refused(
    interpreter: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(model)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    far = {"rope_type": "default", "rope_theta": 500_000.0}
    LlamaForCausalLM(LlamaConfig(vocab_size=400, rope_parameters=far, **sizes)).save_pretrained(model)
    planned = job("planned", model, interpreter)
    (refusal,) = make_plan(planned.spec, planned.train, planned.heldout, runs_dir=tmp_path).refusals
    assert "transformers 4.54.1 of this interpreter would read its rope_parameters wrongly" in refusal.text
