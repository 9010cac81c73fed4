"""Every entry of the table of shapes: its example is known as it, read as the entry says, and stands in the docs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.model import Conversation, Message
from engine.sources.conversation.conversation import conversation_of
from engine.sources.files.pieces import SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import count_shapes, guess_row, guess_shapes, recognise, shape_of
from engine.sources.shapes.known_shape import Shape
from engine.sources.shapes.map_words import mapping_from_words
from engine.sources.shapes.shape_docs import PAGE, with_shapes
from engine.sources.shapes.shape_table import SHAPES

ROOT = Path(__file__).parents[2]
USER = {"role": "user", "content": "Capital of Peru?"}
ANSWER = {"role": "assistant", "content": "Lima."}


def rows_of(path: Path, *records: Any) -> list[dict[str, Any]]:
    """The rows of a JSONL file with these records."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    pieces = list(read_source(path, source_format(path)))
    assert all(isinstance(piece, SourceRow) for piece in pieces)
    return [dict(piece.raw) for piece in pieces if isinstance(piece, SourceRow)]


def reading(row: dict[str, Any]) -> tuple[str, ...]:
    """A row by its own shape, in the words of the entries."""
    mapping = guess_row(row)
    return tuple(lines_of(conversation_of(row, mapping))) if mapping is not None else ()


def lines_of(found: Conversation) -> Iterator[str]:
    for message in found.messages:
        yield from said_in(message)
    for why, answers in (("not wanted", found.rejected), ("further answer", found.candidates)):
        yield from (f"{why}: {line}" for answer in answers for message in answer for line in said_in(message))
    for tool in map(json.loads, found.tools):
        yield f"tools: {tool.get('function', tool)['name']}"
    if found.label is not None:
        yield f"label: {'wanted' if found.label else 'not wanted'}"
    yield from sorted({f"beside: {leaf.path.partition('.')[0]}" for leaf in found.other})


def said_in(message: Message) -> Iterator[str]:
    if message.reasoning:
        yield f"{message.role} thinks: {message.reasoning}"
    for call in message.tool_calls:
        yield f"{message.role} calls: {call.name} {call.arguments}".rstrip()
    if message.text:
        yield f"{message.role}: {message.text}"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_an_example_is_known_as_its_entry_and_read_as_it_says(shape: Shape, tmp_path: Path) -> None:
    records = shape.example if isinstance(shape.example, tuple) else (shape.example,)
    (row,) = rows_of(tmp_path / "raw.jsonl", *records)
    assert recognise(row).shape is shape
    assert reading(row) == shape.reads


def test_names_are_told_once_and_the_page_shows_every_entry() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page == with_shapes(page), "python -m engine.sources.shapes.shape_docs writes the examples"


def test_a_person_could_have_said_what_an_entry_says() -> None:
    """`fields` are words of `--map`; the winner of two answers is named by entries alone."""
    for shape in SHAPES:
        fields = {part: places for part, places in shape.fields.items() if part != "winner"}
        if {"prompt", "response"} <= fields.keys() or fields.keys() & {"messages", "conversations", "chosen", "text"}:
            mapping_from_words(",".join(f"{part}={places}" for part, places in fields.items()))


def test_rows_of_several_shapes_are_counted_by_name_and_each_read_by_its_own() -> None:
    alpaca = {"instruction": "Capital of Peru?", "output": "Lima."}
    sharegpt = {"conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima."}]}
    odd = {"frage": "Capital of Peru?", "antwort": "Lima."}
    found = count_shapes([alpaca, sharegpt, alpaca, {"nothing": 1}, odd, alpaca])
    assert found.shapes == {"Alpaca": 3, "ShareGPT": 1, "no known shape": 1, "pairs by names (frage, antwort)": 1}
    assert found.first == {"Alpaca": 0, "ShareGPT": 1, "no known shape": 3, "pairs by names (frage, antwort)": 4}
    assert found.told.startswith("3 rows of Alpaca, 1 of ShareGPT, 1 of no known shape, 1 of pairs by names")
    assert found.mixed.startswith("mixed shapes in the first 6 rows: 3 rows of Alpaca")
    assert found.mapping is not None
    for row in (sharegpt, odd):
        assert [message.text for message in conversation_of(row, found.mapping).messages] == [
            "Capital of Peru?",
            "Lima.",
        ]


def test_messages_with_and_without_reasoning_are_two_shapes_and_no_mixture() -> None:
    found = guess_shapes([{"messages": [USER, ANSWER]}, {"messages": [USER, ANSWER | {"reasoning_content": "Coast."}]}])
    assert found.shapes == {"chat messages": 1, "chat messages with reasoning": 1}
    assert not found.mixed
    assert found.is_plain
    assert not guess_shapes([{"soal": "Capital of Peru?", "jawaban": "Lima."}]).is_plain


