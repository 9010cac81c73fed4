"""A set over time: the histogram, ten of a slice, and words that die out."""

from __future__ import annotations

from scan_rows import row

from engine.scan.slices import dated, dead_terms, slices, ten_of


def test_a_histogram_by_month_or_year_from_every_kind_of_date() -> None:
    made = [
        row(0, "a", date="2019-04-30"),
        row(1, "b", date="2019-04"),
        row(2, "c", meta={"timestamp": 1_556_668_800}),  # 1 May 2019
        row(3, "d", created_at=1_556_668_800_000),
        row(4, "e"),
    ]
    assert [(part.name, part.rows, part.selector) for part in slices(made)] == [
        ("2019-04", (0, 1), "date=2019-04"),
        ("2019-05", (2, 3), "date=2019-05"),
    ]
    assert [(part.name, len(part.rows)) for part in slices(made, "year")] == [("2019", 4)]
    assert slices([row(0, "a")]) == ()


def test_dates_in_the_text_count_where_no_field_has_one() -> None:
    made = [
        row(0, "What changed between 2017 and 2021-03-04?"),
        row(1, "In 2017 it did.", date="2020-01-01"),
        row(2, "Order 20190412 costs 1999.50, size 2048x2"),
    ]
    assert dated(made) == {0: "2021-03", 1: "2020-01-01"}


def test_ten_of_a_slice_are_the_same_ten_every_time() -> None:
    made = [row(number, f"Question {number}", year=2019) for number in range(50)]
    (part,) = slices(made)
    ten = ten_of(part, made)
    assert len(ten) == 10
    assert ten == ten_of(part, list(reversed(made)))
    assert ten != part.rows[:10]


def test_a_word_that_no_newer_row_uses_has_died_out() -> None:
    made = []
    for number in range(200):
        year = 2018 + number % 5
        made.append(row(number, f"Please help with the {'fax' if year < 2020 else 'portal'} now", year=year))
    assert [(term.word, term.uses, term.last, term.later) for term in dead_terms(made)] == [("fax", 80, "2019", 120)]
    assert dead_terms(made[:20]) == ()
