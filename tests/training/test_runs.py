"""Real runs of a tiny model: what they leave behind when all goes well, and when it does not."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fault_injection import Fault, launch_with_faults
from small_runs import ended, events, rows, wait_until

from engine.training.plan.checks import short_room
from engine.training.runs.data_files import rows_by_step
from engine.training.runs.launch import Job, Run, choose_spec
from engine.training.runs.status import RunState, is_alive, list_runs, read_run, stop
from workbench.cli.main import main
from workbench.render.training_run import sentence

TRAIN, HELDOUT = rows(24), rows(8, 100)


@pytest.fixture(scope="module", autouse=True)
def _offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


def job(name: str, model: Path | str, *faults: Fault, **settings: Any) -> tuple[Job, Sequence[Fault]]:
    small = {"batch": 8, "micro_batch": 8, "steps": 4, "threads": 1, "max_new_tokens": 24}
    spec = choose_spec(name=name, rows=len(TRAIN), model=str(model), settings={**small, **settings})
    return Job(spec, TRAIN, HELDOUT), faults


def slow(seconds: float) -> dict[str, Any]:
    return {"kind": "slow", "seconds": seconds}


@pytest.fixture(scope="module")
def queue(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One queue of runs, served to its end."""
    full = {"method": "full", "learning_rate": 5e-3}
    jobs = [
        job("lora", tiny_model, steps=8, learning_rate=5e-3),
        job("full", tiny_model, steps=6, eval_every=2, eval_at_start=True, **full),
        job("stopped", tiny_model, slow(0.3), steps=500, **full),
        job("unknown", "no-such-owner/no-such-model"),
        job("last", tiny_model, steps=2, max_new_tokens=4, on_end='echo "$TAMIS_OUTCOME" > ended.txt', **full),
        job("flat", tiny_model, steps=7, eval_every=1, **{**full, "learning_rate": 0.0}),
        job("budget", tiny_model, slow(0.1), steps=500, budget_seconds=0.5, **full),
        job("costly", tiny_model, slow(0.1), steps=500, max_cost=0.001, price_per_hour=3.6, **full),
        job("masked", tiny_model, max_length=4, **full),
        job("packed", tiny_model, steps=0, epochs=3, batch=2, micro_batch=2, max_length=128, packing=True, **full),
    ]
    runs_dir = tmp_path_factory.mktemp("runs")
    runs = launch_with_faults(jobs, runs_dir)
    named = {each.spec.name: run for (each, _), run in zip(jobs, runs, strict=True)}
    wait_until(lambda: events(named["stopped"], "log"))
    stop(named["stopped"].dir)
    ended(runs[-1], 280)
    return named


def state(queue: Mapping[str, Run], name: str) -> RunState:
    return read_run(queue[name].dir)


def test_lora_learns_and_leaves_an_adapter(queue: dict[str, Run]) -> None:
    run = queue["lora"]
    assert (state(queue, "lora").state, state(queue, "lora").step) == ("finished", 8)
    logged = events(run, "log")
    assert [event["step"] for event in logged] == list(range(1, 9))
    assert logged[-1]["loss"] < logged[0]["loss"]
    assert {path.name for path in (run.dir / "model").iterdir()} >= {"adapter_model.safetensors", "tokenizer.json"}
    settings = json.loads((run.dir / "settings.json").read_text())
    assert 0 < settings["trained_parameters"] < settings["parameters"]
    assert settings["sft"]["logging_nan_inf_filter"] is False


def test_the_events_tell_the_whole_run_in_order(queue: dict[str, Run]) -> None:
    told = events(queue["full"])
    phases = [event["phase"] for event in told if event["ev"] == "phase"]
    assert phases == ["import", "load", "data", "probe", "eval", "train", "eval", "save"]
    (data,) = [event for event in told if event["ev"] == "data"]
    assert (data["rows"], data["kept"], data["truncated"], data["dropped_fully_masked"]) == (24, 24, 0, 0)
    assert 0 < data["completion_tokens"] < data["tokens"]
    assert [event["step"] for event in told if event["ev"] == "eval"] == [0, 2, 4, 6]
    assert told[-1]["ev"] == "exit"
    assert all({"v", "t", "ev"} <= event.keys() for event in told)


def test_held_out_rows_are_measured_one_by_one_under_their_ids(queue: dict[str, Run]) -> None:
    lines = [json.loads(line) for line in (queue["full"].dir / "eval.jsonl").read_text().splitlines()]
    last = [line for line in lines if line["step"] == 6]
    assert [line["id"] for line in last] == [row.id for row in HELDOUT]
    assert all("answer" in line for line in last)
    result = state(queue, "full").result
    assert result["nll"] == pytest.approx(sum(line["nll"] for line in last) / sum(line["tokens"] for line in last))
    assert result["exact"] == sum(line["exact"] for line in last) / len(last)
    assert (result["answered"], result["cut"]) == (len(last), sum(line["cut"] for line in last))
    before = [event["nll"] for event in events(queue["full"], "eval")]
    assert before[-1] < before[0]


