"""What a spoilt line of a journal costs: itself. The project opens, decides, exports and passes the gate, and says
which line of which file was left out and why, also once a snapshot has been made over it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from projects import make_project, numbered

from engine.errors import ProjectError
from engine.model import Act
from engine.project import journals
from engine.project.journal import hash_of, read_journal, standing_lines
from engine.project.project import Project, open_project
from engine.workflows.export import export
from engine.workflows.gate import gate, gate_summary


def nested(depth: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for _ in range(depth):
        row = {"a": row}
    return row


ID = "feed" * 4
SPOILT: dict[str, dict[str, Any]] = {
    "at 2200": {"at": "2200-01-01T00:00:00Z"},
    "at 1969": {"at": "1969-12-31T23:59:59Z"},
    "at year 1": {"at": "0001-01-01T00:00:00Z"},
    "at a number": {"at": 5},
    "at no time": {"at": "yesterday"},
    "by an object": {"by": {"a": 1}},
    "why an object": {"why": {"a": 1}},
    "n of 10^30": {"n": 10**30},
    "n of 0": {"n": 0},
    "undo of 0": {"acts": None, "undo": 0},
    "undo of the future": {"acts": None, "undo": 10**9},
    "redo of what stands": {"acts": None, "redo": 1},
    "acts and undo": {"undo": 1},
    "a kind of line of a later version": {"acts": None, "group": [1, 2]},
    "another version": {"v": 2},
    "settled to a list": {"acts": [{"do": "settle", "ids": [ID], "verdict": ["x"]}]},
    "settled to what is no verdict": {"acts": [{"do": "settle", "ids": [ID], "verdict": "maybe"}]},
    "a note that is a number": {"acts": [{"do": "note", "ids": [ID], "text": 3}]},
    "checks a number": {"acts": [{"do": "override", "ids": [], "of": "gate", "checks": 5}]},
    "checks lists": {"acts": [{"do": "override", "ids": [], "of": "gate", "checks": [[1]]}]},
    "an edit nested 300 deep": {"acts": [{"do": "edit", "ids": [ID], "edited": {ID: nested(300)}}]},
    "a mapping to numbers": {"acts": [{"do": "map", "ids": [], "shape": "alpaca", "fields": {"instruction": 5}}]},
    "a mapping without its field": {"acts": [{"do": "map", "ids": [], "shape": "messages", "fields": {}}]},
}


def line_of(changes: dict[str, Any]) -> str:
    line = {
        "v": 1,
        "n": 2,
        "at": "2026-01-01T00:00:00Z",
        "by": "eve",
        "acts": [{"do": "accept", "ids": [ID]}],
    } | changes
    return json.dumps({key: value for key, value in line.items() if value is not None})


def write_journal(folder: Path, *lines: str, name: str = "eve@00000000.jsonl") -> Path:
    path = folder / "decisions" / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def use_all_of(folder: Path, to: Path) -> list[str]:
    """Open, look at everything, decide, export, ask the gate; what was said of the journals."""
    with open_project(folder, reviewer="ann") as project:
        for number in range(len(project.rows)):
            project.example(number)
            project.voices(number)
        project.counts()
        project.decide([Act("accept", (project.rows.id(2),))])
        export(project, to)
        gate_summary(project, gate(project))
        return list(project.notes)


@pytest.mark.parametrize("lines_to_snapshot", [2000, 1])
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_line_that_cannot_be_folded_is_named_and_stops_nothing(
    spoilt: str, lines_to_snapshot: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", lines_to_snapshot)
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, readonly=True) as project:
        ids = [project.rows.id(number) for number in range(3)]
    (folder / "gate.toml").write_text("min_accepted = 1\nmin_seen_share = 0.0\n")
    good = {"acts": [{"do": "accept", "ids": [ids[0]]}]}
    bad = json.loads(json.dumps(SPOILT[spoilt]).replace(ID, ids[1]))
    journal = write_journal(folder, line_of(good | {"n": 1}), line_of(bad), line_of(good | {"n": 3}))
    before = journal.read_bytes()
    # Twice: the second opening stands on the snapshot of the first.
    for again in range(2):
        (note,) = use_all_of(folder, tmp_path / f"out{again}")
        assert note.startswith(f"{journal.name}: line 2 cannot be read (")
        assert note.endswith("; it was left out")
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(number) for number in range(3)] == ["accepted", "undecided", "accepted"]
    assert journal.read_bytes() == before, "it stays in the file"


@pytest.mark.parametrize("lines_to_snapshot", [2000, 1])
def test_an_act_of_a_later_version_is_told_and_the_rest_of_its_line_counts(
    lines_to_snapshot: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", lines_to_snapshot)
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, readonly=True) as project:
        ids = [project.rows.id(number) for number in range(2)]
    acts = [
        {"do": "accept", "ids": ids[:1]},
        {"do": "frobnicate", "ids": ids},
        {"do": "map", "ids": [], "shape": "new"},
    ]
    journal = write_journal(folder, line_of({"acts": acts}))
    for _ in range(2):
        with open_project(folder, reviewer="ann") as project:
            assert project.verdict(0) == "accepted"
            assert [note.removeprefix(f"{journal.name}: line 1: ").split(" is not")[0] for note in project.notes] == [
                "the act 'frobnicate'",
                "a mapping to 'new'",
            ]


def test_times_of_other_zones_are_the_same_with_and_without_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 1)
    folder = make_project(tmp_path, numbered(4))
    stamps = ("2026-01-01T01:00:00+02:00", "2026-01-01 00:00:00.75", "", "1970-01-01T00:00:00Z")
    with open_project(folder, readonly=True) as project:
        acts = [[{"do": "accept", "ids": [project.rows.id(number)]}] for number in range(4)]
    write_journal(folder, *(line_of({"n": n, "at": at, "acts": acts[n - 1]}) for n, at in enumerate(stamps, start=1)))
    expected = ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z", "", "1970-01-01T00:00:00Z"]
    for _ in range(2):
        with open_project(folder, readonly=True) as project:
            assert [project.decision(number).at for number in range(4)] == expected
    assert (folder / "snapshot.bin").exists()


def test_nothing_is_written_that_the_next_start_would_leave_out(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(1))
    with open_project(folder, reviewer="ann") as project:
        identifier = project.rows.id(0)
        with pytest.raises(ProjectError, match="not saved: edited of an act is not what it should be"):
            project.decide([Act("edit", (identifier,), {identifier: nested(300)})])
        assert project.decide([Act("edit", (identifier,), {identifier: nested(150)})]) == 1
    with open_project(folder, reviewer="ann") as project:
        assert project.current_row(0) == nested(150)


def test_a_pipe_or_a_folder_by_the_name_of_a_journal_is_told_and_not_opened(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(1))
    os.mkfifo(folder / "decisions" / "bob@1.jsonl")
    (folder / "decisions" / "cleo@1.jsonl").mkdir()
    with open_project(folder, reviewer="ann") as project:
        assert project.notes == [
            "bob@1.jsonl: is no file; it was left out",
            "cleo@1.jsonl: is no file; it was left out",
        ]
        project.decide([Act("accept", (project.rows.id(0),))])


# -- lines that follow one another


def decided(project: Project, *verdicts: str) -> None:
    for number, verdict in enumerate(verdicts):
        project.decide([Act(verdict, (project.rows.id(number),))])


def test_a_line_names_the_one_before_it_and_a_changed_one_is_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as project:
        decided(project, "accept", "accept", "accept")
        (journal,) = project.journal_ends()
    with open_project(folder, reviewer="ann") as project:
        assert project.notes == []
        project.undo()
    raw = journal.read_bytes().splitlines()
    assert [json.loads(line)["prev"] for line in raw] == ["", *map(hash_of, raw[:-1])]
    journal.write_bytes(journal.read_bytes().replace(b'"accept"', b'"reject"', 1))
    with open_project(folder, reviewer="ann") as project:
        (note,) = project.notes
        assert note == (
            f"{journal.name}: line 1 cannot be read (it was changed after it was written: its checksum does not fit; "
            "number 1, it says: reject 1 row); it was left out"
        )
        assert [project.verdict(number) for number in range(3)] == ["undecided", "accepted", "undecided"]


def test_two_lines_of_one_number_both_count_and_undo_takes_back_the_later_one(tmp_path: Path) -> None:
    """An earlier version could give a number twice: in a take-over, or while a side file was away."""
    folder = make_project(tmp_path, numbered(4))
    with open_project(folder, readonly=True) as project:
        acts = [[{"do": "accept", "ids": [project.rows.id(number)]}] for number in range(4)]
    own = write_journal(folder, *(line_of({"n": n, "acts": acts[row]}) for row, n in enumerate((1, 2, 2, 3))))
    with open_project(folder, readonly=True) as project:
        assert project.counts()["accepted"] == 4
        assert project.notes == [f"{own.name}: line 3 has the number 2 of line 2 again; both count"]
    for n, taken_back, left in ((4, 3, [0, 1, 2]), (5, 2, [0, 1]), (6, 2, [0]), (7, 1, [])):
        with own.open("a") as stream:
            stream.write(line_of({"n": n, "acts": None, "undo": taken_back}) + "\n")
        with open_project(folder, readonly=True) as project:
            assert [row for row in range(4) if project.verdict(row) == "accepted"] == left
        assert len(standing_lines(read_journal(own).lines)) == len(left)
    for n, again, left in ((8, 1, [0]), (9, 2, [0, 1]), (10, 2, [0, 1, 2])):
        with own.open("a") as stream:
            stream.write(line_of({"n": n, "acts": None, "redo": again}) + "\n")
        with open_project(folder, readonly=True) as project:
            assert [row for row in range(4) if project.verdict(row) == "accepted"] == left


def test_fifty_thousand_lines_of_nonsense_undos_are_read_in_a_breath(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(1))
    same = [line_of({"n": 1, "acts": []})] * 10_000
    undos = [line_of({"n": 2 + n, "acts": None, "undo": 1}) for n in range(20_000)]
    write_journal(folder, *same, *undos)
    with open_project(folder, readonly=True) as project:
        assert len(project.notes) == 51
        assert project.notes[-1].endswith("more")
