"""How long a run takes: its threads, what it is made of, what is told before it starts and while it goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.training.plan.run_time import row_losses_if_cheap, run_seconds
from engine.training.spec.run_spec import RunSpec, choose_spec
from engine.training.spec.threads import core_quota, threads_to_use
from engine.training.worker import threads
from engine.training.worker.models import bf16_on_cpu
from engine.training.worker.time_left import READ, STEP, WRITE, Sizes, TimeLeft, parts_of

ROOT = Path(__file__).resolve().parents[2]


def test_threads_wait_without_spinning_unless_the_person_said_how(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.WAITING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    threads.wait_without_spinning()
    assert subprocess.check_output([sys.executable, "-c", "import os; print(os.environ.get('KMP_BLOCKTIME'))"]) == (
        b"None\n"
    )
    monkeypatch.delenv("OMP_WAIT_POLICY")
    # Set for the end of the test to take away again.
    for name in threads.WAITING:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    threads.wait_without_spinning()
    assert subprocess.check_output([sys.executable, "-c", "import os; print(os.environ['OMP_WAIT_POLICY'])"]) == (
        b"passive\n"
    )


def test_cores_are_those_a_container_has_time_for(tmp_path: Path) -> None:
    own = tmp_path / "own"
    inner = tmp_path / "box" / "job"
    inner.mkdir(parents=True)
    own.write_text("0::/box/job\n")
    assert core_quota(tmp_path, own) is None
    (inner / "cpu.max").write_text("max 100000\n")
    (tmp_path / "box" / "cpu.max").write_text("250000 100000\n")
    assert core_quota(tmp_path, own) == 2.5
    # Version 1 of cgroups, where the CPU is a tree of its own.
    old = tmp_path / "cpu,cpuacct" / "box"
    old.mkdir(parents=True)
    (old / "cpu.cfs_quota_us").write_text("150000\n")
    (old / "cpu.cfs_period_us").write_text("100000\n")
    own.write_text("3:memory:/box\n4:cpu,cpuacct:/box\n")
    assert core_quota(tmp_path, own) == 1.5


def test_a_busy_machine_gets_half_of_the_threads() -> None:
    assert threads_to_use(8, 0.2)[0] == 8
    assert threads_to_use(8, 1.4) == (4, "half of 8 cores: the load is 1.4 a core")
    assert threads_to_use(1, 3.0)[0] == 1


def test_the_parts_of_a_run_are_counted() -> None:
    """40 steps, 10 a pass, measured at every 10th and at the start: 3 between, one before, one at the end."""
    values = {"eval_every": 10, "eval_at_start": True}
    sizes = Sizes(heldout=1000, rows=500, others=70, answers=60, samples=20, base=7)
    found = parts_of(values, {"save_strategy": "epoch"}, steps=40, epoch=10, sizes=sizes)
    assert {part.name: part.units for part in found} == {
        "steps": 40, "evaluations": 5000, "answers": 7 + 3 * 20 + 60, "row losses": 4 * 500 + 70, "saving": 5
    }  # fmt: skip
    # Taken up at step 20: the measurement of step 10 and 20, and the pass over the rows at 13, were done.
    found = parts_of(values, {"save_strategy": "epoch"}, steps=40, epoch=10, sizes=sizes, begun=20)
    assert [part.units for part in found] == [20, 3000, 7 + 1 * 20 + 60, 2 * 500 + 70, 3]


def test_half_way_the_time_left_is_right_where_measuring_takes_most_of_it() -> None:
    """20 steps of 2 s, the first of 9 s, held-out rows in 10 s after every fifth, answers in 30 s at the end alone: of
    77 + 3 x 10 + 10 + 30 s, 87 are to come after step 10 and its measurement. A pace of steps alone would say 20."""
    left = TimeLeft()
    values = {"eval_every": 5, "eval_at_start": False}
    left.expect(parts_of(values, {}, steps=20, epoch=20, sizes=Sizes(heldout=1000, answers=60)))
    left.guess(write=0.5, save=0.0)
    assert left.seconds() is None  # nothing is known of a step yet
    for step in range(1, 11):
        left.took(STEP, 9.0 if step == 1 else 2.0, 1)
        if step % 5 == 0:
            left.took(READ, 10.0, 1000)
    assert left.seconds() == 10 * 2.0 + 10 + 10 + 30
    # What was guessed is corrected as soon as it is done: answers came to an end after half of their tokens.
    left.took(WRITE, 15.0, 60)
    assert left.seconds() == 40.0


def plain_spec(**settings: Any) -> RunSpec:
    small = {"batch": 4, "micro_batch": 2, "steps": 10, "row_losses": 0, "save_strategy": "no", "eval_every": 0}
    return choose_spec(name="x", rows=4, model="somewhere/model", settings={**small, **settings})


PACE = {"start": 3.0, "step_token": 0.01, "read_token": 0.004, "write_token": 0.1, "threads": 2, "load": 0.5,
        "batches": 3, "precision": "float32", "cached": False}  # fmt: skip
LENGTHS = {"a": 10, "b": 20, "c": 30, "d": 40}


def test_the_estimate_is_the_sum_of_its_parts_and_names_each() -> None:
    """Two of four rows: the longer one is 20, 30, 30, 40, 40, 40 tokens long, 33.3 in the mean; a step of four rows as
    two such pairs is 4 x 33.3 x 0.01 s."""
    model = {"parameters": 1_000_000, "lora_parameters": 0}
    answer = {"pace": PACE, "model": model, "sequences": None, "sizes": {"heldout": 500, "answers": 40}}
    told = run_seconds(plain_spec(), answer, None, LENGTHS, None)
    assert told.parts["steps"] == pytest.approx(10 * 4 * (200 / 6) * 0.01, abs=0.05)
    # Imports, loading, and the longest batch that is tried first.
    assert told.parts["start"] == pytest.approx(8 + 3 + 2 * 40 * 0.01, abs=0.05)
    starts = 2 if plain_spec().eval_at_start.value else 1
    assert told.parts["evaluations"] == pytest.approx(starts * 500 * 0.004, abs=0.05)
    assert told.parts["answers"] == pytest.approx(40 * 0.1, abs=0.05)
    assert told.value == pytest.approx(sum(told.parts.values()), abs=0.1)
    for words in ("10 steps of", "start 12 s", "answers 4 s", "threads: 2", "float32", "measured just now"):
        assert words in told.reason
    with_rows = run_seconds(plain_spec(row_losses=100), answer, None, LENGTHS, None)
    assert with_rows.parts["row losses"] == pytest.approx(4 * 100 * 0.004, abs=0.05)


def test_without_a_measurement_the_time_says_it_is_a_formula_and_how_far_it_may_be_off() -> None:
    answer = {
        "pace": {"why_not": "the model takes 60.0 GB"},
        "sequences": None,
        "device": {"kind": "cpu", "flops": 1e9},
        "model": {"parameters": 1_000_000, "lora_parameters": 0},
        "sizes": {},
    }
    told = run_seconds(plain_spec(threads=1), answer, None, LENGTHS, None)
    assert "a formula, not a measurement (the model takes 60.0 GB)" in told.reason
    assert (told.high or 0) > 10 * (told.low or 0) > 0
    measured = run_seconds(plain_spec(threads=1), {**answer, "pace": PACE}, None, LENGTHS, None)
    assert (measured.high or 0) <= 2.1 * (measured.low or 0)


def test_single_rows_are_measured_unasked_only_where_that_is_cheap() -> None:
    """Four passes at a third of a step's price: of 3 epochs 4/9, of 20 epochs 1/15."""
    dear = row_losses_if_cheap(plain_spec(steps=0, epochs=3, batch=4), 100)
    assert (dear.value, "44% in all" in dear.reason) == (0, True)
    cheap = row_losses_if_cheap(plain_spec(steps=0, epochs=20, batch=4), 100)
    assert (cheap.value, "7% in all" in cheap.reason) == (2000, True)


def test_a_cpu_trains_in_bfloat16_only_where_that_was_measured_to_be_faster() -> None:
    assert bf16_on_cpu(1.8) == (True, "bfloat16 arithmetic, 1.8 times as fast on this CPU (measured), float32 weights")
    with pytest.raises(ValueError, match=r"2\.0 times slower than float32 on this CPU"):
        bf16_on_cpu(0.5)
