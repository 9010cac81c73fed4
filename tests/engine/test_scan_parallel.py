"""A second process takes half of the work and changes nothing that is found."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scan_rows import chat, row, unique

from engine.model import Example, Findings
from engine.scan import parallel
from engine.scan.cache import ScanCache
from engine.scan.parallel import second_process
from engine.scan.pipeline import scan
from engine.scan.progress import ScanCancelled

SUBJECTS = ("harbour", "lantern", "orchard", "violin", "glacier", "pepper", "cathedral", "saddle", "thunder", "marble")
TEMPLATES = (
    "Describe the {} of the old town number {n}",
    "List {n} uses of a {}",
    "Why is the {} important to sailor {n}?",
    "解释什么是{}{n}",
)


def made(seed: int, count: int = 260) -> list[Example]:
    rng = random.Random(seed)
    found = []
    for number in range(count):
        text = rng.choice(TEMPLATES).format(rng.choice(SUBJECTS), n=rng.randint(2, 60))
        if rng.random() < 0.5 and number:
            text = rng.choice((text.upper(), f"Please {text}", text.replace("e", "ee", 1), text + " !\udc80"))
        answer = rng.choice(("One.", "two", "Yes, e-mail me at ana@example.org", "x" * 200))
        found.append(row(number, text, answer) if rng.random() < 0.9 else chat(number, text, "Sure.", "go on", answer))
    return unique(found)


def contents(findings: Findings) -> Findings:
    return dataclasses.replace(findings, seconds={})


@pytest.fixture
def always_beside(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    return send_all_beside(monkeypatch)


def send_all_beside(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every part of the work goes to a second process, however small; the list counts them."""
    for place in (
        "pipeline.FEWEST_CHARACTERS",
        "flagging.FEWEST_ROWS",
        "duplicates.pairs.FEWEST_PAIRS",
        "duplicates.clusters.FEWEST_GROUPS",
    ):
        monkeypatch.setattr(f"engine.scan.{place}", 1)
    monkeypatch.setattr("engine.scan.pipeline.second_core", lambda: True)
    started: list[int] = []
    fork = os.fork

    def counted() -> int:
        process = fork()
        started.append(process)
        return process

    monkeypatch.setattr(os, "fork", counted)
    return started


def children() -> set[str]:
    """The processes that this one has started and not yet waited for, whichever thread did."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


before: set[str] = set()
"""The children that other tests in this process have left."""


@pytest.fixture(autouse=True)
def _children_of_others() -> None:
    before.clear()
    before.update(children())


def no_child_is_left() -> bool:
    return children() <= before


@pytest.mark.parametrize("own_characters", [0, 5_000_000])
@pytest.mark.parametrize("exhaustive_below", [0, 3000])
@pytest.mark.parametrize("seed", range(3))
def test_two_processes_find_what_one_finds(
    seed: int,
    exhaustive_below: int,
    own_characters: int,
    always_beside: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All rows are split into words by the second process, or half of them by each.
    monkeypatch.setattr("engine.scan.pipeline.OWN_CHARACTERS", own_characters)
    monkeypatch.setattr("engine.scan.duplicates.pairs.EXHAUSTIVE_BELOW", exhaustive_below)
    examples, heldout = made(seed), frozenset(range(0, 260, 13))
    alone = scan(examples, heldout=heldout, processes=1)
    assert always_beside == []
    assert contents(scan(examples, heldout=heldout, processes=2)) == contents(alone)
    # Words, two rounds of verdicts, flags, and the clusters of either side.
    assert len(always_beside) >= 5
    assert no_child_is_left()


def test_the_cache_takes_in_what_the_second_process_worked_out(always_beside: list[int]) -> None:
    caches = [ScanCache(), ScanCache()]
    for cache, processes in zip(caches, (1, 2), strict=True):
        scan(made(1), cache=cache, signals=(), processes=processes)
    assert caches[0].pairs == caches[1].pairs
    alone = contents(scan(made(1), signals=(), processes=1))
    started = len(always_beside)
    assert contents(scan(made(1), cache=caches[1], signals=(), processes=2)) == alone
    # Words and verdicts are known: only clusters are told beside.
    assert len(always_beside) - started <= 2
    assert caches[1].worked_out == 0


THREADS = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import pytest, test_scan_parallel as here
from engine.scan.pipeline import scan
started = here.send_all_beside(pytest.MonkeyPatch())
done = threading.Event()
thread = threading.Thread(target=done.wait)
thread.start()
scan(here.made(1), signals=())
with_another = len(started)
done.set()
thread.join()
scan(here.made(1), signals=())
print(with_another, len(started) > 0)
"""


def test_another_thread_in_this_process_keeps_the_scan_from_forking() -> None:
    """In a process of its own: other tests leave threads behind."""
    words = [sys.executable, "-c", THREADS, str(Path(__file__).parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]


def test_a_cancelled_scan_leaves_no_process(always_beside: list[int]) -> None:
    calls: list[int] = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 2

    monotonic = iter(range(1_000_000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.scan.progress.time.perf_counter", lambda: float(next(monotonic)))
        with pytest.raises(ScanCancelled):
            scan(made(2), cancelled=cancelled, processes=2)
    assert always_beside != []
    assert no_child_is_left()


def answer_of(work: Callable[[Callable[[], None]], bytes]) -> bytes:
    with second_process(work, forked=True) as answer:
        return answer()


def test_work_is_done_here_where_the_process_is_killed_or_fails() -> None:
    parent = os.getpid()

    def killed(wanted: Callable[[], None]) -> bytes:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return b"done here"

    def fails(wanted: Callable[[], None]) -> bytes:
        if os.getpid() != parent:
            raise MemoryError
        return b"done here"

    assert answer_of(killed) == answer_of(fails) == b"done here"
    assert no_child_is_left()


def test_a_fault_of_the_work_is_told_here() -> None:
    def wrong(wanted: Callable[[], None]) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer_of(wrong)
    assert no_child_is_left()


def test_large_answers_come_whole() -> None:
    assert answer_of(lambda wanted: b"ab" * 3_000_000) == b"ab" * 3_000_000


def test_a_process_that_nobody_waits_for_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = os.getpid()
    ended: list[Any] = []
    monkeypatch.setattr(os, "_exit", lambda code: ended.append(code))
    receiving, sending = os.pipe()
    # As in a process whose parent is gone.
    monkeypatch.setattr(os, "getppid", lambda: parent + 1)
    parallel._answer(lambda wanted: wanted() or b"", parent, sending)
    os.close(receiving)
    assert ended[0] == 1


def test_a_scan_whose_second_processes_all_die_finds_the_same(
    always_beside: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = contents(scan(made(1), processes=1))
    monkeypatch.setattr(parallel, "_answer", lambda work, parent, sending: os._exit(1))
    assert contents(scan(made(1), processes=2)) == alone
    assert len(always_beside) >= 5
    assert no_child_is_left()
