"""One fact in two ways of writing is no contradiction; what only looks like it is one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scan.answers.compare import compare_answers
from engine.scan.answers.facts import in_digits
from engine.scan.answers.quantities import values_of
from engine.scan.requests.key import key_of


def relation(request: str, one: str, other: str) -> str:
    there, back = (compare_answers(*pair, key_of(request)).relation for pair in ((one, other), (other, one)))
    assert there == back
    return there


def test_words_of_numbers_in_letters_that_only_fold_to_theirs() -> None:
    assert in_digits("\u017feventy \u017fix, tw\u0130nty, n\u0131nety f\u0130ve") == "76, tw\u0130nty, 95"


@pytest.mark.parametrize(
    ("request_text", "one", "other"),
    [
        # Day and month in either order: one of the readings is the same day.
        ("When was it signed?", "05/01/2024", "2024-05-01"),
        ("When was it signed?", "05/01/2024", "2024-01-05"),
        ("When was it signed?", "It was signed on 05/01/2024.", "It was signed on 1 May 2024."),
        ("When was it signed?", "25/12/2024", "December 25, 2024"),
        ("Wann?", "Am 1. Mai 2024", "05/01/2024"),
        ("Fill in the form.", '{"date": "05/01/2024"}', '{"date": "2024-05-01"}'),
        # Marks between thousands and before decimals.
        ("How many?", "1.000", "1000"),
        ("How many?", "1 000", "1,000"),
        ("How many?", "2.500.000", "2,500,000"),
        ("How many people?", "The city has 2.500.000 people.", "The city has 2,500,000 people."),
        ("How many people?", "The city has 2.5 million people.", "The city has 2,500,000 people."),
        ("How much?", "3,5", "3.5"),
        ("How much?", "1.234,50 €", "1234.5 euros"),
        ("How many?", "1e3", "1000"),
        ("How many?", "twenty-five", "25"),
        ("How many?", "two hundred", "200"),
        ("How many?", "It has twenty-five rooms.", "It has 25 rooms."),
        # Shares and units.
        ("What share?", "50%", "0.5"),
        ("What share?", "1/2", "50 percent"),
        ("What share?", "½", "0.5"),
        ("What percentage voted?", "50%", "50"),
        ("How far?", "5 km", "5000 m"),
        ("How long?", "1 hour", "60 minutes"),
        ("What does it cost?", "$5", "5 dollars"),
        ("How many?", "10 to 12", "10–12"),
    ],
)
def test_equal_facts_agree(request_text: str, one: str, other: str) -> None:
    assert relation(request_text, one, other) == "nearly"


@pytest.mark.parametrize(
    ("request_text", "one", "other"),
    [
        ("When was it signed?", "05/01/2024", "2024-05-02"),
        ("When was it signed?", "05/01/2024", "2023-05-01"),
        ("When was it signed?", "May 1, 2024", "2024-01-05"),
        ("When was it signed?", "25/12/2024", "2024-12-24"),
        ("Fill in the form.", '{"date": "05/01/2024"}', '{"date": "2024-06-01"}'),
        ("How many?", "1.000", "10000"),
        ("How many?", "1.5", "15"),
        ("How many?", "0.125", "125"),
        ("How many?", "1,000", "1.001"),
        ("How many?", "2 million", "2 billion"),
        ("How many?", "fourteen", "40"),
        ("How many?", "twenty-five", "52"),
        ("What share?", "50%", "0.05"),
        ("What share?", "50%", "5"),
        ("What share?", "50%", "50"),
        ("What share?", "1/2", "0.25"),
        ("Write 0.5 as a fraction.", "0.5", "1/2"),
        ("Convert 3 pm.", "3 pm", "13:00"),
        ("How far?", "5 km", "5 miles"),
        ("How long?", "1 hour", "1 minute"),
        ("What does it cost?", "$5", "5 euros"),
        ("How many?", "10 to 12", "10-13"),
        ("Which version?", "1.10", "1.1"),
        ("How cold?", '{"celsius": -1.5}', '{"celsius": 1.5}'),
        ("How cold?", '{"celsius": "-5"}', '{"celsius": "5"}'),
    ],
)
def test_facts_that_only_look_alike_disagree(request_text: str, one: str, other: str) -> None:
    assert relation(request_text, one, other) == "conflict"


def test_a_long_answer_may_write_its_date_in_another_way_but_not_another_date() -> None:
    text = "The old trade guild opened the harbour on {day}, and its four quays have served the fishing boats " * 2
    assert relation("Tell me.", text.format(day="05/01/1890"), text.format(day="1890-05-01")) != "conflict"
    assert relation("Tell me.", text.format(day="05/01/1890"), text.format(day="1891-05-01")) == "conflict"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna beat Ben.", "Ben was beaten by Anna."),
        ("Shakespeare wrote Hamlet.", "Hamlet was written by Shakespeare."),
        ("Fleming discovered penicillin in 1928.", "Penicillin was discovered by Fleming in 1928."),
        ("The Romans built the bridge in 20 BC.", "The bridge was built by the Romans in 20 BC."),
        ("Der Hund biss den Mann.", "Der Mann wurde vom Hund gebissen."),
        ("Anna hat Ben geschlagen.", "Ben wurde von Anna geschlagen."),
        ("Marie Curie découvrit le radium.", "Le radium fut découvert par Marie Curie."),
        ("Cervantes escribió el Quijote.", "El Quijote fue escrito por Cervantes."),
        # In German the object may stand first: who bit whom is not surely told.
        ("Den Mann biss der Hund.", "Der Hund wurde vom Mann gebissen."),
    ],
)
def test_the_active_and_the_passive_voice_of_one_fact_do_not_disagree(one: str, other: str) -> None:
    assert relation("Who was it?", one, other) == "alternative"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna beat Ben.", "Ben beat Anna."),
        ("Anna beat Ben.", "Anna was beaten by Ben."),
        ("Anna was beaten by Ben.", "Ben was beaten by Anna."),
        ("The mayor was praised by the king.", "The mayor praised the king."),
        ("Shakespeare wrote Hamlet.", "Hamlet was written by Marlowe."),
        ("Anna bit Ben.", "Ben was beaten by Anna."),
        ("Rome conquered Greece.", "Greece was not conquered by Rome."),
        ("The Romans built the bridge in 20 BC.", "The bridge was built by the Romans in 30 BC."),
        ("Ben hat Anna geschlagen.", "Ben wurde von Anna geschlagen."),
        ("El perro mordió al hombre.", "El perro fue mordido por el hombre."),
    ],
)
def test_who_did_what_to_whom_still_counts(one: str, other: str) -> None:
    assert relation("Who was it?", one, other) == "conflict"


@given(st.integers(min_value=1000, max_value=10**12))
def test_a_whole_number_is_worth_itself_under_every_grouping(number: int) -> None:
    for mark in (",", ".", " ", "'"):
        assert (Fraction(number), "") in values_of(f"{number:,}".replace(",", mark))


@given(st.text(max_size=70))
def test_any_text_has_values_or_none(text: str) -> None:
    assert all(isinstance(number, Fraction) for number, _ in values_of(text))
