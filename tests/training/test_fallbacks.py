"""Out of memory on real processes, rung by rung: the allocator fails inside the step, a fresh worker goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from fault_injection import launch_with_faults
from small_runs import ended, events, rows, wait_until

from engine.training.runs import status
from engine.training.runs.launch import Job, choose_spec
from engine.training.runs.status import read_run, stop
from engine.training.spec.parse import parse_command

TRAIN, HELDOUT = rows(24), rows(4, 100)
SMALL = {
    "batch": 8, "micro_batch": 8, "threads": 1, "method": "full", "learning_rate": 5e-3, "generate_rows": 0,
    "samples": 0, "save_strategy": "steps", "save_steps": 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def launched(model: Path, folder: Path, name: str, *faults: dict[str, Any], **settings: Any) -> Any:
    spec = choose_spec(name=name, rows=24, model=str(model), settings={**SMALL, "steps": 6, **settings})
    return launch_with_faults([(Job(spec, TRAIN, HELDOUT), faults)], folder)[0]


@pytest.mark.slow
def test_every_rung_is_taken_in_turn_and_no_step_is_lost_or_taken_with_another_batch(
    tiny_model: Path, tmp_path: Path
) -> None:
    run = launched(
        tiny_model,
        tmp_path,
        "ladder",
        {"kind": "oom", "step": 2, "above_micro": 4},
        {"kind": "oom", "step": 3, "above_micro": 2},
        {"kind": "oom", "step": 4, "above_micro": 1},
        {"kind": "oom", "step": 5, "above_micro": 0, "unless_checkpointing": True},
    )
    state = ended(run, 400)
    assert (state.state, state.step, state.result["attempts"]) == ("finished", 6, 5)
    rungs = [
        (each["micro_batch"], each["accum"], each["checkpointing"], each["from_step"]) for each in events(run, "retry")
    ]
    assert rungs == [(4, 2, False, 1), (2, 4, False, 2), (1, 8, False, 3), (1, 8, True, 4)]
    assert [event["step"] for event in events(run, "log")] == [1, 2, 3, 4, 5, 6]
    assert len({event["pid"] for event in events(run, "spawn")}) == 5
    plain = launched(tiny_model, tmp_path, "plain")
    ended(plain, 120)
    losses = [[event["loss"] for event in events(each, "log")] for each in (run, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.slow
def test_the_longest_batch_is_tried_the_way_it_will_be_trained(tiny_model: Path, tmp_path: Path) -> None:
    fault = {"kind": "oom", "step": 0, "above_micro": 0, "unless_checkpointing": True}
    run = launched(tiny_model, tmp_path, "probe", fault, batch=2, micro_batch=2, method="lora")
    state = ended(run, 300)
    assert (state.state, state.result["attempts"]) == ("finished", 3)
    assert [each["checkpointing"] for each in events(run, "retry")] == [False, True]
    assert {event["phase"] for event in events(run, "error")} == {"probe"}


@pytest.mark.slow
def test_where_no_rung_helps_the_person_is_asked_with_the_longest_rows_named(tiny_model: Path, tmp_path: Path) -> None:
    run = launched(tiny_model, tmp_path, "last", {"kind": "oom", "step": 1, "above_micro": 0}, batch=2, micro_batch=2)
    state = ended(run, 300)
    assert (state.state, state.result["attempts"]) == ("oom", 3)
    assert "try a shorter max_length, four_bit, or leave out the longest rows (r" in state.error


@pytest.mark.slow
def test_a_worker_that_stands_still_is_frozen_not_dead_and_goes_on_or_is_ended_firmly(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "STALE_SECONDS", 3.0)
    run = launched(tiny_model, tmp_path, "frozen", {"kind": "slow", "seconds": 0.1}, steps=500)
    wait_until(lambda: events(run, "log"))
    pid = events(run, "spawn")[-1]["pid"]
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: read_run(run.dir).frozen)
    assert read_run(run.dir).state == "running"
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not read_run(run.dir).frozen)
    os.kill(pid, signal.SIGSTOP)
    assert [stop(run.dir), stop(run.dir)] == ["checkpoint", "now"]
    assert ended(run, 60).state == "stopped"


@pytest.mark.slow
def test_one_of_two_processes_that_is_killed_ends_the_run_and_leaves_none_behind(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    words = "accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"
    fault = {"kind": "kill", "step": 3, "rank": 1}
    run = launched(tiny_model, tmp_path, "two", fault, micro_batch=4, command=parse_command(words))
    state = ended(run, 180)
    assert (state.state, state.alive) == ("crashed", False)
    assert state.step == 2
    assert (run.dir / "ckpt" / "checkpoint-2" / "tamis.json").is_file()
    name = str(run.dir).encode()
    wait_until(lambda: not [path for path in Path("/proc").glob("[0-9]*/cmdline") if name in read(path)], 20)


def read(path: Path) -> bytes:
    """The command line of a process; of one that has gone meanwhile nothing."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
