"""Candidates: what the joins propose holds everything that judging all pairs would find, in linear work."""

from __future__ import annotations

import itertools
import random

import pytest

from engine.scan.duplicates import pairs as pairs_module
from engine.scan.duplicates.pair_judge import LEAST_SCORE, JudgedPairs
from engine.scan.duplicates.pairs import judge_pairs
from engine.scan.duplicates.vocabulary import build_vocabulary
from engine.scan.requests.requests import Node

SUBJECTS = [
    "photosynthesis",
    "democracy",
    "inflation",
    "gravity",
    "recycling",
    "volcano",
    "glacier",
    "algebra",
    "poetry",
    "vaccination",
]
TEMPLATES = (
    "Explain the importance of {} for small coastal towns.",
    "Describe how {} changed the life of ordinary people",
    "List {n} facts about {} that children remember",
    "Write a short story in which {} saves the day",
    "What is the connection between {} and modern medicine?",
    "Name {n} books about {}",
)
LONG = (
    "Summarize the text.\nThe {} committee met on a rainy evening in the old town hall to discuss the future of the "
    "harbour, its cranes, sheds, fishing boats and the people who still mend nets there, while outside {} wind shook "
    "every shutter of every house along the quay and nobody dared to walk home before the storm had gone."
)


def perturbed(text: str, rng: random.Random) -> str:
    """The same request with slips, in capitals, with filler, without a word of a long text, or with another number."""
    words = text.split(" ")
    kind = rng.choice(("typo", "typos", "case", "filler", "drop", "number", "word"))
    places = [place for place, word in enumerate(words) if word.isalpha() and len(word) >= 6]
    if kind in ("typo", "typos") and places:
        for place in rng.sample(places, min(len(places), 1 if kind == "typo" else 3)):
            cut = rng.randint(1, len(words[place]) - 3)
            word = words[place]
            words[place] = rng.choice(
                (word[:cut] + word[cut + 1 :], word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :])
            )
    elif kind == "case":
        return text.upper()
    elif kind == "filler":
        return f"Please {text[0].lower()}{text[1:]}"
    elif kind == "drop" and len(words) > 30:
        del words[rng.randint(8, len(words) - 4)]
    elif kind == "number":
        return "".join(str(int(char) % 9 + 1) if char.isdigit() else char for char in text)
    elif kind == "word":
        words[rng.randrange(len(words))] = rng.choice(SUBJECTS)
    return " ".join(words)


def nodes(texts: list[str]) -> list[Node]:
    return [Node((text,), "", [row]) for row, text in enumerate(dict.fromkeys(texts))]


def no_tick(done: int, of: int) -> None:
    pass


def brute_force(made: list[Node]) -> set[tuple[int, int]]:
    """Every pair judged the same, by looking at every pair."""
    judged = JudgedPairs(made, build_vocabulary([node.text for node in made]).rows_with)
    return {
        (left, right)
        for left, right in itertools.combinations(range(len(made)), 2)
        if judged.score(left, right) >= LEAST_SCORE and judged.verdict(left, right).same
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("exhaustive_below", [0, 3000])
def test_the_joins_find_what_brute_force_finds(
    seed: int, exhaustive_below: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_module, "EXHAUSTIVE_BELOW", exhaustive_below)
    rng = random.Random(seed)
    texts = [
        template.format(subject, n=rng.randint(2, 9))
        for template in TEMPLATES[:2] + TEMPLATES[3:5]
        for subject in SUBJECTS
    ]
    texts += [template.format(subject, n=4) for template in (TEMPLATES[2], TEMPLATES[5]) for subject in SUBJECTS]
    texts += [LONG.format(subject, other) for subject, other in itertools.pairwise(SUBJECTS)]
    texts += [perturbed(rng.choice(texts), rng) for _ in range(120)]
    made = nodes(texts)

    expected = brute_force(made)
    found = {(edge.left, edge.right) for edge in judge_pairs(made, no_tick).same}

    assert found == expected
    assert len(expected) > 40


@pytest.mark.parametrize("texts", [[], [""], ["one"], ["", "."], ["?", "!"], ["a b c", "x y z"]])
def test_nothing_to_compare_gives_no_pairs(texts: list[str]) -> None:
    judged = judge_pairs(nodes(texts), no_tick)
    assert (judged.same, judged.siblings) == ([], [])


def test_a_crowded_signature_emits_a_star_and_not_all_pairs() -> None:
    # 400 spellings of one request: equal stems, different stop words.
    fillers = [
        "a",
        "the",
        "my",
        "your",
        "this",
        "that",
        "some",
        "any",
        "please",
        "can",
        "could",
        "would",
        "will",
        "may",
        "you",
        "we",
        "i",
        "me",
        "do",
        "does",
    ]
    rng = random.Random(1)
    texts = {f"{' '.join(rng.sample(fillers, 4))} explain the photosynthesis of green plants" for _ in range(400)}
    made = nodes(sorted(texts))
    judged = judge_pairs(made, no_tick)

    assert judged.judged < 12 * len(made)
    linked = {0}
    for edge in sorted(judged.same, key=lambda edge: edge.left):
        linked |= {edge.left, edge.right} if {edge.left, edge.right} & linked else set()
    assert len(linked) == len(made)


def test_one_template_does_not_make_quadratic_work() -> None:
    rng = random.Random(2)
    consonants = "bcdfghjklmnprstvz"
    names = ["".join(rng.choice(consonants) + rng.choice("aeiou") for _ in range(4)) for _ in range(2000)]
    made = nodes([f"Write a friendly birthday card for my colleague {name} from the office" for name in names])
    judged = judge_pairs(made, no_tick)
    assert judged.judged <= 8 * len(made)


def test_signatures_do_not_depend_on_the_order_of_rows() -> None:
    texts = [template.format(subject, n=3) for template in TEMPLATES for subject in SUBJECTS]
    forward, backward = build_vocabulary(texts), build_vocabulary(texts[::-1])
    assert forward.signatures.tolist() == backward.signatures.tolist()[::-1]
