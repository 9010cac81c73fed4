"""Two answers to one request: the same, nearly, another, or against each other."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.scan.answers.compare import compare_answers
from engine.scan.requests.key import key_of

LONG = (
    "The harbour was built in {year} by the old trade guild, and it has {quays} quays on which the fishing boats "
    "unload at dawn. The lighthouse {is_} open to visitors on Sundays, and the museum beside it shows nets, lamps and "
    "the letters of the keepers."
)


def relation(one: str, other: str, request: str = "What is it?") -> str:
    there, back = (compare_answers(*pair, key_of(request)).relation for pair in ((one, other), (other, one)))
    assert there == back
    return there


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Paris", " paris. ", "same"),
        ('{"a": 1, "b": [1, 2]}', '{"b": [2, 1.0], "A": 1}', "same"),
        ('```json\n{"a": "Yes"}\n```', '{"a": "yes"}', "same"),
        ("Paris", "The capital is Paris.", "nearly"),
        ("", "Paris", "nearly"),
        ("N/A", "Paris", "nearly"),
        ('{"intent": "billing", "urgency": "high"}', '{"intent": "billing"}', "nearly"),
        ('{"intent": "billing"}', '{"intent": "biling"}', "nearly"),
        ('{"intent": "billing", "urgency": "high"}', '{"intent": "billing", "urg', "nearly"),
        ('{"intent": "billing", "urgency": "high"}', "intent: billing\nurgency: high", "nearly"),
        ("Paris", "Lyon", "conflict"),
        ("12", "125", "conflict"),
        ("5", "-5", "conflict"),
        ("2.5", "25", "conflict"),
        ("Yes, it is, for every one of them and at all times.", "No, it is not.", "conflict"),
        ("是的", "不是", "conflict"),
        ("I am sorry, but I cannot help with that.", "Paris", "conflict"),
        ('{"intent": "billing", "urgency": "high"}', '{"intent": "billing", "urgency": "low"}', "conflict"),
        ('{"intent": "billing", "urgency": "high"}', "intent: refund\nurgency: high", "conflict"),
        ("It is allowed.", "It is not allowed.", "conflict"),
        ("Long working...\nAnd so on.\n#### 12", "Another long way to work it out.\n#### 13", "conflict"),
        ("Long working...\nAnd so on.\n#### 12", "Another long way to work it out.\n#### 12", "nearly"),
    ],
)
def test_answers(one: str, other: str, expected: str) -> None:
    assert relation(one, other) == expected


@pytest.mark.parametrize(
    ("request_text", "one", "other", "expected"),
    [
        ("Is the sky blue?", "Yes", "Yes, it is.", "nearly"),
        ("When did it end?", "2 Sep 1945", "September 2nd, 1945", "nearly"),
        ("When is it?", "2024-01-05", "January 5, 2024", "nearly"),
        ("When is it?", "2024-01-05", "January 6, 2024", "conflict"),
        ("Wann?", "Am 3. Mai 1990", "3.5.1990", "nearly"),
        ("¿Cuándo?", "3 de mayo de 1990", "4 de mayo de 1990", "conflict"),
        ("What time?", "3 pm", "15:00", "nearly"),
        ("What time?", "3 pm", "3 am", "conflict"),
        ("How much?", "1.0", "1", "nearly"),
        ("How much?", "3.50", "3.5", "nearly"),
        ("Which version?", "Python 3.10", "Python 3.1", "conflict"),
        ("How far?", "4 km", "4 kilometres", "nearly"),
        ("How warm?", "5 degrees Celsius", "5 degrees Fahrenheit", "conflict"),
        ("What is 2+2?", "4", "2+2=4", "nearly"),
        ("What is 2+2?", "2 + 2 = 4", "2 + 2 = 5", "conflict"),
        ("Which one?", "A", "(A)", "nearly"),
        ("Which one?", "Option A", "a.", "nearly"),
        ("Which one?", "Option A", "Option B", "conflict"),
        ("Which one?", "The answer is option A", "The answer is option B", "conflict"),
        ("Whom do I write to?", "anna@example.org", "anne@example.org", "conflict"),
        ("Sort 3 1 2 upwards", "1, 2, 3", "3, 2, 1", "conflict"),
        ("Name the colours", "red, green and blue", "blue, green, red", "nearly"),
        ("Who is taller, Tom or Ann?", "Tom is taller than Ann", "Ann is taller than Tom", "conflict"),
        ("Who is taller, Tom or Ann?", "Tom is taller", "Ann is taller", "conflict"),
        ("Turn it round.", "The dog chased the cat.", "The cat chased the dog.", "conflict"),
        ("Write code", "print('a')", "print('b')", "conflict"),
        ("Which call?", "math.max", "math.min", "conflict"),
        ("首都是哪里？", "首都是北京", "北京", "nearly"),
        ("首都是哪里？", "北京", "上海", "conflict"),
        ("这是真的吗？", "是真的", "不是真的", "conflict"),
        ("Tell me", "I'm sorry, I cannot help with that.", "Sorry, I can't help with this.", "nearly"),
        ("Is it open?", "It is open.", "It is closed.", "conflict"),
    ],
)
def test_short_answers_are_compared_by_what_they_say(request_text: str, one: str, other: str, expected: str) -> None:
    assert relation(one, other, request_text) == expected


def test_long_answers_disagree_on_facts_and_not_on_words() -> None:
    text = LONG.format(year=1890, quays=4, is_="is")
    assert relation(text, LONG.format(year=1790, quays=4, is_="is")) == "conflict"
    assert relation(text, LONG.format(year=1890, quays=4, is_="is not")) == "conflict"
    assert relation(text, text.replace("at dawn", "at sunrise")) == "nearly"
    assert (
        relation(text, "A harbour is a place where ships may lie at anchor, safe from wind and waves; " * 3)
        == "alternative"
    )


def test_short_answers_that_differ_are_contradictions_and_a_request_with_room_for_both_is_named() -> None:
    assert relation("I can't believe it!", "What a day this is!", "Write a sentence expressing surprise.") == "conflict"
    assert relation("Capital 4", "Another capital", "Name 4 capitals") == "conflict"
    assert relation("Apple, pear", "Plum, fig", "List 2 fruits") == "conflict"
    assert "leaves room for both" in compare_answers("Apple, pear", "Plum, fig", key_of("List 2 fruits")).why
    assert relation("Apple", "Plum", "Which fruit is this?") == "conflict"
    assert "leaves room" not in compare_answers("Apple", "Plum", key_of("Which fruit is this?")).why


def test_lists_agree_in_any_order_and_not_where_one_names_more() -> None:
    assert relation("Apple, pear", "pear and apple", "List 2 fruits") == "nearly"
    assert relation("red", "red and blue", "Which colours has the flag?") == "conflict"
    assert relation("Red", "The flag is red", "Which colours has the flag?") == "nearly"
    assert relation("The 5 organs are the brain and the heart", "Brain and heart", "Name 5 organs") == "nearly"


def test_numbers_of_the_request_said_again_are_no_difference_but_an_answer_among_them_is() -> None:
    assert relation("0.5 is 1/2", "1/2", "Give 0.5 as a fraction") == "nearly"
    assert relation("5 is the bigger one", "3 is the bigger one", "Which is bigger, 5 or 3?") == "conflict"
    assert relation("5", "3", "Which is bigger, 5 or 3?") == "conflict"


@example("\x1b", "ក")
@given(st.text(max_size=150), st.text(max_size=150))
def test_any_two_texts_compare_the_same_way_round(one: str, other: str) -> None:
    assert relation(one, other) in ("same", "nearly", "alternative", "conflict")
    assert relation(one, one) == "same"
