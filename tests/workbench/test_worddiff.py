"""Differences between two texts, word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.worddiff import differing_words, shortened, word_diff


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
