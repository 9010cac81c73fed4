"""Who may read what tamis writes: a project nobody else, a shared one its group, an export whoever the umask lets."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from projects import alpaca, make_project, numbered, write_jsonl

from engine.files import write_atomic
from engine.model import Act
from engine.project.create import create_project
from engine.project.heldout import reserve_drawn
from engine.project.project import open_project
from engine.reviewer import install_id
from engine.training.runs.launch import Job, lay_out
from engine.training.spec.run_spec import choose_spec
from engine.training.worker.events import EventLog, write_json
from engine.workflows.export import export
from engine.workflows.training_sets import training_sets
from workbench.cli.common import write_page
from workbench.cli.main import main

GROUP = 4242
ANN, BOB = 4243, 4244


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder: Path) -> dict[str, set[int]]:
    """The modes of all folders, and of all files, from `folder` on."""
    found: dict[str, set[int]] = {"folders": {stat.S_IMODE(folder.stat().st_mode)}, "files": set()}
    for path in folder.rglob("*"):
        found["folders" if path.is_dir() else "files"].add(stat.S_IMODE(path.stat().st_mode))
    return found


def worked_in(folder: Path, reviewer: str = "ann") -> None:
    """A project as it is after some work: decided, held out, a run laid out."""
    with open_project(folder, reviewer=reviewer) as project:
        reserve_drawn(project, 2, seed=0)
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(len(project.rows))))])
        sets = training_sets(project)
        run = lay_out(Job(choose_spec(name="r", rows=4), sets.curated, sets.heldout), folder / "runs")
        EventLog(run).emit("log", step=1)
        write_json(run / "heartbeat.json", {})


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_a_project_is_for_nobody_else_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        folder = make_project(tmp_path, numbered(12))
        worked_in(folder)
    assert modes(folder) == {"folders": {0o700}, "files": {0o600}}


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_shared_project_is_for_its_group_and_so_is_what_is_made_in_it_later(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        folder = create_project(write_jsonl(tmp_path / "raw.jsonl", numbered(12)), shared=True)
        worked_in(folder)
    assert modes(folder) == {"folders": {0o2770}, "files": {0o660}}


@pytest.mark.parametrize(
    ("mask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o027, 0o640, 0o750)]
)
def test_exports_and_pages_follow_the_umask(tmp_path: Path, mask: int, file: int, folder: int) -> None:
    made = make_project(tmp_path, numbered(4))
    with umask(mask), open_project(made, reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(4)))])
        export(project, tmp_path / "out")
        export(project, tmp_path / "out")
        (tmp_path / "beside").mkdir()
        export(project, tmp_path / "beside" / "set.csv")
        write_page(tmp_path / "page.html", "<p>", [], force=False)
    assert modes(tmp_path / "out") == {"folders": {folder}, "files": {file}}
    assert modes(tmp_path / "beside")["files"] == {file}
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == file


def test_a_page_written_again_keeps_the_mode_somebody_gave_it(tmp_path: Path) -> None:
    with umask(0o022):
        write_atomic(tmp_path / "page.html", b"one", public=True)
        (tmp_path / "page.html").chmod(0o640)
        write_atomic(tmp_path / "page.html", b"two", public=True)
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o640


def test_what_this_install_remembers_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state" / "tamis"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    state.mkdir(parents=True)
    state.chmod(0o755)
    (state / "last-fault.txt").write_text("of an earlier version")

    def broken(_arguments: object) -> int:
        raise RuntimeError("words of a row")

    monkeypatch.setattr("workbench.cli.decisions.status", broken)
    with umask(0o022):
        install_id()
        assert main(["status", "x"]) == 2
    assert modes(state) == {"folders": {0o700}, "files": {0o600}}
    assert "words of a row" in (state / "last-fault.txt").read_text()


def test_sharing_says_how_and_changes_no_project_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", numbered(3))
    assert main(["scan", str(source), "--shared"]) == 2
    assert "--project DIR" in capsys.readouterr().err
    folder = tmp_path / "raw.tamis"
    assert main(["scan", str(source), "--project", str(folder), "--shared"]) == 0
    assert "newgrp" in capsys.readouterr().err
    folder.chmod(0o700)
    assert main(["scan", str(source), "--project", str(folder), "--shared"]) == 2
    assert "chmod" in capsys.readouterr().err
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


AS_USER = """
import os, shutil, sys
from pathlib import Path
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.project import open_project

def work(folder, name, further):
    with open_project(folder, reviewer=name) as project:
        assert not project.readonly, project.readonly_reason
        project.decide([Act("accept", (project.rows.id(0),))])
        reviewers = sorted(project.reviewers)
    if further.exists():
        grow(folder, further, name)
    return reviewers

name, folder, further = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
# Once as root, on a copy: what is imported late may lie where these users cannot read.
shutil.copytree(folder, folder.parent / name / "copy")
work(folder.parent / name / "copy", name, further)
shutil.rmtree(folder.parent / name / ".local")
os.setgroups([{group}]); os.setgid({user}); os.setuid({user})
print(work(folder, name, further))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="playing two users needs root")
def test_two_users_of_one_group_decide_and_add_rows_in_one_project(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("group")
    for folder in (place, *place.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    os.chown(place, 0, GROUP)
    place.chmod(0o2775)
    made = create_project(write_jsonl(place / "raw.jsonl", numbered(4)), shared=True)
    os.chown(made, ANN, GROUP)
    more = write_jsonl(place / "more.jsonl", [alpaca("What else?", "That.")])

    def work(name: str, user: int, further: Path) -> str:
        code = AS_USER.format(group=GROUP, user=user)
        home = place / name
        home.mkdir()
        os.chown(home, user, user)
        words = [sys.executable, "-c", code, name, str(made), str(further)]
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            words, capture_output=True, text=True, umask=0o077, cwd=root, env={"HOME": str(home), "LC_ALL": "C.UTF-8"}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert work("ann", ANN, more) == "['ann']"
    assert work("bob", BOB, place / "none") == "['ann', 'bob']"
    assert (
        work("eve", ANN, write_jsonl(place / "last.jsonl", [alpaca("And then?", "This.")])) == "['ann', 'bob', 'eve']"
    )
    with open_project(made, readonly=True) as project:
        assert len(project.rows) == 6
    assert {path.stat().st_gid for path in made.rglob("*")} == {GROUP}
