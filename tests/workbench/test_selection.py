"""Marks on rows, one by one, by group and by range."""

from __future__ import annotations

from workbench.state.selection import Selection


def test_a_group_is_marked_whole_before_its_marks_come_off() -> None:
    selection = Selection()
    selection.toggle({4})
    selection.toggle({3, 4, 5})
    assert selection.marked == {3, 4, 5}
    selection.toggle({3, 4})
    assert selection.marked == {5}


def test_a_range_runs_from_where_it_was_begun_in_either_direction() -> None:
    selection = Selection()
    assert selection.close_range(7) is None
    assert selection.close_range(4) == range(4, 8)
    assert selection.close_range(2) is None


def test_clearing_forgets_the_range_too() -> None:
    selection = Selection()
    selection.toggle({1})
    selection.close_range(3)
    selection.clear()
    assert selection.marked == set()
    assert selection.close_range(5) is None
