"""One run on two processes of `accelerate launch`, over gloo on the CPU: one voice, every heart beating."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
from fault_injection import launch_with_faults, take_away_faults
from safetensors.torch import load_file
from small_runs import ended, events, rows, wait_until
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.training.runs.launch import Job, Run, choose_spec, launch_queue
from engine.training.runs.resume import resume
from engine.training.runs.status import read_run, stop
from engine.training.spec.parse import parse_command

TRAIN, HELDOUT = rows(24), rows(4, 100)
# `--cpu` of accelerate starts several processes through MPI only; its launcher for GPUs does so anywhere.
LAUNCHER = "accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"


@pytest.mark.slow
def test_two_processes_train_as_one_and_stop_as_one(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    small = {"batch": 8, "micro_batch": 4, "threads": 1, "max_new_tokens": 8, "method": "full", "learning_rate": 5e-3}
    many = choose_spec(
        name="two", rows=24, model=str(tiny_model),
        settings={**small, "steps": 6, "eval_every": 3, "command": parse_command(LAUNCHER)},
    )  # fmt: skip
    alone = choose_spec(name="one", rows=24, model=str(tiny_model), settings={**small, "steps": 6, "eval_every": 3})
    endless = choose_spec(
        name="endless", rows=24, model=str(tiny_model),
        settings={**small, "steps": 500, "command": parse_command(LAUNCHER)},
    )  # fmt: skip
    (two,) = launch_queue([Job(many, TRAIN, HELDOUT)], tmp_path)
    state = ended(two, 180)
    assert (state.state, state.step, state.error) == ("finished", 6, "")
    assert [event["step"] for event in events(two, "log")] == [1, 2, 3, 4, 5, 6]  # each step is told once
    assert [event["step"] for event in events(two, "eval")] == [3, 6]
    assert len((two.dir / "eval.jsonl").read_text().splitlines()) == 2 * len(HELDOUT)
    beats = [json.loads((two.dir / name).read_text()) for name in ("status.json", "status.rank1.json")]
    assert beats[0]["pid"] != beats[1]["pid"]
    assert [beat["step"] for beat in beats] == [6, 6]
    assert (two.dir / "model" / "model.safetensors").is_file()
    assert not (two.dir / "model" / "training_args.bin").exists()
    assert (two.dir / "ckpt" / "checkpoint-6" / "tamis.json").is_file()
    (one,) = launch_queue([Job(alone, TRAIN, HELDOUT)], tmp_path)
    ended(one, 120)
    # The same rows make other batches on two processes, but the run learns as much.
    assert state.result["nll"] == pytest.approx(json.loads((one.dir / "result.json").read_text())["nll"], rel=0.2)
    slow = {"kind": "slow", "seconds": 0.1}
    (cut,) = launch_with_faults([(Job(endless, TRAIN, HELDOUT), [slow])], tmp_path)
    wait_until(lambda: events(cut, "log"), 120)
    stop(cut.dir)
    stopped = ended(cut, 120)
    assert stopped.state == "stopped"
    assert 0 < stopped.step < 100
    assert (cut.dir / "ckpt" / f"checkpoint-{stopped.step}" / "tamis.json").is_file()


def logged(run: Run) -> list[float]:
    return [event["loss"] for event in events(run, "log")]


def heldout_loss(folder: Path) -> float:
    """NLL a token of the held-out answers under a saved model, asked of transformers alone: one row, one pass."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    total, count = 0.0, 0
    for row in HELDOUT:
        asked, all_of_it = (
            tokenizer.apply_chat_template(turns, add_generation_prompt=prompt, tokenize=False)
            for turns, prompt in ((row.messages[:1], True), (row.messages, False))
        )
        start = len(tokenizer(asked, add_special_tokens=False)["input_ids"])
        ids = torch.tensor([tokenizer(all_of_it.rstrip("\n"), add_special_tokens=False)["input_ids"]])
        with torch.no_grad():
            scores = model(ids).logits[0, start - 1 : -1].log_softmax(-1)
        total -= float(scores.gather(1, ids[0, start:, None]).sum())
        count += ids.shape[1] - start
    return total / count


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_spread_over_two_processes_learns_the_same_and_is_saved_whole(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """TRL's own profile for FSDP2, on two processes; beside it the same run with a whole model on each."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    profile = files("trl") / "accelerate_configs" / "fsdp2.yaml"
    spread = f"accelerate launch --config_file {profile} --num_processes 2 --mixed_precision no"
    settings = {"batch": 8, "micro_batch": 4, "threads": 1, "max_new_tokens": 8, "method": method}
    settings |= {"learning_rate": 5e-3, "steps": 6, "eval_every": 3}

    def run_of(name: str, launcher: str, *faults: dict[str, Any], **more: Any) -> Run:
        chosen = {**settings, **more, "command": parse_command(launcher)}
        spec = choose_spec(name=name, rows=24, model=str(tiny_model), settings=chosen)
        return launch_with_faults([(Job(spec, TRAIN, HELDOUT), faults)], tmp_path)[0]

    whole, parts = run_of("whole", LAUNCHER), run_of("parts", spread)
    states = [ended(run, 180) for run in (whole, parts)]
    assert [(state.state, state.step, state.error) for state in states] == [("finished", 6, "")] * 2
    assert logged(parts) == pytest.approx(logged(whole), rel=1e-3)
    assert states[1].result["nll"] == pytest.approx(states[0].result["nll"], rel=1e-3)
    if method == "full":
        assert heldout_loss(parts.dir / "model") == pytest.approx(states[1].result["nll"], rel=1e-3)
    saved = [load_file(next((run.dir / "model").glob("*.safetensors"))) for run in (whole, parts)]
    assert saved[0].keys() == saved[1].keys()
    assert all(torch.allclose(saved[0][name], saved[1][name], atol=1e-3) for name in saved[0])
    cut = run_of("cut", spread, {"kind": "slow", "seconds": 0.2}, steps=12)
    wait_until(lambda: events(cut, "log"), 120)
    stop(cut.dir)
    stopped = ended(cut, 120)
    assert (stopped.state, 0 < stopped.step < 12) == ("stopped", True)
    take_away_faults(cut.dir)
    resume(cut.dir)
    wait_until(lambda: read_run(cut.dir).state == "finished", 180)
    assert [event["step"] for event in events(cut, "log")] == list(range(1, 13))
