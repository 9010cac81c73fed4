"""Runs that were cut short and taken up again, and runs on a disk without room: real processes on a tiny model."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fault_injection import Fault, launch_with_faults, take_away_faults
from small_runs import ended, events, rows, wait_until

from engine.errors import TrainingError
from engine.training.runs.launch import Job, Run, choose_spec
from engine.training.runs.resume import resume, resume_queue
from engine.training.runs.status import read_run, stop
from engine.training.runs.trusted import trust_run
from engine.training.worker.checkpoints import last_good_checkpoint, remove_unfinished, seal

TRAIN, HELDOUT = rows(24), rows(4, 100)
LIMITED = Path(__file__).with_name("limited.py")


@pytest.fixture(scope="module", autouse=True)
def _offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


def job(name: str, model: Path, *faults: Fault, **settings: Any) -> tuple[Job, Sequence[Fault]]:
    small = {"batch": 8, "micro_batch": 8, "steps": 10, "threads": 1, "max_new_tokens": 8}
    spec = choose_spec(
        name=name, rows=24, model=str(model), settings={**small, "method": "full", "learning_rate": 5e-3, **settings}
    )
    return Job(spec, TRAIN, HELDOUT), faults


@pytest.fixture(scope="module")
def taken_up(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same run four times: whole, killed, stopped, out of memory; the middle two taken up again."""
    jobs = [
        job("whole", tiny_model),
        job("stopped", tiny_model, {"kind": "slow", "seconds": 0.3}),
        job("oom", tiny_model, {"kind": "oom", "step": 5, "above_micro": 4}),
        job("killed", tiny_model, {"kind": "kill", "step": 6}),
        job("lora", tiny_model, {"kind": "kill", "step": 6}, method="lora"),
        job("lora-whole", tiny_model, method="lora"),
    ]
    runs = launch_with_faults(jobs, tmp_path_factory.mktemp("runs"))
    named = {each.spec.name: run for (each, _), run in zip(jobs, runs, strict=True)}
    wait_until(lambda: len(events(named["stopped"], "log")) >= 4)
    with pytest.raises(TrainingError, match="is running"):
        resume(named["stopped"].dir)
    stop(named["stopped"].dir)
    ended(runs[-1], 120)
    cut_short = [named[name] for name in ("stopped", "killed", "lora")]
    assert [read_run(run.dir).state for run in cut_short] == ["stopped", "killed", "killed"]
    torn = named["killed"].dir / "ckpt" / "checkpoint-5"
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"global_step": 5}')
    for run in cut_short:
        take_away_faults(run.dir)
    resume_queue([run.dir for run in cut_short])
    ended(cut_short[-1], 120)
    return named


def curve(run: Run) -> dict[int, float]:
    """Loss by step; where a step was taken twice, as it was the last time."""
    return {event["step"]: event["loss"] for event in events(run, "log")}


def weights(run: Run, name: str = "model.safetensors") -> str:
    return hashlib.sha256((run.dir / "model" / name).read_bytes()).hexdigest()


def test_a_killed_run_goes_on_from_its_checkpoint_exactly_as_if_nothing_had_happened(taken_up: dict[str, Run]) -> None:
    whole, killed = taken_up["whole"], taken_up["killed"]
    assert read_run(killed.dir).state == "finished"
    steps = [event["step"] for event in events(killed, "log")]
    assert steps == [1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 10]
    assert curve(killed) == curve(whole)
    assert weights(killed) == weights(whole)
    assert read_run(killed.dir).result["completion_tokens"] == read_run(whole.dir).result["completion_tokens"]
    assert read_run(killed.dir).result["nll"] == read_run(whole.dir).result["nll"]
    assert events(killed, "spawn")[-1]["from_step"] == 3


def test_an_adapter_goes_on_exactly_too(taken_up: dict[str, Run]) -> None:
    name = "adapter_model.safetensors"
    assert curve(taken_up["lora"]) == curve(taken_up["lora-whole"])
    assert weights(taken_up["lora"], name) == weights(taken_up["lora-whole"], name)


