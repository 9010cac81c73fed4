"""JSON that is laid out otherwise, or stands around its rows: every row is read, and what was not strict is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.files.pieces import (
    BEHIND_COMMENT,
    COMMENTED,
    CUT_BY_VIEWER,
    KEY_ADDED,
    LOOSE_COMMA,
    ON_ONE_LINE,
    PYTHON,
    RAW_CONTROLS,
    SPLIT_ADDED,
    TEXT_IN_TEXT,
    UNFRAMED,
    SourceRow,
)  # fmt: skip
from engine.sources.records import wrapped
from engine.sources.records.read import read_source

A, B = {"question": "a", "answer": 1.5}, {"question": "b", "answer": "c"}
PAIR = '{"question": "a", "answer": 1.50}'


def read(path: Path, content: str | bytes) -> tuple[list[SourceRow], list[Quarantined]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    every = list(read_source(path))
    return [p for p in every if isinstance(p, SourceRow)], [p for p in every if isinstance(p, Quarantined)]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("{'question': 'a', \"answer\": 1.50, }", PYTHON),
        ('{"question": "a", /* half */ "answer": 1.50}', COMMENTED),
        ('{"question": "a", "answer": 1.50,}', LOOSE_COMMA),
        ('{"question":\n "a", "answer": 1.50}', ON_ONE_LINE),
        (json.dumps(PAIR), TEXT_IN_TEXT),
        (f'{{"row_idx": 0, "row": {PAIR}, "truncated_cells": []}}', UNFRAMED),
        ("// of mine\n" + PAIR, BEHIND_COMMENT),
    ],
)
def test_what_plainly_means_a_row_is_one_and_says_so(tmp_path: Path, content: str, note: str) -> None:
    rows, aside = read(tmp_path / "raw.jsonl", content + "\n" + json.dumps(B) + "\n")
    assert [row.raw for row in rows] == [A, B]
    assert not aside
    assert (note in rows[0].notes, rows[1].notes) == (True, ())
    assert json.loads(rows[0].content) == A
    assert b"1.50" in rows[0].content


@pytest.mark.parametrize(
    "content",
    ['{"a": "He said "hi" to me"}', '{"a": "x" "y"}', "{'a': 'it's'}", "{'a': {1, 2}}", "{'a': f()}", '{"a": "\\d"}'],
)
def test_what_could_mean_two_things_is_set_aside(tmp_path: Path, content: str) -> None:
    rows, (aside,) = read(tmp_path / "raw.jsonl", f"{PAIR}\n{content}\n{PAIR}\n")
    assert [row.raw for row in rows] == [A, A]
    assert aside.content.decode() == content


@pytest.mark.parametrize(
    ("held", "notes"),
    [
        ({"version": 1, "examples": [A, B], "licence": "x"}, {"beside the rows, not read: version, licence"}),
        ({"0": A, "1": B}, set()),
        ({"schema": {"fields": []}, "data": [A, B]}, {"beside the rows, not read: schema"}),
        ({"columns": ["question", "answer"], "index": [0, 1], "data": [["a", 1.5], ["b", "c"]]}, None),
        ({"question": ["a", "b"], "answer": [1.5, "c"]}, None),
        ({"question": {"0": "a", "1": "b"}, "answer": {"0": 1.5, "1": "c"}}, None),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_around_rows(tmp_path: Path, held: Any, notes: set[str] | None, indent: int | None) -> None:
    rows, aside = read(tmp_path / "raw.json", json.dumps(held, indent=indent))
    assert [row.raw for row in rows] == [A, B]
    assert not aside
    if notes is not None:
        assert {note for row in rows for note in row.notes} - {ON_ONE_LINE} == notes


def test_splits_and_keys_are_kept_as_fields(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "raw.json", json.dumps({"train": [A], "test": [B], "note": "x"}))
    assert [row.raw for row in rows] == [A | {"split": "train"}, B | {"split": "test"}]
    assert all(SPLIT_ADDED in row.notes and json.loads(row.content) == row.raw for row in rows)
    rows, _ = read(tmp_path / "raw.json", json.dumps({"q17": A, "q9": B | {"id": "own"}}))
    assert [row.raw for row in rows] == [A | {"id": "q17"}, B | {"id": "own", "key": "q9"}]
    assert rows[0].notes == (KEY_ADDED,)
    rows, _ = read(
        tmp_path / "raw.json", json.dumps({"rows": [{"row_idx": 7, "row": A, "truncated_cells": ["answer"]}]})
    )
    assert (rows[0].raw, CUT_BY_VIEWER in rows[0].notes) == (A, True)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"instruction": "Sort.", "instances": [{"input": "", "output": "x"}, {"input": "z", "output": "y"}]},
        {"id": 3, "chosen": [{"role": "user", "content": "a"}], "rejected": [{"role": "user", "content": "b"}]},
        {"question": {"text": "a"}, "answer": {"text": "b"}},
        {"question": ["a"], "answer": ["b", "c"]},
    ],
)
def test_an_object_that_is_a_row_stays_one(tmp_path: Path, row: dict[str, Any]) -> None:
    rows, aside = read(tmp_path / "raw.json", json.dumps(row, indent=1))
    assert ([one.raw for one in rows], aside) == ([row], [])
    rows, aside = read(tmp_path / "raw.jsonl", f"{json.dumps(row)}\n{json.dumps(row)}\n")
    assert ([one.raw for one in rows], aside) == ([row, row], [])


def test_an_object_longer_than_a_row_may_be_is_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.records.lines.MAX_LINE_BYTES", 200)
    monkeypatch.setattr(wrapped, "HEAD_BYTES", 150)
    held = [{"question": f"q{number}", "answer": "x"} for number in range(50)]
    for indent in (None, 1):
        rows, aside = read(tmp_path / "raw.json", json.dumps({"v": 1, "data": held}, indent=indent))
        assert ([row.raw for row in rows], aside) == (held, [])
    columns = {"question": ["q"] * 50, "answer": ["a"] * 50}
    with pytest.raises(SourceError, match="to_json"):
        read(tmp_path / "raw.json", json.dumps(columns))


def test_marks_of_a_merge_zeros_and_comments_with_rows_are_named(tmp_path: Path) -> None:
    content = (
        b"<<<<<<< HEAD\n%b\n=======\n#%b\n>>>>>>> b\n" % ((PAIR.encode(),) * 2) + bytes(40) + PAIR.encode() + b"\n"
    )
    rows, aside = read(tmp_path / "raw.jsonl", content)
    assert len(rows) == 2
    for piece, says in zip(
        aside, ("merge conflict", "merge conflict", "in a comment", "merge conflict", "40 NUL"), strict=True
    ):
        assert says in piece.reason


def test_raw_line_breaks_in_texts(tmp_path: Path) -> None:
    rows, aside = read(tmp_path / "raw.jsonl", '{"question": "a\n{b}\tc", "answer": "d"}\n' + PAIR + "\n")
    assert not aside
    assert [row.raw for row in rows] == [{"question": "a\n{b}\tc", "answer": "d"}, A]
    assert RAW_CONTROLS in rows[0].notes


@pytest.mark.parametrize("key", ["\u00b2", "\u0663", "9" * 5000])
def test_a_key_that_looks_like_a_number_is_a_key(tmp_path: Path, key: str) -> None:
    """`int` refuses `²`, and `int` of five thousand digits."""
    content = json.dumps({key: A, "two": B, "three": A})
    rows, aside = read(tmp_path / "raw.json", content)
    assert not aside
    assert rows[0].raw == {**A, "id": key}


Q, R = {"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"}


@pytest.mark.parametrize(
    "held",
    [
        {"status": "ok", "result": {"page": 1, "items": [Q, R]}},
        {"data": {"examples": [Q, R]}, "errors": []},
        {"examples": {"-NxA": Q, "-NxB": R}},
        {"prompt": {"x-1": "a", "x-2": "c"}, "completion": {"x-1": "b", "x-2": "d"}},
        {"train": {"prompt": ["a"], "completion": ["b"]}, "test": {"prompt": ["c"], "completion": ["d"]}},
        {"train": [Q], "second_half": [R], "names": [{"x": 1}]},
        [["prompt", "completion"], ["a", "b"], ["c", "d"]],
    ],
)
def test_rows_are_found_wherever_an_object_holds_them(tmp_path: Path, held: Any) -> None:
    for text in (json.dumps(held), json.dumps(held, indent=1)):
        rows, aside = read(tmp_path / "raw.json", text)
        assert [(row.raw["prompt"], row.raw["completion"]) for row in rows] == [("a", "b"), ("c", "d")]
        assert not aside


def test_hits_of_a_search_and_nodes_of_edges_are_rows(tmp_path: Path) -> None:
    for held in ({"took": 1, "hits": {"total": {"value": 2}, "hits": [{"_id": "1", "_source": Q}]}},
                 {"data": {"rows": {"edges": [{"cursor": "x", "node": Q}]}}}):  # fmt: skip
        rows, _ = read(tmp_path / "raw.json", json.dumps(held))
        assert [row.raw.get("_source") or row.raw.get("node") for row in rows] == [Q]


def test_pages_of_results_a_line_are_the_rows_on_them(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"page": n, "items": rows}) + "\n" for n, rows in ((1, [Q, R]), (2, [Q])))
    rows, aside = read(tmp_path / "raw.jsonl", lines)
    assert [(row.line, row.raw) for row in rows] == [(1, Q), (1, R), (2, Q)]
    assert not aside


def test_names_of_cells_are_named_by_the_first_list_alone(tmp_path: Path) -> None:
    rows, aside = read(tmp_path / "raw.jsonl", '["prompt", "completion"]\n["a", 1]\n["b"]\n{"prompt": "c"}\n')
    assert [row.raw for row in rows] == [{"prompt": "a", "completion": 1}, {"prompt": "c"}]
    assert [piece.line for piece in aside] == [3]
    # Cells that no name stands above are none: the command that names them is told.
    rows, aside = read(tmp_path / "raw.jsonl", '["Name a prime.", "Two."]\n["b", "c"]\n')
    assert (len(rows), len(aside)) == (0, 2)


def test_marks_of_form_around_json_are_no_records(tmp_path: Path) -> None:
    text = f"Here you are:\n```json\n{json.dumps(Q)}\n---\n{json.dumps(R)}\n```\n"
    rows, aside = read(tmp_path / "raw.jsonl", text)
    assert [row.raw for row in rows] == [Q, R]
    assert [piece.reason for piece in aside] == ["not JSON: a line of text"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{“a”: “b”}", "a typographic quote at column 2 in the place of a straight one"),
        (r'{"a": "\d"}', r"a backslash at column 8 that is not doubled: \d"),
        ('{"a": }', "no value at column 7"),
        ('{"a" "b"}', "no colon at column 6"),
        ('{"a": "b"', "the record is cut off"),
    ],
)
def test_a_record_that_is_no_json_is_told_in_plain_words(tmp_path: Path, line: str, reason: str) -> None:
    _, aside = read(tmp_path / "raw.jsonl", f"{json.dumps(Q)}\n{line}\n")
    assert [piece.reason for piece in aside] == [f"not JSON: {reason}"]
