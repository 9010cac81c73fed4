"""Two minutes in which eight processes work on one project and are killed, stopped and taken over at random: two
windows of one person, two other people, `tamis do`, `add`, `merge` (of a copy that two more write) and `export`.
Afterwards every act that somebody was told is done is there, once, and every count that was told is true.

    TAMIS_TORTURE_SECONDS=20 TAMIS_TORTURE_SEED=7 pytest -m slow tests/engine/test_torture_writers.py
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project, numbered, write_jsonl

from engine.model import Findings
from engine.project.journals import Journals
from engine.project.merge import merge
from engine.project.project import open_project

ROWS = 300
SECONDS = float(os.environ.get("TAMIS_TORTURE_SECONDS", "120"))
SEED = int(os.environ.get("TAMIS_TORTURE_SEED", str(time.time_ns() % 1_000_000)))
WINDOW = Path(__file__).with_name("torture_window.py")
TAMIS = [sys.executable, "-m", "workbench.cli.main"]
# Told by a command that ended with this: done, done with something left out, refused in one line, killed.
TOLD = (0, 1, 2, -signal.SIGKILL)


@dataclass
class Actor:
    """A process that is started again whenever it ends; `end` is told what a command that ended by itself has said."""

    name: str
    command: Callable[[], list[str]]
    end: Callable[[int, str, str], None] | None = None
    process: subprocess.Popen[str] | None = None
    killed: bool = False


@dataclass
class Scene:
    folder: Path
    other: Path
    scratch: Path
    dice: random.Random
    history: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    cli_tags: dict[str, tuple[int, str]] = field(default_factory=dict)
    adding: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    serial: int = 0

    def note(self, words: str) -> None:
        self.history.append(f"{time.monotonic():.3f} {words}")

    def window(self, name: str, reviewer: str, folder: Path, take_over: str = "no") -> Actor:
        def command() -> list[str]:
            log = self.scratch / f"{name}.log"
            return [
                *(sys.executable, str(WINDOW), str(folder), reviewer, name),
                *(str(self.dice.random()), str(log), take_over),
            ]

        return Actor(name, command)

    def cli(self, name: str, words: Callable[[], list[str]], told: Callable[[dict[str, Any]], None]) -> Actor:
        def end(code: int, out: str, err: str) -> None:
            self.done[f"{name} {code}"] += 1
            if code not in TOLD or "Traceback" in err or "a fault inside" in err:
                self.faults.append(f"{name} ended with {code}: {err[-600:]}")
            elif code in (0, 1):
                told(json.loads(out))

        return Actor(name, lambda: [*TAMIS, *words()], end)

    # -- what the commands do, and what they were told

    def do(self) -> list[str]:
        self.serial += 1
        return ["do", str(self.folder), f"tag cli-{self.serial} row:{self.serial % ROWS}", "--as", "dora", "--json"]

    def did(self, said: dict[str, Any]) -> None:
        (one,) = said["done"]
        if one["n"] is not None:
            self.cli_tags[one["command"].split()[1]] = (one["n"], one["command"].split(":")[1])

    def add(self) -> list[str]:
        self.serial += 1
        self.adding = [f"Added {self.serial}, number {place}?" for place in range(3)]
        rows = [alpaca(text, "Yes.") for text in self.adding]
        path = write_jsonl(self.scratch / f"more-{self.serial}.jsonl", rows)
        return ["add", str(self.folder), str(path), "--as", "eve", "--json"]

    def was_added(self, said: dict[str, Any]) -> None:
        if said["added"] != len(self.adding):
            self.faults.append(f"add said {said['added']} of {len(self.adding)} new rows")
        self.added += self.adding

    def merge(self) -> list[str]:
        return ["merge", str(self.folder), str(self.other), "--json"]

    def was_merged(self, said: dict[str, Any]) -> None:
        self.faults += [f"merge left out {one}" for one in said["left_out"]]

    def export(self) -> list[str]:
        shutil.rmtree(self.scratch / "out", ignore_errors=True)
        return ["export", str(self.folder), "--to", str(self.scratch / "out"), "--json", "--include", "undecided"]

    def was_exported(self, said: dict[str, Any]) -> None:
        content = (self.scratch / "out" / "train.jsonl").read_bytes()
        wrote = content.count(b"\n")
        if wrote != said["rows"]:
            self.faults.append(f"export said {said['rows']} rows and wrote {wrote}")
        if hashlib.sha256(content).hexdigest() != said["sha256"]["train.jsonl"]:
            self.faults.append("export told another hash than that of its file")


def run(scene: Scene, actors: list[Actor], seconds: float) -> None:
    """Keep all actors going and disturb them."""
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "TAMIS_REVIEWER": ""}
    until = time.monotonic() + seconds
    stopped: list[tuple[float, Actor]] = []
    while time.monotonic() < until:
        for actor in actors:
            if actor.process is None or actor.process.poll() is not None:
                finish(scene, actor)
                start(scene, actor, environment)
        for when, actor in list(stopped):
            if time.monotonic() > when:
                stopped.remove((when, actor))
                send(scene, actor, signal.SIGCONT)
        victim = scene.dice.choice(actors)
        if scene.dice.random() < 0.12 and victim not in [actor for _, actor in stopped]:
            if scene.dice.random() < 0.5:
                send(scene, victim, signal.SIGKILL)
            else:
                send(scene, victim, signal.SIGSTOP)
                stopped.append((time.monotonic() + scene.dice.random(), victim))
        time.sleep(0.05)
    for actor in actors:
        send(scene, actor, signal.SIGKILL)
        finish(scene, actor)


def start(scene: Scene, actor: Actor, environment: dict[str, str]) -> None:
    out, err = (scene.scratch / f"{actor.name}.{kind}" for kind in ("out", "err"))
    command = actor.command()
    scene.note(f"start {actor.name}: {' '.join(command[2:])}")
    with out.open("w") as stdout, err.open("w") as stderr:
        actor.process = subprocess.Popen(command, stdout=stdout, stderr=stderr, text=True, env=environment)


def send(scene: Scene, actor: Actor, number: signal.Signals) -> None:
    if actor.process is not None and actor.process.poll() is None:
        scene.note(f"{number.name} {actor.name}")
        actor.process.send_signal(number)


def finish(scene: Scene, actor: Actor) -> None:
    if actor.process is None:
        return
    code = actor.process.wait()
    out, err = ((scene.scratch / f"{actor.name}.{kind}").read_text() for kind in ("out", "err"))
    scene.note(f"end {actor.name}: {code} {out[-300:].strip()} {err[-300:].strip()}")
    if actor.end is not None:
        actor.end(code, out, err)
    elif code != -signal.SIGKILL:
        scene.faults.append(f"window {actor.name} ended with {code}: {err[-600:]}")
    actor.process = None


# -- afterwards


def lines_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of each journal, read with nothing of tamis but the names of its keys; ids out of side files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in (folder / "decisions").glob("*.jsonl"):
        found[path.name] = lines = [json.loads(text) for text in path.read_bytes().split(b"\n")[:-1]]
        for act in (act for line in lines for act in line.get("acts", ())):
            if "ids_file" in act:
                content = (path.parent / act["ids_file"]).read_bytes()
                assert hashlib.sha256(content).hexdigest() == act["ids_sha256"]
                act["ids"] = content.decode().split()
    return found


def tags_of(lines: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Tag -> the ids that carry it, by a stack of acts."""
    done: list[dict[str, Any]] = []
    undone: list[dict[str, Any]] = []
    for line in lines:
        if "undo" in line:
            assert done[-1]["n"] == line["undo"]
            undone.append(done.pop())
        elif "redo" in line:
            assert undone[-1]["n"] == line["redo"]
            done.append(undone.pop())
        else:
            done.append(line)
            undone.clear()
    acts = [act for line in done for act in line["acts"] if act["do"] == "tag"]
    return {act["tags"][0]: set(act["ids"]) for act in acts}


