"""What is proposed: a pick while a row of it is swapped, an offer with changes taken out, the change behind an edit."""

from __future__ import annotations

from engine.review.edit_rules import derive_row
from workbench.state.proposals import Board, Change, Offer, PickedRow, Proposals


def test_while_a_row_is_swapped_all_others_must_stay() -> None:
    rows = (PickedRow(3, 0, "", True), PickedRow(5, 1, "", False))
    assert Board(2, rows).locked == (3,)
    assert Board(2, rows, swapped=8).locked == (3, 5)


def test_a_change_that_was_taken_out_is_not_wanted() -> None:
    changes = tuple(Change(row, "trailing blanks", lambda content: None) for row in (1, 2, 3))
    assert [change.row for change in Offer("", "", changes, out=frozenset({1})).wanted] == [1, 3]


def test_the_change_behind_an_edit_is_looked_for_once_and_replaces_what_fitted_before() -> None:
    rule = derive_row({"output": "a&amp;b"}, {"output": "a&b"}, {"entities": lambda text: text.replace("&amp;", "&")})
    assert rule is not None
    proposals = Proposals()
    proposals.fits = (rule, (4, 6))
    proposals.note_edit(rule)
    assert proposals.fits is None
    assert proposals.take_edit_rule() == rule
    assert proposals.take_edit_rule() is None
