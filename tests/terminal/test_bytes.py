"""What a key may cost: bytes are exact, so they have ceilings; times have none here."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import planted
import pytest
from pseudo import Terminal, tamis

from engine.model import Findings

OVER_SSH = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
TALK = [
    {
        "instruction": f"Explain to a colleague how step {number} of the recipe works, and what may go wrong with it.",
        "input": "",
        "output": f"In step {number} you stir slowly. "
        + "It is done when the spoon stands by itself. " * (1 + number % 4),
    }
    for number in range(60)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path, TALK, Findings.empty(len(TALK)))


def costs(terminal: Terminal, keys: str) -> list[int]:
    """Bytes sent for each key, its frames answered."""
    spent = []
    for key in keys:
        before = len(terminal.output)
        terminal.type(key)
        terminal.wait_for_rest()
        spent.append(len(terminal.output) - before)
    return spent


def test_over_ssh_a_decision_costs_few_bytes_and_a_page_not_many(folder: Path) -> None:
    with Terminal(tamis(folder), columns=120, rows=40, environment=OVER_SSH, answers=True) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("\r")
        moves, verdicts = costs(terminal, "j" * 9), costs(terminal, "xa" * 4)
        assert statistics.median(moves) <= 500
        assert statistics.median(verdicts) <= 600
        (page,) = costs(terminal, "\x06")
        assert page <= 4000
        assert b"38;2;" not in terminal.output


def test_a_mark_alone_costs_a_few_dozen_bytes(folder: Path) -> None:
    with Terminal(tamis(folder), columns=120, rows=40, environment=OVER_SSH, answers=True) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("/row:7\r", "x")
        terminal.wait_for("\u27171")
        # Nothing else is open here, so the cursor stays: what changes is the mark, the counts and the sentence.
        assert max(costs(terminal, "axax")) <= 150


def test_nothing_is_sent_and_little_is_done_while_nobody_types(folder: Path) -> None:
    with Terminal(tamis(folder), environment=OVER_SSH, answers=True) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("\r", "j")
        terminal.wait_for_rest()
        before, busy = len(terminal.output), cpu_seconds(terminal.pid)
        terminal.read_for(3.0)
        assert len(terminal.output) == before
        assert cpu_seconds(terminal.pid) - busy <= 0.03


def test_a_key_takes_little_cpu(folder: Path) -> None:
    """Time of the processor, not of the clock. Four times what a quiet machine needs: it tells a screen that is made
    anew with every key, not a slow machine."""
    with Terminal(tamis(folder), columns=120, rows=40, environment=OVER_SSH, answers=True) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("\r", "j")
        for keys in ("jk" * 10, "xa" * 10):
            busy = cpu_seconds(terminal.pid)
            for key in keys:
                terminal.type(key)
                terminal.settle(0.05)
            assert (cpu_seconds(terminal.pid) - busy) / len(keys) <= 0.03


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
