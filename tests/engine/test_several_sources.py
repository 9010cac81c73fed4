"""Several files in one project: each read by its own reader and its own shape, all or nothing, in the order named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, numbered, write_jsonl

from engine.errors import ProjectError, SourceError
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.create import continue_reading, create_project
from engine.project.merge import merge
from engine.project.project import open_project
from engine.project.settings import read_settings, write_settings
from engine.sources.mapping import Mapping


def chat(request: str, answer: str = "") -> list[dict[str, str]]:
    return [{"from": "human", "value": request}, *([{"from": "gpt", "value": answer}] if answer else [])]


def plain(count: int = 3) -> list[dict[str, Any]]:
    return [{"conversations": chat(f"Q{n}?", f"A{n}.")} for n in range(count)]


def preferred(count: int = 2) -> list[dict[str, Any]]:
    good, bad = {"from": "gpt", "value": "Good."}, {"from": "gpt", "value": "Bad."}
    return [{"conversations": chat(f"P{n}?"), "chosen": good, "rejected": bad} for n in range(count)]


def test_rows_of_another_shape_are_read_by_it_also_where_the_first_shape_finds_a_half(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "chats.jsonl", plain())
    second = write_jsonl(tmp_path / "pairs.jsonl", preferred())
    third = tmp_path / "table.csv"
    third.write_text("question,answer\nT0?,X0.\n")
    with open_project(create_project(first, further=[second, third]), readonly=True) as project:
        assert project.folder == tmp_path / "chats.tamis"
        assert [project.example(n).answer for n in range(6)] == ["A0.", "A1.", "A2.", "Good.", "Good.", "X0."]
        held = project.example(3).conversation
        assert [[message.text for message in branch][-1] for branch in held.rejected] == ["Bad."]
        assert held.other == ()
        assert [project.example(n).source for n in (0, 3, 5)] == ["chats.jsonl", "pairs.jsonl", "table.csv"]
        assert [project.example(n).line for n in (0, 3, 5)] == [1, 1, 2]


def test_an_input_that_only_the_second_file_has_is_read(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", [{"instruction": "Add.", "output": "4"}])
    second = write_jsonl(tmp_path / "b.jsonl", [{"instruction": "Translate.", "input": "Hund", "output": "dog"}])
    with open_project(create_project(first, further=[second]), readonly=True) as project:
        assert "Hund" in project.example(1).prompt
        assert project.example(1).conversation.other == ()


def test_what_a_person_says_of_the_fields_holds_in_every_file_that_has_them(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", [{"instruction": "a", "output": "b", "better": "c"}])
    second = write_jsonl(tmp_path / "b.jsonl", [{"instruction": "d", "input": "e", "output": "f", "better": "g"}])
    third = write_jsonl(tmp_path / "c.jsonl", preferred(1))
    folder = create_project(first, further=[second, third], words="prompt=instruction,response=better")
    with open_project(folder, readonly=True) as project:
        assert [project.example(n).answer for n in range(3)] == ["c", "g", "Good."]


def test_a_mapping_corrected_by_hand_leaves_the_files_alone_that_have_their_own(tmp_path: Path) -> None:
    rows = [{"query": "q", "response": "r", "reply": {"text": "said"}}]
    folder = create_project(
        write_jsonl(tmp_path / "a.jsonl", rows), further=[write_jsonl(tmp_path / "b.jsonl", preferred(1))]
    )
    with open_project(folder, reviewer="ann") as project:
        project.read_by(Mapping("alpaca", {"instruction": "query", "output": "reply.text"}))
        assert [project.example(n).answer for n in range(2)] == ["said", "Good."]
    # A file of the first shape that comes later is read as the person said.
    grow(folder, write_jsonl(tmp_path / "c.jsonl", [rows[0] | {"query": "other", "system": "s"}]), "ann")
    with open_project(folder, readonly=True) as project:
        assert project.example(2).answer == "said"


def test_the_mapping_of_a_file_survives_settings_being_written_and_older_tables_are_the_same(tmp_path: Path) -> None:
    folder = create_project(
        write_jsonl(tmp_path / "a.jsonl", plain()), further=[write_jsonl(tmp_path / "b.jsonl", preferred())]
    )
    settings = read_settings(folder)
    write_settings(folder, settings)
    assert read_settings(folder) == settings
    # An earlier version refuses a source with a field that it does not know.
    told = (folder / "project.toml").read_text().partition("[[reading]]")[0]
    assert "\nmapping =" not in told
    assert "\nfetched =" not in told
    alone = read_settings(create_project(tmp_path / "a.jsonl", tmp_path / "alone.tamis"))
    assert alone.sources == settings.sources[:1]
    assert "[[reading]]" not in (tmp_path / "alone.tamis" / "project.toml").read_text()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("1\n2\n", "bad.jsonl: none of its lines can be read as a row: line 1: a JSON number"),
        ("", "bad.jsonl: is empty"),
        ("%PDF-1.7\n", "bad.jsonl: is a PDF document"),
        ('{"a": 1}\n', "bad.jsonl: no known shape"),
    ],
)
@pytest.mark.parametrize("first", [None, 2])
def test_one_bad_file_among_good_ones_is_named_and_nothing_is_left(
    tmp_path: Path, content: str, told: str, first: int | None
) -> None:
    good = write_jsonl(tmp_path / "a.jsonl", numbered(3))
    bad = tmp_path / "bad.jsonl"
    bad.write_text(content)
    if first is not None and "shape" in told:
        # Read later: its rows are there, and read as nothing.
        assert create_project(good, further=[bad], first=first)
        return
    with pytest.raises(SourceError) as refused:
        create_project(good, further=[bad, good], first=first)
    assert told in str(refused.value) or first is not None
    assert "bad.jsonl" in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "bad.jsonl"]


def test_large_files_are_read_on_in_their_order(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", [*numbered(5), "no object"])
    second = write_jsonl(tmp_path / "b.jsonl", ["no object", *preferred(4)])
    third = write_jsonl(tmp_path / "c.jsonl", plain(2))
    whole = create_project(first, tmp_path / "whole.tamis", further=[second, third])
    for limit in (1, 4, 5, 6, 10):
        folder = create_project(first, tmp_path / f"part{limit}.tamis", further=[second, third], first=limit)
        with open_project(folder, readonly=True) as project:
            assert not project.is_complete
            assert len(project.rows) == limit
        assert continue_reading(folder) == 11
        assert read_settings(folder) == read_settings(whole)
        for name in ("rows.jsonl", "rows.idx", "quarantine.jsonl"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), (limit, name)


def test_a_second_file_that_changed_meanwhile_is_named_and_what_is_read_stays(tmp_path: Path) -> None:
    first, second = write_jsonl(tmp_path / "a.jsonl", numbered(5)), write_jsonl(tmp_path / "b.jsonl", plain())
    folder = create_project(first, further=[second], first=2)
    second.write_text("{}\n")
    with pytest.raises(ProjectError, match="changed while it was being read"):
        continue_reading(folder)
    with open_project(folder, readonly=True) as project:
        assert [source.rows for source in project.settings.sources] == [5, 0]
        assert not project.is_complete


def test_rows_cannot_come_between_a_file_and_its_rest(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "a.jsonl", numbered(5))
    second = write_jsonl(tmp_path / "b.jsonl", plain())
    folder = create_project(first, further=[second], first=2)
    more = write_jsonl(tmp_path / "more.jsonl", [alpaca("New?", "Yes."), numbered(5)[4]])
    found = grow(folder, more, "ann")
    assert (found.added, found.known) == ((8,), 1)
    with open_project(folder, readonly=True) as project:
        assert [(source.name, source.first_row, source.rows) for source in project.settings.sources] == [
            *(("a.jsonl", 0, 5), ("b.jsonl", 5, 3), ("more.jsonl", 8, 1))
        ]


def test_decisions_made_on_one_file_hold_in_the_project_of_both(tmp_path: Path) -> None:
    first, second = write_jsonl(tmp_path / "a.jsonl", numbered(3)), write_jsonl(tmp_path / "b.jsonl", plain())
    alone = create_project(first)
    with open_project(alone, reviewer="ann") as project:
        project.decide([Act("reject", (project.rows.id(1),))])
    # The other way round: numbers differ, ids do not.
    both = create_project(second, tmp_path / "both.tamis", further=[first])
    merge(both, alone)
    with open_project(both, readonly=True) as project:
        assert [project.verdict(n) for n in range(6)] == [*["undecided"] * 4, "rejected", "undecided"]


def test_a_new_version_of_the_second_file_pairs_with_its_rows_where_that_is_said(tmp_path: Path) -> None:
    first, second = write_jsonl(tmp_path / "a.jsonl", numbered(2)), write_jsonl(tmp_path / "b.jsonl", plain())
    folder = create_project(first, further=[second])
    changed = plain()
    changed[1]["conversations"][1]["value"] = "Better."
    write_jsonl(second, changed)
    found = grow(folder, second, "ann", replaces=True)
    assert (found.added, found.changed, found.vanished) == ((5,), {5: 3}, ())


def test_a_project_of_an_earlier_version_has_no_tables_for_this(tmp_path: Path) -> None:
    """What that version would write: the tables are gone, and the rows read by the project's mapping or their own."""
    folder = create_project(
        write_jsonl(tmp_path / "a.jsonl", plain()),
        further=[write_jsonl(tmp_path / "b.jsonl", [{"prompt": "p", "completion": "c"}])],
    )
    text = (folder / "project.toml").read_text()
    (folder / "project.toml").write_text(text.split("[[reading]]")[0])
    with open_project(folder, readonly=True) as project:
        assert project.example(3).answer == "c"
