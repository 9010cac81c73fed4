"""Differences between two texts, word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.text.worddiff import apart_from, differing_words, lit, shortened, word_diff


def test_one_word_changed() -> None:
    assert word_diff("the old house", "the new house") == [
        ("same", "the "),
        ("removed", "old"),
        ("added", "new"),
        ("same", " house"),
    ]
    assert differing_words("the old house", "the new house") == 2


@given(st.text(alphabet="ab \n.", max_size=60), st.text(alphabet="ab \n.", max_size=60))
def test_both_texts_can_be_read_back(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert pieces is not None
    assert "".join(text for kind, text in pieces if kind != "removed") == new
    assert "".join(text for kind, text in pieces if kind != "added") == old or old == new


def test_a_book_is_not_compared() -> None:
    assert word_diff("a " * 5000, "b " * 5000) is None


def test_long_equal_stretches_are_shortened() -> None:
    pieces = word_diff("w " * 60 + "old", "w " * 60 + "new")
    assert pieces is not None
    assert shortened(pieces) == [("gap", "… "), ("same", "w w w w "), ("removed", "old"), ("added", "new")]


def test_words_replaced_one_by_one_are_told_one_by_one() -> None:
    assert word_diff("Good evening, The page", "good evning, the page") == [
        *(("removed", "Good"), ("added", "good"), ("same", " "), ("removed", "evening"), ("added", "evning")),
        *(("same", ", "), ("removed", "The"), ("added", "the"), ("same", " page")),
    ]


def test_a_word_and_a_blank_that_changed_together_are_one_change() -> None:
    assert word_diff("so, The page", "so,  the page") == [
        *(("same", "so,"), ("removed", " The"), ("added", "  the"), ("same", " page")),
    ]


def test_a_text_written_anew_is_not_cut_into_crumbs() -> None:
    pieces = word_diff("a cat sat on my mat", "one dog lay by our rug")
    assert pieces == [("removed", "a cat sat on my mat"), ("added", "one dog lay by our rug")]


@given(st.lists(st.sampled_from(["red", "blue", " ", ".", "1"]), max_size=30).map("".join))
def test_lit_words_are_those_that_not_all_share(text: str) -> None:
    """Against itself nothing is lit, against nothing everything; the text is always whole."""
    assert lit(text, [text]) == ([("same", text)] if text else [])
    assert lit(text, [""]) == ([("added", text)] if text else [])
    both = lit(text, [text, ""])
    assert both is not None
    assert "".join(part for _, part in both) == text


def test_every_answer_tells_what_sets_it_apart_from_any_other() -> None:
    answers = ["urgency high howto", "urgency high defect", "urgency normal howto"]
    told = [[part for kind, part in lit(one, apart_from(one, answers)) or () if kind == "added"] for one in answers]
    assert told == [["high", "howto"], ["high", "defect"], ["normal", "howto"]]


def test_many_long_answers_are_compared_with_one() -> None:
    answers = [f"{number} " + "word " * 2000 for number in range(20)]
    assert apart_from(answers[3], answers) == answers[:1]
