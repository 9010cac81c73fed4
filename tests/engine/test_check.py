"""`tamis check`: whatever was damaged in a project is told by name; caches are made again, nothing else is touched."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import make_project, numbered, write_jsonl

from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from engine.project.proposals import NewProposal, add_proposals
from engine.project.suspects import Suspected, Suspects, save_suspects
from engine.workflows.check import check_project
from engine.workflows.export import export
from workbench.cli.main import main

ROWS = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    raw = write_jsonl(tmp_path / "raw.jsonl", numbered(ROWS))
    with raw.open("ab") as stream:
        stream.write(b"{bad\n{worse\n")
    made = create_project(raw)
    with open_project(made, reviewer="ann") as project:
        scan_project(project)
        project.decide([Act("accept", tuple(map(project.rows.id, range(6))))])
        save_suspects(
            made, Suspects("r1", "2026-01-01T00:00:00Z", (Suspected(project.rows.id(1), "forgotten", 1, 1, "x"),))
        )
        export(project, made / "exports")
    return made


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_sound_project_has_nothing_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    assert main(["check", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["wrong"], told["mended"], told["notes"]) == ([], [], [])
    assert told["looked_at"]["rows"] == ROWS
    assert told["looked_at"]["set aside"] == 2
    assert contents(folder) == before


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _lose_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


HARMS: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "a row": ("rows.jsonl", lambda path: flip(path, 40), "row 0 (line 1 of raw.jsonl) is not what was read"),
    "a line feed": ("rows.jsonl", lambda path: flip(path, path.read_bytes().index(b"\n")), "line feed"),
    "set aside": (
        "quarantine.jsonl",
        lambda path: flip(path, path.read_bytes().index(b"bytes") + 10),
        "line 1 is damaged",
    ),
    "of set aside": ("quarantine.jsonl", _lose_line, "holds 1 of 2 lines"),
    "settings": (
        "project.toml",
        lambda path: flip(path, path.read_bytes().index(b"sha256") + 12),
        "not as tamis wrote it",
    ),
    "settings, past reading": ("project.toml", _cut, "project.toml"),
    "a journal": ("decisions/*.jsonl", lambda path: flip(path, 1), "line 1 cannot be read"),
    "the end of a journal": ("decisions/*.jsonl", _lose_line, "lines are missing at its end; it had 1 line"),
    "an export": ("exports/train.jsonl", lambda path: flip(path, 20), "train.jsonl is not the file that was written"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_a_person_must_see_to_is_told_and_left_as_it_is(
    harm: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, do, words = HARMS[harm]
    do(next(folder.glob(name)))
    before = contents(folder)
    assert main(["check", str(folder)]) == 1
    assert words in capsys.readouterr().out
    assert contents(folder) == before


CACHES = ("scan.bin", "scan.cache", "suspects.json", "journals.json", "rows.idx")


@pytest.mark.parametrize("name", CACHES)
def test_a_damaged_cache_is_made_again(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (folder / name).read_bytes()
    flip(folder / name, len(whole) // 2)
    before = contents(folder)
    assert main(["check", str(folder), "--dry-run"]) == 0
    assert f"would be made again: {name}" in capsys.readouterr().out
    assert contents(folder) == before
    assert main(["check", str(folder)]) == 0
    capsys.readouterr()
    assert not (folder / name).exists() or (folder / name).read_bytes() == whole
    assert main(["check", str(folder)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_any_byte_of_an_index_comes_back(folder: Path) -> None:
    index = folder / "rows.idx"
    whole = index.read_bytes()
    dice = random.Random(3)
    for at in (0, 8, 15, *(dice.randrange(len(whole)) for _ in range(12)), len(whole) - 1):
        flip(index, at)
        assert check_project(folder).wrong == []
        assert index.read_bytes() == whole
    for content in (b"", whole[:-1], whole[: len(whole) // 2]):
        index.write_bytes(content)
        check_project(folder)
        assert index.read_bytes() == whole
    index.unlink()
    assert [one.do for one in check_project(folder).mended] == [
        "made again from rows.jsonl: the source has the very rows"
    ]
    assert index.read_bytes() == whole


def test_without_the_source_a_lost_index_is_made_again_and_the_doubt_is_told(folder: Path) -> None:
    index = folder / "rows.idx"
    whole = index.read_bytes()
    index.unlink()
    (folder.parent / "raw.jsonl").unlink()
    assert ["nothing proves it" in one.do for one in check_project(folder).wrong] == [True]
    assert index.read_bytes() == whole


def test_an_index_is_not_made_from_rows_that_were_damaged_as_well(folder: Path) -> None:
    (folder / "rows.idx").unlink()
    rows = folder / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"Answer 3.", b"Answer 4."))
    found = check_project(folder)
    assert ["1 rows that the journals speak of would not be found" in one.what for one in found.wrong] == [True]
    assert not (folder / "rows.idx").exists()


def test_a_source_that_is_gone_or_changed_is_worth_a_note(folder: Path) -> None:
    with (folder.parent / "raw.jsonl").open("ab") as stream:
        stream.write(b"\n")
    found = check_project(folder)
    assert found.wrong == []
    assert [one.what for one in found.notes] == ["the source has changed since it was read"]


def test_what_killed_processes_left_is_taken_away_and_links_are_named(folder: Path) -> None:
    left = folder / ".scan.bin.abc.tamis-tmp"
    left.write_bytes(b"half")
    (folder / "runs").mkdir()
    os.symlink("/nowhere", folder / "runs" / "r1")
    found = check_project(folder)
    assert not left.exists()
    assert [one.what for one in found.mended] == ["1 file that a killed process left"]
    assert [(one.where, one.what) for one in found.notes] == [("runs/r1", "is a link to /nowhere")]


def test_a_run_whose_rows_changed_is_told(folder: Path) -> None:
    run = folder / "runs" / "r1"
    (run / "data").mkdir(parents=True)
    (run / "data" / "train.jsonl").write_bytes(b"{}\n")
    values = {"model": {"value": "m"}, "steps": {"value": 1}}
    (run / "spec.json").write_text(
        json.dumps({"name": "r", "values": values, "data": {"train": {"rows": 1, "sha256": "0" * 64}}})
    )
    (run / "events.jsonl").write_bytes(b'{"v":1,"t":1.0,"ev":"phase"}\n{"ev":"lo\n')
    found = check_project(folder)
    assert [(one.where, one.what) for one in found.wrong] == [
        ("runs/r1/data/train.jsonl", "is not what the run was started on")
    ]
    assert [one.what for one in found.notes] == ["1 line cannot be read (line 2)"]
    (run / "spec.json").write_text("{")
    assert [one.where for one in check_project(folder).wrong] == ["runs/r1/spec.json"]


def test_a_file_of_rows_is_read_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = write_jsonl(tmp_path / "raw.jsonl", numbered(3))
    assert main(["check", str(raw)]) == 0
    assert "3 rows (jsonl), 0 lines cannot be read" in capsys.readouterr().out
    raw.write_bytes(b"\xef\xbb\xbf" + raw.read_bytes() + b"{bad\n")
    assert main(["check", str(raw), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["quarantined"], told["notes"]) == (3, 1, {"byte order mark": 1})
    assert told["lines"][0]["line"] == 4
    assert main(["check", str(tmp_path / "none.jsonl")]) == 2


def test_earlier_versions_wrote_no_checks_and_nothing_is_wrong_with_that(tmp_path: Path) -> None:
    made = make_project(tmp_path, numbered(3))
    settings, index = made / "project.toml", made / "rows.idx"
    settings.write_bytes(settings.read_bytes().partition(b"\n")[2])
    index.write_bytes(index.read_bytes()[:-4])
    assert check_project(made).wrong == []


def test_a_changed_line_of_proposals_is_told_and_proposes_nothing(folder: Path) -> None:
    with open_project(folder, readonly=True) as project:
        add_proposals(folder, "model:m", [NewProposal(project.rows.id(7), verdict="reject", why="short")])
    path = folder / "proposals" / "model_m.jsonl"
    path.write_bytes(path.read_bytes().replace(b"reject", b"accept"))
    (told,) = check_project(folder).wrong
    assert told.what.startswith("proposals/model_m.jsonl: line 1: it was changed after it was written")
    with open_project(folder, readonly=True) as project:
        assert project.proposals.of(project.rows.id(7)) == ()


def test_pipes_are_not_waited_for_and_a_manifest_names_no_file_elsewhere(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    place = folder / "exports" / "a"
    place.mkdir()
    (place / "tamis-manifest.json").write_text(json.dumps({"export": {"sha256": {str(tmp_path / "secret"): "0"}}}))
    (folder / "quarantine.jsonl").unlink()
    os.mkfifo(folder / "quarantine.jsonl")
    told = [str(each) for each in check_project(folder).wrong]
    assert any("which lies elsewhere" in each for each in told)
    assert any("quarantine.jsonl" in each for each in told)


def test_a_cache_that_cannot_be_taken_away_is_not_called_mended(folder: Path) -> None:
    (folder / "suspects.json").unlink()
    (folder / "suspects.json").mkdir()
    found = check_project(folder)
    assert [one.where for one in found.wrong] == ["suspects.json"]
    assert found.mended == []


def test_a_link_that_nobody_said_yes_to_is_refused_and_not_looked_behind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "quarantine.jsonl").unlink()
    (folder / "quarantine.jsonl").symlink_to("/dev/zero")
    assert main(["check", str(folder)]) == 2
    assert "is a link to /dev/zero" in capsys.readouterr().err
