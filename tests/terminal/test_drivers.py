"""Whole sittings: what the cell-diffing driver sends shows what the frames of Textual would have shown."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import planted
import pytest
from pseudo import Emulated, Terminal, tamis

from engine.model import Findings

HERE = Path(__file__).parent
KEYS = [*"\rjjwk]]\ru", "/", "row:3-30", "\r", *"jjJex", "\x1b", "/row:5-9\r", *"oG?q"]
CONTENT = [
    {
        "instruction": f"数据 {n} ノート e\u0301 한글 {'─' * n}",
        "input": "",
        "output": f"回答 {n}\n\tn\u0303o 👩\u200d👧 नमस्ते " * (1 + n % 5),
    }
    for n in range(40)
]


def mixed_folder(place: Path) -> Path:
    return planted.make_folder(place, CONTENT, Findings.empty(len(CONTENT)))


def steps_of(log: Path) -> Iterator[list[object]]:
    with log.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def same_all_along(log: Path, size: tuple[int, int]) -> int:
    """Feed the frames to one emulated terminal and what was sent to another; how often they were compared."""
    stock, ours = Emulated(*size), Emulated(*size)
    compared = 0
    for number, step in enumerate(steps_of(log)):
        if step[0] == "in":
            _, width, height, frame = step
            if (width, height) != size:
                size = (width, height)  # type: ignore[assignment]
                stock.resize(*size)
                ours.resize(*size)
            stock.feed_frame(frame)  # type: ignore[arg-type]
        elif step[0] == "out":
            ours.feed(step[1])  # type: ignore[arg-type]
        elif step[1]:
            compared += 1
            assert ours.cells() == stock.cells(), f"line {number} of {log}"
    return compared


@contextmanager
def recorded(place: Path, size: tuple[int, int], *, answers: bool = True) -> Iterator[tuple[Terminal, Path]]:
    """The workbench with a driver that keeps a log, once it can be used; the log."""
    log = place / "log"
    words = [sys.executable, str(HERE / "recorded.py"), str(log), str(mixed_folder(place)), "--as", "ann"]
    environment = {"PYTHONPATH": str(HERE.parent.parent)}
    with Terminal(words, columns=size[0], rows=size[1], environment=environment, answers=answers) as terminal:
        terminal.wait_for("What the scan proposes")
        yield terminal, log


@pytest.mark.parametrize(("size", "answers"), [((80, 24), True), ((120, 40), False), ((61, 17), True)])
def test_after_every_frame_of_a_sitting_the_screen_is_that_of_the_stock_driver(
    tmp_path: Path, size: tuple[int, int], answers: bool
) -> None:
    with recorded(tmp_path, size, answers=answers) as (terminal, log):
        terminal.keys(*KEYS)
        terminal.resize(size[0] - 9, size[1] - 3)
        terminal.keys(*"\rj")
        terminal.resize(*size)
        terminal.keys(*"jq")
        assert terminal.wait_for_end() == 0
    assert same_all_along(log, size) > len(KEYS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_after_every_frame_of_random_sittings(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    size = dice.choice([(80, 24), (120, 40), (45, 12), (200, 60)])
    keys = [*"jjjkkkaxu JKgGwonp]v", "/row:3-30\r", "/\r", "\r", "?", "\x1b", "e", "\t", "\x04", "\x15"]
    with recorded(tmp_path, size) as (terminal, log):
        for _ in range(400):
            if dice.random() < 0.04:
                terminal.resize(dice.randint(2, 200), dice.randint(2, 60))
            else:
                terminal.type(dice.choice(keys) * dice.choice((1, 1, 1, 3)))
                if dice.random() < 0.5:
                    terminal.settle(0.02)
        terminal.settle()
        terminal.hang_up()
        terminal.wait_for_end()
    assert same_all_along(log, size) > 80


def test_a_sitting_through_either_driver_looks_the_same(tmp_path: Path) -> None:
    """Two processes, so each picture is taken when its program waits for keys and for nothing else."""
    pictures: dict[str, list[list[list[tuple[object, ...]]]]] = {}
    sent = []
    for driver in ("stock", "cells"):
        place = tmp_path / driver
        place.mkdir()
        with Terminal(tamis(mixed_folder(place), "--driver", driver), columns=120, rows=40) as terminal:
            terminal.wait_for("What the scan proposes")
            taken = pictures[driver] = []
            for key in KEYS:
                terminal.type(key)
                terminal.wait_for_rest()
                taken.append(terminal.cells())
            sent.append(len(terminal.output))
    for key, stock, cells in zip(KEYS, pictures["stock"], pictures["cells"], strict=True):
        assert cells == stock, f"after {key!r}"
    assert sent[1] < sent[0] / 2
