"""What could not be read of a project is told by every command that says something of it, also where that is JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from workbench.cli.main import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose journal lost its last line at a line's end after it was left."""
    rows = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(4)]
    source = tmp_path / "raw.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = create_project(source)
    with open_project(made, reviewer="ann") as project:
        for row in range(3):
            project.decide([Act("accept", (project.rows.id(row),))])
        (journal,) = project.journal_ends()
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    return made


@pytest.mark.parametrize(
    "words",
    ["status", "journal", "scan", "gate", "export {} --to out", "report"],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_each_command_tells_it_once(
    words: str, as_json: bool, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    command = words.format(folder) if "{}" in words else f"{words} {folder}"
    assert main([*command.split(), *(["--json"] if as_json else [])]) == 0
    assert capsys.readouterr().err.count("lines are missing at its end; it had 3 lines") == 1


def test_a_project_without_its_settings_is_not_read_as_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "project.toml").unlink()
    assert main(["scan", str(folder), "--json"]) == 2
    told = f"tamis: {folder}: is a project without its project.toml. Restore that from a copy\n"
    assert capsys.readouterr().err == told
