"""A person's home with projects in it, and the `tamis` command run there as a process of its own.

Knows tamis only as a command, by `engine.open_project` and by its files, so that it serves any version: the one that
made the corpus and the one that is tested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MADE_IN = "/home/ana"
"""Where the corpus was made; the files of its runs name this folder."""
SELECTORS = (
    *("is:undecided", "is:accepted", "is:edited", "is:rejected", "is:skipped", "is:disputed", "is:heldout", "is:seen"),
    *("by:ana", "by:ben", "tag:good", "bucket:drop", "kind:exact"),
)
LOOK = """
import engine, json, pathlib, sys
with engine.open_project(pathlib.Path(sys.argv[1]), readonly=True) as project:
    print(json.dumps({
        "ids": [project.rows.id(number) for number in range(len(project.rows))],
        "clusters": sorted(cluster.id for cluster in project.findings.clusters),
        "selected": {words: list(engine.select_rows(project, words)) for words in sys.argv[2:]},
        "answers": {n: project.example(n).answer for n in engine.select_rows(project, "is:edited")},
    }))
"""
TOLD_BY_A_LINE = ("n", "by", "acts", "seen", "why", "undo", "redo")


@dataclass(frozen=True)
class Box:
    """`home` holds config/ and state/ beside the folders of projects. `tree` is a checkout to import tamis from; where
    it is None `python` has tamis."""

    home: Path
    python: str
    tree: Path | None = None

    def environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("XDG_", "TAMIS_", "TEXTUAL"))}
        places = {f"XDG_{name.upper()}_HOME": str(self.home / name) for name in ("config", "state", "cache", "data")}
        own = {"HOME": str(self.home), "HF_HUB_OFFLINE": "1", "GIT_CONFIG_GLOBAL": os.devnull, **places}
        return kept | own | ({"PYTHONPATH": str(self.tree)} if self.tree else {})

    def command(self, *words: object, before: str = "") -> list[str]:
        """The command line; `before` is Python to run first."""
        if before:
            code = f"{before}\nimport runpy\nrunpy.run_module('workbench.cli', run_name='__main__')"
            return [self.python, "-P", "-c", code, *map(str, words)]
        return [self.python, "-P", "-m", "workbench.cli", *map(str, words)]

    def run(self, *words: object, code: int = 0, before: str = "", cwd: Path | None = None) -> str:
        """What a command prints. It must end with `code`, and never with a traceback."""
        done = subprocess.run(
            self.command(*words, before=before), capture_output=True, text=True, check=False, cwd=cwd or self.home,
            env=self.environment(), stdin=subprocess.DEVNULL, timeout=280,
        )  # fmt: skip
        assert done.returncode == code, (words, done)
        assert "Traceback" not in done.stderr, done
        assert not (self.home / "state" / "tamis" / "last-fault.txt").exists(), done
        return done.stdout

    def json(self, *words: object, code: int = 0, cwd: Path | None = None) -> Any:
        return json.loads(self.run(*words, "--json", code=code, cwd=cwd))

    def look(self, project: Path) -> dict[str, Any]:
        """Row ids, clusters, what selectors find and the edited answers, as a script learns them."""
        command = [self.python, "-P", "-c", LOOK, str(project), *SELECTORS]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.home, env=self.environment(), timeout=60
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def step(self, words: Sequence[str], folder: Path, project: str) -> dict[str, Any]:
        """Do one command in `folder`: what `status` says afterwards, and the lines that came into the journals."""
        before = journals(folder / project)
        # A large undo is asked about by now.
        yes = ["--yes"] if {"undo", "redo"} & set(words) else []
        done = self.json(*words, *yes, cwd=folder)
        status = done["status"] if "status" in done else self.json("status", project, cwd=folder)
        lines = {}
        for file, content in journals(folder / project).items():
            fresh = content.removeprefix(before.get(file, b"")).splitlines() if file.endswith(".jsonl") else []
            if fresh:
                found = [json.loads(line) for line in fresh]
                lines[file] = [{name: line[name] for name in TOLD_BY_A_LINE if name in line} for line in found]
        return {"words": list(words), "status": status, "lines": lines}


def bring(name: str, home: Path, parts: Sequence[str] = ("files",)) -> Path:
    """Copy one project of the corpus, with all that lies beside it, into a home; returns its folder there.

    In the corpus a folder `raw.tamis` is called `raw.project`, since git passes over `*.tamis`.
    """
    target = home / name
    for part in parts:
        source = HERE / "projects" / name / part
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            with tarfile.open(source.with_suffix(".tar.xz")) as archive:
                archive.extractall(target, filter="data")
    for folder in sorted(target.glob("*.project")):
        folder.rename(folder.with_suffix(".tamis"))
    return target


def run_facts(box: Box, folder: Path, run: Path) -> dict[str, Any]:
    """What a run says: its state, the steps it told of, the rows of each step, its whole checkpoints."""
    (told,) = [one for one in box.json("runs", "support.tamis", cwd=folder)["runs"] if one["run"] == run.name]
    events = [json.loads(line) for line in box.run("watch", run, "--json").splitlines()]
    batches = [json.loads(line) for line in (run / "batch.jsonl").read_bytes().splitlines()]
    return {
        "state": told["state"],
        "step": told["step"],
        "max_steps": told["max_steps"],
        "model": told["model"],
        "steps": [event["step"] for event in events if event["ev"] == "log"],
        "losses": [event["loss"] for event in events if event["ev"] == "log"],
        "from_step": [event["from_step"] for event in events if event["ev"] == "spawn"],
        "batches": [[batch["step"], batch["rows"]] for batch in batches],
        "checkpoints": sorted(path.name for path in (run / "ckpt").iterdir()),
    }


def texts(folder: Path) -> Iterator[Path]:
    """The files below a folder that hold text, but for rows and journals."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".jsonl", ".toml", ".log", ".md"):
            yield path


def expected(name: str) -> dict[str, Any]:
    """What the version that made the project said of it."""
    found: dict[str, Any] = json.loads((HERE / "projects" / name / "expected.json").read_text(encoding="utf-8"))
    return found


def journals(project: Path) -> dict[str, bytes]:
    """Every file of `decisions/` but the locks."""
    files = (path for path in (project / "decisions").iterdir() if path.suffix != ".owner")
    return {path.name: path.read_bytes() for path in sorted(files)}
