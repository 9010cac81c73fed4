"""Runs of a tiny model in trouble: numbers that are none, too little memory, a kill, a clock that jumps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fault_injection import Fault, launch_with_faults
from safetensors.torch import load_file
from small_runs import ended, events, rows

from engine.model import TrainingRow
from engine.training.runs.launch import Job, Run, choose_spec
from engine.training.runs.status import RunState, read_run
from workbench.cli.main import main

TRAIN, HELDOUT = rows(24), rows(8, 100)


def shuffled(row: TrainingRow, by: int) -> TrainingRow:
    """The same question with the answer of another: nothing of it can be told from the question."""
    return TrainingRow(row.id, (row.messages[0], *rows(1, int(row.id[1:]) * by + by)[0].messages[1:]))


KNOWN, UNKNOWN = tuple(shuffled(row, 7) for row in rows(8)), tuple(shuffled(row, 11) for row in rows(30, 100))


@pytest.fixture(scope="module", autouse=True)
def _offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


def job(name: str, model: Path | str, *faults: Fault, **settings: Any) -> tuple[Job, Sequence[Fault]]:
    small = {"batch": 8, "micro_batch": 8, "steps": 4, "threads": 1, "max_new_tokens": 24}
    train, heldout = settings.pop("train", TRAIN), settings.pop("heldout", HELDOUT)
    spec = choose_spec(name=name, rows=len(train), model=str(model), settings={**small, **settings})
    return Job(spec, train, heldout), faults


def slow(seconds: float) -> dict[str, Any]:
    return {"kind": "slow", "seconds": seconds}


@pytest.fixture(scope="module")
def queue(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One queue of runs, served to its end; a worker that is lost is replaced for the rest."""
    full = {"method": "full", "learning_rate": 5e-3}
    steep = {"learning_rate": 3.0, "max_grad_norm": 0.0, "lr_scheduler_type": "linear"}
    jump = {"kind": "clock", "step": 2, "seconds": -86400.0, "lasts": 0.5}
    jobs = [
        job("nan", tiny_model, {"kind": "nan", "step": 5}, steps=8, **full),
        job("nan-data", tiny_model, {"kind": "nan_data", "step": 5}, steps=8, **full),
        job("exploding", tiny_model, steps=8, **{**full, "learning_rate": 1e11, "max_grad_norm": 0.0}),
        job("diverging", tiny_model, steps=70, warmup_steps=60, stop_on_divergence=True, **{**full, **steep}),
        job("too-fast", tiny_model, steps=12, learning_rate=1e6, eval_at_start=True),
        job("by-heart", tiny_model, steps=60, eval_at_start=True, eval_every=20, train=KNOWN, heldout=UNKNOWN, **full),
        job("eval-oom", tiny_model, {"kind": "eval_oom", "above": 2}, steps=2, eval_batch=8, **full),
        job("oom", tiny_model, {"kind": "oom", "step": 2, "above_micro": 4}, **full),
        job("killed", tiny_model, {"kind": "kill", "step": 3}, **full),
        job("clock", tiny_model, jump, slow(0.05), budget_seconds=600, **full),
    ]
    runs = launch_with_faults(jobs, tmp_path_factory.mktemp("runs"))
    ended(runs[-1], 280)
    return {each.spec.name: run for (each, _), run in zip(jobs, runs, strict=True)}


def state(queue: Mapping[str, Run], name: str) -> RunState:
    return read_run(queue[name].dir)


def test_a_loss_that_is_no_number_stops_at_once_and_nothing_broken_is_saved(queue: dict[str, Run]) -> None:
    run, broken = queue["nan"], state(queue, "nan")
    assert broken.state == "nonfinite"
    assert "step 5 is nan" in broken.error
    assert [event["step"] for event in events(run, "log")] == [1, 2, 3, 4]
    assert [event["kind"] for event in events(run, "alert")] == ["nonfinite"]
    assert not (run.dir / "model").exists()
    assert [path.name for path in (run.dir / "ckpt").iterdir()] == ["checkpoint-3"]


