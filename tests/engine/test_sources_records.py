"""Lists in place of objects: a list of messages is a conversation, a list of rows is its rows, and none of it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model import Quarantined
from engine.sources.files.pieces import JOINED, ON_ONE_LINE, WRAPPED, SourceRow
from engine.sources.records import arrays
from engine.sources.records.read import read_source

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
SHAREGPT = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]


def read(path: Path, content: str | bytes) -> tuple[list[SourceRow], list[Quarantined]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    every = list(read_source(path))
    return [p for p in every if isinstance(p, SourceRow)], [p for p in every if isinstance(p, Quarantined)]


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_a_line_that_is_a_list_of_messages_is_a_conversation(tmp_path: Path) -> None:
    """The bytes of the list stay; only the name of the field is put around them."""
    odd = '[{"role": "user",  "content": "1e2", "n": 1.50}]\r\n'
    rows, aside = read(tmp_path / "raw.jsonl", lines(CHAT, SHAREGPT, {"a": 1}) + odd)
    assert not aside
    assert [row.raw for row in rows[:3]] == [{"messages": CHAT}, {"conversations": SHAREGPT}, {"a": 1}]
    assert rows[3].content == b'{"messages": [{"role": "user",  "content": "1e2", "n": 1.50}]}'
    assert [row.notes for row in rows] == [(WRAPPED,), (WRAPPED,), (), ("CRLF line end", WRAPPED)]
    assert [row.line for row in rows] == [1, 2, 3, 4]


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_conversations(tmp_path: Path, indent: int | None) -> None:
    rows, aside = read(tmp_path / "raw.json", json.dumps([CHAT, SHAREGPT, CHAT], indent=indent))
    assert not aside
    assert [row.raw for row in rows] == [{"messages": CHAT}, {"conversations": SHAREGPT}, {"messages": CHAT}]
    assert all(json.loads(row.content) == row.raw and b"\n" not in row.content for row in rows)
    assert {row.notes for row in rows} == {(WRAPPED,)}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_file_that_is_the_messages_of_one_conversation(tmp_path: Path, indent: int | None) -> None:
    text = json.dumps(CHAT, indent=indent)
    (row,), aside = read(tmp_path / "chat.json", f"{text}\n")
    assert (row.raw, row.records, row.lines, row.notes) == ({"messages": CHAT}, 2, (1, 2), (JOINED,))
    assert json.loads(row.content) == row.raw
    assert not aside
    # Two such files, one behind the other.
    rows, _ = read(tmp_path / "chats.json", f"{text}\n{text}\n")
    assert [one.raw for one in rows] == [{"messages": CHAT}] * 2


def test_an_array_of_messages_that_are_no_conversation_stays_what_it_is(tmp_path: Path) -> None:
    for elements in (
        [{"from": "ann@example.org", "text": "x"}, {"from": "bob@example.org", "text": "y"}],
        [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
        [{"role": "a baker", "content": "bread"}, {"role": "a smith", "content": "iron"}],
        [*CHAT, {"instruction": "a", "output": "b"}],
    ):
        rows, aside = read(tmp_path / "raw.json", json.dumps(elements))
        assert [row.raw for row in rows] == elements
        assert not aside


@pytest.mark.parametrize(
    "value", [["a", "b"], [["a", "b"], ["c", "d"]], [1, 2], [], [[]], [{"from": "a@b.org", "text": "x"}, 1]]
)
def test_a_list_of_anything_else_is_set_aside_or_told_by_its_elements(tmp_path: Path, value: Any) -> None:
    rows, aside = read(tmp_path / "raw.jsonl", lines({"a": 1}, value))
    assert [row.raw for row in rows] == [{"a": 1}, *(item for item in value if isinstance(item, dict))]
    assert [piece.line for piece in aside] == [2]
    assert "not an object" in aside[0].reason


ROWS = [{"n": 1, "a": "]["}, {"n": 2, "a": "}\n{"}, {"n": 3, "a": []}, {"n": 4}]


@pytest.mark.parametrize("chunk", [1, 5, 4096])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("between", ["\n", "", " \n\n", ",\n"])
def test_arrays_one_behind_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None, between: str
) -> None:
    monkeypatch.setattr(arrays, "CHUNK_BYTES", chunk)
    first, second = json.dumps(ROWS[:2], indent=indent), json.dumps(ROWS[2:], indent=indent)
    content = first + between + second + "\n"
    rows, aside = read(tmp_path / "raw.json", content)
    assert [row.raw for row in rows] == ROWS
    assert not aside


def test_an_array_and_lines_behind_it(tmp_path: Path) -> None:
    for indent in (None, 1):
        content = json.dumps(ROWS[:2], indent=indent) + "\n" + lines(*ROWS[2:])
        rows, aside = read(tmp_path / "raw.jsonl", content)
        assert [row.raw for row in rows] == ROWS
        assert not aside
        starts = [content.encode()[row.offset :].lstrip()[:1] for row in rows]
        assert starts == [b"{"] * 4


def test_lines_that_each_hold_a_list_of_rows(tmp_path: Path) -> None:
    content = lines(ROWS[:2], {"b": 1}, [*ROWS[2:], 7, CHAT])
    rows, aside = read(tmp_path / "raw.jsonl", content)
    assert [row.raw for row in rows] == [*ROWS[:2], {"b": 1}, *ROWS[2:], {"messages": CHAT}]
    assert [row.line for row in rows] == [1, 1, 2, 3, 3, 3]
    assert [(piece.line, piece.content) for piece in aside] == [(3, b"7")]
    for row in rows[:-1]:
        assert content.encode()[row.offset :].startswith(row.content)


def test_what_stands_behind_an_array_and_is_no_row_is_set_aside_once(tmp_path: Path) -> None:
    for rest in ("and so on, 1 2 3\n4", "]", '"a"'):
        rows, (aside,) = read(tmp_path / "raw.json", '[\n{"a": 1}]\n' + rest)
        assert [row.raw for row in rows] == [{"a": 1}]
        assert (aside.line, aside.content.decode()) == (2, rest)
        assert "behind the end" in aside.reason
    rows, (aside,) = read(tmp_path / "raw.json", '[\n{"a": 1}]\n[{"b": 2}, {"c": ')
    assert [row.raw for row in rows] == [{"a": 1}, {"b": 2}]
    assert (aside.line, aside.content) == (3, b'{"c": ')


def test_a_row_laid_out_over_lines_says_that_its_bytes_are_not_the_source_s(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "raw.json", '[{"a": 1},\n{"a":\n 2}]')
    assert [row.notes for row in rows] == [(), (ON_ONE_LINE,)]


TEXTS = st.text('ab]}[{,"\\\n', max_size=4)
MESSAGES = st.lists(st.fixed_dictionaries({"role": TEXTS, "content": TEXTS}), max_size=2)
OBJECTS = st.dictionaries(st.sampled_from("abc"), st.none() | TEXTS | MESSAGES, min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(OBJECTS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_every_row_of_every_array_is_read(tmp_path_factory: pytest.TempPathFactory, held: list[list[Any]]) -> None:
    rows, aside = read(tmp_path_factory.mktemp("x") / "raw.json", "\n".join(map(json.dumps, held)))
    assert [row.raw for row in rows] == [row for one in held for row in one]
    assert not aside
