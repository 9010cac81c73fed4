"""One run on two processes of `accelerate launch`, over gloo on the CPU: one voice, every heart beating."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_runs import ended, events, rows, wait_until

from engine.training.launch import Job, choose_spec, launch_queue
from engine.training.runs import stop
from engine.training.settings import parse_command

TRAIN, HELDOUT = rows(24), rows(4, 100)
# `--cpu` of accelerate starts several processes through MPI only; its launcher for GPUs does so anywhere.
LAUNCHER = "accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"


@pytest.mark.slow
def test_two_processes_train_as_one_and_stop_as_one(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TAMIS_FAULTS", "1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    small = {"batch": 8, "micro_batch": 4, "threads": 1, "max_new_tokens": 8, "method": "full", "learning_rate": 5e-3}
    many = choose_spec(
        name="two", rows=24, model=str(tiny_model),
        settings={**small, "steps": 6, "eval_every": 3, "command": parse_command(LAUNCHER)},
    )  # fmt: skip
    alone = choose_spec(name="one", rows=24, model=str(tiny_model), settings={**small, "steps": 6, "eval_every": 3})
    endless = choose_spec(
        name="endless", rows=24, model=str(tiny_model),
        settings={
            **small, "steps": 500, "command": parse_command(LAUNCHER), "faults": ({"kind": "slow", "seconds": 0.1},)
        },
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
    (cut,) = launch_queue([Job(endless, TRAIN, HELDOUT)], tmp_path)
    wait_until(lambda: events(cut, "log"), 120)
    stop(cut.dir)
    stopped = ended(cut, 120)
    assert stopped.state == "stopped"
    assert 0 < stopped.step < 100
    assert (cut.dir / "ckpt" / f"checkpoint-{stopped.step}" / "tamis.json").is_file()
