"""Our names are ours: a stranger's `engine.py` and `workbench/` on PYTHONPATH are never taken for our packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from small_runs import ROOT, rows

from engine.job_process import job_command
from engine.workflows.leak_check import find_leaks

sys.path.insert(0, str(ROOT / "tests" / "terminal"))
from pseudo import Terminal

STRANGER = 'raise ImportError("a stranger\'s module")\n'
MADE = {
    "bread": "Knead flour and water, let it rise, bake it",
    "glass": "Melt sand with soda",
    "paper": "Press wet fibres flat and dry them",
    "wine": "Crush grapes and wait",
    "a knot": "Cross both ends twice",
    "charcoal": "Heat wood without air",
}
JOBS = sorted(path.stem for path in (ROOT / "engine" / "jobs").glob("[a-z]*.py") if "__main__" in path.read_text())


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The `tamis` script of two installations: of the wheel, and of what an editable install leaves (a `.pth` file)."""
    folders = {how: tmp_path_factory.mktemp(how) for how in ("wheel", "editable")}
    ours = (ROOT, *(ROOT / "tests").glob("**"))
    libraries = [path for path in map(Path, sys.path) if path.is_absolute() and path not in ours]
    sites = {}
    for how, folder in folders.items():
        venv.create(folder, symlinks=True)
        (sites[how],) = folder.glob("lib/python*/site-packages")
        (sites[how] / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries))
    script, other = (folder / "bin" / "tamis" for folder in folders.values())
    words = ["--python", str(script.with_name("python")), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, cwd=ROOT)
    shutil.copy(sites["wheel"] / "tamis_start.py", sites["editable"])
    (sites["editable"] / "_tamis.pth").write_text(f"{ROOT}\n")
    other.write_text(script.read_text().replace(str(folders["wheel"]), str(folders["editable"])))
    other.chmod(0o755)
    return {"wheel": script, "editable": other}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a stranger that holds our names, a few rows to curate, and is first on PYTHONPATH."""
    (tmp_path / "engine.py").write_text(STRANGER)
    (tmp_path / "workbench").mkdir()
    (tmp_path / "workbench" / "__init__.py").write_text(STRANGER)
    source = [{"instruction": f"How is {word} made?", "output": f"{answer}."} for word, answer in MADE.items()]
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in source))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.setenv("TAMIS_REVIEWER", "ann")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def run(*words: object) -> str:
    """What the command printed; it must have ended well."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_folder_is_hostile(folder: Path) -> None:
    for name in ("engine", "workbench"):
        done = subprocess.run(
            [sys.executable, "-P", "-c", f"import {name}"], capture_output=True, text=True, check=False
        )
        assert "a stranger's module" in done.stderr


@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_every_kind_of_command_finds_ours(how: str, commands: dict[str, Path], folder: Path) -> None:
    tamis = commands[how]
    assert "usage: tamis" in run(tamis, "--help")
    assert json.loads(run(tamis, "scan", "raw.jsonl", "--project", "raw.tamis", "--json"))["rows"] == len(MADE)
    assert json.loads(run(tamis, "report", "raw.jsonl", "--json"))
    run(tamis, "do", "raw.tamis", "accept row:0-3")
    assert json.loads(run(tamis, "status", "raw.tamis", "--json"))["accepted"] == 4
    assert json.loads(run(tamis, "export", "raw.tamis", "--to", "out", "--json"))["rows"] == 4


def test_a_run_finds_ours_from_its_plan_to_its_end(commands: dict[str, Path], folder: Path, tiny_model: Path) -> None:
    small = ("--model", tiny_model, "--steps", "1", "--set", f"command={sys.executable}", "--json")
    tamis = commands["wheel"]
    run(tamis, "scan", "raw.jsonl", "--project", "raw.tamis")
    run(tamis, "holdout", "raw.tamis", "2")
    run(tamis, "do", "raw.tamis", "accept is:undecided")
    assert json.loads(run(tamis, "plan", "raw.tamis", *small))["steps"]
    ended: dict[str, Any] = json.loads(run(tamis, "train", "raw.tamis", *small, "--wait"))
    events = (Path(ended["dir"]) / "events.jsonl").read_text().splitlines()
    assert json.loads(events[-1])["outcome"] == "finished"


@pytest.mark.parametrize("name", [name for name in JOBS if name != "leaks"])  # which is asked by files
def test_every_job_finds_ours(name: str, folder: Path) -> None:
    """Asked of a project that is not there, it says so in our own words."""
    more = {"plan": ["{}"], "pick": ["3"], "compare": ["look", "{}"], "slices": ["month"]}.get(name, [])
    words = job_command(f"engine.jobs.{name}", "no.tamis", *more)
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as job:
        assert job.stdout is not None
        assert job.stderr is not None
        told, complaint = job.stdout.read(), job.stderr.read()
    assert "error" in json.loads(told.splitlines()[-1]), complaint


def test_the_look_for_leaks_finds_ours(folder: Path) -> None:
    (row,) = rows(1)
    assert find_leaks({"raw": [row]}, [row]) == {"raw": [row.id]}


@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_the_workbench_reads_scans_and_shows_a_file(how: str, commands: dict[str, Path], folder: Path) -> None:
    environment = {"PATH": f"{commands[how].parent}:{os.environ['PATH']}"}
    with Terminal(["tamis", "raw.jsonl"], environment=environment) as terminal:
        terminal.wait_for("scanned")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
