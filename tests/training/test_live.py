"""Alerts from planted curves, and the whole course of a long run read at once."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import time
from pathlib import Path

import pytest
from small_runs import wait_until

from engine.training.runs.loss_history import read_loss_history
from engine.training.runs.status import tail_events
from engine.training.worker import alerts, heartbeat, stopping
from engine.training.worker.alerts import HeldoutAlerts, LossAlerts, stalled
from engine.training.worker.events import EventLog, event_line


def kinds(losses: list[float], norms: list[float] | None = None, rate: float = 1e-4) -> list[tuple[int, str]]:
    watch = LossAlerts()
    told = []
    for step, loss in enumerate(losses, 1):
        norm = norms[step - 1] if norms else None
        told += [(step, alert.kind) for alert in watch.step(step, len(losses) + 1, loss, norm, rate)]
    return told


def test_a_loss_that_falls_however_unsteadily_is_no_cause_for_alarm() -> None:
    falling = [3 * math.exp(-step / 40) + (0.4 if step % 7 == 0 else 0) for step in range(200)]
    assert kinds(falling, [1 + step % 5 for step in range(200)]) == []


def test_divergence_is_told_once_by_its_loss_or_its_gradient() -> None:
    assert kinds([1.0] * 30 + [5.0] * 30) == [(34, "diverging")]  # four of ten steps at 5: the mean is above 2.5
    assert kinds([1.0] * 20, [1.0] * 12 + [50.0] * 8) == [(17, "diverging")]
    assert [kind for _, kind in kinds([1.0] * 9, rate=0.0)] == ["zero_lr"]


def measured(*values: float) -> list[tuple[int, str]]:
    watch = HeldoutAlerts()
    return [(step, alert.kind) for step, value in enumerate(values) for alert in watch.measured(step, value)]


def test_the_held_out_loss_that_rises_or_stands_still_is_told() -> None:
    assert measured(3.0, 2.0, 1.5, 1.2, 1.0, 0.9) == []
    assert measured(3.0, 2.0, 2.1, 2.2, 2.3) == [(4, "eval_rising")]
    assert measured(3.0, 2.0, 2.001, 1.999, 1.998) == [(4, "plateau")]
    watch = HeldoutAlerts()
    for step, value in enumerate((3.0, 2.0, 2.5)):
        watch.measured(step, value)
    assert watch.best == (1, 2.0)


def test_a_stall_is_measured_by_what_steps_took() -> None:
    assert not stalled(59.0, [0.1])
    assert stalled(61.0, [0.1])
    assert not stalled(61.0, [30.0, 31.0, 29.0])


def test_a_hundred_thousand_events_are_there_within_a_second_and_no_spike_is_lost(tmp_path: Path) -> None:
    with (tmp_path / "events.jsonl").open("wb") as stream:
        for step in range(1, 100_001):
            loss = 99.0 if step == 70_007 else 2.0 - step / 100_000
            values = {"step": step, "of": 100_000, "dt": 0.1234, "loss": loss, "grad_norm": 0.5, "learning_rate": 1e-4}
            stream.write(event_line("log", {**values, "entropy": 1.25, "num_tokens": step * 1234.0, "epoch": 1.5}))
            if step % 10_000 == 0:
                stream.write(event_line("eval", {"step": step, "nll": 1 + step / 1e6}))
        stream.write(b'{"v":1,"t":1,"ev":"log","st')
    began = time.process_time()
    history = read_loss_history(tmp_path)
    assert time.process_time() - began < 1.0
    assert len(history.loss) <= 480
    assert max(column.high for column in history.loss) == 99.0
    assert history.loss[-1].step == 100_000
    assert history.heldout[0] == (10_000, 1.01)
    assert history.last_log["step"] == 100_000
    assert tail_events(tmp_path, history.offset) == ([], history.offset)


def test_the_course_is_that_of_the_events_read_one_by_one(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    for step, loss in [(1, 3.0), (2, 2.5), (3, float("nan")), (4, 2.0), (3, 2.2), (4, 2.1), (5, 1e-7)]:
        log.emit("log", step=step, of=5, loss=loss, note='"loss":7')
    log.emit("alert", kind="stall", detail="x")
    log.emit("mem", rss_mb=1.0)
    history = read_loss_history(tmp_path)
    wanted = {}
    for event in tail_events(tmp_path)[0]:
        if event["ev"] == "log" and isinstance(event["loss"], float):
            wanted = {step: value for step, value in wanted.items() if step < event["step"]}
            wanted[event["step"]] = event["loss"]
    assert {column.step: column.last for column in history.loss} == wanted
    assert [event["ev"] for event in history.others] == ["alert"]
    assert read_loss_history(tmp_path / "nowhere").loss == ()
    assert json.loads(json.dumps(history.last_log))["loss"] == 1e-7


def test_a_step_that_never_ends_is_told_once_by_a_thread_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "SECONDS", 0.02)
    monkeypatch.setattr(alerts, "STALL_SECONDS", 0.2)
    log = EventLog(tmp_path)
    beat = heartbeat.Heartbeat(tmp_path, 1, log)
    beat.start()
    beat.tell(phase="train", step=3, last_step_t=1.0)
    wait_until(lambda: [event for event in tail_events(tmp_path)[0] if event["ev"] == "alert"], 10)
    time.sleep(0.2)
    beat.tell(phase="eval")  # measuring takes as long as it takes
    beat.stop()
    log.close()
    (alert,) = [event for event in tail_events(tmp_path)[0] if event["ev"] == "alert"]
    assert (alert["kind"], alert["step"]) == ("stall", 3)
    assert "kill -USR1" in alert["detail"]


def test_memory_of_this_process_is_what_the_kernel_says(tmp_path: Path) -> None:
    told = heartbeat.memory()["rss_mb"]
    lines = Path("/proc/self/status").read_text().splitlines()
    kernel = next(int(line.split()[1]) / 1000 * 1.024 for line in lines if line.startswith("VmRSS"))
    assert told == pytest.approx(kernel, rel=0.05)


def test_the_supervisor_is_looked_for_on_its_own_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setenv("TAMIS_SUPERVISOR", str(gone.pid))
    monkeypatch.setattr(stopping, "LOOK_SECONDS", -1.0)
    monkeypatch.setenv("TAMIS_SUPERVISOR_HOST", socket.gethostname())
    assert stopping.StopWatch().why() == "the supervisor is gone"
    monkeypatch.setenv("TAMIS_SUPERVISOR_HOST", "another-node")
    assert stopping.StopWatch().why() is None
