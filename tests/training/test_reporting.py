"""Runs that report to tensorboard, trackio or wandb; these are asked what reached them: losses, and no row's text."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_runs import ended, events, rows
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations import TensorBoardCallback

from engine.training.runs.launch import Job, Run, RunSpec, choose_spec, launch_queue
from engine.training.runs.status import read_run, tail_events
from engine.training.worker.events import EventLog
from engine.training.worker.reporting import Reports

TRAIN, HELDOUT = rows(16), rows(4, 100)
WORDS = [turn["content"] for row in (*TRAIN, *HELDOUT) for turn in row.messages]


def spec(model: Path, name: str, **settings: Any) -> RunSpec:
    small = {"batch": 8, "micro_batch": 8, "steps": 4, "threads": 1, "max_new_tokens": 8, "method": "full"}
    return choose_spec(name=name, rows=len(TRAIN), model=str(model), settings={**small, "eval_every": 2, **settings})


def finished(specs: list[RunSpec], runs_dir: Path) -> list[Run]:
    runs = launch_queue([Job(each, TRAIN, HELDOUT) for each in specs], runs_dir)
    ended(runs[-1], 120)
    assert [(read_run(run.dir).state, read_run(run.dir).error) for run in runs] == [("finished", "")] * len(specs)
    return runs


def measured(run: Run) -> tuple[list[float], list[float]]:
    """Its losses and its held-out losses, as its own events say."""
    return [event["loss"] for event in events(run, "log")], [event["nll"] for event in events(run, "eval")]


def says_no_row(folder: Path) -> bool:
    content = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return bool(content) and not any(words.encode() in content for words in WORDS)


@pytest.mark.slow
def test_tensorboard_gets_every_loss_of_each_run_of_a_queue(tiny_model: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    asked = {"report_to": "tensorboard"}
    for run in finished([spec(tiny_model, "one", **asked), spec(tiny_model, "two", seed=1, **asked)], tmp_path):
        told = EventAccumulator(str(run.dir / "tensorboard"))
        told.Reload()
        losses, heldout = measured(run)
        assert [event.step for event in told.Scalars("eval/nll")] == [2, 4]
        assert [event.value for event in told.Scalars("eval/nll")] == pytest.approx(heldout)
        assert [event.value for event in told.Scalars("train/loss")] == pytest.approx(losses)
        assert says_no_row(run.dir / "tensorboard")


class SmallTrainer:
    """As much of a trainer as reports ask for."""

    is_first = True

    def __init__(self, callback: TrainerCallback) -> None:
        self.args = TrainingArguments(output_dir="none", report_to="tensorboard")
        self.state, self.control = TrainerState(global_step=3), TrainerControl()
        self.callback_handler = SimpleNamespace(callbacks=[callback])
        self.remove_callback = self.callback_handler.callbacks.remove
        self.add_callback = self.callback_handler.callbacks.append


def test_a_report_that_fails_is_told_once_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no-folder").write_text("a file stands where tensorboard is to write")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "no-folder"))
    log = EventLog(tmp_path)
    desk: Any = SimpleNamespace(run_dir=tmp_path, log=log)
    with Reports(desk, SmallTrainer(TensorBoardCallback())) as reports:
        reports.heldout(1.0)
        reports.heldout(0.5)
    log.close()
    (alert,) = tail_events(tmp_path)[0]
    assert (alert["ev"], alert["kind"], alert["step"]) == ("alert", "report_failed", 3)
    assert alert["detail"].startswith("tensorboard takes no more reports, the run goes on without: ")


@pytest.mark.slow
def test_a_report_that_fails_costs_the_report_and_not_the_run(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no-folder").write_text("a file stands where tensorboard is to write")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "no-folder"))
    (run,) = finished([spec(tiny_model, "one", report_to="tensorboard")], tmp_path / "runs")
    (alert,) = [event for event in events(run, "alert") if event["kind"] == "report_failed"]
    assert alert["detail"].startswith("tensorboard takes no more reports, the run goes on without: ")
    assert [len(values) for values in measured(run)] == [4, 2]


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("trackio"), reason="trackio is not installed")
def test_trackio_gets_every_loss(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    specs = [spec(tiny_model, name, report_to="trackio") for name in ("one", "two")]
    runs = finished(specs, tmp_path / "runs")
    (database,) = (tmp_path / "trackio").glob("tamis*.db")
    with sqlite3.connect(database) as connection:
        told = connection.execute("select run_name, metrics from metrics order by id").fetchall()
    for run in runs:
        mine = [json.loads(metrics) for name, metrics in told if name == run.dir.name]
        losses, heldout = measured(run)
        assert [each["train/loss"] for each in mine if "train/loss" in each] == pytest.approx(losses)
        assert [each["eval/nll"] for each in mine if "eval/nll" in each] == pytest.approx(heldout)
    assert says_no_row(tmp_path / "trackio")


def leveldb_records(content: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log, behind wandb's seven bytes: blocks of 32 KiB, each piece with sum, length, kind."""
    at, record = 7, b""
    while at + 7 <= len(content):
        if 32_768 - at % 32_768 < 7:
            at += 32_768 - at % 32_768
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield record
            record = b""


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("wandb"), reason="wandb is not installed")
def test_wandb_gets_a_run_of_its_own_for_each(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    for run in finished([spec(tiny_model, name, report_to="wandb") for name in ("one", "two")], tmp_path):
        (file,) = (run.dir / "wandb").glob("offline-run-*/run-*.wandb")
        told = []
        for content in leveldb_records(file.read_bytes()):
            record = wandb_internal_pb2.Record.FromString(content)
            told.append({item.key or "/".join(item.nested_key): item.value_json for item in record.history.item})
        losses, heldout = measured(run)
        assert [float(each["train/loss"]) for each in told if "train/loss" in each] == pytest.approx(losses)
        assert [float(each["eval/nll"]) for each in told if "eval/nll" in each] == pytest.approx(heldout)
        assert says_no_row(run.dir / "wandb")
