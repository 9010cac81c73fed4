"""Links inside a project: one's own counts after a yes for that very target, another's never."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest
from projects import make_project

from engine.errors import ProjectError, TrainingError
from engine.links import check_project_links, waiting_links
from engine.project.create import continue_reading, create_project, waiting_sources
from engine.project.merge import merge
from engine.project.project import open_project
from engine.training.runs.status import left_out, list_runs, read_run
from engine.trust import trust

ROWS = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(3)]
SPEC = {"name": "r", "values": {"model": {"value": "m"}, "steps": {"value": 1}}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path, ROWS)


def make_run(folder: Path, name: str = "20260101T000000Z-r") -> Path:
    run = folder / name
    run.mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps(SPEC))
    return run


def confirm(folder: Path) -> None:
    for waiting in waiting_links(folder):
        trust(waiting.kind, waiting.place, waiting.content)


def opens(project: Path) -> bool:
    try:
        open_project(project, readonly=True).close()
    except ProjectError:
        return False
    return True


@pytest.mark.parametrize(
    "name", ["rows.jsonl", "decisions", "project.toml", "session.json", "decisions/a@1.jsonl", "runs"]
)
def test_a_link_in_a_project_counts_after_a_yes(project: Path, tmp_path: Path, name: str) -> None:
    moved = tmp_path / "scratch"
    if (project / name).exists():
        (project / name).rename(moved)
    elif name == "runs":
        moved.mkdir()
    else:
        moved.write_text("{}" if name.endswith("json") else "")
    (project / name).symlink_to(moved)
    with pytest.raises(ProjectError) as refused:
        open_project(project, readonly=True)
    assert str(refused.value) == (
        f"{project / name} is a link to {moved}: nobody has confirmed it. tamis trust {project}"
    )
    assert [waiting.place for waiting in waiting_links(project)] == [project / name]
    confirm(project)
    assert waiting_links(project) == ()
    assert opens(project)


def test_a_yes_holds_for_one_link_and_one_target(project: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    link = project / "runs"
    link.symlink_to(tmp_path / "one")
    confirm(project)
    assert opens(project)
    (project / "exports").symlink_to(tmp_path / "one")  # the same target under another name
    assert not opens(project)
    (project / "exports").unlink()
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert not opens(project)
    link.unlink()
    (tmp_path / "one").rename(tmp_path / "gone")
    link.symlink_to(tmp_path / "one")  # confirmed before: its disk is away
    assert opens(project)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is somebody else's")
@pytest.mark.parametrize("whose", ["link", "target"])
def test_what_is_somebody_elses_is_refused_for_good(project: Path, tmp_path: Path, whose: str) -> None:
    target = tmp_path / "secret"
    target.write_text("a key")
    link = project / "session.json"
    link.symlink_to(target)
    os.chown(link if whose == "link" else target, 4242, 4242, follow_symlinks=False)
    assert waiting_links(project) == ()
    with pytest.raises(ProjectError, match="somebody else") as refused:
        check_project_links(project)
    assert "tamis trust" not in str(refused.value)


def test_inside_a_confirmed_folder_nothing_leads_out(project: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    shutil.move(project / "decisions", scratch)
    (project / "decisions").symlink_to(scratch)
    confirm(project)
    (scratch / "kept.jsonl").write_text("")
    (scratch / "eve@1.jsonl").symlink_to(scratch / "kept.jsonl")
    assert opens(project)
    (scratch / "bob@1.jsonl").symlink_to("/etc/hostname")
    assert waiting_links(project) == ()
    with pytest.raises(ProjectError, match="leads out of"):
        check_project_links(project)


def test_runs_behind_links_are_left_out_and_told(project: Path, tmp_path: Path) -> None:
    runs = project / "runs"
    make_run(runs)
    elsewhere = make_run(tmp_path / "elsewhere", "20260102T000000Z-x")
    (runs / elsewhere.name).symlink_to(elsewhere)
    inside = make_run(runs, "20260103T000000Z-y")
    (inside / "model").symlink_to(tmp_path)
    assert [state.id for state in list_runs(runs)] == ["20260101T000000Z-r"]
    assert len(left_out(runs)) == 2
    with pytest.raises(TrainingError, match="is a link to"):
        read_run(inside)
    assert sorted(waiting.place.name for waiting in waiting_links(project)) == [elsewhere.name, "model"]
    confirm(project)
    assert left_out(runs) == []
    assert len(list_runs(runs)) == 3


def test_a_merge_takes_nothing_from_behind_a_link(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tamis"
    shutil.copytree(project, other)
    private = tmp_path / "private"
    private.mkdir()
    (private / "eve@1.jsonl").write_text('{"v":1,"n":1,"at":"2026-01-01T00:00:00Z","by":"eve","acts":[]}\n')
    shutil.rmtree(other / "decisions")
    (other / "decisions").symlink_to(private)
    with pytest.raises(ProjectError, match="is a link to"):
        merge(project, other)
    assert not list((project / "decisions").glob("eve*"))


def test_reading_on_begins_where_it_was_begun(tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    own = create_project(source, first=1)
    foreign = tmp_path / "copied.tamis"
    shutil.copytree(own, foreign)
    private = tmp_path / "private.jsonl"
    private.write_bytes(source.read_bytes())
    settings = (foreign / "project.toml").read_text()
    (foreign / "project.toml").write_text(settings.replace(str(source), str(private)))
    assert [str(private) in waiting.what for waiting in waiting_sources(foreign)] == [True]
    with pytest.raises(ProjectError, match=r"going on would read .*private\.jsonl"):
        continue_reading(foreign)
    assert waiting_sources(own) == ()
    assert continue_reading(own) == 3


def test_a_pipe_or_a_link_that_a_merge_left_is_not_waited_for(project: Path, tmp_path: Path) -> None:
    os.mkfifo(project / "rows.intent")
    assert not opens(project)
    (project / "rows.intent").unlink()
    ready = project / "decisions" / "merged"
    ready.mkdir(parents=True)
    os.mkfifo(ready / "eve@1.jsonl")
    with open_project(project, readonly=True) as opened:
        assert any("it is a pipe" in note for note in opened.notes)
    (ready / "eve@1.jsonl").unlink()
    (ready / "eve@1.jsonl").symlink_to("/dev/zero")
    assert not opens(project)


def test_the_command_to_copy_is_one_command_whatever_a_folder_is_called(tmp_path: Path) -> None:
    (tmp_path / "my; touch x").mkdir()
    folder = make_project(tmp_path / "my; touch x", ROWS)
    (folder / "gate.toml").symlink_to(tmp_path)
    with pytest.raises(ProjectError) as refused:
        check_project_links(folder)
    assert shlex.split(str(refused.value).rpartition("tamis ")[2]) == ["trust", str(folder)]