@pytest.mark.parametrize("name", ["nan-data", "exploding"])
def test_what_turns_to_no_number_by_data_or_by_steps_too_large_is_not_saved_either(
    queue: dict[str, Run], name: str
) -> None:
    run, broken = queue[name], state(queue, name)
    assert (broken.state, "no number" in broken.error or "nan" in broken.error) == ("nonfinite", True)
    assert [event["kind"] for event in events(run, "alert") if event["kind"] == "nonfinite"] == ["nonfinite"]
    assert not (run.dir / "model").exists()
    for checkpoint in (run.dir / "ckpt").glob("checkpoint-*"):
        weights = load_file(checkpoint / "model.safetensors")
        assert all(weight.isfinite().all() for weight in weights.values())


def test_a_run_that_diverges_is_told_and_stopped_where_it_was_wished(queue: dict[str, Run]) -> None:
    run, stopped = queue["diverging"], state(queue, "diverging")
    assert stopped.state == "stopped"
    (alert,) = [event for event in events(run, "alert") if event["kind"] == "diverging"]
    assert "a lower learning rate" in alert["detail"]
    assert stopped.result["stopped_by"] == alert["detail"]
    assert 20 < stopped.step <= alert["step"] + 1 < 70


def test_a_rate_that_is_far_too_high_is_told_within_twelve_steps_and_is_the_runs_last_word(
    queue: dict[str, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    run, done = queue["too-fast"], state(queue, "too-fast")
    assert done.state == "finished"
    told = {alert["kind"]: alert for alert in events(run, "alert")}
    assert set(told) >= {"diverging", "zero_gradient", "above_base"}
    assert told["diverging"]["step"] <= 6
    assert "start again at a tenth of the learning rate" in told["diverging"]["detail"]
    assert done.but == told["diverging"]["detail"] == events(run, "exit")[-1]["but"]
    assert {alert["kind"] for alert in done.result["alerts"]} == set(told)
    assert main(["watch", str(run.dir)]) == 0
    assert f"finished, but: {done.but}" in capsys.readouterr().out


def test_rows_that_were_learnt_by_heart_are_told_where_the_held_out_loss_rises(queue: dict[str, Run]) -> None:
    told = [alert["kind"] for alert in events(queue["by-heart"], "alert")]
    assert "memorised" in told
    assert len(told) == len(set(told))


def test_out_of_memory_while_measuring_halves_that_batch_alone(queue: dict[str, Run]) -> None:
    run = queue["eval-oom"]
    assert (state(queue, "eval-oom").state, state(queue, "eval-oom").result["attempts"]) == ("finished", 1)
    assert [event["eval_batch"] for event in events(run, "retry")] == [4, 2]
    assert [event["micro_batch"] for event in events(run, "spawn")][-1:] == [8]
    measured = [json.loads(line)["id"] for line in (run.dir / "eval.jsonl").read_text().splitlines()]
    assert measured == 2 * [row.id for row in HELDOUT]  # of the base, and at the end


def test_a_clock_that_is_set_back_a_day_is_no_stall_and_no_budget_used(queue: dict[str, Run]) -> None:
    run = queue["clock"]
    assert state(queue, "clock").state == "finished"
    assert [event["step"] for event in events(run, "log")] == [1, 2, 3, 4]
    assert events(run, "alert") == []
    at = [event["t"] for event in events(run, "log")]
    assert min(at) < at[0] - 80_000  # the clock did jump
    assert all(0 <= event["dt"] < 60 for event in events(run, "log"))


def test_out_of_memory_tries_again_with_half_the_rows_at_the_same_batch(queue: dict[str, Run]) -> None:
    run = queue["oom"]
    assert state(queue, "oom").state == "finished"
    attempts = [(event["attempt"], event["micro_batch"], event["accum"]) for event in events(run, "spawn")]
    assert attempts[-1] == (2, 4, 2)
    (error,) = events(run, "error")  # the allocator's own words
    assert (error["kind"], "can't allocate memory" in error["msg"]) == ("RuntimeError", True)
    assert state(queue, "oom").result["attempts"] == 2


def test_a_killed_worker_is_named_and_replaced(queue: dict[str, Run]) -> None:
    killed = state(queue, "killed")
    assert (killed.state, killed.step) == ("killed", 2)
    assert "SIGKILL" in killed.error
    assert state(queue, "clock").state == "finished"
    one, other = (events(queue[name], "spawn")[-1]["pid"] for name in ("killed", "clock"))
    assert one != other
