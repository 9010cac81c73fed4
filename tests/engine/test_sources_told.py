"""Which file a row came from: asked in selectors, told in counts, in the pick, in exports and their papers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import alpaca, numbered, write_jsonl

from engine.errors import UsageError
from engine.jobs.pick import pick_rows, pick_to_json
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.by_source import counts_by_source, source_selector
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.select import select
from engine.workflows.export import export


def of_files(place: Path, *names: str) -> Path:
    """Two rows a file."""
    paths = []
    for number, name in enumerate(names):
        (place / name).parent.mkdir(exist_ok=True)
        rows = [alpaca(f"Question {number} {n} of {name}?", f"Answer {n}.") for n in range(2)]
        paths.append(write_jsonl(place / name, rows))
    return create_project(paths[0], place / "all.tamis", further=paths[1:])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("source:raw.jsonl", [0, 1]),
        ("source:raw.", [0, 1]),
        ("source:more", [4, 5]),
        ("source:2", [2, 3]),
        ("not source:raw.jsonl and row:3-9", [3, 4, 5, 6, 7]),
        ('source:"my file.jsonl"', [6, 7]),
    ],
)
def test_rows_are_named_by_their_file(tmp_path: Path, text: str, rows: list[int]) -> None:
    folder = of_files(tmp_path, "raw.jsonl", "rawer.jsonl", "more.jsonl", "my file.jsonl")
    with open_project(folder, readonly=True) as project:
        assert select(project, text) == rows
        assert [select(project, source_selector(project, place)) for place in range(4)] == [
            *([0, 1], [2, 3], [4, 5], [6, 7])
        ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source:raw", "are several files. Write source:1 (raw.jsonl) or source:2 (rawer.jsonl)"),
        ("source:moer.jsonl", "did you mean source:more.jsonl?"),
        ("source:9", "known: raw.jsonl, rawer.jsonl, more.jsonl"),
        ("file:raw.jsonl", "did you mean source:raw.jsonl?"),
        ("source=raw.jsonl", "write source:raw.jsonl"),
    ],
)
def test_a_file_that_is_not_told_says_which_there_are(tmp_path: Path, text: str, told: str) -> None:
    with (
        open_project(of_files(tmp_path, "raw.jsonl", "rawer.jsonl", "more.jsonl"), readonly=True) as project,
        pytest.raises(UsageError) as refused,
    ):
        select(project, text)
    assert told.lower() in str(refused.value).lower()


def test_files_of_one_name_are_told_by_number_and_versions_of_one_file_are_one(tmp_path: Path) -> None:
    folder = of_files(tmp_path, "a/train.jsonl", "b/train.jsonl")
    with open_project(folder, readonly=True) as project, pytest.raises(UsageError, match=r"source:1 .* or source:2"):
        select(project, "source:train.jsonl")
    with open_project(folder, readonly=True) as project:
        assert select(project, source_selector(project, 1)) == [2, 3]
    alone = create_project(write_jsonl(tmp_path / "raw.jsonl", numbered(2)))
    write_jsonl(tmp_path / "raw.jsonl", [alpaca("New?", "Yes.")])
    grow(alone, tmp_path / "raw.jsonl", "ann")
    with open_project(alone, readonly=True) as project:
        assert select(project, "source:raw") == [0, 1, 2]


def accepted(project: Project, *numbers: int) -> None:
    project.decide([Act("accept", tuple(project.rows.id(number) for number in numbers))])


def test_counts_pick_export_manifest_and_card_tell_the_share_of_each_file(tmp_path: Path) -> None:
    folder = of_files(tmp_path, "raw.jsonl", "more.jsonl")
    with open_project(folder, reviewer="ann") as project:
        accepted(project, 0, 2, 3)
        assert [(one["name"], one["rows"], one["accepted"], one["undecided"]) for one in counts_by_source(project)] == [
            *(("raw.jsonl", 2, 1, 1), ("more.jsonl", 2, 2, 0))
        ]
        picked = pick_to_json(project, pick_rows(project, 3, locked=[0, 2, 3]))
        assert [(one["name"], one["of_these"]) for one in picked["sources"]] == [("raw.jsonl", 1), ("more.jsonl", 2)]
        summary = export(project, tmp_path / "out")
    assert [(one["name"], one["rows"], one["of_these"]) for one in summary["sources"]] == [
        *(("raw.jsonl", 2, 1), ("more.jsonl", 2, 2))
    ]
    document = json.loads((tmp_path / "out" / "tamis-manifest.json").read_text())
    assert [(one["name"], one["rows"], one["accepted"]) for one in document["source"]] == [
        *(("raw.jsonl", 2, 1), ("more.jsonl", 2, 2))
    ]
    assert "- `more.jsonl`: 2 rows, 2 of them in this set, sha256" in (tmp_path / "out" / "README.md").read_text()


def test_files_of_two_shapes_leave_in_one_or_as_they_came_where_that_is_said(tmp_path: Path) -> None:
    chats = [{"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]}]
    first, second = write_jsonl(tmp_path / "a.jsonl", numbered(1)), write_jsonl(tmp_path / "b.jsonl", chats)
    with open_project(create_project(first, further=[second]), reviewer="ann") as project:
        accepted(project, 0)
        # Of one shape: nothing is in the way.
        assert export(project, tmp_path / "one.jsonl")["rows"] == 1
        accepted(project, 1)
        with pytest.raises(UsageError) as refused:
            export(project, tmp_path / "both.jsonl")
        assert "a.jsonl: alpaca (instruction, output); b.jsonl: messages (messages)" in str(refused.value)
        assert "--format messages" in str(refused.value)
        assert not (tmp_path / "both.jsonl").exists()
        export(project, tmp_path / "both.jsonl", format_name="messages")
        export(project, tmp_path / "same.jsonl", format_name="same")
    rows = [json.loads(line) for line in (tmp_path / "both.jsonl").read_text().splitlines()]
    assert [list(row) for row in rows] == [["messages"], ["messages"]]
    assert (tmp_path / "same.jsonl").read_bytes() == first.read_bytes() + second.read_bytes()


def test_a_csv_and_lines_leave_as_lines_with_the_same_values(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", [{"instruction": "Q?", "output": "A."}])
    second = tmp_path / "b.csv"
    second.write_text("instruction,output\nP?,B.\n")
    with open_project(create_project(first, further=[second]), reviewer="ann") as project:
        accepted(project, 0, 1)
        summary = export(project, tmp_path / "both.jsonl")
    assert (summary["untouched"], summary["untouched_identical"], summary["written_anew"]) == (2, 1, {"csv": 1})
    rows = [json.loads(line) for line in (tmp_path / "both.jsonl").read_text().splitlines()]
    assert rows == [{"instruction": "Q?", "output": "A."}, {"instruction": "P?", "output": "B."}]
