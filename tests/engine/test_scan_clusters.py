"""Clusters: kinds, keepers, contradictions, conversations, held-out rows, names."""

from __future__ import annotations

import dataclasses
import random

import pytest
from scan_rows import chat, clusters, only_cluster, row, rows, unique

from engine.model import Conversation, Example, Message
from engine.scan.duplicates import pairs as pairs_module
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.pipeline import scan

LONG_ONE = (
    "Photosynthesis turns light into sugar. Leaves hold chlorophyll, which catches red and blue light and drives "
    "the reaction."
)
LONG_TWO = (
    "Green plants live on sunlight: inside their cells water and carbon dioxide become glucose, and oxygen is set "
    "free as waste."
)


def test_equal_rows_are_exact_and_the_first_is_kept() -> None:
    cluster = only_cluster(
        rows(("Name the capital of Mali.", "Bamako"), ("Sing.", "La"), ("name the capital of  Mali", "Bamako."))
    )
    assert (cluster.kind, cluster.rows, cluster.keeper, cluster.others) == ("exact", (0, 2), 0, (2,))
    assert "row 0 is kept: it comes first in the file" in cluster.evidence


def test_a_reworded_row_with_the_same_answer_is_near_and_the_words_that_differ_are_named() -> None:
    cluster = only_cluster(
        rows(
            ("What is the colour of the clear sky at noon?", "Blue"),
            ("What is the color of the clear sky at noon?", "blue."),
        )
    )
    assert cluster.kind == "near"
    assert 'row 1: "color" for "colour"' in cluster.evidence
    assert cluster.scores[0] == 100.0
    assert 90 < cluster.scores[1] < 100


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("Bamako", "Timbuktu", '"Bamako" against "Timbuktu"'),
        ("4", "5", '"4" against "5"'),
        ("yes", "no", '"yes" against "no"'),
        ("I cannot answer that.", "Bamako", "one answer refuses, the other answers"),
        ('{"city": "Bamako", "sure": true}', '{"sure": true, "city": "Dakar"}', 'city: "Bamako" against "Dakar"'),
    ],
)
def test_one_request_with_answers_that_disagree_is_a_conflict(first: str, second: str, why: str) -> None:
    (conflict,) = scan(rows(("Name the capital of Mali.", first), ("Please name the capital of Mali", second))).clusters
    assert conflict.kind == "conflict"
    assert conflict.id.startswith("x")
    assert f"they disagree: {why}" in conflict.evidence
    assert scan(rows(("Name the capital of Mali.", first), ("Please name the capital of Mali", second))).buckets == (
        "check",
        "check",
    )


def test_long_answers_that_do_not_disagree_are_alternatives_and_nothing_is_dropped_unseen() -> None:
    findings = scan(
        rows(("Explain photosynthesis to a child.", LONG_ONE), ("Explain photosynthesis to a child!", LONG_TWO))
    )
    (cluster,) = findings.clusters
    assert (cluster.kind, cluster.alternatives) == ("near", True)
    assert cluster.evidence[0].startswith("alternative answers")
    assert findings.buckets == ("check", "check")


def test_copies_among_alternatives_are_still_copies() -> None:
    asked = "Explain photosynthesis to a child."
    findings = scan(rows((asked, LONG_ONE), (asked, LONG_TWO), (asked, LONG_ONE)))
    assert [(cluster.kind, cluster.rows, cluster.alternatives) for cluster in findings.clusters] == [
        ("exact", (0, 2), False),
        ("near", (0, 1, 2), True),
    ]
    assert len({cluster.id for cluster in findings.clusters}) == 2
    assert findings.buckets == ("check", "check", "drop")


def test_every_copy_in_a_contradiction_is_looked_at() -> None:
    findings = scan(
        rows(
            ("Is it on?", "yes"),
            ("Is it on?", "yes"),
            ("Is it on?", "no"),
            ("What is 2+2?", "4"),
            ("What is 2+2?", "4"),
            ("What is 2+2?", "5"),
        )
    )
    assert [(cluster.kind, cluster.rows) for cluster in clusters(findings, "conflict")] == [((("conflict"), (3, 4, 5)))]
    assert findings.buckets[3:] == ("check", "check", "check")


