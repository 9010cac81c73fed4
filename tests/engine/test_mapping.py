"""A mapping says where the parts of any row stand: messages of other names, both sides, several fields, JSON text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.model import Conversation
from engine.project.create import create_project
from engine.project.new_row import row_of
from engine.project.project import open_project
from engine.sources.conversation.conversation import as_mapped
from engine.sources.conversation.text_edits import editable_fields, with_texts
from engine.sources.conversation.turn_edits import cut_after, drop_turn, toggle_trained
from engine.sources.mapping import parse_path, written
from engine.sources.shapes.likely import likely_mapping
from engine.sources.shapes.map_words import mapping_from_words, words_of

NESTED = {
    "log": {
        "session": {
            "turns": [
                {"meta": {"who": "A", "n": 1}, "payload": {"txt": "Is it open?"}},
                {"meta": {"who": "B", "n": 2}, "payload": {"txt": "Until six."}},
            ]
        }
    }
}
NESTED_WORDS = "messages=log.session.turns,role=meta.who,content=payload.txt,user_role=A,assistant_role=B"
SIDES = ("user", "assistant")
PREFIXED = {"chat": ["Kunde: Geht das: heute?", "Agent: Ja.", "Kunde: Gut."]}


def said(row: dict[str, Any], words: str) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in read(row, words).messages]


def read(row: dict[str, Any], words: str) -> Conversation:
    mapping = mapping_from_words(words)
    assert mapping_from_words(words_of(mapping)) == mapping
    return as_mapped(row, mapping)


@pytest.mark.parametrize(
    ("row", "words", "expected"),
    [
        (NESTED, NESTED_WORDS, [("user", "Is it open?"), ("assistant", "Until six.")]),
        (
            PREFIXED,
            "messages=chat,user_role=Kunde,assistant_role=Agent",
            [("user", "Geht das: heute?"), ("assistant", "Ja."), ("user", "Gut.")],
        ),
        (
            {"chat": "Kunde: Geht das?\nIch meine heute.\nAgent: Ja."},
            "messages=chat,user_role=Kunde,assistant_role=Agent",
            [("user", "Geht das?\nIch meine heute."), ("assistant", "Ja.")],
        ),
        (
            {"q1": "1?", "a1": "one", "q2": "2?", "a2": "two", "q10": "ten?", "a10": "ten", "q11": ""},
            "prompt=q*,response=a*",
            list(zip(SIDES * 3, ("1?", "one", "2?", "two", "ten?", "ten"), strict=True)),
        ),
        (
            {"turns": [{"q": "a?", "r": "b"}, {"q": "c?", "r": ""}]},
            "messages=turns,prompt=q,response=r",
            [("user", "a?"), ("assistant", "b"), ("user", "c?"), ("assistant", "")],
        ),
        (
            {"title": "T", "body": "B", "reply": "R"},
            "prompt=title+body,response=reply",
            [("user", "T\n\nB"), ("assistant", "R")],
        ),
        (
            {"veri": json.dumps({"soru": "ne?", "cevap": "bu"})},
            "prompt=veri.soru,response=veri.cevap",
            [("user", "ne?"), ("assistant", "bu")],
        ),
        (
            {"a.b,c=d": "p", "x+y": {"z|w*": "r"}, "x": 1},
            'prompt="a.b,c=d",response="x+y"."z|w*"',
            [("user", "p"), ("assistant", "r")],
        ),
        (
            {"t": [{"s": 0, "x": "hi"}, {"s": 1, "x": "yes"}, {"s": 7, "x": "bell"}]},
            "messages=t,role=s,content=x,user_role=0,assistant_role=1,system_role=2|7",
            [("user", "hi"), ("assistant", "yes"), ("system", "bell")],
        ),
        (
            {"t": [["A", "hi"], ["B", "yes"]]},
            "messages=t,role=0,content=1,user_role=A,assistant_role=B",
            [("user", "hi"), ("assistant", "yes")],
        ),
    ],
    ids=["nested", "prefixed", "lines", "numbered", "sides", "joined", "json", "quoted", "flags", "lists"],
)
def test_a_mapping_reads_what_no_shape_knows(row: dict[str, Any], words: str, expected: list[tuple[str, str]]) -> None:
    assert said(row, words) == expected
    assert read(row, words).other == ()


def test_the_best_of_several_answers_is_the_one_that_its_flag_names_and_the_others_stay() -> None:
    answers = [{"txt": "no", "ok": False, "by": {"id": 3}}, {"txt": "yes", "ok": True, "note": "as a person said it"}]
    held = read({"q": "a?", "answers": answers}, "prompt=q,response=answers.*.txt,winner=answers.*.ok")
    assert [message.text for message in held.messages] == ["a?", "yes"]
    assert [[message.text for message in one] for one in held.candidates] == [["no"]]
    assert [leaf.path for leaf in held.other] == ["answers.1.note"]


def test_a_person_says_what_is_metadata_and_what_is_not() -> None:
    row = {
        "q": "a?",
        "r": "b",
        "remark": "as a person would write",
        "model": "gpt",
        "deep": {"x": "words here to read"},
    }
    held = read(row, "prompt=q,response=r")
    assert [leaf.path for leaf in held.other] == ["remark", "deep.x"]
    held = read(row, "prompt=q,response=r,metadata=remark+deep,other=model")
    assert [leaf.path for leaf in held.other] == ["model"]
    assert [leaf.path for leaf in held.metadata] == ["remark", "deep.x"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("prompt=q,respnse=r", "Did you mean response"),
        ("user=client,messages=x", "Did you mean user_role"),
        ("messages=x,prompt=q", "both sides of a turn"),
        ("prompt=a,prompt=b,response=c", r"prompt=a\+b"),
        ("prompt=q", "both halves"),
        ("messages=x,chosen=y", "mixes messages and preference"),
        ("", "does not understand"),
    ],
)
def test_words_that_mean_nothing_are_told_with_what_was_meant(words: str, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        mapping_from_words(words)
    assert re.search(complaint, str(error.value))


@pytest.mark.parametrize(
    "name", ["a.b", "a+b", "a|b", "a,b", "a=b", "q*", '"', '"x"', " x ", "", "7", "\x1b[2J", "\u202e", "\\"]
)
def test_a_name_of_any_signs_is_written_so_that_it_is_found_again(name: str) -> None:
    path = written((name, "deep"))
    assert path.isprintable()
    assert parse_path(path) == (name, "deep")
    assert said({name: {"deep": "p"}, "r": "s"}, f"prompt={path},response=r") == [("user", "p"), ("assistant", "s")]


def test_a_name_with_signs_that_a_former_mapping_holds_is_the_field_of_that_name() -> None:
    row = {"Q+A": "p", "c*": "r", "Q": "x", "A": "y"}
    assert said(row, "prompt=Q+A,response=c*") == [("user", "p"), ("assistant", "r")]


# -- edits go back to where the text stands


def test_an_edit_goes_back_to_the_field_where_the_text_stands() -> None:
    nested = mapping_from_words(NESTED_WORDS)
    fields = editable_fields(NESTED, nested)
    assert [(field.label, field.text) for field in fields] == [
        ("turn 1, user", "Is it open?"),
        ("turn 2, assistant", "Until six."),
    ]
    edited = with_texts(NESTED, {fields[1].path: "Until seven."})
    assert edited["log"]["session"]["turns"][1] == {"meta": {"who": "B", "n": 2}, "payload": {"txt": "Until seven."}}
    row = {"title": "T", "body": "B", "veri": '{"cevap": "bu"}'}
    fields = editable_fields(row, mapping_from_words("prompt=title+body,response=veri.cevap"))
    assert [field.path for field in fields] == [("title",), ("body",), ("veri",)]
    assert [field.text for field in editable_fields(PREFIXED, mapping_from_words(words_of_prefixed()))] == PREFIXED[
        "chat"
    ]
    numbered = {"q1": "1?", "a1": "one", "q2": "2?", "a2": "two"}
    fields = editable_fields(numbered, mapping_from_words("prompt=q*,response=a*"))
    assert {field.path for field in fields} == {("q1",), ("q2",), ("a1",), ("a2",)}


def words_of_prefixed() -> str:
    return "messages=chat,user_role=Kunde,assistant_role=Agent"


def test_turns_are_cut_dropped_and_left_out_where_they_stand() -> None:
    mapping = mapping_from_words(words_of_prefixed())
    assert cut_after(PREFIXED, mapping, 1) == {"chat": PREFIXED["chat"][:2]}
    with pytest.raises(UsageError, match="no place for that mark"):
        toggle_trained(PREFIXED, mapping, 1)
    nested = mapping_from_words(NESTED_WORDS)
    twice = {"log": {"session": {"turns": NESTED["log"]["session"]["turns"] * 2}}}
    turns = toggle_trained(twice, nested, 1)["log"]["session"]["turns"]
    assert [turn.get("weight") for turn in turns] == [None, 0, None, None]
    sides = {"turns": [{"q": "a?", "r": "b"}, {"q": "c?", "r": "d"}]}
    with pytest.raises(UsageError, match="shares its place"):
        drop_turn(sides, mapping_from_words("messages=turns,prompt=q,response=r"), 1)


@pytest.mark.parametrize("words", [NESTED_WORDS, "prompt=title+body,response=r", "prompt=q*,response=a*"])
def test_a_row_by_hand_is_refused_where_it_could_not_be_written_so(words: str) -> None:
    spoken = [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "b"}]
    with pytest.raises(UsageError, match="no row can be made by hand"):
        row_of(spoken, mapping_from_words(words))


# -- what is proposed


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([NESTED, NESTED], NESTED_WORDS),
        ([PREFIXED], words_of_prefixed()),
        ([{"q1": "one?", "a1": "1", "q2": "two?", "a2": "2"}], "prompt=q*,response=a*"),
        ([{"p": [{"ask": "what is it?", "told": "it is so"}] * 2}], "messages=p,prompt=ask,response=told"),
        ([{"veri": '{"soru": "ne?", "cevap": "bu"}'}], "prompt=veri.soru,response=veri.cevap"),
        ([{"id": 3, "story": "Once upon a time."}], "text=story"),
        ([{"n": 3}], ""),
    ],
)
def test_a_likely_mapping_is_proposed_where_no_shape_is_known(rows: list[dict[str, Any]], words: str) -> None:
    likely = likely_mapping(rows)
    assert (words_of(likely) if likely else "") == words


def test_who_opens_most_conversations_asks(tmp_path: Path) -> None:
    """One row in which the other side speaks first does not turn the rest around."""
    turns = [[("X", "a?"), ("Y", "b")], [("Y", "hello"), ("X", "c?"), ("Y", "d")], [("X", "e?"), ("Y", "f")]]
    lines = [{"t": [{"k": who, "v": text} for who, text in one]} for one in turns]
    source = tmp_path / "raw.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with open_project(create_project(source, words="messages=t,role=k,content=v"), readonly=True) as project:
        assert words_of(project.mapping) == "messages=t,role=k,content=v,user_role=X,assistant_role=Y"
        assert [message.role for message in project.example(1).messages] == ["assistant", "user", "assistant"]


def test_a_field_that_no_row_has_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    source.write_text(json.dumps(NESTED) + "\n")
    with pytest.raises(UsageError, match=r"Did you mean log\.session\.turns\?"):
        create_project(source, words="messages=log.session.turn,role=meta.who")


def test_a_misspelt_field_inside_of_a_message_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    source = tmp_path / "talk.jsonl"
    row = '{"talk": [{"who": {"code": "J"}, "said": "Why?"}, {"who": {"code": "W"}, "said": "So."}]}\n'
    source.write_text(row * 2)
    with pytest.raises(UsageError, match=r"'who\.cod'.*Did you mean who\.code\?"):
        create_project(source, words="messages=talk,role=who.cod,content=said")