def check(scene: Scene) -> None:
    said = [json.loads(text) for log in scene.scratch.glob("*.log") for text in log.read_bytes().split(b"\n")[:-1]]
    files = lines_of(scene.folder)
    for name, lines in files.items():
        assert [line["n"] for line in lines] == list(range(1, len(lines) + 1)), name
        tags = Counter(act["tags"][0] for line in lines for act in line.get("acts", ()) if act["do"] == "tag")
        assert all(count == 1 for count in tags.values()), name
    by_tag = {
        act["tags"][0]: (line["n"], set(act["ids"]))
        for lines in files.values()
        for line in lines
        for act in line.get("acts", ())
        if act["do"] == "tag"
    }
    for entry in said:
        scene.done[f"window {entry['do']}"] += 1
        if entry["do"] == "tag":
            assert by_tag.get(entry["tag"]) == (entry["n"], set(entry["rows"])), entry
        elif entry["do"] == "refused":
            assert entry["tag"] not in by_tag, entry
        else:
            stem = entry["file"].removesuffix(".jsonl")
            family = [lines for name, lines in files.items() if name.startswith(stem)]
            assert any(len(lines) >= entry["n"] and entry["do"] in lines[entry["n"] - 1] for lines in family), entry
    with open_project(scene.folder, readonly=True) as project:
        assert project.notes == []
        counts = project.counts()
        for tag, (number, row) in scene.cli_tags.items():
            assert by_tag.get(tag) == (number, {project.rows.id(int(row))}), tag
        folds = Journals(scene.folder, project.rows, None, readonly=True, take_over=False).folds
        for path, fold in folds.items():
            expected = tags_of(files[path.name])
            found: dict[str, set[str]] = {}
            for identifier in map(project.rows.id, range(len(project.rows))):
                state = fold.state(identifier)
                for tag in state.tags if state is not None else ():
                    found.setdefault(tag, set()).add(identifier)
            assert found == expected, path.name
        texts = Counter(str(project.rows.raw(row)["instruction"]) for row in range(len(project.rows)))
        assert set(texts.values()) == {1}
        assert {f"Question {row}?" for row in range(ROWS)}.union(scene.added) <= texts.keys()
    (scene.folder / "snapshot.bin").unlink(missing_ok=True)
    with open_project(scene.folder, readonly=True) as project:
        assert project.counts() == counts, "with and without the snapshot"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_eight_processes_lose_nothing_of_what_they_were_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(ROWS))
    with open_project(folder, readonly=True) as project:
        project.save_findings(Findings.empty(ROWS))
    other = tmp_path / "other.tamis"
    shutil.copytree(folder, other)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    scene = Scene(folder, other, scratch, random.Random(SEED))
    actors = [
        scene.window("ann-one", "ann", folder, "yes"),
        scene.window("ann-two", "ann", folder, "yes"),
        scene.window("bob", "bob", folder),
        scene.window("cleo", "cleo", folder),
        scene.cli("do", scene.do, scene.did),
        scene.cli("add", scene.add, scene.was_added),
        scene.cli("merge", scene.merge, scene.was_merged),
        scene.cli("export", scene.export, scene.was_exported),
        # They write the copy that is merged: one of them has the name, and so the journal, of somebody here.
        scene.window("fred", "fred", other),
        scene.window("ann-there", "ann", other),
    ]
    try:
        run(scene, actors, SECONDS)
        merge(folder, other)
        check(scene)
        assert scene.faults == []
    except BaseException:
        print(f"seed {SEED}, {SECONDS:.0f} seconds", *scene.history[-400:], *scene.faults, sep="\n")
        raise
    print(f"seed {SEED}: {dict(scene.done)}")