def test_alike_but_not_the_same_is_a_family_and_never_a_duplicate() -> None:
    made = rows(
        *[
            (f"Sort the following shopping list of item numbers into ascending order: {n}, 88, 41", str(n))
            for n in (12, 13, 14)
        ]
    )
    (family,) = scan(made).clusters
    assert (family.kind, family.rows) == ("variant", (0, 1, 2))
    assert not any("are listed" in line for line in family.evidence)
    assert any("a number" in line for line in family.evidence)
    # That rows are variants is worth knowing, and no reason to look at each.
    assert set(scan(made).buckets) == {"clean"}


def test_a_template_is_one_family_and_its_list_is_cut() -> None:
    made = rows(
        *[
            (f"Write a friendly birthday card for my colleague number {n} from the office", f"Dear {n}")
            for n in range(200, 800)
        ]
    )
    families = clusters(scan(made), "variant")
    assert len(families) <= 25
    assert all(len(family.rows) <= 50 for family in families)
    assert clusters(scan(made), "exact", "near", "conflict") == []


@pytest.mark.parametrize(
    "task",
    [("Summarize the passage.", "Name the tone of the passage."), ("Translate into French.", "Translate into German.")],
)
def test_two_tasks_on_one_long_text_are_two_requests(task: tuple[str, str]) -> None:
    passage = "The world of business can be daunting to the newcomer, and overwhelming to those who know it well. " * 4
    findings = scan(rows((f"{task[0]}\n\n{passage}", "One."), (f"{task[1]}\n\n{passage}", "Two.")))
    assert clusters(findings, "exact", "near", "conflict") == []


# -- the keeper


def dated(number: int, answer: str, **raw: object) -> Example:
    return row(number, "Which plan is the cheapest one?", answer, **raw)


def test_the_keeper_is_accepted_before_clean_before_new_before_whole_before_first() -> None:
    old, new = dated(0, "The basic plan.", year=2019), dated(1, "The basic plan", year=2023)
    assert only_cluster([old, new]).keeper == 1
    assert "row 1 is kept: it is the newest (2023)" in only_cluster([old, new]).evidence
    accepted = scan([old, new], prefer=lambda number: int(number == 0)).clusters[0]
    assert accepted.keeper == 0
    assert "row 0 is kept: you accepted it" in accepted.evidence


def test_a_row_with_a_flag_is_not_kept_over_one_without() -> None:
    asked = "Describe the harbour of the old town in winter"
    cut = "```\nThe harbour is quiet and grey. Nets hang in the wind and nobody walks along the quay."
    cluster = only_cluster(rows((asked, cut), (asked, cut + "\n```")))
    assert cluster.keeper == 1
    assert "row 1 is kept: it has no flags" in cluster.evidence


def test_a_mistyped_row_is_not_kept_over_a_clean_one() -> None:
    made = rows(
        ("Explain the importnace of the harbour for the town", "Trade."),
        ("Explain the importance of the harbour for the town", "Trade."),
        ("What is the importance of trade?", "Bread."),
        ("Name one thing of importance", "Water."),
    )
    (cluster,) = clusters(scan(made), "near")
    assert (cluster.rows, cluster.keeper) == ((0, 1), 1)


# -- conversations


def test_a_conversation_that_begins_another_is_a_prefix_and_the_longest_is_kept() -> None:
    talk = ("How do I prune roses?", "Cut above a bud.", "And when?", "In March.", "Thanks, and hedges?", "In June.")
    findings = scan(
        [chat(0, *talk[:2]), chat(1, *talk), chat(2, *talk[:4]), chat(3, "How do I prune vines?", "Short.")]
    )
    (cluster,) = findings.clusters
    assert (cluster.kind, cluster.rows, cluster.keeper) == ("prefix", (0, 1, 2), 1)
    assert findings.buckets == ("drop", "clean", "drop", "clean")


