"""What a killed command leaves behind: no process that goes on for nobody, and no folder once the next one has run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.job_process import job_command
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from engine.scratch import cache_base, scratch_folder
from engine.trust import remember_made

SECONDS = 30.0
# A launcher that stays between the command and the interpreter, as `uv run` does.
LAUNCHER = ["/bin/sh", "-c", '"$@"; exit $?', "launcher", sys.executable]


def make_project(place: Path, command: list[str]) -> Path:
    """Twenty accepted rows, and the interpreter that the plan asks."""
    rows = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(20)]
    source = place / "raw.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = create_project(source)
    remember_made(folder)
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(map(project.rows.id, range(20))))])
    (folder / "config.toml").write_text(f"[training]\ncommand = {json.dumps(command)}\n")
    return folder


def descendants(of: int) -> Iterator[int]:
    """The processes that a process has started, and theirs."""
    for task in Path(f"/proc/{of}/task").glob("*/children"):
        for child in task.read_text().split():
            yield int(child)
            yield from descendants(int(child))


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def wait_for(pid: int, words: str) -> int:
    """The descendant whose command line holds the words, once there is one."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = [
            child for child in descendants(pid) if words in command_line(child) and "/sh" not in command_line(child)
        ]
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"no {words} under {pid}")


def has_ended(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while command_line(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not command_line(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux is asked for it")
@pytest.mark.parametrize("command", [[sys.executable], pytest.param(LAUNCHER, marks=pytest.mark.slow)])
def test_a_killed_plan_leaves_no_process_and_the_next_use_takes_its_folder(tmp_path: Path, command: list[str]) -> None:
    folder = make_project(tmp_path, command)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    plan = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "plan", str(folder)], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = wait_for(plan.pid, "main.py preflight")
    plan.send_signal(signal.SIGKILL)
    plan.wait()
    assert has_ended(worker)
    assert list(temporary.iterdir()) == []
    assert [path.name.split(".")[1] for path in cache_base().iterdir()] == ["plan"]
    with scratch_folder("versions") as own:
        assert list(cache_base().iterdir()) == [own]
    assert list(cache_base().iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux is asked for it")
def test_a_job_ends_with_whoever_started_it_though_its_stdin_stays_open(tmp_path: Path) -> None:
    folder = make_project(tmp_path, [sys.executable])
    reading, writing = os.pipe()  # held open here, so that only the death of the starter can end the job
    words = [*job_command("engine.jobs.plan", str(folder), "{}")]
    starter = (
        "import os, subprocess, sys; words = sys.argv[1:]; words[3] = str(os.getpid());"
        "subprocess.Popen(words, stdin=0).wait()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", starter, *words], stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    job = wait_for(process.pid, "engine.jobs.plan")
    worker = wait_for(job, "main.py preflight")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert has_ended(job)
    assert has_ended(worker)
    os.close(reading)
    os.close(writing)
