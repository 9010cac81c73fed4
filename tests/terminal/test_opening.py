"""What opening a project loads and holds: counted in modules and megabytes, never in seconds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import planted
from pseudo import Terminal, tamis

from engine.model import Cluster, Findings, Flag
from engine.project.create import create_project
from engine.project.folder import open_project
from workbench.soon import SOON

ROOT = Path(__file__).resolve().parents[2]
# At the first frame the list of what is imported goes into a file.
STARTER = """
import sys
from pathlib import Path
import workbench.app as app
from workbench.cli import main
import_one, said = app.import_one, Path(sys.argv.pop(1))
def told(done):
    if done == 0:
        said.write_text("\\n".join(sys.modules))
    return import_one(done)
app.import_one = told
sys.exit(main(sys.argv[1:]))
"""
# Rooms, and modules of the workbench, that the overview paints itself without.
NOT_YET = (
    *("engine.export", "engine.jobs", "engine.queue", "engine.report", "engine.scan.pipeline", "engine.scan.signals"),
    *("engine.select", "engine.sources.guess", "engine.sources.shapes", "engine.training"),
    *("workbench.document", "workbench.editing", "workbench.first_open", "workbench.preview"),
    *("workbench.grouping", "workbench.headless", "workbench.headlines", "workbench.judging", "workbench.ordering"),
    *("workbench.repairs", "workbench.scan_job", "workbench.searching", "workbench.verdicts", "workbench.view"),
    *("workbench.worddiff", "workbench.years"),
)
SCREENS_AT_FIRST = {"workbench.screens.asking", "workbench.screens.base", "workbench.screens.overview"}
MOST_MODULES = 80
# Nobody is asked about the mapping and the held-out set a second time.
ASKED = {"v": 1, "asked": ["mapping", "heldout"]}
ROWS = 50_000
MOST_MB = 65


def test_the_first_paint_needs_half_of_the_modules(tmp_path: Path) -> None:
    folder, starter, said = planted.make_folder(tmp_path), tmp_path / "start.py", tmp_path / "modules"
    starter.write_text(STARTER)
    (folder / "session.json").write_text(json.dumps(ASKED))
    words = [sys.executable, str(starter), str(said), str(folder), "--as", "ann"]
    with Terminal(words, environment={"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for("What can be settled")
        terminal.wait_until(said.exists, "the first paint")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
    loaded = {name for name in said.read_text().splitlines() if name.split(".")[0] in ("engine", "workbench")}
    assert "workbench.screens.overview" in loaded
    early = [name for name in loaded for room in NOT_YET if name == room or name.startswith(f"{room}.")]
    assert sorted(early) == []
    assert {name for name in loaded if name.startswith("workbench.screens.")} == SCREENS_AT_FIRST
    assert len(loaded) <= MOST_MODULES


def test_what_comes_soon_is_named_once_and_from_the_ground_up() -> None:
    assert len(set(SOON)) == len(SOON)
    assert not [name for name in SOON if not (ROOT / (name.replace(".", "/") + ".py")).is_file()]


def test_fifty_thousand_rows_take_little_memory(tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    with source.open("w") as out:
        out.writelines(
            json.dumps({"instruction": f"Question {n}?", "input": "", "output": f"Answer {n}. " * 20}) + "\n"
            for n in range(ROWS)
        )
    folder = create_project(source)
    with open_project(folder, readonly=True) as project:
        flags = [Flag(n, "truncated", "check", f"the answer of row {n} stops in a word") for n in range(0, ROWS, 10)]
        clusters = [Cluster(f"c{n:05}", "exact", (n, n + 1), n, ("2 rows",)) for n in range(0, 3000, 2)]
        project.save_findings(Findings(clusters, flags, ("clean",) * ROWS, {}))
    (folder / "session.json").write_text(json.dumps(ASKED))
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        # The first rows of a group, so that list and reader are there as well.
        terminal.keys("\r", "j", "/bucket:clean\r")
        terminal.wait_for_rest()
        status = Path(f"/proc/{terminal.pid}/status").read_text()
    assert int(status.split("VmRSS:")[1].split()[0]) / 1024 < MOST_MB
