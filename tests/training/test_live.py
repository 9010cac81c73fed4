"""Alerts from planted curves, and the whole course of a long run read at once."""

from __future__ import annotations

import json
import math
import random
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
from engine.training.worker.past_steps import past_steps


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
    assert kinds([1.0] * 30 + [5.0] * 30) == [(35, "diverging")]  # half of ten steps at 5: mean and median are 3
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


def test_within_twelve_steps_a_model_that_was_thrown_is_told_by_loss_accuracy_and_gradient() -> None:
    watch = LossAlerts()
    watch.knows(49_152)
    steps = [(1.37, 2.0, 0.7), *[(10.8, 0.0, 0.0)] * 11]  # a rate of 1e6 on a model of 135 M weights
    told = [
        (n, a.kind) for n, (loss, norm, right) in enumerate(steps, 1) for a in watch.step(n, 12, loss, norm, 1e6, right)
    ]
    assert told == [(4, "diverging"), (4, "zero_gradient")]
    assert watch.holding == {"diverging", "zero_gradient"}
    for step in range(13, 23):
        watch.step(step, 22, 1.1, 1.0, 1e-4, 0.75)
    assert watch.holding == set()  # it recovered: it was told, and is not its last word


def test_a_model_that_guesses_from_its_beginning_is_told_and_one_that_is_taught_by_hard_rows_is_not() -> None:
    def told(losses: list[float], right: list[float]) -> list[tuple[int, str]]:
        watch = LossAlerts()
        watch.knows(49_152)
        pairs = enumerate(zip(losses, right, strict=True), 1)
        return [(n, a.kind) for n, (loss, share) in pairs for a in watch.step(n, 12, loss, 1.0, 1e-4, share)]

    assert told([10.9] * 12, [0.0] * 12) == [(8, "at_chance")]
    # Trained well on all but a few rows: hard ones in a row raise the loss, and most of their tokens are right.
    assert told([0.02] * 6 + [1.5] * 4 + [0.02] * 2, [0.99] * 6 + [0.7] * 4 + [0.99] * 2) == []


def of_rows(loss: float, *, count: int = 40, spread: float = 0.0) -> dict[str, tuple[float, int]]:
    """Held-out rows of ten tokens; every other one is `spread` above the loss, the rest as much below."""
    return {str(n): (10 * (loss + (spread if n % 2 else -spread)), 10) for n in range(count)}


def test_the_base_is_what_the_held_out_loss_is_judged_by_and_chance_is_no_finding() -> None:
    def told(after: float, spread: float, base: float = 1.3, trained: float | None = None) -> list[str]:
        watch = HeldoutAlerts()
        watch.measured(0, base, of_rows(base))
        return [alert.kind for alert in watch.measured(12, after, of_rows(after, spread=spread), trained, last=True)]

    assert told(1.4, 0.1) == ["above_base"]
    assert told(1.4, 0.9) == ["learnt_nothing"]  # .1 above may be chance where rows differ by nine times as much
    assert told(1.29, 0.1) == ["learnt_nothing"]
    assert told(1.1, 0.1) == []
    assert told(0.0199, 0.001, base=0.02) == []  # a model that knew it all
    assert told(1.6, 0.1, trained=0.01) == ["above_base", "memorised"]


def test_a_loss_that_stands_is_told_at_the_end_where_no_held_out_row_tells_better() -> None:
    def at_end(losses: list[float], *, measured: bool = False) -> list[str]:
        watch = LossAlerts()
        for step, loss in enumerate(losses, 1):
            watch.step(step, len(losses), loss, 1.0, 1e-9)
        return [alert.kind for alert in watch.ended(measured=measured)]

    assert at_end([1.3 + 0.01 * (n % 3) for n in range(30)]) == ["learnt_nothing"]
    assert at_end([1.3 + 0.01 * (n % 3) for n in range(30)], measured=True) == []
    assert at_end([1.3 + 0.6 * (n % 3) for n in range(30)]) == []  # so noisy that a fall could hide in it
    assert at_end([0.02] * 30) == []


def test_healthy_courses_of_many_kinds_are_seldom_an_alarm() -> None:
    """Courses that fall from .02-4.5 to a floor, steps of 4-16 rows whose losses differ by a factor of two."""
    draw, alarms = random.Random(5), 0
    for _ in range(400):
        first, steps, batch = (
            draw.choice([0.02, 0.3, 1.3, 3.0, 4.5]),
            draw.choice([12, 40, 100]),
            draw.choice([4, 8, 16]),
        )
        floor, pace = first * draw.uniform(0.02, 0.7), steps * draw.uniform(0.05, 0.4)
        watch = LossAlerts()
        watch.knows(49_152)
        kinds: list[str] = []
        for step in range(1, steps + 1):
            level = floor + (first - floor) * math.exp(-step / pace)
            loss = level * sum(draw.lognormvariate(-0.2, 0.6) for _ in range(batch)) / batch
            right = min(1.0, max(0.0, math.exp(-loss) + draw.gauss(0, 0.05)))
            kinds += [a.kind for a in watch.step(step, steps, loss, draw.lognormvariate(0, 0.5), 1e-4, right)]
        alarms += bool([*kinds, *watch.ended(measured=False)])
    assert alarms <= 1


def test_what_was_told_before_a_resume_is_not_told_again_and_what_began_before_it_counts(tmp_path: Path) -> None:
    log = [
        event_line("log", {"step": n, "of": 12, "loss": loss}) for n, loss in ((1, 1.4), (2, 10.8), (2, 10.7), (3, 9.9))
    ]
    said = event_line("alert", {"kind": "plateau", "step": 4, "detail": "no gain"})
    (tmp_path / "events.jsonl").write_bytes(
        b"".join([*log, said, event_line("eval", {"step": 0, "nll": 1.3}), b'{"v":1,"ev"'])
    )
    (tmp_path / "eval.jsonl").write_text('{"step": 0, "id": "a", "nll": 13.0, "tokens": 10}\n{"step": 2, "id": "a"}\n')
    past = past_steps(tmp_path, 2)
    assert [(each["step"], each["loss"]) for each in past.logs] == [(1, 1.4), (2, 10.7)]
    assert (past.heldout, past.base) == (((0, 1.3),), {"a": (13.0, 10)})
    assert [(step, alert.kind) for step, alert in past.alerts] == [(4, "plateau")]


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
