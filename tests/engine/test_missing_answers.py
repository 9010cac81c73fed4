"""What is missing (NaN) is no text, and an answer may be a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.model import Part
from engine.sources.conversation.conversation import conversation_of
from engine.sources.records.formats import source_format
from engine.sources.shapes.guess import guess_mapping
from engine.workflows.training_sets import file_sets

NAN = float("nan")


def said(row: dict[str, Any]) -> list[Any]:
    mapping = guess_mapping([row, {"instruction": "b c", "input": "", "output": "d e"}])
    assert mapping is not None
    return [message.content for message in conversation_of(row, mapping).messages]


def test_a_missing_value_is_no_text() -> None:
    assert said({"instruction": "a b", "input": NAN, "output": "c"}) == ["a b", "c"]
    assert said({"instruction": "a b", "input": "", "output": NAN}) == ["a b"]
    assert said({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": NAN}]}) == ["a", ""]


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"instruction": "a b", "output": {"name": "J", "age": 3}}, (Part("json", '{"name": "J", "age": 3}'),)),
        ({"question": "a b", "answer": {"first": "J"}}, (Part("json", '{"first": "J"}'),)),
        ({"instruction": "a b", "output": 4}, "4"),
        ({"instruction": "a b", "output": [2, 3]}, (Part("json", "[2, 3]"),)),
        # An object around the answer is none itself.
        ({"instruction": "a b", "output": {"text": "c", "score": 1}}, "c"),
    ],
)
def test_an_answer_may_be_a_value(row: dict[str, Any], answer: Any) -> None:
    assert said(row)[-1] == answer


def test_stray_bytes_beside_the_strings_of_json_are_damage_not_an_encoding(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    row = b'{"prompt": "a", "completion": "b"%b}\n'
    path.write_bytes(
        b"".join(row % stray for stray in (b"", b"\xe4\xf6", b"\xfc\xe4\xf6", b"\xe9\xe8\xe4", b"\xdf\xfc"))
    )
    assert source_format(path) == "jsonl"


def test_a_file_to_train_on_may_be_of_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes("frage;antwort\nWas ist größer?;Fünf\nWo liegt Köln?;Am Rhein\n".encode("cp1252"))
    rows = file_sets(path, "cp1252").curated
    assert [row.messages[0]["content"] for row in rows] == ["Was ist größer?", "Wo liegt Köln?"]