def test_openers_and_turns_that_lean_on_context_neither_cluster_nor_conflict() -> None:
    findings = scan(
        unique(
            [
                chat(0, "hi", "Hello! How can I help?"),
                chat(1, "Hi!", "Good morning."),
                chat(2, "continue", "The second chapter begins at sea."),
                chat(3, "Continue.", "Then add the butter."),
                chat(4, "Summarize the text above", "It is about bees."),
                chat(5, "Summarize the text above.", "It is about tax."),
                chat(6, "hi", "Hello!", "How do I boil an egg?", "Eight minutes."),
                chat(7, "hi", "Hello!", "What is a quark?", "A particle."),
            ]
        )
    )
    assert findings.clusters == ()


def test_a_shared_system_prompt_does_not_make_conversations_alike_and_another_persona_is_another_request() -> None:
    common = "You are a helpful assistant of the Haldenby department store. " * 10
    made = [
        chat(n, f"Where do I find the {thing}?", f"On floor {n}.", system=common)
        for n, thing in enumerate(("lamps", "shoes", "books", "rugs"))
    ]
    assert scan(made).clusters == ()
    pirate = chat(4, "Where do I find the lamps?", "Arr, below deck!", system="You are a pirate.")
    assert scan([*made, pirate]).clusters == ()


def test_the_same_question_after_other_turns_is_no_contradiction() -> None:
    findings = scan(
        [
            chat(0, "I have a cat.", "Nice.", "What should it eat every day?", "Meat."),
            chat(1, "I have a cat.", "Is it old?", "What should it eat every day?", "Soft food."),
        ]
    )
    assert clusters(findings, "conflict") == []


# -- held-out rows


def test_held_out_rows_cluster_apart_and_what_links_them_is_a_leak() -> None:
    made = rows(
        ("Name the capital of Mali.", "Bamako"),
        ("Please name the capital of Mali", "Bamako"),
        ("Name the capital of Mali", "Bamako"),
        ("Name the capital of Peru", "Lima"),
        ("Name the capital of Mali!", "Dakar"),
    )
    findings = scan(made, heldout={2, 3})
    assert all(set(cluster.rows) <= {0, 1, 4} or set(cluster.rows) <= {2, 3} for cluster in findings.clusters)
    assert [(leak.row, leak.heldout, leak.kind) for leak in findings.leaks] == [
        (0, 2, "exact"),
        (1, 2, "exact"),
        (4, 2, "conflict"),
    ]


def test_a_conversation_that_begins_a_held_out_one_leaks() -> None:
    made = [
        chat(0, "How do I prune roses?", "Cut above a bud."),
        chat(1, "How do I prune roses?", "Cut above a bud.", "When?", "In March."),
    ]
    assert [(leak.row, leak.heldout, leak.kind) for leak in scan(made, heldout={1}).leaks] == [(0, 1, "prefix")]
    assert [(leak.row, leak.heldout, leak.kind) for leak in scan(made, heldout={0}).leaks] == [(1, 0, "prefix")]


# -- names


def test_ids_come_from_the_smallest_member_and_grow_until_they_are_unique() -> None:
    made = rows(
        ("Name the capital of Mali.", "Bamako"),
        ("Name the capital of Mali", "Bamako"),
        ("What is 2+2?", "4"),
        ("What is 2 + 2?", "4"),
    )
    renamed = [
        dataclasses.replace(one, id=name)
        for one, name in zip(
            made, ("aaaaaaaa11112222", "ffffffff00000000", "aaaaaaaa1111bbbb", "ffffffff00000001"), strict=True
        )
    ]
    found = {cluster.rows: cluster.id for cluster in scan(renamed).clusters}
    assert found == {(0, 1): "caaaaaaaa11112", (2, 3): "caaaaaaaa1111b"}
    alone = scan(renamed[:2]).clusters[0]
    assert alone.id == "caaaaaaaa"


# -- properties

WORDS = ("harbour", "lantern", "orchard", "violin", "glacier", "pepper", "cathedral", "saddle", "thunder", "marble")


