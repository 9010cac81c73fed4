"""What stands around a request and asks nothing, and what looks like it and does; signs of sums and programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_rows import clusters, rows

from engine.scan.pipeline import scan
from engine.scan.requests.guard import judge
from engine.scan.requests.key import key_of
from engine.scan.requests.normalize import prepare
from engine.scan.text import coarse_forms, exact_form

ONE_ANSWER = "One answer that is given to either of the two requests, word by word the same."

SAME = [
    ("Let's write a limerick about a lazy cat.", "Write a limerick about a lazy cat."),
    ("Let us compare apples with oranges.", "Compare apples with oranges."),
    ("Dear assistant, what is the boiling point of ethanol?", "What is the boiling point of ethanol?"),
    ("Dear ChatGPT, let's write a haiku about snow.", "Write a haiku about snow."),
    ("1. List the planets of the solar system.", "List the planets of the solar system."),
    ("3) Define the word 'ephemeral'.", "Define the word ephemeral"),
    ("b) Name two noble gases.", "Name two noble gases."),
    ("7. What is the speed of light?", "What is the speed of light?"),
    ("<p>Explain how vaccines work.</p>", "Explain how vaccines work."),
    ("<p>Explain how vaccines work.</p>\n<p>Be brief.</p>", "Explain how vaccines work.\nBe brief."),
    ("**Question:** Who painted the Mona Lisa?", "Who painted the Mona Lisa?"),
    ("Calculate 3 x 4.", "Calculate 3 × 4"),
    ("What is 5!?", "What is 5 factorial?"),
    ("Compute 7! / 5!", "What is 7!/5!?"),
    ("Was ist bitte der Treibhauseffekt?", "Was ist der Treibhauseffekt?"),
    ("Nenne bitte drei Flüsse in Bayern.", "Nenne 3 Flüsse in Bayern."),
    ("¿Puedes explicar por favor la fotosíntesis?", "¿Puedes explicar la fotosíntesis?"),
    ("Who won the match in 2020!!", "Who won the match in 2020?"),
    ("Name 3 big cities!", "Name 3 big cities."),
]

APART = [
    ("What is 5!?", "What is 5?"),
    ("Calculate 6!", "Calculate 6"),
    ("Evaluate 3! + 2", "Evaluate 3 + 2"),
    ("What is 7! / 5?", "What is 7 / 5?"),
    ("2. Weltkrieg: Wann begann er?", "1. Weltkrieg: Wann begann er?"),
    ("Let x = 5. What is 2x?", "Let x = 6. What is 2x?"),
    ("Let's compare apples with oranges.", "Compare apples with pears."),
    ("1. Explain gravity. 2. Explain magnetism.", "1. Explain gravity. 2. Explain electricity."),
    ("What does the <p> tag do?", "What does the <b> tag do?"),
    ("Explain the <p> tag in HTML", "Explain the tag in HTML"),
    ("Wie sagt man bitte auf Spanisch?", "Wie sagt man auf Spanisch?"),
    ("What is the largest city in Canada?", "What is the largest lake in Canada?"),
    ("Ordne die Zahlen aufsteigend: 3, 1, 2", "Ordne die Zahlen absteigend: 3, 1, 2"),
    ("Schalte das Licht anschliessend an", "Schalte das Licht abschliessend an"),
    ("Find the sum of 3 x 4 and 5.", "Find the sum of 3 + 4 and 5."),
    ("def f(a, b):\n    return a and b", "def f(a, b):\n    return a or b"),
    ("while a or b:\n    step(a)\n    stop()", "while a and b:\n    step(a)\n    stop()"),
]


def together(one: str, other: str) -> bool:
    """Whether the two requests share a cluster though their answers are the same: the easiest case to be wrong in."""
    found = scan(rows((one, ONE_ANSWER), (other, ONE_ANSWER)), signals=())
    return bool(clusters(found, "exact") + clusters(found, "near") + clusters(found, "conflict"))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_wrapping_asks_nothing(one: str, other: str) -> None:
    assert judge(key_of(one), key_of(other), {}).same
    assert together(one, other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_only_looks_like_a_wrapping_is_another_request(one: str, other: str) -> None:
    assert not judge(key_of(one), key_of(other), {}).same
    assert not together(one, other)


@given(st.text(alphabet="5!? .+x<p>/3) letsand:#*\n", max_size=40))
def test_equal_forms_stay_equal_in_the_coarse_form_and_every_text_can_be_prepared(text: str) -> None:
    assert isinstance(prepare(text), str)
    loud = text + "?"
    if exact_form(loud) == exact_form(text):
        assert coarse_forms([loud]) == coarse_forms([text])
