"""Where case, a space or a single mark is what a request is about: in code, in options, among signs and emoji."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scan_rows import rows

from engine.scan.answers.compare import compare_answers
from engine.scan.code import pieces_of
from engine.scan.pipeline import scan
from engine.scan.requests.key import key_of
from engine.scan.text import coarse_forms, exact_form


def said(one: tuple[str, str], other: tuple[str, str]) -> str:
    """What a scan says of two rows."""
    found = scan(rows(one, other), signals=(), processes=1).clusters
    return ("alternatives" if found[0].alternatives else found[0].kind) if found else ""


APART = [
    ("What does ; do in JavaScript?", "What does : do in JavaScript?"),
    ("What is the symbol ;", "What is the symbol :"),
    ("What is the symbol !", "What is the symbol ?"),
    ("What does '&' mean in C?", "What does '*' mean in C?"),
    ("What does grep -v do?", "What does grep -V do?"),
    ("What does print('A') output?", "What does print('a') output?"),
    ("What is printed by print('a  b')?", "What is printed by print('a b')?"),
    ("What does `Foo` do?", "What does `foo` do?"),
    ("Explain the variable myVar", "Explain the variable myvar"),
    ("What does \\d match?", "What does \\D match?"),
    ("What does %d print?", "What does %D print?"),
    ("Is this valid Python?\nif True:\n    print(1)", "Is this valid Python?\nif True:\nprint(1)"),
    ("Fix:\nfor i in x:\n    print(i)\nprint(2)", "Fix:\nfor i in x:\n    print(i)\n    print(2)"),
    ("Explain SELECT * FROM book", "Explain SELECT * FROM BOOKINGS"),
    ("List all rows of the table book", "List all rows of the table BOOKINGS"),
    ("Classify the mood: I got the job 😀", "Classify the mood: I got the job 😡"),
    ("How much is €100 in yen?", "How much is £100 in yen?"),
    ("Is 3 ≤ 5?", "Is 3 ≥ 5?"),
    ("What is 10² plus 1?", "What is 102 plus 1?"),
    ("Solve x² = 4.", "Solve x2 = 4."),
    ("How many grams are 5 mg?", "How many grams are 5 Mg?"),
    ("How many seconds does 1 MB take at 8 Mb/s?", "How many seconds does 1 MB take at 8 MB/s?"),
    ("What is the value of i++ when i is 3?", "What is the value of ++i when i is 3?"),
    ("What is in /etc/hosts?", "What is in /Etc/hosts?"),
    ("What is at https://example.com/a?", "What is at https://example.com/A?"),
    ("What does getItem return?", "What does getItems return?"),
    ("What does .box select in CSS?", "What does #box select in CSS?"),
]


@pytest.mark.parametrize(("one", "other"), APART)
@pytest.mark.parametrize("answers", [("One thing.", "Another one."), ("The same.", "The same.")])
def test_a_single_mark_makes_another_request(one: str, other: str, answers: tuple[str, str]) -> None:
    assert said((one, answers[0]), (other, answers[1])) in ("", "variant")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("Quelle est la capitale du Mali ?", "Quelle est la capitale du Mali?", "exact"),
        ("EXPLAIN HOW HTTP WORKS", "Explain how HTTP works", "exact"),
        ("Résume : le texte est long", "Résume: le texte est long", "near"),
        ("What is printed by:\n```\nif a:\n  b()\n```", "What is printed by:\n```\nif a:\n    b()\n```", "near"),
        ("What does f(x) = 2 say of f?", "What does f(x)=2 say of f?", "near"),
        ("How high is the word(s) count?", "how high is the word(s) count", "exact"),
        ("Is 512 MB enough and/or too much?", "is 512 mb enough and/or too much?", "exact"),
        ("Write SQL that lists all users", "Write SQL that lists all user", "near"),
    ],
)
def test_what_only_dresses_a_request_makes_no_other(one: str, other: str, kind: str) -> None:
    assert said((one, "It is so."), (other, "It is so.")) == kind


@pytest.mark.parametrize(
    ("request_text", "one", "other", "expected"),
    [
        ("Which option lists recursively?", "-R", "-r", "conflict"),
        ("Which mark ends a statement?", ";", ":", "conflict"),
        ("Which emoji means approval?", "👍", "👎", "conflict"),
        ("What does it cost?", "$100", "€100", "conflict"),
        ("Which table holds the rows?", "BOOKINGS", "book", "conflict"),
        ("Which query is it?", "SELECT * FROM book", "SELECT * FROM BOOKINGS", "conflict"),
        ("Which query is it?", "select * from book;", "SELECT * FROM book", "nearly"),
        ("Which line is it?", "print('A')", "print('a')", "conflict"),
        ("What is the area?", "10²", "102", "conflict"),
        ("Which option of ls shows hidden files?", "-A", "-a", "conflict"),
        ("Which query counts the rows?", "SELECT COUNT(*) FROM user", "SELECT COUNT(*) FROM users", "conflict"),
        ("Print 0 to 2 in Python", "for i in r:\n  f(i)\ng()", "for i in r:\n  f(i)\n  g()", "conflict"),
        ("Write the settings", "a:\n  b: 1\n  c: 2", "a:\n  b: 1\nc: 2", "conflict"),
        ("Reverse a string in Python", "s[::-1]", "''.join(reversed(s))", "alternative"),
        ("Find x: 2x = 10", "$x = 5$", "x = 5", "nearly"),
        ("Find x: 2x = 10", "$x = 5$", "$x = 20$", "conflict"),
        ("Translate into German: Good day", "Guten Tag", "Einen schönen Tag", "alternative"),
        ("Translate into Spanish: dog", "perro", "gato", "conflict"),
        ("Translate into German: 3 dogs run", "3 Hunde rennen um das Haus", "5 Hunde rennen um das Haus", "conflict"),
        ("Reply to the mail: can you come?", "Sorry, I can't come.", "Friday does not work for me.", "alternative"),
        ("Print it in Python", "print('A')", "print('a')", "conflict"),
        ("Is a tomato a fruit?", "Yes.", "Yes: it grows from the flower, and holds the seeds.", "nearly"),
        ("Is a tomato a fruit?", "Yes.", "No: it grows on a plant, and holds no sugar.", "conflict"),
        ("Who has been there?", "No.", "No one but Neil, Buzz, and ten others.", "conflict"),
        ("Which swims? A) cat B) whale C) owl", "B", "B) whale", "nearly"),
        ("Which swims? A) cat B) whale C) owl", "whale", "(b)", "nearly"),
        ("Which swims? A) cat B) whale C) owl", "B) whale", "C) owl", "conflict"),
        ("Which swims? A) cat B) whale C) owl", "B", "owl", "conflict"),
        ("What is a half plus a third?", r"\frac{5}{6}", "5/6", "nearly"),
        ("Which city is it?", "The capital of Mali is Bamako.", "Die Hauptstadt von Mali ist Bamako.", "alternative"),
        ("Which city is it?", "Bamako", "Бамако", "alternative"),
        (
            "How many are there?",
            "There are 2 of them in the box.",
            "Es sind 3 in der Kiste und auf dem Tisch.",
            "conflict",
        ),
        ("Where is it?", "Bamako", "bamako", "nearly"),
        ("Where is it?", "Bamako", "Bamako.", "same"),
        ("Which unit is it?", '{"unit": "C++"}', '{"unit": "C"}', "nearly"),
    ],
)
def test_short_answers_count_to_the_letter(request_text: str, one: str, other: str, expected: str) -> None:
    for left, right in ((one, other), (other, one)):
        assert compare_answers(left, right, key_of(request_text)).relation == expected


@pytest.mark.parametrize(
    "request_text",
    [
        "Name a primary colour.",
        "Name a primary color",
        "Give me an example of a mammal.",
        "Suggest a name for a cat.",
        "What is a good name for a cat?",
        "Name one of the planets.",
        "Nenne eine Primärfarbe.",
        "Nomme une couleur primaire.",
        "Nombra un color primario.",
        "Назови один из цветов.",
        "说出一种原色。",
        "Dime un país de Europa.",
        "Dimmi il nome di un frutto.",
        "Dê um exemplo de mamífero.",
        "Приведи пример млекопитающего.",
        "Noem een dier.",
        "Podaj przykład ssaka.",
        "Bir meyve adı söyle.",
        "اذكر مثالا على فاكهة.",
        "किसी एक फल का नाम बताइए।",
        "과일 하나를 말해 주세요.",
        "Sebutkan salah satu buah.",
        "What is a synonym for quick?",
        "What should I paint the door with?",
        "Flip a coin.",
        "Make this more formal: I like it.",
        "Überlege dir einen Namen für eine Katze.",
        "给我的猫起个名字。",
        "Use the word blue in a sentence.",
    ],
)
def test_where_many_answers_are_right_two_of_them_are_alternatives(request_text: str) -> None:
    assert said((request_text, "Red"), (request_text, "Blue")) == "alternatives"


@pytest.mark.parametrize(
    "request_text",
    [
        "Name the capital of France.",
        "What is the name of the capital of France?",
        "What is a group of lions called?",
        "Give the plural of mouse.",
        "Write 25 in binary.",
        "Give a one-word answer: who painted it?",
        "Nenne die Hauptstadt von Mali.",
        "Назови столицу Франции.",
        "Qual è il capoluogo di una provincia come Como?",
        "Başkentin adı nedir?",
        "How many words are in a sentence like this: he ran?",
        "Fill in the blank: the capital of France is ____.",
    ],
)
def test_where_one_answer_is_right_two_are_a_conflict(request_text: str) -> None:
    assert said((request_text, "Red"), (request_text, "Blue")) == "conflict"


def test_numbers_that_differ_in_the_same_words_are_a_conflict_though_the_text_is_not_there() -> None:
    fire = "About {} people died in the great fire of Brant that winter."
    request_text = "How many people died, given the text about the fire?"
    assert said((request_text, fire.format(1200)), (request_text, fire.format(1500))) == "conflict"
    # Equal words may ask for different things: nothing says that these speak of one text.
    assert said(("Sum up the numbers above.", "12"), ("Sum up the numbers above.", "15")) == ""


CONSENT = {
    "ru": ("Да, это фрукт, и вот почему: {}", "Нет, это овощ, и вот почему: {}"),
    "ar": ("نعم، هي فاكهة: {}", "لا، هي خضار: {}"),
    "hi": ("हाँ, यह एक फल है: {}", "नहीं, यह एक सब्ज़ी है: {}"),
    "ja": ("はい、果物です。{}", "いいえ、野菜です。{}"),
    "ko": ("네, 과일입니다: {}", "아니요, 채소입니다: {}"),
    "zh": ("是的，番茄是水果。{}", "不是，番茄是蔬菜。{}"),
    "tr": ("Evet, meyvedir: {}", "Hayır, sebzedir: {}"),
    "pt": ("Sim, é uma fruta: {}", "Não, é um legume: {}"),
    "it": ("Sì, è un frutto: {}", "No, è una verdura: {}"),
    "pl": ("Tak, to owoc: {}", "Nie, to warzywo: {}"),
}


@pytest.mark.parametrize("language", CONSENT)
def test_yes_against_no_is_a_conflict_in_every_language_however_long_the_reasons_are(language: str) -> None:
    yes, no = CONSENT[language]
    reasons = "alpha beta gamma delta " * 8, "one two three four five " * 8
    assert compare_answers(yes.format(reasons[0]), no.format(reasons[1])).relation == "conflict"
    assert compare_answers(yes.format(reasons[0]), yes.format(reasons[1])).relation == "alternative"


REFUSALS = {
    "en": ("I'm sorry, but I cannot help with that.", "Sorry, I can't do this."),
    "de": ("Es tut mir leid, aber dabei kann ich nicht helfen.", "Leider kann ich das nicht tun."),
    "fr": ("Je suis désolé, mais je ne peux pas vous aider.", "Désolé, je ne peux pas faire cela."),
    "es": ("Lo siento, pero no puedo ayudarte.", "Lo siento, no puedo hacerlo."),
    "it": ("Mi dispiace, non posso aiutarti.", "Purtroppo non posso farlo."),
    "ru": ("Извините, но я не могу помочь.", "К сожалению, я не могу этого сделать."),
    "ja": ("申し訳ありませんが、お答えできません。", "すみません、それはできません。"),
    "zh": ("抱歉，我无法帮助你。", "对不起，我不能这样做。"),
    "ko": ("죄송하지만 도와드릴 수 없습니다.", "미안하지만 그것은 할 수 없습니다."),
}


@pytest.mark.parametrize("language", REFUSALS)
def test_a_refusal_is_told_in_every_language(language: str) -> None:
    one, other = REFUSALS[language]
    answer = "Put the key into the lock, turn it to the right until it clicks, and pull the shackle out of it. " * 2
    assert compare_answers(one, other).relation == "nearly"
    assert compare_answers(one, answer).relation == compare_answers(answer, other).relation == "conflict"


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("What is the molar mass of Co?", "What is the molar mass of CO?", "alternatives"),
        ("Count the capital letters: Hello World", "Count the capital letters: hello World", "alternatives"),
        ("what is the capital of Mali?", "What is the capital of Mali?", "conflict"),
        ("WHAT IS THE CAPITAL OF MALI?", "What is the capital of Mali?", "conflict"),
    ],
)
def test_where_capitals_may_be_what_is_asked_about_two_answers_are_no_conflict(one: str, other: str, kind: str) -> None:
    assert said((one, "58.9"), (other, "28")) == kind


def test_equal_forms_are_equal_without_their_marks_too() -> None:
    texts = [text for pair in APART for text in pair]
    coarse = coarse_forms(texts)
    for one, mine in zip(texts, coarse, strict=True):
        for other, theirs in zip(texts, coarse, strict=True):
            assert exact_form(one) != exact_form(other) or mine == theirs


@pytest.mark.parametrize(
    "text", ["(" * 20_000, "a_" * 20_000, "<a" * 20_000, "f(" * 20_000, " = " * 20_000, "`" * 20_000]
)
def test_pieces_of_long_texts_are_found_in_linear_time(text: str) -> None:
    pieces_of(text)
    exact_form(text)
    pieces_of(f"{text}\n{text};\n")


TRICKY = st.text(alphabet="aAbBßx2²½ ;:.,!?'\"()[]{}-_=<>`$€😀👍\\%\n", max_size=24)


def bones(text: str) -> list[str]:
    """What is left of a text without case, spaces and punctuation."""
    return [char.lower() for char in text if char.isalnum() or unicodedata.category(char) in ("So", "Sc")]


@settings(max_examples=60, deadline=None)
@example(("What of x²", "y"), ("What of x2", "y"))
@given(st.tuples(TRICKY, TRICKY), st.tuples(TRICKY, TRICKY))
def test_exact_rows_differ_in_case_spaces_and_punctuation_alone(one: tuple[str, str], other: tuple[str, str]) -> None:
    if said(one, other) == "exact":
        assert [bones(text) for text in one] == [bones(text) for text in other]


@settings(max_examples=60, deadline=None)
@given(TRICKY, st.integers(0, 23), st.sampled_from("aAbBßx2²½;:$€😀👍_(="))
def test_one_more_sign_never_leaves_two_rows_exact(text: str, place: int, sign: str) -> None:
    changed = text[:place] + sign + text[place:]
    kind = said((f"What of {text}", "Yes"), (f"What of {changed}", "Yes"))
    assert kind != "exact" or bones(text) == bones(changed)
    kind = said(("What of it?", text), ("What of it?", changed))
    assert kind != "exact" or " ".join(text.split()).strip(" .。") == " ".join(changed.split()).strip(" .。")
