"""How soon a scanned project with 40,000 decisions can be used: spawn to first usable paint, memory, first row found.

Black box, in a pty of 120x40: the clock is read when bytes arrive, they are emulated afterwards, so that the emulator
costs the program nothing. An empty Textual application starts in turn with the others: times mean something only beside
it. All of them find their byte code compiled, as an installation has it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import select
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from engine.model import BucketName, Cluster, Findings, Flag, Span
from engine.paths import shipped_dir
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.reviewer import file_stem, install_id
from tests.terminal.pseudo import ANSWER, QUESTION, Terminal

COLUMNS, ROWS = 120, 40
DECISIONS = 40_000
REVIEWERS = ("bench", "second")
WORD, NEXT_WORD = "photosynthesis", "democracy"
QUIET_SECONDS = 0.4
# Longer than any pause between what is sent to prepare the terminal and the first frame.
START_QUIET_SECONDS = 2.0
LONGEST_SECONDS = 60.0
# CPU seconds in a second that count as doing nothing.
IDLE_SECONDS = 0.02
EMPTY = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    def compose(self):
        yield Static("ready")

Empty().run()
"""
SIGNALS = (("truncated", "check"), ("repetition", "fix"), ("arithmetic", "drop"), ("list_count", "check"))


# -- the data


def source_rows(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a JSONL file, again and again; further rounds carry their number, so that no two rows are equal."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    yield from rows
    turn = 2
    while True:
        yield from ({**row, "round": turn} for row in rows)
        turn += 1


def planted_findings(project: Project) -> Findings:
    """6 % of the rows in exact groups of two to four, 10 % with a flag, drawn by seed."""
    count, draw = len(project.rows), random.Random(7)
    buckets: list[BucketName] = ["clean"] * count
    flags = []
    for row in sorted(draw.sample(range(count), count // 10)):
        signal, severity = SIGNALS[draw.randrange(len(SIGNALS))]
        buckets[row] = severity  # type: ignore[call-overload]
        span = Span(1, draw.randrange(40), 40 + draw.randrange(200)) if draw.random() < 0.6 else None
        reason = f"the answer of row {row} ends on {draw.random():.6f}, as none of the {count:,} others does"
        flags.append(Flag(row, signal, severity, reason, span))  # type: ignore[arg-type]
    members = draw.sample(range(count), count * 6 // 100)
    clusters = []
    while len(members) > 1:
        size = draw.randint(2, min(4, len(members)))
        rows = tuple(sorted(members[:size]))
        del members[:size]
        evidence = ("the same request and the same answer to the letter", f"row {rows[0]} is kept: the first of them")
        identifier = f"c{project.rows.id(rows[0])[:10]}"
        clusters.append(Cluster(identifier, "exact", rows, rows[0], evidence, (100.0,) * size))
        for row in rows[1:]:
            buckets[row] = "drop"
    clusters.sort(key=lambda cluster: cluster.rows[0])
    return Findings(tuple(clusters), tuple(flags), tuple(buckets), {"duplicates": 1.0, "signals": 1.0, "total": 2.0})


def write_journal(project: Project, reviewer: str, decisions: int, seed: int) -> None:
    """A journal of single verdicts as keys write them, one line each."""
    draw = random.Random(seed)
    decided = draw.sample(range(len(project.rows)), min(decisions, len(project.rows) * 4 // 5))
    folder = project.folder / "decisions"
    with (folder / f"{file_stem(reviewer)}@{install_id()}.jsonl").open("w", encoding="ascii") as out:
        for number, row in enumerate(decided, start=1):
            identifier = project.rows.id(row)
            line = {"v": 1, "n": number, "at": "2026-01-02T03:04:05Z", "by": reviewer}
            acts = [{"do": draw.choice(("accept", "reject")), "ids": [identifier]}]
            out.write(json.dumps({**line, "acts": acts, "seen": [identifier], "why": "by eye"}) + "\n")


def make_project(place: Path, source: Path, rows: int, reviewers: int = 1, decisions: int = DECISIONS) -> Path:
    """A scanned project of so many rows, with journals and the snapshot that closing it leaves; made once a place."""
    folder = place / f"{rows}-{reviewers}.tamis"
    if not folder.exists():
        data = place / f"{rows}.jsonl"
        if not data.exists():
            with data.open("w", encoding="utf-8") as out:
                out.writelines(json.dumps(row) + "\n" for row in islice(source_rows(source), rows))
        create_project(data, folder)
        with open_project(folder, readonly=True) as project:
            for seed, reviewer in enumerate(REVIEWERS[:reviewers]):
                write_journal(project, reviewer, decisions, seed)
            project.save_findings(planted_findings(project))
    with open_project(folder, reviewer=REVIEWERS[0]) as project:
        # Findings of another version are not read; they are planted anew.
        if project.findings is None:
            project.save_findings(planted_findings(project))
    (folder / "session.json").write_text(json.dumps({"v": 1, "asked": ["mapping", "heldout"]}))
    return folder


# -- the terminal


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they arrived, and the CPU seconds of the program by then."""

    at: float
    cpu: float
    content: bytes


class Clocked(Terminal):
    """A terminal that reads first and looks later."""

    def __init__(self, argv: list[str], place: Path) -> None:
        compiled = {"PYTHONPYCACHEPREFIX": str(place / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
        self.start = time.perf_counter()
        super().__init__(argv, columns=COLUMNS, rows=ROWS, answers=True, environment=compiled)

    def cpu(self) -> float:
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1e9

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def wait_until_idle(self) -> None:
        """Read until a second goes by in which the program does next to nothing: years and prompts are counted."""
        busy = self.cpu()
        self.read_for(1.0)
        while self.cpu() - busy > IDLE_SECONDS:
            busy = self.cpu()
            self.read_for(1.0)

    def collect(self, quiet: float = QUIET_SECONDS) -> list[Chunk]:
        """All that comes until nothing more does."""
        chunks: list[Chunk] = []
        end = time.perf_counter() + LONGEST_SECONDS
        while time.perf_counter() < end:
            # Nothing comes before the imports are done.
            if not select.select([self._master], [], [], quiet if chunks else 10)[0]:
                break
            content = os.read(self._master, 65536)
            chunks.append(Chunk(time.perf_counter(), self.cpu(), content))
            os.write(self._master, ANSWER * content.count(QUESTION))
        return chunks

    def first(self, chunks: list[Chunk], shows: Callable[[str], bool]) -> Chunk:
        """The chunk that made the screen show something; all are fed to the emulator."""
        found: Chunk | None = None
        for chunk in chunks:
            self.output += chunk.content
            self._stream.feed(chunk.content)
            if found is None and shows(self.text):
                found = chunk
        if found is None:
            raise AssertionError(f"it was never shown; the screen:\n{self.text}")
        return found


@dataclass(frozen=True, slots=True)
class Opening:
    """One start: milliseconds from spawn to paint, CPU milliseconds by then, MB at rest. Of a search: milliseconds and
    CPU milliseconds from enter to the first row, milliseconds to the last; the first two again for a search from the
    list, where no other screen has to be built."""

    ms: float
    cpu_ms: float
    rss_mb: float
    hit_ms: float = 0.0
    hit_cpu_ms: float = 0.0
    all_ms: float = 0.0
    list_hit_ms: float = 0.0
    list_hit_cpu_ms: float = 0.0


def usable(text: str) -> bool:
    """The overview with its counts, lines and keys."""
    return "What can be settled" in text and "/key" in text and "left" in text and "help" in text


def open_empty(program: Path) -> Opening:
    with Clocked([sys.executable, str(program)], program.parent) as terminal:
        painted = terminal.first(terminal.collect(), lambda text: "ready" in text)
        return Opening((painted.at - terminal.start) * 1000, painted.cpu * 1000, terminal.rss_mb())


def open_workbench(folder: Path) -> Opening:
    """Start, wait for rest, search a word from the overview."""
    (folder / "session.json").write_text(json.dumps({"v": 1, "asked": ["mapping", "heldout"]}))
    words = [sys.executable, "-m", "workbench.cli.main", str(folder), "--as", REVIEWERS[0]]
    with Clocked(words, folder.parent) as terminal:
        painted = terminal.first(terminal.collect(START_QUIET_SECONDS), usable)
        terminal.wait_until_idle()
        rss = terminal.rss_mb()
        hit, cpu, last = search(terminal, WORD)
        terminal.wait_until_idle()
        in_list, in_list_cpu, _ = search(terminal, NEXT_WORD)
        opened = (painted.at - terminal.start) * 1000
        return Opening(opened, painted.cpu * 1000, rss, hit, cpu, last, in_list, in_list_cpu)


def search(terminal: Clocked, word: str) -> tuple[float, float, float]:
    """Milliseconds and CPU milliseconds from enter to the first row that holds `word`, milliseconds to the last.

    A row is there once the status line counts it; where in its text the word stands is another matter.
    """
    terminal.keys("/", "\x15", *word)
    pressed, busy = time.perf_counter(), terminal.cpu()
    terminal.type("\r")
    chunks = terminal.collect(1.0)
    counted = re.compile(rf"/ {word}\s+\d+/[1-9]")
    hit = terminal.first(chunks, lambda text: counted.search(text.partition("\n")[0]) is not None)
    return (hit.at - pressed) * 1000, (hit.cpu - busy) * 1000, (chunks[-1].at - pressed) * 1000


def medians(openings: list[Opening]) -> dict[str, float]:
    return {
        name: round(statistics.median(getattr(one, name) for one in openings), 1)
        for name in Opening.__dataclass_fields__
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sample = shipped_dir("sample_data") / "support.jsonl"
    parser.add_argument("--data", type=Path, default=sample, help="JSONL of Alpaca rows, also with gzip")
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder for the projects, which are then made once")
    arguments = parser.parse_args()
    place = arguments.keep or Path(tempfile.mkdtemp())
    place.mkdir(exist_ok=True)
    try:
        print(json.dumps(measure(place, arguments.data, arguments.rows, arguments.rounds), indent=2))
    finally:
        if arguments.keep is None:
            shutil.rmtree(place)
    return 0


def measure(place: Path, data: Path, sizes: list[int], rounds: int) -> dict[str, object]:
    """Medians by case, and how many times the empty application each first paint takes."""
    program = place / "empty.py"
    program.write_text(EMPTY)
    folders = {f"{rows} rows": make_project(place, data, rows) for rows in sizes}
    folders[f"{sizes[0]} rows, two reviewers"] = make_project(place, data, sizes[0], reviewers=2)
    cases: dict[str, list[Opening]] = {name: [] for name in ("empty", *folders)}
    open_empty(program)
    open_workbench(next(iter(folders.values())))
    for _ in range(rounds):
        cases["empty"].append(open_empty(program))
        for name, folder in folders.items():
            cases[name].append(open_workbench(folder))
    found: dict[str, object] = {name: medians(openings) for name, openings in cases.items()}
    floor = medians(cases["empty"])
    for name in folders:
        ours = medians(cases[name])
        found[f"{name} / empty"] = {
            "ms": round(ours["ms"] / floor["ms"], 2),
            "cpu": round(ours["cpu_ms"] / floor["cpu_ms"], 2),
        }
    return found


if __name__ == "__main__":
    sys.exit(main())