def test_the_base_is_measured_first_with_the_same_measures_and_once_for_all_runs_on_it(queue: dict[str, Run]) -> None:
    first, *_, last = events(queue["full"], "eval")
    base = state(queue, "full").result["base"]
    assert (first["step"], first["answered"]) == (0, len(HELDOUT))
    assert all(base[name] == first[name] == last["base"][name] for name in ("nll", "exact", "cut"))
    assert base["nll"] > state(queue, "full").result["nll"]
    # The adapter's base is the same model: nothing is answered a second time. "lora" came before "full".
    assert "reused" not in events(queue["lora"], "eval")[0]
    assert first["reused"] == queue["lora"].dir.name
    assert first["nll"] == events(queue["lora"], "eval")[0]["nll"]
    assert [sample["id"] for sample in first["samples"]] == [row.id for row in HELDOUT[:3]]
    (before, after), of = (f"{event['nll']:.4g}" for event in (first, last)), len(HELDOUT)
    assert sentence(events(queue["lora"], "eval")[0]).startswith(
        f"step 0, the base: held-out NLL {before}, exact match 0 of {of}"
    )
    assert f"held-out NLL {before} \u2192 {after}, exact match 0 of {of} \u2192 " in sentence(last)


def test_answers_without_room_are_told_as_cut_and_the_references_named(queue: dict[str, Run]) -> None:
    (told,) = events(queue["last"], "room")
    assert told["detail"].startswith(f"{len(HELDOUT)} reference answers are longer than max_new_tokens = 4 (r")
    last = events(queue["last"], "eval")[-1]
    assert (last["cut"], last["answered"], last["exact"]) == (len(HELDOUT), len(HELDOUT), 0)
    assert f"{len(HELDOUT)} of {len(HELDOUT)} answers cut: their room was used up" in sentence(last)
    spec = choose_spec(name="last", rows=24, settings={"max_new_tokens": 4})
    (note,) = short_room(spec, HELDOUT)
    assert (note.kind, len(note.ids)) == ("short_room", len(HELDOUT))
    assert not short_room(choose_spec(name="last", rows=24), HELDOUT)
    assert not events(queue["full"], "room")


def test_checkpoints_come_every_epoch_and_the_last_two_stay(queue: dict[str, Run]) -> None:
    assert [event["step"] for event in events(queue["full"], "ckpt")] == [3, 6]
    kept = sorted(path.name for path in (queue["lora"].dir / "ckpt").iterdir())
    assert kept == ["checkpoint-6", "checkpoint-8"]


def test_a_stop_saves_within_one_step_and_the_queue_goes_on(queue: dict[str, Run]) -> None:
    run, stopped = queue["stopped"], state(queue, "stopped")
    assert stopped.state == "stopped"
    (request,) = events(run, "stop_requested")
    assert stopped.step == request["step"] < 50
    assert (run.dir / "ckpt" / f"checkpoint-{stopped.step}" / "trainer_state.json").is_file()
    assert (run.dir / "model" / "model.safetensors").is_file()


def test_watching_on_a_pipe_is_a_line_a_step_and_ends_with_how_to_use_it(
    queue: dict[str, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(queue["lora"].dir)]) == 0
    lines = capsys.readouterr().out.splitlines()
    steps = [line for line in lines if " step " in f" {line}" and " loss " in line]
    assert [line.split()[2] for line in steps] == [f"{step}/8" for step in range(1, 9)]
    assert lines[-2].startswith("tokenizer = AutoTokenizer.from_pretrained(")
    assert "vllm serve" in lines[-1]
    assert main(["watch", str(queue["masked"].dir)]) == 1
    assert "alert, all masked" in capsys.readouterr().out


def test_an_unknown_model_is_told_in_a_line_and_the_console_has_the_rest(queue: dict[str, Run]) -> None:
    unknown = state(queue, "unknown")
    assert unknown.state == "crashed"
    assert "no-such-owner/no-such-model" in unknown.error
    assert "\n" not in unknown.error
    assert "Traceback" in (queue["unknown"].dir / "console.log").read_text()


def test_time_and_money_end_a_run_with_what_it_learnt(queue: dict[str, Run]) -> None:
    for name, words in (("budget", "budget of"), ("costly", "cost of 0.001 is reached")):
        ended_early = state(queue, name)
        assert ended_early.state == "stopped"
        assert words in ended_early.result["stopped_by"]
        assert 0 < ended_early.step < 50
        assert (queue[name].dir / "model" / "model.safetensors").is_file()


