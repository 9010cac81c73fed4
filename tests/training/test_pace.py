"""How long a run takes: its threads, what it is made of, what is told before it starts and while it goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.training.spec.threads import core_quota, threads_to_use
from engine.training.worker import threads

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
