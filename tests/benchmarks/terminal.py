"""The workbench as a terminal sees it: first paint, and bytes, time and CPU per key, in a pty of our own.

A curses program that paints a list and a reader runs in the same minute: wall times mean something only beside it. So
do VisiData, where it is installed, and datatui, where `--datatui` says with which interpreter. Alpaca rows, and
conversations of 8 kB made here.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from engine.model import Findings
from engine.paths import shipped_dir
from engine.project.create import create_project
from engine.project.project import open_project
from tests.benchmarks.duplicate_rows import conversations
from tests.terminal.pseudo import ANSWER, QUESTION, Terminal

QUIET_SECONDS = 0.08
# About 8 kB each.
CONVERSATIONS = 12_000
PLACE = json.dumps({"v": 1, "asked": ["mapping", "heldout"]})
OVER_SSH = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
FLOOR = """
import curses, json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
def main(screen):
    curses.curs_set(0)
    height, width = screen.getmaxyx()
    at = 0
    while True:
        screen.erase()
        top = at - at % (height - 2)
        for y, row in enumerate(rows[top:top + height - 2]):
            screen.addnstr(y, 0, row["instruction"], width * 2 // 5, curses.A_REVERSE if top + y == at else 0)
        text = rows[at]["instruction"] + chr(10) + rows[at].get("input", "") + chr(10) + rows[at]["output"]
        y, room = 0, width * 3 // 5 - 2
        for line in text.split(chr(10)):
            for start in range(0, max(1, len(line)), room):
                if y < height - 2:
                    screen.addnstr(y, width * 2 // 5 + 1, line[start:start + room], room)
                    y += 1
        screen.addstr(height - 1, 0, "ready")
        screen.refresh()
        key = screen.getch()
        if key == ord("q"):
            return
        at = min(at + 1, len(rows) - 1) if key == ord("j") else at
curses.wrapper(main)
"""
DATATUI = """
import json
from datatui import datatui
datatui(json.load(open({texts!r})), "default", {cache!r})
"""


class Measured(Terminal):
    """Keys with the time to the last byte, the bytes and the CPU they cost."""

    def measure(self, key: str) -> tuple[float, int, float]:
        """(ms to the last byte, bytes, CPU ms of the process)."""
        before, busy = len(self.output), self._cpu()
        start = last = time.perf_counter()
        os.write(self._master, key.encode())
        chunks = []
        while select.select([self._master], [], [], QUIET_SECONDS)[0]:
            content = os.read(self._master, 65536)
            last = time.perf_counter()
            chunks.append(content)
            for _ in range(content.count(QUESTION)):
                os.write(self._master, ANSWER)
        cpu = (self._cpu() - busy) * 1000
        for content in chunks:
            self.output += content
            self._stream.feed(content)
        return (last - start) * 1000, len(self.output) - before, cpu

    def _cpu(self) -> float:
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1e9

    def rss_mb(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0


def summary(measured: list[tuple[float, int, float]]) -> dict[str, float]:
    """Medians and 95th percentiles."""
    times, sizes, cpu = ([one[index] for one in measured] for index in range(3))
    return {
        "ms_p50": round(statistics.median(times), 1),
        "ms_p95": round(statistics.quantiles(times, n=20)[-1], 1),
        "bytes_p50": round(statistics.median(sizes)),
        "bytes_p95": round(statistics.quantiles(sizes, n=20)[-1]),
        "cpu_ms": round(statistics.mean(cpu), 1),
    }


def run(
    argv: list[str],
    ready: str,
    keys: dict[str, list[str]],
    before: list[str],
    environment: dict[str, str] | None = None,
) -> dict[str, object]:
    """Start a program, wait until it can be used, press keys."""
    start = time.perf_counter()
    with Measured(argv, columns=120, rows=40, answers=True, environment=environment) as terminal:
        terminal.wait_for(ready)
        found: dict[str, object] = {"first_paint_s": round(time.perf_counter() - start, 2)}
        terminal.settle(1.0)
        for key in before:
            terminal.keys(key)
            terminal.settle(0.5)
        for name, pressed in keys.items():
            found[name] = summary([terminal.measure(key) for key in pressed])
        found["rss_mb"] = round(terminal.rss_mb())
        busy = terminal._cpu()
        sent = len(terminal.output)
        time.sleep(3)
        terminal.settle()
        found["idle_cpu_percent"] = round((terminal._cpu() - busy) / 3 * 100, 2)
        found["idle_bytes"] = len(terminal.output) - sent
    return found


def ready_project(source: Path, place: Path) -> Path:
    """A project of the rows as if scanned, without findings, whose first questions are answered."""
    place.mkdir()
    folder = create_project(source, place / "raw.tamis")
    with open_project(folder, readonly=True) as project:
        project.save_findings(Findings.empty(len(project.rows)))
    (folder / "session.json").write_text(PLACE)
    return folder


def write_conversations(path: Path) -> Path:
    """A file of long conversations."""
    with path.open("w") as stream:
        for turns in conversations(CONVERSATIONS):
            messages = [{"role": role, "content": text} for role, text in turns]
            stream.write(json.dumps({"messages": messages}) + "\n")
    return path


def ours(source: Path, place: Path) -> dict[str, object]:
    """The workbench on a source: over SSH (256 colours, which take fewer bytes), in 24 bits, and Textual's driver."""
    out: dict[str, object] = {}
    folder = ready_project(source, place)
    for name, environment in (("cells over ssh", OVER_SSH), ("cells", {}), ("stock", {})):
        (folder / "session.json").write_text(PLACE)
        driver = name.partition(" ")[0]
        words = [sys.executable, "-m", "workbench.cli.main", str(folder), "--as", "bench", "--driver", driver]
        keys = {"j": ["j"] * 60, "verdict": ["x", "a"] * 30}
        out[name] = run(words, "What the scan proposes", keys, ["/bucket:clean\r"], environment)
    return out


def visidata(source: Path, column: str) -> dict[str, object]:
    """VisiData on the same file, from row to row: a table, without a reader."""
    words = [sys.executable, "-m", "visidata", "--config=/dev/null", "-f", "jsonl", str(source)]
    return run(words, column, {"j": ["j"] * 60}, [])


def datatui(python: str, source: Path, place: Path) -> dict[str, object]:
    """datatui on the same texts, one after the other: a reader, without a list. `python` is where it is installed."""
    texts = (
        "\n".join((row["instruction"], row.get("input", ""), row["output"])) for row in map(json.loads, source.open())
    )
    (place / "texts.json").write_text(json.dumps([{"content": text} for text in texts]))
    starter = place / "datatui_start.py"
    starter.write_text(DATATUI.format(texts=str(place / "texts.json"), cache=str(place / "cache")))
    return run([python, str(starter)], "Annotate yes", {"verdict": ["j", "f"] * 30}, [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sample = shipped_dir("sample_data") / "support.jsonl"
    parser.add_argument("source", type=Path, nargs="?", default=sample, help="a JSONL file of Alpaca rows")
    parser.add_argument(
        "--datatui", metavar="PYTHON", help="an interpreter that has datatui: its wheel brings a `tests`"
    )
    asked = parser.parse_args()
    source: Path = asked.source.resolve()
    out: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        floor = place / "floor.py"
        floor.write_text(FLOOR)
        out["rows"] = ours(source, place / "rows")
        out["curses"] = run([sys.executable, str(floor), str(source)], "ready", {"j": ["j"] * 60}, [])
        long = write_conversations(place / "long.jsonl")
        out["conversations"] = ours(long, place / "long")
        if find_spec("visidata") is not None:
            out["visidata"] = {"rows": visidata(source, "instruction"), "conversations": visidata(long, "messages")}
        if asked.datatui:
            out["datatui"] = datatui(asked.datatui, source, place)
    print(json.dumps(out, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