def a_set(seed: int) -> list[Example]:
    rng = random.Random(seed)
    made: list[tuple[str, str]] = []
    for word in WORDS:
        for template in (
            "Describe the {} of the old town",
            "List {n} uses of a {}",
            "Why is the {} important to sailors?",
        ):
            asked = template.format(word, n=rng.randint(2, 5))
            made.append((asked, f"About {word}."))
            for _ in range(rng.randint(0, 3)):
                copy = rng.choice(
                    (
                        asked.upper(),
                        f"Please {asked[0].lower()}{asked[1:]}",
                        asked.replace("the ", "teh "),
                        asked + " .",
                    )
                )
                made.append((copy, rng.choice((f"About {word}.", f"About {word}", "No idea, 7."))))
    return rows(*made)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    made = a_set(seed)
    shuffled = made[:]
    random.Random(seed).shuffle(shuffled)
    shuffled = [dataclasses.replace(one, number=place) for place, one in enumerate(shuffled)]

    def contents(examples: list[Example]) -> set[tuple[str, frozenset[str]]]:
        return {
            (cluster.kind, frozenset(examples[number].id for number in cluster.rows))
            for cluster in scan(examples).clusters
            if cluster.kind != "variant"
        }

    assert contents(made) == contents(shuffled)


@pytest.mark.parametrize("seed", range(4))
def test_every_member_passes_the_guard_against_the_keeper(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_set(seed)
    kept: list[JudgedPairs] = []
    judge_pairs = pairs_module.judge_pairs
    monkeypatch.setattr(
        pairs_module, "judge_pairs", lambda *asked, **more: kept.append(judge_pairs(*asked, **more)) or kept[-1]
    )
    findings = scan(made)
    node_of = {number: place for place, node in enumerate(kept[0].nodes) for number in node.rows}
    checked = 0
    for cluster in clusters(findings, "exact", "near", "conflict"):
        for number in cluster.others:
            if node_of[number] != node_of[cluster.keeper]:
                assert kept[0].verdict(node_of[cluster.keeper], node_of[number]).same
                checked += 1
    assert checked > 5


MIDDLE = "Describe how the stock market works."
ENDS = ("Describe what the stock market is and how it works.", "How does the stock market work?")


@pytest.mark.parametrize(
    "answers", [("x" * 200,) * 3, ("Up.", "Down.", "Sideways."), ("a " * 90, "b " * 90, "c " * 90)]
)
def test_a_row_is_kept_that_all_others_are_like(answers: tuple[str, str, str]) -> None:
    # Both ends ask what the middle asks; they are too little alike to be judged the same by themselves.
    made = rows((ENDS[0], answers[0]), (ENDS[1], answers[1]), (MIDDLE, answers[2]))
    cluster = only_cluster(made)
    assert (cluster.rows, cluster.keeper) == ((0, 1, 2), 2)
    assert min(cluster.scores) > 70
    assert any("row 2 is" in line and "which holds for no better row" in line for line in cluster.evidence)


def test_an_accepted_row_is_kept_with_the_rows_that_are_like_it() -> None:
    made = rows((ENDS[0], "x" * 200), (ENDS[1], "x" * 200), (MIDDLE, "x" * 200))
    (cluster,) = scan(made, prefer=lambda number: int(number == 0)).clusters
    assert (cluster.rows, cluster.keeper) == ((0, 2), 0)


def test_doubling_the_file_doubles_every_cluster_and_adds_one_for_every_single_row() -> None:
    made = a_set(1)
    doubled = unique([*made, *(dataclasses.replace(one, number=one.number + len(made)) for one in made)])
    once = {cluster.rows for cluster in scan(made).clusters if cluster.kind == "conflict"}
    twice = {cluster.rows for cluster in scan(doubled).clusters if cluster.kind == "conflict"}
    assert twice == {tuple(sorted([*found, *(number + len(made) for number in found)])) for found in once}


# -- hostile and extreme


def test_rows_without_turns_are_no_duplicates_of_each_other() -> None:
    made = [
        Example(f"{number:016x}", number, Conversation(), "made", number + 1, {"text": number}) for number in range(3)
    ]
    findings = scan(made)
    assert clusters(findings, "near", "conflict", "variant") == []
    assert scan([]).buckets == ()
    assert scan([Example("0" * 16, 0, Conversation((Message("system", "x"),)), "made", 1, {})]).clusters == ()
