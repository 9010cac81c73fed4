"""Right, or silent: other languages and programs; requests in other frames; whole sets made from one template."""

from __future__ import annotations

import random
import re

import pytest
from scan_rows import clusters, rows

from engine.model import Example
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.pipeline import scan

SAME = [
    # French
    ("Quelle est la capitale du Mali ?", "quelle est la capitale du Mali"),
    ("Explique la photosynthèse à un enfant.", "Explique la photosynthèse à un enfant !"),
    # German
    ("Nenne drei Flüsse in Deutschland.", "nenne drei Flüsse in Deutschland"),
    ("Wie heißt die Hauptstadt von Österreich?", "WIE HEISST DIE HAUPTSTADT VON ÖSTERREICH?"),
    # Spanish
    ("¿Cuál es la capital de Perú?", "Cual es la capital de Perú".replace("Cual", "Cuál")),
    # Chinese
    ("请解释什么是机器学习。", "解释什么是机器学习"),
    ("列出三种水果", "列出三种水果。"),
    # programs
    ("What does this print?\n```python\nprint(1 + 2)\n```", "What does this print?\n\n```python\nprint(1 + 2)\n```\n"),
]

APART = [
    # French: another noun, another number, a negation, the direction, the sense of a letter
    ("Quelle est la capitale du Mali ?", "Quelle est la capitale du Mail ?".replace("Mail", "Malawi")),
    ("Donne trois exemples de fruits rouges", "Donne quatre exemples de fruits rouges"),
    ("Pourquoi les chats aiment le lait", "Pourquoi les chats n'aiment pas le lait"),
    ("Traduis ce texte du français vers l'anglais", "Traduis ce texte de l'anglais vers le français"),
    ("Décris le poisson", "Décris le poison"),
    # German
    ("Nenne drei Flüsse in Deutschland", "Nenne vier Flüsse in Deutschland"),
    ("Schreibe einen Brief mit Anrede", "Schreibe einen Brief ohne Anrede"),
    ("Warum ist der Himmel blau", "Warum ist der Himmel nicht blau"),
    ("Beschreibe den Vater", "Beschreibe die Mutter"),
    ("Ist das schon fertig", "Ist das schön fertig"),
    # Spanish
    ("Explica qué es un átomo", "Explica qué es una molécula"),
    ("Di algo positivo sobre el invierno", "Di algo negativo sobre el invierno"),
    ("Traduce del inglés al español", "Traduce del español al inglés"),
    ("¿Cuántos años tiene Ana?", "¿Cuántos anos tiene Ana?"),
    # Chinese
    ("解释什么是机器学习", "解释什么是深度学习"),
    ("列出三种水果", "列出四种水果"),
    ("把摄氏度转换为华氏度", "把华氏度转换为摄氏度"),
    ("他喜欢猫吗", "他不喜欢猫吗"),
    # programs: an operator, a name, a bound, an index, a letter's case, an indentation
    ("Explain:\n```python\nif a < b:\n    run(a)\n```", "Explain:\n```python\nif a <= b:\n    run(a)\n```"),
    ("Explain:\n```python\nx = total(a)\n```", "Explain:\n```python\nx = totals(a)\n```"),
    ("Fix this:\nfor (i = 0; i < 10; i++) { add(i); }", "Fix this:\nfor (i = 0; i < 11; i++) { add(i); }"),
    ("Explain:\n```sql\nSELECT a FROM t WHERE b = 1;\n```", "Explain:\n```sql\nSELECT a FROM t WHERE b != 1;\n```"),
    ("Explain:\n```js\na && b\n```", "Explain:\n```js\na || b\n```"),
]

FRAMES_SAME = [
    ("What is an API?", "Explain what an API is."),
    ("What is machine learning?", "Explain the concept of machine learning."),
    ('Define the term "black hole"', "Describe what a black hole is"),
    ("What is 3 + 4?", "Compute 3 + 4"),
    ("What are three tips to reduce stress?", "List 3 tips for reducing stress"),
    ("Q: Name the rivers of France", "Name the rivers of France. Thank you in advance!"),
    ("What colour has the sky, and how do you organise it?", "What color has the sky, and how do you organize it?"),
]

FRAMES_APART = [
    ("Explain what an algorithm is", "What does an algorithm do?"),
    ("What is sentiment analysis?", "What is the use of sentiment analysis?"),
    ("What is computer vision?", "What can computer vision be used for?"),
    ("What is a neural network?", "Design a neural network"),
    ("Name a planet", "Name the planets"),
    ("Describe what an API is and its purpose", "State the purpose of an API"),
    ("What is a computer?", "Compute a sum"),
    ("Write a poem about the concept of love", "Explain love"),
    ("Explain long-term debt", "Explain long debt"),
    ("say hello in French", "say thanks in French"),
    ("hello french", "thanks french"),
]


def merged(one: str, other: str) -> bool:
    """With the same answer, so that nothing but the requests can tell."""
    made = rows(
        (one, "The same answer."), (other, "The same answer."), ("Sing a song of rain", "La"), ("你会唱歌吗", "啦")
    )
    return clusters(scan(made), "exact", "near", "conflict") != []


@pytest.mark.parametrize(("one", "other"), SAME + FRAMES_SAME)
def test_the_same_request_is_one(one: str, other: str) -> None:
    assert merged(one, other)


@pytest.mark.parametrize(("one", "other"), APART + FRAMES_APART)
def test_what_differs_in_what_matters_is_never_merged(one: str, other: str) -> None:
    made = rows((one, "An answer."), (other, "Another reply!"), ("Sing a song of rain", "La"), ("你会唱歌吗", "啦"))
    assert clusters(scan(made), "exact", "near", "conflict") == []


# -- sets made from one template


def names(count: int) -> list[str]:
    rng = random.Random(2)
    consonants, vowels = "bcdfghjklmnprstvz", "aeiou"
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(3, 5)))] = None
    return list(found)


def cards(count: int) -> list[Example]:
    asked = "Write a friendly birthday card for my colleague {} from the office"
    return rows(*[(asked.format(name), f"Dear {name}, happy birthday from all of us") for name in names(count)])


def test_four_thousand_names_in_one_template_are_a_family_and_not_mistypings_of_each_other() -> None:
    findings = scan(cards(4_000))
    assert clusters(findings, "exact", "near", "prefix", "conflict") == []
    (family,) = clusters(findings, "variant")
    counted = re.fullmatch(r"a family of (3,9\d\d|4,000) rows on one template; 50 are listed", family.evidence[0])
    assert counted is not None, family.evidence[0]
    assert int(counted.group(1).replace(",", "")) > 3_980


def test_work_on_one_template_grows_with_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    verdict = JudgedPairs.verdict
    monkeypatch.setattr(JudgedPairs, "verdict", lambda self, one, other: judged.append(1) or verdict(self, one, other))
    counts = []
    for size in (3_000, 6_000):
        judged.clear()
        scan(cards(size))
        counts.append(len(judged))
    assert counts[1] <= 2.6 * counts[0]
    assert counts[1] <= 8 * 6_000


def test_ten_thousand_answers_to_one_request_are_compared_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    from engine.scan.answers import calls

    compare = calls.compare_answers
    monkeypatch.setattr(calls, "compare_answers", lambda *pair: compared.append(1) or compare(*pair))
    made = rows(*[("Write a friendly birthday card", f"Dear {name}, happy birthday") for name in names(10_000)])
    (cards,) = clusters(scan(made), "near")
    assert cards.alternatives
    assert len(cards.rows) > 9_000
    assert len(compared) <= 2 * len(made)
