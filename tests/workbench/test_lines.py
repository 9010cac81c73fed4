"""A line that is too long is cut where it can be spared, says so, and never in the middle of a count."""

from __future__ import annotations

import pytest
from rich.style import Style

from workbench.ui.theme import RoleStyles
from workbench.ui.widgets.lines import StyledLines, columns, fitted

LEFT = ((" alpaca_52k.jsonl ", "text"), (" \u27133", "accepted"), (" \u00b751,999", "undecided"), (" left", "muted"))
RIGHT = ((" / flag:truncated and not is:heldout ", "filter"), (" scanning: 88 % ", "reason"), (" 4/52,002 ", "place"))


@pytest.mark.parametrize("width", [200, 120, 100, 80, 70])
def test_counts_stay_whole(width: int) -> None:
    left, right = fitted(LEFT, RIGHT, width)
    assert columns(left) + columns(right) <= width
    said = "".join(text for text, _ in (*left, *right))
    assert "51,999" in said
    assert "4/52,002" in said
    assert ("\u2026" in said) == (width < columns(LEFT) + columns(RIGHT))


def test_a_long_sentence_ends_in_an_ellipsis() -> None:
    ((text, _),), _ = fitted(((" the edit was not taken: your text is in draft.txt", "error"),), (), 30)
    assert len(text) <= 30
    assert text.endswith("\u2026")


@pytest.mark.parametrize("width", [0, 1, 10, 30])
def test_a_line_with_no_room_gives_up_its_right_half(width: int) -> None:
    left, right = fitted(LEFT, RIGHT, width)
    assert right == ()
    assert "51,999" in "".join(text for text, _ in left)


def test_blanks_around_a_label_are_not_underlined_but_those_of_a_difference_are() -> None:
    looks = RoleStyles({"text": Style(), "group": Style(underline=True, bold=True), "added": Style(underline=True)})
    strip = StyledLines(looks).strip(((" near  ", "group"), (" new ", "added")), 14)
    told = [(segment.text, bool(segment.style and segment.style.underline)) for segment in strip]
    assert told == [(" ", False), ("near", True), ("  ", False), (" new ", True), ("  ", False)]
    assert strip.cell_length == 14
