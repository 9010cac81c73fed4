"""Reading: every non-blank line is a row or is set aside with its reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.conversation.conversation import conversation_of
from engine.sources.conversation.text_edits import editable_fields, with_texts
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import Mapping
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import guess_mapping
from engine.sources.shapes.map_words import mapping_from_words


def pieces(path: Path) -> tuple[list[SourceRow], list[Quarantined]]:
    every = list(read_source(path))
    rows = [piece for piece in every if isinstance(piece, SourceRow)]
    aside = [piece for piece in every if isinstance(piece, Quarantined)]
    assert len(rows) + len(aside) == len(every)
    return rows, aside


def test_one_bad_line_never_costs_the_others(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"a": 1}\r\n\n{"a": 2 x}\n[1, 2]\n{"a": "\xff"}\n   \n{"a": 3, "a": 4}\nnull\n'
        + b"[" * 100_000
        + b'\n{"b": 9}'
    )
    rows, aside = pieces(path)
    assert [row.raw for row in rows] == [{"a": 1}, {"a": 4}, {"b": 9}]
    assert [row.line for row in rows] == [1, 7, 10]
    assert rows[0].content == b'{"a": 1}\r'
    assert [row.notes for row in rows] == [("byte order mark", "CRLF line end"), ("key stands twice",), ()]
    assert [piece.line for piece in aside] == [3, 4, 5, 8, 9]
    assert path.read_bytes()[aside[0].offset :].startswith(aside[0].content)
    assert "not UTF-8" in aside[2].reason


def test_array_elements_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    path.write_text('[{"a": "é"},\n {"a":\n 2}, 7, {"a": 12345678901234567890123}]', encoding="utf-8")
    rows, aside = pieces(path)
    assert [row.raw["a"] for row in rows] == ["é", 2, 12345678901234567890123]
    assert rows[0].content == '{"a": "é"}'.encode()
    assert b"\n" not in rows[1].content
    assert [(piece.line, piece.content) for piece in aside] == [(3, b"7")]


def test_a_broken_array_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    path.write_text('[{"a": 1}, {"a": 2}, {"a": ', encoding="utf-8")
    rows, aside = pieces(path)
    assert len(rows) == 2
    assert len(aside) == 1
    assert aside[0].content == b'{"a": '


def test_gzip_is_told_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    assert source_format(path) == "jsonl.gz"
    assert len(pieces(path)[0]) == 2


def test_a_cut_gzip_gives_the_rows_before_the_cut(tmp_path: Path) -> None:
    whole = b"".join(b'{"a": %d, "b": "%x"}\n' % (n, n * 2654435761) for n in range(20_000))
    path = tmp_path / "raw.jsonl.gz"
    path.write_bytes(gzip.compress(whole)[:-2000])
    rows, aside = pieces(path)
    assert len(rows) > 1000
    assert "compressed data" in aside[-1].reason


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n \n", "holds no text"),
        (b"\x89PNG\r\n\x1a\n....", "a PNG picture"),
        (b"PAR1....", "not a readable Parquet file"),
        (b"ARROW1....", "not a readable Arrow file"),
        (b"abc\x00\x01\x02def", "is binary"),
        (b"abc\x00\xff" + b"x" * 99, "is binary"),
        (b"\x1f\x8b\x08\x00broken", "compressed data is damaged"),
        (b"\x28\xb5\x2f\xfdbroken", "compressed data is damaged"),
    ],
)
def test_what_is_no_source_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says):
        list(read_source(path))


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        list(read_source(tmp_path / "none.jsonl"))
    with pytest.raises(SourceError, match="is a folder"):
        list(read_source(tmp_path))


ALPACA = {"instruction": "Sum it up.", "input": "1 2 3", "output": "6", "meta": {"year": 2019}}
MESSAGES = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "w", "arguments": "{}"}}]},
        {"role": "tool", "content": "sun"},
        {"role": "assistant", "content": "Sunny.", "weight": 0},
    ]
}
SHAREGPT = {"system": "S", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}


def test_three_shapes_become_turns() -> None:
    mapping = guess_mapping([ALPACA])
    assert mapping is not None
    assert [(t.role, t.text) for t in conversation_of(ALPACA, mapping).messages] == [
        ("user", "Sum it up.\n\n1 2 3"),
        ("assistant", "6"),
    ]
    mapping = guess_mapping([MESSAGES])
    assert mapping is not None
    turns = conversation_of(MESSAGES, mapping).messages
    assert [turn.role for turn in turns] == ["system", "user", "assistant", "tool", "assistant"]
    assert turns[1].text == "Weather?"
    assert [call.name for call in turns[2].tool_calls] == ["w"]
    assert not turns[4].train
    mapping = guess_mapping([SHAREGPT])
    assert mapping is not None
    assert [(t.role, t.text) for t in conversation_of(SHAREGPT, mapping).messages] == [
        ("system", "S"),
        ("user", "Hi"),
        ("assistant", "Hello"),
    ]


def test_near_misses_and_mapping_by_hand() -> None:
    guessed = guess_mapping([{"question": "Q", "answer": "A"}])
    assert guessed is not None
    assert guessed.fields == {"instruction": "question", "output": "answer"}
    mapping = mapping_from_words("prompt=request.text,response=reply")
    row = {"request": {"text": "Q"}, "reply": "A"}
    assert [turn.text for turn in conversation_of(row, mapping).messages] == ["Q", "A"]
    assert guess_mapping([{"title": "no shape"}]) is None


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"context": "Q", "response": "A"}, {"instruction": "context", "output": "response"}),
        ({"query": "Q", "response": "A"}, {"instruction": "query", "output": "response"}),
        ({"problem": "Q", "solution": "A"}, {"instruction": "problem", "output": "solution"}),
        ({"inputs": "Q", "targets": "A"}, {"instruction": "inputs", "output": "targets"}),
        (
            {"id": 1, "data": {"question": "Q", "answer": "A"}},
            {"instruction": "data.question", "output": "data.answer"},
        ),
    ],
)
def test_pairs_under_other_names(row: dict[str, Any], fields: dict[str, str]) -> None:
    mapping = guess_mapping([row])
    assert mapping is not None
    assert mapping.fields == fields
    assert [turn.text for turn in conversation_of(row, mapping).messages] == ["Q", "A"]


def test_messages_inside_another_object_are_found() -> None:
    row = {"custom_id": "7", "body": {"model": "m", "messages": MESSAGES["messages"]}}
    mapping = guess_mapping([row])
    assert mapping is not None
    assert mapping.fields == {"messages": "body.messages"}
    assert len(conversation_of(row, mapping).messages) == 5
    assert editable_fields(row, mapping)[0].path == ("body", "messages", 0, "content")
    assert guess_mapping([{"meta": {"text": "a remark"}}]) is None


def test_a_line_of_64_megabytes_is_read_and_a_longer_one_set_aside(tmp_path: Path) -> None:
    """The line end does not count."""
    path = tmp_path / "raw.jsonl"
    frame = b'{"a": ""}'
    with path.open("wb") as out:
        for extra in (0, 1):
            out.write(frame[:-2] + b"x" * (64 * 2**20 - len(frame) + extra) + frame[-2:] + b"\n")
        out.write(b'{"a": 1}\n')
    rows, aside = pieces(path)
    assert [row.line for row in rows] == [1, 3]
    assert len(rows[0].content) == 64 * 2**20
    assert [(piece.line, piece.offset) for piece in aside] == [(2, 64 * 2**20 + 1)]
    assert "longer than 64 MB" in aside[0].reason


def test_an_edit_changes_the_named_text_and_nothing_else() -> None:
    for row in (ALPACA, MESSAGES, SHAREGPT):
        mapping = guess_mapping([row])
        assert mapping is not None
        before = json.dumps(row)
        last = editable_fields(row, mapping)[-1]
        changed = with_texts(row, {last.path: "new"})
        assert json.dumps(row) == before
        assert [f.text for f in editable_fields(changed, mapping)][-1] == "new"
        assert json.dumps(with_texts(changed, {last.path: last.text})) == before


def test_an_answer_that_is_json_of_calls_is_a_text_unless_there_are_tools() -> None:
    """Where no tools are given, JSON is what the model is to write."""
    said = '[{"name": "lamp", "arguments": {"on": true}}]'
    row = {"instruction": "Write the call as JSON.", "output": said}
    mapping = guess_mapping([row])
    assert mapping is not None
    assert [message.content for message in conversation_of(row, mapping).messages] == [row["instruction"], said]
    with_tools = row | {"tools": '[{"name": "lamp"}]'}
    mapping = guess_mapping([with_tools])
    assert mapping is not None
    (call,) = conversation_of(with_tools, mapping).messages[1].tool_calls
    assert (call.name, json.loads(call.arguments)) == ("lamp", {"on": True})


def test_a_bad_answer_is_known_where_no_mapping_names_the_label() -> None:
    """Rows of the beginning may all be without one, and a person may have named the fields by hand."""
    by_hand = mapping_from_words("prompt=q,response=a")
    assert conversation_of({"q": "Why?", "a": "Because.", "label": False}, by_hand).label is False
    assert conversation_of({"q": "Why?", "a": "Because.", "label": 0}, by_hand).label is None
    for told in ({"answer": "reject"}, {"feedback": "thumbs_down"}, {"kto_tag": "False"}):
        assert conversation_of({"q": "Why?", "a": "Because."} | told, by_hand).label is False
        by_another = by_hand.with_field("label", "verdict")
        assert conversation_of({"q": "Why?", "a": "Because."} | told, by_another).label is False
    assert conversation_of({"q": "Is it?", "a": "So.", "answer": False}, by_hand).label is None
    assert conversation_of({"text": "Spam.", "label": False}, Mapping("text", {"text": "text"})).label is None
