"""The workbench behind a slow link: from a key pressed at the far end to the last byte that arrives there.

The link is emulated between the terminal and the pty: each read of the server is one SSH packet, sent at the bit rate
behind the one before it, shown when it is complete, half a round trip later. The terminal answers questions when they
arrive. No server and no root are needed; what is left out is TCP's own behaviour (slow start, loss) and the pings that
newer clients hide keys among.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import select
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.paths import shipped_dir
from tests.benchmarks.terminal import FLOOR, OVER_SSH, ready_project
from tests.terminal.pseudo import ANSWER, QUESTION, Terminal

# A packet of SSH: length and tag (chacha20-poly1305), and in multiples of eight what stands around the content
# (RFC 4253, 6; RFC 4254, 5.2). TCP/IP: its headers with time stamps, for each segment.
SSH_FRAME, SSH_AROUND, SSH_BLOCK = 4 + 16, 14, 8
TCP_BYTES, SEGMENT = 52, 1448
# sshd reads at most so much of a pty at once, and stops reading while more than this waits to be sent.
SERVER_READ, SERVER_QUEUE = 4096, 32 * 1024
# Nothing is on its way and the program has been silent for this long: the key is done.
QUIET_SECONDS = 0.12
KEYS, HOLD_KEYS, HOLD_HZ = 60, 60, 30
GOAL_BEYOND_RTT_MS, GOAL_DRAIN_BEYOND_RTT_MS = 100, 300
# Name, driver (none: the curses program), whether `ssh -C` is emulated.
KINDS = (("cells", "cells", False), ("cells, ssh -C", "cells", True), ("stock", "stock", False), ("curses", "", False))


class Direction:
    """One way through the link: packets leave one after the other; `push` says when one has arrived."""

    def __init__(self, bits_per_second: float, delay: float, compressed: bool) -> None:
        self._bits_per_second, self._delay = bits_per_second, delay
        self._free = 0.0
        self._compress: Callable[[bytes], int] = _compressor() if compressed else len
        self.queue: list[tuple[float, bytes]] = []

    def push(self, content: bytes, now: float) -> None:
        self._free = max(now, self._free) + 8 * on_the_wire(self._compress(content)) / self._bits_per_second
        heapq.heappush(self.queue, (self._free + self._delay, content))

    def due(self, now: float) -> tuple[float, bytes] | None:
        """The next packet that has arrived by now, with the moment it did."""
        return heapq.heappop(self.queue) if self.queue and self.queue[0][0] <= now else None

    @property
    def waiting(self) -> int:
        return sum(len(content) for _, content in self.queue)


def on_the_wire(size: int) -> int:
    """Bytes on the wire for so many of a terminal."""
    packet = SSH_FRAME + -(-(size + SSH_AROUND) // SSH_BLOCK) * SSH_BLOCK
    return packet + TCP_BYTES * -(-packet // SEGMENT)


def _compressor() -> Callable[[bytes], int]:
    """How long a packet is after `ssh -C`: one stream of zlib, flushed with each packet."""
    stream = zlib.compressobj()
    return lambda content: len(stream.compress(content) + stream.flush(zlib.Z_SYNC_FLUSH))


class FarTerminal(Terminal):
    """A terminal at the other end of the link. `last` is the moment the last byte arrived."""

    def __init__(
        self, argv: list[str], rtt: float, bits_per_second: float, *, compressed: bool = False, **options: Any
    ) -> None:
        self._up = Direction(bits_per_second, rtt / 2, compressed)
        self._down = Direction(bits_per_second, rtt / 2, compressed)
        self.last = 0.0
        super().__init__(argv, answers=True, **options)

    def type(self, keys: str) -> None:
        self._up.push(keys.encode(), time.perf_counter())

    def _read(self, seconds: float) -> bool:
        """Let the link run until something arrives here, for `seconds` at most; whether something did."""
        end = time.perf_counter() + seconds
        while True:
            now = time.perf_counter()
            while (key := self._up.due(now)) is not None:
                os.write(self._master, key[1])
            if (packet := self._down.due(now)) is not None:
                self._arrived(*packet)
                return True
            if now >= end:
                self._reap(os.WNOHANG)
                return False
            upcoming = [queue[0][0] for queue in (self._up.queue, self._down.queue) if queue]
            watched = [self._master] if self._down.waiting < SERVER_QUEUE else []
            if select.select(watched, [], [], max(0.0, min([end, *upcoming]) - now))[0]:
                try:
                    content = os.read(self._master, SERVER_READ)
                except OSError:
                    content = b""
                if not content and not self._down.queue:
                    self._reap(0)
                    return False
                self._down.push(content, time.perf_counter())

    def _arrived(self, moment: float, content: bytes) -> None:
        self.last = moment
        self.output += content
        for _ in range(content.count(QUESTION)):
            self._up.push(ANSWER, moment)
        self._stream.feed(content)

    def run_dry(self) -> None:
        """Until nothing is on its way and the program has nothing to say."""
        quiet_since = time.perf_counter()
        while time.perf_counter() - quiet_since < QUIET_SECONDS:
            if self._read(0.02) or self._up.queue or self._down.queue:
                quiet_since = time.perf_counter()

    def press(self, key: str) -> float:
        """ms from a key to the last byte it leads to."""
        start = self.last = time.perf_counter()
        self.type(key)
        self.run_dry()
        return (self.last - start) * 1000

    def hold(self, key: str, count: int, hz: float) -> float:
        """ms from the last of many keys to the last byte."""
        start = time.perf_counter()
        for number in range(count):
            while (left := start + number / hz - time.perf_counter()) > 0:
                self._read(left)
            pressed = time.perf_counter()
            self.type(key)
        self.run_dry()
        return (self.last - pressed) * 1000


def measure(terminal: FarTerminal, verdicts: bool) -> dict[str, float]:
    """What keys cost, one by one and held."""
    moves = [terminal.press("j") for _ in range(KEYS)]
    found = {"j_p50_ms": statistics.median(moves), "j_p95_ms": statistics.quantiles(moves, n=20)[-1]}
    if verdicts:
        times = [terminal.press(key) for key in "xa" * (KEYS // 2)]
        found |= {"verdict_p50_ms": statistics.median(times), "verdict_p95_ms": statistics.quantiles(times, n=20)[-1]}
    drains = [terminal.hold("j", HOLD_KEYS, HOLD_HZ) for _ in range(3)]
    return {name: round(value) for name, value in (found | {"drain_ms": statistics.median(drains)}).items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sample = shipped_dir("sample_data") / "support.jsonl"
    parser.add_argument("source", type=Path, nargs="?", default=sample, help="a JSONL file of Alpaca rows")
    parser.add_argument("--rtt", type=float, default=100, help="ms")
    parser.add_argument("--kbits", type=float, default=64)
    asked = parser.parse_args()
    link = (asked.rtt / 1000, asked.kbits * 1000)
    out: dict[str, Any] = {"rtt_ms": asked.rtt, "kbits": asked.kbits}
    with tempfile.TemporaryDirectory() as place:
        floor = Path(place) / "floor.py"
        floor.write_text(FLOOR)
        for name, driver, compressed in KINDS:
            folder = ready_project(asked.source.resolve(), Path(place) / name)
            words = [sys.executable, "-m", "workbench.cli.main", str(folder), "--as", "bench", "--driver", driver]
            curses = [sys.executable, str(floor), str(asked.source.resolve())]
            with FarTerminal(
                words if driver else curses, *link, compressed=compressed, columns=120, rows=40, environment=OVER_SSH
            ) as terminal:
                terminal.wait_for("What the scan proposes" if driver else "ready")
                terminal.run_dry()
                if driver:
                    terminal.press("/bucket:clean\r")
                out[name] = measure(terminal, verdicts=bool(driver))
    print(json.dumps(out, indent=2))
    ours = out["cells"]
    met = (
        ours["j_p50_ms"] <= asked.rtt + GOAL_BEYOND_RTT_MS and ours["drain_ms"] <= asked.rtt + GOAL_DRAIN_BEYOND_RTT_MS
    )
    print("goals met" if met else "goals missed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