def test_a_stopped_run_goes_on_in_the_middle_of_an_epoch(taken_up: dict[str, Run]) -> None:
    whole, stopped = taken_up["whole"], taken_up["stopped"]
    steps = [event["step"] for event in events(stopped, "log")]
    assert steps == list(range(1, 11))  # no step is taken twice
    assert curve(stopped) == curve(whole)
    assert weights(stopped) == weights(whole)
    assert (stopped.dir / "result.1.json").is_file()


def test_a_torn_checkpoint_is_told_deleted_and_never_used(taken_up: dict[str, Run]) -> None:
    run = taken_up["killed"]
    (alert,) = events(run, "alert")
    assert alert["kind"] == "torn_checkpoint"
    assert "checkpoint-5" in alert["detail"]
    assert not (run.dir / "ckpt" / "checkpoint-5").exists()


def test_out_of_memory_loses_no_more_than_the_steps_since_the_last_checkpoint(taken_up: dict[str, Run]) -> None:
    run = taken_up["oom"]
    (retry,) = events(run, "retry")
    assert (retry["micro_batch"], retry["accum"], retry["from_step"]) == (4, 2, 3)
    assert [event["step"] for event in events(run, "log")] == [1, 2, 3, 4, *range(4, 11)]
    assert read_run(run.dir).state == "finished"
    whole = curve(taken_up["whole"])
    assert [curve(run)[step] for step in range(1, 11)] == pytest.approx(
        [whole[step] for step in range(1, 11)], rel=1e-3
    )


def test_what_has_finished_is_not_taken_up(taken_up: dict[str, Run]) -> None:
    with pytest.raises(TrainingError, match="has finished"):
        resume(taken_up["whole"].dir)


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    for step in (2, 10, 9):
        folder = tmp_path / "ckpt" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
        (folder / "weights").write_bytes(b"x" * step)
        seal(folder, learnt_tokens=step)
    assert last_good_checkpoint(tmp_path) == tmp_path / "ckpt" / "checkpoint-10"
    (tmp_path / "ckpt" / "checkpoint-10" / "weights").write_bytes(b"xxx")  # cut short by a power failure
    (tmp_path / "ckpt" / "checkpoint-11").mkdir()
    assert last_good_checkpoint(tmp_path) == tmp_path / "ckpt" / "checkpoint-9"
    assert sorted(remove_unfinished(tmp_path)) == ["checkpoint-10", "checkpoint-11"]
    assert last_good_checkpoint(tmp_path / "nowhere") is None


def test_a_full_disk_costs_checkpoints_but_not_the_run_and_resume_saves_it_once_there_is_room(
    tiny_model: Path, tmp_path: Path
) -> None:
    whole_model = (tiny_model / "model.safetensors").stat().st_size
    room = {"the weights alone": whole_model + 4096, "nothing": whole_model // 2}
    jobs = [
        job(name, tiny_model, steps=4, command=(sys.executable, str(LIMITED), str(limit)))
        for name, limit in room.items()
    ]
    some, none = (launch_with_faults([each], tmp_path)[0] for each in jobs)
    assert ended(some).state == "finished"
    alerts = events(some, "alert")
    assert [(alert["kind"], alert["step"]) for alert in alerts] == [("disk_full", 3), ("disk_full", 4)]
    assert list((some.dir / "ckpt").iterdir()) == []  # nothing torn is left
    assert (some.dir / "model" / "model.safetensors").stat().st_size == whole_model
    state = ended(none)
    assert (state.state, state.step) == ("stopped", 4)
    assert "disk is full" in state.result["stopped_by"]
    assert not (none.dir / "model").exists()
    spec_file = none.dir / "spec.json"
    spec_file.write_text(spec_file.read_text().replace(str(whole_model // 2), str(1 << 40)))
    with pytest.raises(TrainingError, match="was changed since: it would execute"):
        resume(none.dir)
    trust_run(none.dir)
    resume(none.dir)
    assert ended(none).state == "finished"
    assert os.listdir(none.dir / "ckpt")
    assert (none.dir / "model" / "model.safetensors").is_file()
