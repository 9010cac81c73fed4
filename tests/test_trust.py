"""`tamis trust` as a person types it: what waits is shown whole, and only a person's yes counts."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from projects import make_project, numbered, write_jsonl

from engine import open_project
from engine.config import load_config
from engine.model import Act
from engine.trust import was_made_here
from workbench.cli.main import main
from workbench.cli.open import waiting_words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somebody's project: its config.toml names a program that leaves a mark where it runs."""
    made = make_project(tmp_path, numbered(4))
    with open_project(made, reviewer="ann") as project:
        project.decide([Act("accept", tuple(map(project.rows.id, range(4))))])
    mark = json.dumps(f"touch {tmp_path / 'ran'}; exit 1")
    (made / "config.toml").write_text(f'[training]\ncommand = ["/bin/sh", "-c", {mark}]\n')
    return made


def test_what_would_use_a_setting_that_waits_ends_with_the_line_to_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["plan"], ["train"], ["curve"], ["sweep"], ["compare"], ["rescore"]):
        assert main([*words, str(folder)]) == 2
        told = capsys.readouterr()
        assert told.err.count("\n") == 1
        assert "training.command" in told.err
        assert f"tamis trust {folder}" in told.err
    assert main(["status", str(folder)]) == 0
    assert main(["do", str(folder), "reject row:1", "--as", "ann"]) == 0
    assert main(["export", str(folder), "--to", str(tmp_path / "out.jsonl")]) == 0
    (folder / "config.toml").write_text('embedding = "/tmp"\n')
    assert main(["pick", str(folder), "2"]) == 2
    assert "embedding" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_without_a_terminal_only_the_option_is_a_yes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["trust", str(folder)]) == 1
    told = capsys.readouterr()
    assert 'training.command = ["/bin/sh", "-c", "touch ' in told.out
    assert "--yes" in told.err
    assert main(["trust", str(folder), "--json"]) == 1
    (waiting,) = json.loads(capsys.readouterr().out)["waiting"]
    assert (waiting["place"], waiting["trusted"]) == (str(folder), False)
    assert main(["trust", str(folder), "--json", "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["waiting"][0]["trusted"]
    assert not load_config(folder).withheld
    assert main(["trust", str(folder)]) == 0
    assert capsys.readouterr().out == "nothing waits for a yes\n"


def test_a_yes_in_a_pipe_is_none(folder: Path) -> None:
    words = [sys.executable, "-m", "workbench.cli.main", "trust", str(folder)]
    done = subprocess.run(words, input="y\n" * 9, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert load_config(folder).withheld


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("\n", 1)])
def test_a_person_is_asked_once_the_content_was_shown(folder: Path, typed: str, code: int) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-m", "workbench.cli.main", "trust", str(folder)])
    shown = b""
    while b"[y/n" not in shown:
        assert select.select([terminal], [], [], 30)[0]
        shown += os.read(terminal, 4096)
    assert b"training.command" in shown
    os.write(terminal, typed.encode())
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code
    assert bool(load_config(folder).withheld) is bool(code)


def test_a_project_that_a_command_made_is_the_persons_own(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", numbered(3))
    assert main(["scan", str(source), "--project", str(tmp_path / "own.tamis")]) == 0
    assert was_made_here(tmp_path / "own.tamis")


def test_a_no_keeps_it_from_counting_and_from_being_told_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert waiting_words(folder, load_config(folder))
    assert main(["trust", str(folder), "--no"]) == 0
    assert load_config(folder).withheld
    assert waiting_words(folder, load_config(folder)) == ()
    capsys.readouterr()
    # A later yes to everything is not meant for what was said no to.
    assert main(["trust", str(folder), "--yes"]) == 0
    assert "(you said no)" in capsys.readouterr().out
    assert load_config(folder).withheld
