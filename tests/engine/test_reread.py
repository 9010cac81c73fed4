"""An old project is read by today's reader: counted first, one act of the journal, taken back by undo."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from projects import write_jsonl

from engine.model import Act
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.project.quarantine import QUARANTINE_FILE
from engine.project.reread import reread, understood_better
from engine.project.settings import read_settings, write_settings
from engine.sources.mapping import Mapping
from workbench.cli.main import main


def chat(number: int) -> dict[str, Any]:
    said = [("user", f"Question {number}?"), ("assistant", f"Answer {number}.")]
    return {"text": f"all of row {number}", "messages": [{"role": role, "content": text} for role, text in said]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of five chats as a version made it that knew the field `text` alone; row 0 is accepted."""
    folder = create_project(write_jsonl(tmp_path / "raw.jsonl", map(chat, range(5))), tmp_path / "raw.tamis")
    write_settings(folder, replace(read_settings(folder), mapping=Mapping("text", {"text": "text"})))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
    return folder


def roles(project: Project) -> list[str]:
    return [turn.role for turn in project.example(0).messages]


def told(folder: Path, *words: str, code: int = 0, capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(["reread", str(folder), "--as", "ann", "--json", *words]) == code
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def test_rows_are_counted_read_anew_and_an_undo_brings_the_old_reading_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = next((folder / "decisions").glob("*.jsonl"))
    before = journal.read_bytes()
    looked = told(folder, "--dry-run", capsys=capsys)
    assert (looked["rows"], looked["changed"], looked["decided"], looked["n"]) == (5, 5, 1, None)
    assert looked["after"] == {"shape": "messages", "fields": {"messages": "messages"}}
    assert [example["row"] for example in looked["examples"]] == [0, 1]
    assert looked["examples"][0]["before"] == "assistant: all of row 0 \u00b7 other"
    assert looked["examples"][0]["after"] == "user: Question 0? \u00b7 assistant: Answer 0. \u00b7 other"
    # A decided row is read otherwise only when that is asked for by name.
    assert told(folder, code=2, capsys=capsys) is None
    assert journal.read_bytes() == before
    assert told(folder, "--yes", capsys=capsys)["n"] == 2
    with open_project(folder, reviewer="ann") as project:
        assert roles(project) == ["user", "assistant"]
        assert project.verdict(0) == "accepted"
        project.undo()
        assert roles(project) == ["assistant"]
        assert project.verdict(0) == "accepted"
        project.redo()
    again = told(folder, capsys=capsys)
    assert (again["changed"], again["n"]) == (0, None)


def test_the_sentences_say_what_changes_and_how_to_take_it_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reread", str(folder), "--as", "ann", "--yes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "5 of 5 rows are read otherwise, 1 of them decided; decisions stay"
    assert lines[1:3] == ["  was  text (text=text)", "  now  messages (messages=messages)"]
    assert lines[-2].endswith("undo` brings the old reading back")
    assert main(["reread", str(folder), "--as", "ann"]) == 0
    assert capsys.readouterr().out == "nothing to change: 5 rows, read as messages (messages=messages)\n"


def test_the_refusal_names_the_decided_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reread", str(folder), "--as", "ann"]) == 2
    told = capsys.readouterr().err
    assert "5 rows would be read otherwise: 1 of them decided" in told
    assert "add --yes" in told


def test_a_correction_by_hand_is_not_replaced_unasked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_project(folder, reviewer="ann") as project:
        project.undo()
        project.read_by(Mapping("messages", {"messages": "messages"}))
        project.read_by(Mapping("alpaca", {"instruction": "text", "output": "text"}))
    assert main(["reread", str(folder), "--as", "ann"]) == 2
    assert "the journal says how rows are read" in capsys.readouterr().err
    with open_project(folder, reviewer="ann") as project:
        assert understood_better(project) == 0


def test_what_was_set_aside_and_can_be_read_by_now_is_counted(folder: Path) -> None:
    lines = [b'{"messages": []}', b"[1", b'{"text":\n "x"}', b"no json"]
    content = [{"line": 9, "offset": 0, "reason": "?", "bytes": base64.b64encode(line).decode()} for line in lines]
    cut = {"line": 9, "offset": 0, "reason": "?", "bytes": base64.b64encode(b"{}").decode(), "length": 2_000_000}
    write_jsonl(folder / QUARANTINE_FILE, [*content, cut])
    with (folder / QUARANTINE_FILE).open("a") as out:
        out.write('{"line": 9, "off')
    with open_project(folder, readonly=True) as project:
        assert reread(project).readable == 2


def test_rows_that_are_read_as_well_as_ever_are_left_alone(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", [{"q": "Why?", "a": "So.", "prompt": "x", "completion": "y"}])
    folder = create_project(source, tmp_path / "raw.tamis", words="prompt=q,response=a")
    with open_project(folder, readonly=True) as project:
        assert understood_better(project) == 0
