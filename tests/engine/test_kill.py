"""kill -9 at random moments of a scripted triage: what was acknowledged is there, and nothing else is half there."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from projects import make_project, numbered

from engine.project.project import open_project

ROWS = 60
# A sitting that never ends: verdicts, edits, bulk acts, undo and redo, each acknowledged on stdout after it returned.
SITTING = """
import random, sys
from engine.model import Act
from engine.project import journals
from engine.project.project import open_project
journals.SNAPSHOT_LINES = 7
dice = random.Random(int(sys.argv[2]))
while True:
    with open_project(sys.argv[1], reviewer="ann") as project:
        assert not project.readonly, project.readonly_reason
        ids = [project.rows.id(n) for n in range(len(project.rows))]
        for _ in range(dice.randint(1, 30)):
            what = dice.random()
            last = project.last_line + 1
            if what < 0.15:
                last = last if project.undo() else last - 1
            elif what < 0.25:
                last = last if project.redo() else last - 1
            elif what < 0.4:
                one = dice.choice(ids)
                project.decide([Act("edit", (one,), {one: {"instruction": "e", "output": str(dice.random())}})])
            else:
                verdict = dice.choice(["accept", "reject", "skip", "reset"])
                project.decide([Act(verdict, tuple(dice.sample(ids, dice.randint(1, 20))))], seen=ids[:1])
            said = [project.verdict(n)[0] + str(len(str(project.current_row(n)))) for n in range(len(ids))]
            print(last, said, flush=True)
"""


def killed_once(folder: Path, seed: int) -> tuple[int, str]:
    """Let a sitting run a random while and kill it: the last acknowledged line number and the state said with it."""
    writer = subprocess.Popen(
        [sys.executable, "-c", SITTING, str(folder), str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(random.Random(seed).random() * 0.12)
    writer.send_signal(signal.SIGKILL)
    said = [first, *writer.stdout.readlines()]
    writer.wait()
    # The last line may be cut by the kill; it was acknowledged only if it is whole.
    whole = [line for line in said if line.endswith("]\n")]
    number, _, state = whole[-1].partition(" ")
    return int(number), state.strip()


def check_kills(folder: Path, count: int) -> None:
    for seed in range(count):
        acknowledged, state = killed_once(folder, seed)
        journal = next((folder / "decisions").glob("ann@*.jsonl"))
        numbers = [json.loads(line)["n"] for line in journal.read_bytes().split(b"\n")[:-1]]
        assert numbers == list(range(1, len(numbers) + 1)), f"kill {seed}"
        assert len(numbers) >= acknowledged, f"kill {seed} lost an acknowledged act"
        if len(numbers) == acknowledged:
            with open_project(folder, readonly=True) as project:
                found = [project.verdict(n)[0] + str(len(str(project.current_row(n)))) for n in range(ROWS)]
            assert str(found) == state, f"kill {seed}"
        if len(numbers) > 3000:
            shutil.rmtree(folder / "decisions")
            (folder / "decisions").mkdir()


def test_twelve_kills_lose_nothing(tmp_path: Path) -> None:
    check_kills(make_project(tmp_path, numbered(ROWS)), 12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_kills_lose_nothing(tmp_path: Path) -> None:
    check_kills(make_project(tmp_path, numbered(ROWS)), 1000)
