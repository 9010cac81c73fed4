"""The guard: what is one request, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scan.duplicates.pair_judge import without_pointer
from engine.scan.requests.guard import judge
from engine.scan.requests.key import key_of

# Words are common here, so that a mistyping is known for one; "rows" that hold each word in a set of some thousands.
COMMON = {"receiv": 40, "definit": 60, "communication": 50, "environment": 30, "photosynthesis": 12}

DIFFERENT = [
    ("What is 2+2?", "What is 2+3?", "number"),
    ("2+2", "2-2", "operator"),
    ("(6+2)*2", "6+(2*2)", "operator"),
    ("5 - 3", "3 - 5", "direction"),
    ("Add 5", "Add -5", "number"),
    ("Subtract 3 from 5.", "Subtract 5 from 3.", "direction"),
    ("Sort in ascending order: 3, 1, 2", "Sort in descending order: 3, 1, 2", "content"),
    ("Convert Celsius to Fahrenheit.", "Convert Fahrenheit to Celsius.", "direction"),
    ("Convert Fahrenheit to Celsius.", "Convert Celsius into Fahrenheit.", "direction"),
    ("Convert 20 F to C", "Convert 20 C to F", "direction"),
    ("Book a train from Paris", "Book a train to Paris", "direction"),
    ("Raise the price by 5", "Raise the price to 5", "direction"),
    ("Describe the town before the war", "Describe the town after the war", "content"),
    ("Is B bigger than A?", "Is A bigger than B?", "content"),
    ("Does the dog chase the cat?", "Does the cat chase the dog?", "direction"),
    ("What a decision tree is", "When to use a decision tree", "question"),
    ("Explain what a neutron star is.", "Explain what a hero shot is.", "content"),
    ("Write a formal letter to my landlord", "Write an informal letter to my landlord", "content"),
    ("List legal ways to pay less tax", "List illegal ways to pay less tax", "content"),
    ("Describe supervised learning", "Describe unsupervised learning", "content"),
    ("Why do cats swim?", "Why don't cats swim?", "negation"),
    ("Write a sentence with a comma", "Write a sentence without a comma", "negation"),
    ("Define an artificial neural network", "Design an artificial neural network", "verb"),
    ("Name the list of states", "Name the design of states", "content"),
    ("Sort the numbers above 10", "Sort the numbers below 10", "content"),
    ("Listen to the record", "Silent to the record", "content"),
    ("What is C++?", "What is C?", "operator"),
    ("What does `a += b` do?", "What does `a -= b` do?", "operator"),
    ("How many legs has a spider?", "How many eyes has a spider?", "content"),
    ("Summarise this in 3 sentences: 5 ideas", "Summarise this in 5 sentences: 3 ideas", "number"),
    ("解释什么是机器学习", "解释什么是深度学习", "content"),
    ("他是老师吗", "他不是老师吗", "content"),
    ("Traduire « la côte » en anglais", "Traduire « le côté » en anglais", "content"),
    ("Erkläre Maschinen mit Strom", "Erkläre Maschinen ohne Strom", "negation"),
    ("¿Cuál es la capital de España?", "¿Cuál es la capital de Francia?", "content"),
    ("हिन्दी में की बताओ", "हिन्दी में का बताओ", "content"),
    ("Fix this:\n```\nif a < b:\n    print(a)\n```", "Fix this:\n```\nif a > b:\n    print(a)\n```", "operator"),
    ("Fix this:\n```\nx = total(a)\n```", "Fix this:\n```\nx = totals(a)\n```\nnow", "content"),
    ("What is 12% of 50?", "What is 50% of 12?", "direction"),
    ("Explain this: (a+b)*c", "Explain this: a+(b*c)", "operator"),
    ("Who was Henry VIII?", "Who was Henry VII?", "number"),
    ("Define hyperglycemia", "Define hypoglycemia", "content"),
    ("Explain macroeconomics", "Explain microeconomics", "content"),
    ("What is an interstate highway?", "What is an intrastate highway?", "content"),
    ("What does prescribe mean?", "What does proscribe mean?", "content"),
    ("Mon chien mange le chat", "Le chat mange mon chien", "direction"),
    ("Der Hund jagt die Katze. Wer jagt wen?", "Die Katze jagt den Hund. Wer jagt wen?", "content"),
    ("Wie komme ich von Berlin nach München?", "Wie komme ich von München nach Berlin?", "direction"),
    ("Nenne drei Vorteile von Solarenergie.", "Nenne drei Nachteile von Solarenergie.", "content"),
    ("¿Cuáles son las ventajas del trabajo remoto?", "¿Cuáles son las desventajas del trabajo remoto?", "content"),
    ("Welche Stadt ist größer, Köln oder Bonn?", "Welche Stadt ist kleiner, Köln oder Bonn?", "content"),
    ("谁打败了罗马？", "罗马打败了谁？", "content"),
    ("列出三个优点", "列出四个优点", "number"),
    ("Wie sagt man 'bitte' auf Spanisch?", "Wie sagt man auf Spanisch?", "content"),
]

SAME = [
    ("Explain what machine learning is.", "What is Machine Learning?"),
    ("Explain how a neural network learns.", "Explain how neural networks learn."),
    ("Describe the difference between cats and dogs.", "Describe the differences between dogs and cats"),
    ("Convert 4 km to miles.", "Convert 4km into miles."),
    ("What is the Fourth Amendment of the U.S. Constitution?", "What is the 4th Amendment to the US Constitution?"),
    ("Create a sentence that expresses surprise.", "Write a sentence expressing surprise."),
    ("Explain natural language processing (NLP).", "Explain natural language processing."),
    ("How does health care work?", "How does healthcare work?"),
    ("List 5 animals", "Generate a list of five animals"),
    ("Translate the cat to French", "Translate to French: the cat"),
    ("Please name the colors of the rainbow, thanks in advance", "Name the colors of the rainbow"),
    ("请解释什么是机器学习", "解释什么是机器学习。"),
    ("Was ist maschinelles Lernen?", "was ist maschinelles lernen"),
    ("Name the parties in India", "Name the party in India"),
    ("What's the capital of Mali?", "what is the capital of mali"),
    ("What are the causes of World War II?", "What are the causes of World War 2?"),
    ("Nenne drei Vorteile von Solarenergie.", "Nenne 3 Vorteile von Solarenergie"),
    ("Donne-moi trois conseils pour dormir.", "Donne-moi 3 conseils pour dormir, s'il te plaît."),
    ("Escribe cuatro poemas sobre el mar.", "Por favor, escribe 4 poemas sobre el mar."),
    ("Erkläre, wie ein Kühlschrank funktioniert.", "Bitte erklaere, wie ein Kuehlschrank funktioniert!"),
    ("列出三个优点", "列出3个优点。"),
    ("Explain the causes of the war.", "### Instruction:\nExplain teh causes of the war, pls"),
    ("Explain the causes of the war.", "Task: explain the causes of the war"),
    ("Explain the causes of the war.", "Your task is to explain the causes of the war."),
    ("What is the most common word in English?", "Which English word is the most common?"),
]

# One letter apart, and both written as names: believed where the answers are equal, too.
NAMES = [("Write a card for my friend John Dear", "Write a card for my friend Joan Dear"), ("Ask Maria.", "Ask Marie.")]


@pytest.mark.parametrize(("one", "other"), NAMES)
def test_a_name_is_no_slip_of_another_name(one: str, other: str) -> None:
    common = dict.fromkeys((*key_of(one).bag, *key_of(other).bag), 1) | {"john": 5000, "maria": 5000}
    judgement = judge(key_of(one), key_of(other), common)
    assert (judgement.same, judgement.weak) == (True, True)
    lower = judge(key_of(one.lower()), key_of(other.lower()), common)
    assert lower.same


@pytest.mark.parametrize(("one", "other", "rule"), DIFFERENT)
def test_what_only_looks_alike_is_told_apart(one: str, other: str, rule: str) -> None:
    judgement = judge(key_of(one), key_of(other), {})
    assert (judgement.same, judgement.rule) == (False, rule)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_request_in_other_words_is_the_same(one: str, other: str) -> None:
    assert judge(key_of(one), key_of(other), {}).same


@pytest.mark.parametrize(
    ("typo", "word"), [("recieve", "receive"), ("definately", "definitely"), ("photosynthesys", "photosynthesis")]
)
def test_a_slip_in_a_known_word_is_the_same_request(typo: str, word: str) -> None:
    judgement = judge(key_of(f"Explain how plants {typo} light"), key_of(f"Explain how plants {word} light"), COMMON)
    assert judgement.same


def test_a_slip_between_two_rare_words_is_only_believed_where_the_answers_agree() -> None:
    judgement = judge(key_of("¿Quién es el hermano de Ana?"), key_of("¿Quién es el hermana de Ana?"), {})
    assert judgement.same
    assert judgement.weak


def test_two_common_words_are_never_a_slip() -> None:
    known = {"desert": 40, "dessert": 30}
    assert not judge(key_of("Describe a desert"), key_of("Describe a dessert"), known).same


def test_a_mistyped_task_is_still_the_task() -> None:
    assert key_of("Desribe the water cycle").task == key_of("Describe the water cycle").task == "explain"


def test_long_texts_may_differ_in_a_word_but_not_in_the_task_above_them() -> None:
    body = "The committee met on a rainy evening to discuss the future of the old harbour, its cranes, sheds, boats "
    body += body
    assert judge(
        key_of(f"Summarize the text.\n{body}"), key_of(f"Summarize the text.\n{body.replace('rainy ', '', 1)}"), {}
    ).weak
    assert not judge(key_of(f"Summarize the text.\n{body}"), key_of(f"Name the tone of the text.\n{body}"), {}).same


def test_a_pointer_to_the_field_below_says_nothing() -> None:
    assert (
        without_pointer("Explain the difference between the two types\n\nCats and dogs")
        == "Explain the difference between\n\nCats and dogs"
    )
    assert without_pointer("Explain the difference between cats and dogs") is None


@pytest.mark.parametrize(
    "text", ["hi", "Hello!", "thanks", "Thank you so much", "can you please", "", "   ", "…", "?!"]
)
def test_generic_turns_ask_nothing(text: str) -> None:
    assert not judge(key_of(text), key_of(text), {}).same


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_guard_is_symmetric_and_survives_any_text(one: str, other: str) -> None:
    left, right = key_of(one), key_of(other)
    assert judge(left, right, {}).same == judge(right, left, {}).same
    assert judge(left, left, {}).same == (not left.is_generic)