def test_a_shape_inside_an_object_is_named_with_its_place() -> None:
    row = {"row_idx": 3, "row": {"instruction": "Capital of Peru?", "input": "", "output": "Lima."}}
    assert shape_of(row) == "Alpaca under row"
    assert reading(row) == ("user: Capital of Peru?", "assistant: Lima.")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[{'role': 'user', 'content': \"It's \\\"so\\\".\\n\"}]", 'user: It\'s "so".\n'),
        (
            "[{'role': 'user', 'content': 'a } { b', 'name': None}\n {'role': 'user', 'content': 'True'}]",
            "user: a } { b",
        ),
        ("[{'role': 'user', 'content': '\\xe9\\u4f60 \\\\d'}]", "user: é你 \\d"),
    ],
)
def test_messages_as_python_writes_them_are_read_to_the_letter(written: str, said: str) -> None:
    assert reading({"id": 1, "messages": written})[0] == said


def test_a_string_of_python_that_never_closes_costs_no_more_than_its_length() -> None:
    for hostile in ("[{'" + "\\'" * 200_000, "[{'" + "\\'" * 200_000 + "\\", "[{'a\": " + '"' * 200_001):
        assert reading({"prompt": "What is wrong?", "completion": hostile})[1] == f"assistant: {hostile}"


def test_an_answer_that_is_a_dictionary_of_python_stays_a_text() -> None:
    said = "{'a': 1, 'b': [True, None]}"
    assert reading({"prompt": "As a dictionary?", "completion": said})[1] == f"assistant: {said}"


def test_the_current_branch_of_an_export_is_read_and_all_others_are_further_answers() -> None:
    """Two answers to the first question, the second one went on; an edited question as well."""
    told = [("1", "0", "human", "q1"), ("2", "1", "assistant", "a1"), ("3", "1", "assistant", "a2")]
    told += [("4", "3", "human", "q2"), ("5", "4", "assistant", "a3"), ("6", "3", "human", "q3")]
    messages = [{"uuid": own, "parent_message_uuid": to, "sender": who, "text": text} for own, to, who, text in told]
    row = {"uuid": "c", "chat_messages": messages, "current_leaf_message_uuid": "5"}
    assert reading(row) == (
        *("user: q1", "assistant: a2", "user: q2", "assistant: a3"),
        *("further answer: assistant: a1", "further answer: user: q3"),
    )
    del row["current_leaf_message_uuid"]
    assert reading(row)[:3] == ("user: q1", "assistant: a2", "user: q3")
    for message in messages:
        message["uuid"] = "same"
    assert len(reading(row)) == 6, "messages of one name: all are told, in the order of the file"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Soru", "Cevap"),
        ("talimat", " çıktı"),
        ("Câu hỏi", "Câu trả lời"),
        ("cau_hoi", "cau_tra_loi"),
        ("pertanyaan", "jawaban"),
        ("คำถาม", "คำตอบ"),
        ("السؤال", "الإجابة"),
        ("प्रश्न", "उत्तर"),
        ("Vraag", "Antwoord"),
        ("pytanie", "odpowiedź"),
        ("Питання", "Відповідь"),
        ("質問", "回答"),
        ("질문", "답변"),
        ("PERGUNTA", "Resposta"),
        ("question", "re\u0301ponse"),
    ],
)
def test_a_pair_is_guessed_by_its_names_in_many_languages(asked: str, said: str) -> None:
    """And it is a guess: the names that were taken stand in the name of the shape."""
    row = {"id": "7", asked: "Capital of Peru?", said: "Lima."}
    assert reading(row) == ("user: Capital of Peru?", "assistant: Lima.")
    assert shape_of(row) == f"pairs by names ({asked}, {said})"
    assert not guess_shapes([row]).is_plain


def test_what_chatgpt_thought_belongs_to_its_answer_and_how_long_it_took_is_no_answer() -> None:
    """The root of such an export may be without a message; a picture is where its pointer says."""
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1", "width": 12}
    told: list[tuple[str, dict[str, Any]]] = [
        ("user", {"content_type": "multimodal_text", "parts": [picture, "Which town?"]}),
        ("assistant", {"content_type": "thoughts", "thoughts": [{"summary": "Looking", "content": "A coast."}]}),
        ("assistant", {"content_type": "reasoning_recap", "content": "Thought for 29s"}),
        ("assistant", {"content_type": "text", "parts": ["Lima."]}),
    ]
    mapping: dict[str, Any] = {"0": {"id": "0", "children": ["1"]}}
    for place, (who, content) in enumerate(told, start=1):
        message = {"author": {"role": who}, "content": content}
        mapping[str(place)] = {"parent": str(place - 1), "children": [str(place + 1)], "message": message}
    mapping["4"]["children"] = []
    row = {"title": "Peru", "mapping": mapping, "current_node": "4"}
    found = conversation_of(row, guess_row(row) or pytest.fail("no shape"))
    assert [(part.type, part.value) for part in found.messages[0].content if not isinstance(part, str)] == [
        ("image", "sediment://file_1"),
        ("text", "Which town?"),
    ]
    assert list(said_in(found.messages[1])) == ["assistant thinks: Looking\nA coast.", "assistant: Lima."]
    assert len(found.messages) == 2
    assert "mapping.3.message.content.content" in {leaf.path for leaf in found.metadata}
    assert not found.other


def test_marks_of_what_is_where_in_a_text_are_no_answer() -> None:
    row = {"text": "EU rejects German call.", "label": [[0, 2, "ORG"], [11, 17, "MISC"]]}
    assert reading(row) == ("assistant: EU rejects German call.", "beside: label")
    assert shape_of({"text": "Hello!", "label": ["Hi!"]}) == "doccano, texts and labels"
