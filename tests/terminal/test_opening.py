"""What opening a project must not load, and how many megabytes it holds; never seconds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import planted
from pseudo import Terminal, tamis

from engine.model import Cluster, Findings, Flag
from engine.project.create import create_project
from engine.project.project import open_project

ROOT = Path(__file__).resolve().parents[2]
# When the first frame is out, the list of what is imported goes into a file.
STARTER = """
import sys
from pathlib import Path
from workbench.cli.main import main
from workbench.ui.app import TamisApp
was_painted, loaded = TamisApp._was_painted, Path(sys.argv.pop(1))
def told(app):
    loaded.write_text("\\n".join(sys.modules))
    was_painted(app)
TamisApp._was_painted = told
sys.exit(main(sys.argv[1:]))
"""
# What takes long to import, or belongs to a job or a run: no window ever needs it to paint.
NEVER = (
    *("datasets", "pandas", "peft", "pyarrow", "scipy.stats", "sklearn", "torch", "transformers", "trl"),
    *("engine.scan.pipeline", "engine.scan.signals.table", "engine.training.worker.main", "workbench.cli.train"),
)
# Nobody is asked about the mapping and the held-out set a second time.
ASKED = {"v": 1, "asked": ["mapping", "heldout"]}
ROWS = 50_000
MOST_MB = 65


def test_the_first_paint_needs_nothing_heavy(tmp_path: Path) -> None:
    folder, starter, listed = planted.make_folder(tmp_path), tmp_path / "start.py", tmp_path / "modules"
    starter.write_text(STARTER)
    (folder / "session.json").write_text(json.dumps(ASKED))
    words = [sys.executable, str(starter), str(listed), str(folder), "--as", "ann"]
    with Terminal(words, environment={"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for("What can be settled")
        terminal.wait_until(listed.exists, "the first paint")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
    loaded = listed.read_text().splitlines()
    assert "workbench.ui.screens.overview" in loaded
    early = [name for name in loaded for heavy in NEVER if name == heavy or name.startswith(f"{heavy}.")]
    assert sorted(early) == []


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


def test_a_terminal_that_says_it_has_no_size_is_drawn_once(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    (folder / "session.json").write_text(json.dumps(ASKED))
    with Terminal(tamis(folder), columns=0, rows=0) as terminal:
        terminal.wait_for("What can be settled")
        terminal.wait_for_rest()
        assert len(terminal.lines[-1]) <= 80
