"""What public data sets held that no small file had: each kind by its smallest input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import alpaca, make_project, write_jsonl

from engine.errors import UsageError
from engine.export.losses import by_field
from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from engine.sources.conversation.conversation import conversation_of
from engine.sources.conversation.text_edits import editable_fields
from engine.sources.mapping import Mapping
from engine.sources.shapes.guess import guess_shapes
from engine.sources.shapes.likely import likely_mapping
from engine.sources.shapes.map_words import mapping_from_words
from engine.workflows.export import export
from workbench.cli.export import export_lines

PAIR = {"prompt": "Capital of Peru?", "response_a": "Lima.", "response_b": "Cusco."}


def test_what_one_row_in_many_looks_like_reads_no_file() -> None:
    """A folder of API cards, of which one holds a picture as `inputs` and `outputs`."""
    cards: list[dict[str, object]] = [{"card": f"Card {n}", "api": {"sample": f"call({n})"}} for n in range(59)]
    odd = {"card": "Card", "api": {"sample": {"inputs": "a cat", "outputs": "a label"}}}
    assert guess_shapes([*cards, odd]).mapping is None
    assert guess_shapes([*cards[:9], odd]).mapping is not None


def test_rows_of_which_most_say_nothing_are_scanned(tmp_path: Path) -> None:
    rows = [alpaca("", "") for _ in range(60)] + [alpaca("Say something long.", "word " * 400)]
    with open_project(make_project(tmp_path, rows), reviewer="ann") as project:
        scan_project(project)
        assert len(project.rows) == 61


def test_a_tie_among_pairs_is_left_out_of_preference_and_the_pairs_leave(tmp_path: Path) -> None:
    rows = [PAIR | {"winner": winner} for winner in ("a", "b", "tie")]
    with open_project(create_project(write_jsonl(tmp_path / "raw.jsonl", rows)), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(3)))])
        with pytest.raises(UsageError, match=r"no rejected answer in 1 row \(2\).*--lossy"):
            export(project, tmp_path / "pairs.jsonl", format_name="preference")
        summary = export(project, tmp_path / "pairs.jsonl", format_name="preference", lossy=True)
    assert (summary["rows"], summary["left_out"]) == (2, {"it has no rejected answer": 1})
    written = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert [row["chosen"] for row in written] == ["Lima.", "Cusco."]


def test_what_is_lost_of_an_object_of_many_fields_is_told_by_the_object() -> None:
    names = [f"info.part_{n}.value" for n in range(30)]
    assert by_field(["trial", *names, "meta.a", "meta.b"]) == {
        "trial": ["trial"],
        "info (30 fields)": names,
        "meta.a": ["meta.a"],
        "meta.b": ["meta.b"],
    }


def test_an_export_names_an_object_of_many_fields_once_and_its_json_all_of_them(tmp_path: Path) -> None:
    info = {f"field_{n}": n for n in range(12)}
    rows = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}], "info": info}]
    with open_project(create_project(write_jsonl(tmp_path / "raw.jsonl", rows)), reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
        summary = export(project, tmp_path / "out.jsonl", format_name="messages")
    assert len(summary["left_behind"]) == 12
    assert [line for line in export_lines(summary) if "left behind" in line] == [
        "  left behind: info (12 fields) in up to 1 row"
    ]


def test_the_editor_says_who_speaks_and_what_is_called() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Lima"}'}}
    row = {"messages": [{"role": "user", "content": "Warm?"}, {"role": "assistant", "tool_calls": [call]}]}
    labels = [field.label for field in editable_fields(row, Mapping("messages", {"messages": "messages"}))]
    assert labels == ["turn 1, user", "turn 2, assistant, calls weather"]


def test_the_editor_shows_what_is_said_and_no_notes_of_annotators() -> None:
    notes = [{"name": "request", "value": "a note"}]
    row = {
        "talk": [
            {"speaker": "user", "text": "Warm?", "notes": notes},
            {"speaker": "assistant", "text": "Yes.", "notes": []},
        ]
    }
    fields = editable_fields(row, Mapping("messages", {"messages": "talk"}))
    assert [(field.label, field.text) for field in fields] == [("turn 1, user", "Warm?"), ("turn 2, assistant", "Yes.")]


def test_what_is_said_goes_by_its_name_before_the_longest_text_of_a_call() -> None:
    plot = "A very long story of two people who meet at a wedding. " * 9
    turns = [
        {"who": "agent", "text": "Hi there."},
        {"who": "caller", "text": "What is it about?"},
        {"who": "api", "response": {"film": {"plot": plot}}},
        {"who": "agent", "text": "A wedding."},
        {"who": "caller", "text": "Thanks."},
    ]
    found = likely_mapping([{"log": turns}, {"log": turns}])
    assert found is not None
    assert (found.fields["role"], found.fields["content"]) == ("who", "text")


def test_lines_that_begin_with_known_speakers_are_turns_where_a_mapping_says_messages() -> None:
    row = {"shown": "user: Warm?\nassistant: Yes.\n- 19 degrees\nuser: Fine."}
    messages = conversation_of(row, mapping_from_words("messages=shown")).messages
    assert [(message.role, message.text) for message in messages] == [
        ("user", "Warm?"),
        ("assistant", "Yes.\n- 19 degrees"),
        ("user", "Fine."),
    ]
    story = {"shown": "He said: go.\nanswer: none."}
    assert [m.role for m in conversation_of(story, mapping_from_words("messages=shown")).messages] == ["assistant"]


def test_a_project_of_several_files_is_not_called_by_the_first_alone(tmp_path: Path) -> None:
    paths = [write_jsonl(tmp_path / f"{name}.jsonl", [alpaca(name, "Yes.")]) for name in ("a", "b", "c")]
    with open_project(create_project(paths[0], tmp_path / "all.tamis", further=paths[1:]), readonly=True) as project:
        assert project.title == "a.jsonl +2"
    with open_project(create_project(paths[0]), readonly=True) as project:
        assert project.title == "a.jsonl"