def test_a_run_that_learns_nothing_says_why(queue: dict[str, Run]) -> None:
    assert [event["kind"] for event in events(queue["flat"], "alert")] == ["zero_lr", "plateau", "learnt_nothing"]
    assert state(queue, "flat").state == "finished"
    assert "no step had a learning rate above zero" in state(queue, "flat").but
    assert not state(queue, "full").but
    assert [event["kind"] for event in events(queue["masked"], "alert")] == ["all_masked"]
    assert "no row has anything to learn" in state(queue, "masked").error


def test_every_evaluation_shows_a_few_answers_and_the_best_weights_are_kept(queue: dict[str, Run]) -> None:
    for event in events(queue["full"], "eval"):
        assert [sample["id"] for sample in event["samples"]] == [row.id for row in HELDOUT[:3]]
        assert all(isinstance(sample["answer"], str) for sample in event["samples"])
    lowest = min(events(queue["full"], "eval"), key=lambda event: event["nll"])
    best = state(queue, "full").result["best"]
    assert (best["step"], best["nll"]) == (lowest["step"], lowest["nll"])
    assert (queue["full"].dir / best["dir"] / "model.safetensors").is_file()
    # Never better than the base, which is there anyway.
    assert "best" not in state(queue, "flat").result
    assert not (queue["flat"].dir / "best").exists()


def test_every_step_names_its_rows_and_an_epoch_has_each_row_once(queue: dict[str, Run]) -> None:
    named = rows_by_step(queue["full"].dir)
    assert list(named) == list(range(1, 7))
    ids = sorted(row.id for row in TRAIN)
    for epoch in (1, 4):  # 24 rows, 8 a step
        assert sorted(row for step in range(epoch, epoch + 3) for row in named[step]) == ids


def test_packed_rows_are_named_too_and_an_epoch_takes_fewer_steps(queue: dict[str, Run]) -> None:
    run = queue["packed"]
    assert state(queue, "packed").state == "finished"
    packed = events(run, "data")[-1]
    assert packed["packed"] is True
    assert packed["sequences"] <= len(TRAIN) / 2
    steps = math.ceil(packed["sequences"] / 2)
    named = rows_by_step(run.dir)
    assert list(named) == list(range(1, 3 * steps + 1))
    assert sorted(row for step in range(1, steps + 1) for row in named[step]) == sorted(row.id for row in TRAIN)
    assert [event["step"] for event in events(run, "eval")] == [0, steps, 2 * steps, 3 * steps]


def test_memory_is_told_and_the_end_calls_the_users_command(queue: dict[str, Run]) -> None:
    assert events(queue["full"], "mem")[-1]["rss_mb"] > 100
    wait_until(lambda: (queue["last"].dir / "ended.txt").is_file())
    assert wait_until((queue["last"].dir / "ended.txt").read_text) == "finished\n"


def test_the_card_says_what_it_is_and_how_to_load_it(
    queue: dict[str, Run], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (queue["lora"].dir / "model" / "README.md").read_text()
    assert f"for {tiny_model.name}" in card
    assert str(tiny_model.parent) not in card  # no place on this machine
    assert str(queue["lora"].dir) not in card
    monkeypatch.chdir(queue["lora"].dir / "model")
    assert "--enable-lora" in card
    assert "- steps: 8\n" in card
    (lines,) = [part.split("```")[0] for part in card.split("```python")[1:]]
    scope: dict[str, Any] = {}
    exec(lines, scope)  # the lines need nothing else
    assert scope["model"].peft_config["default"].r == 16


def test_the_run_carries_its_own_worker_and_its_data(queue: dict[str, Run]) -> None:
    run = queue["full"]
    assert (run.dir / "worker" / "main.py").is_file()
    lines = [json.loads(line) for line in (run.dir / "data" / "train.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [row.id for row in TRAIN]
    written = json.loads((run.dir / "spec.json").read_text())
    assert written["data"]["heldout"]["rows"] == 8
    assert [found.id for found in list_runs(run.dir.parent)] == sorted((run.id for run in queue.values()), reverse=True)


def test_a_killed_supervisor_leaves_no_orphan_and_no_lost_work(tiny_model: Path, tmp_path: Path) -> None:
    (run,) = launch_with_faults([job("orphan", tiny_model, slow(0.2), steps=500)], tmp_path)
    wait_until(lambda: events(run, "log"))
    os.kill(run.pid, signal.SIGKILL)
    assert is_alive(run.dir)
    found = ended(run)
    assert found.state == "stopped"
    assert found.result["stopped_by"] == "the supervisor is gone"
    assert (run.dir / "ckpt" / f"checkpoint-{found.step}").is_dir()
    assert not (run.dir / "result.json").exists()
