"""What data may not do to a terminal, and how wide text is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.text.cells import cells, cut, fitted, line_breaks, slices
from workbench.text.escape import one_for_one, visible, visible_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", "␛[2J"),
        ("a\x00b\x07", "a␀b␇"),
        ("\x7f\x9b31m", "␡⟨9B⟩31m"),
        ("\u202eabc\u202c", "⟨RLO⟩abc⟨PDF⟩"),
        ("zero\u200bwidth", "zero⟨ZWSP⟩width"),
        ("no\u034fthing\u3164", "no⟨CGJ⟩thing⟨HF⟩"),
        ("a\tb", "a   b"),
        ("line\nfeed\r", "line\nfeed␍"),
        ("lone \ud800", "lone ⟨D800⟩"),
        ("tag\U000e0041", "tag⟨E0041⟩"),
        ("\u2764\ufe0f", "\u2764"),
        ("[/x] [bold]", "[/x] [bold]"),
        ("żółw 中文 한국", "żółw 中文 한국"),
    ],
)
def test_controls_become_glyphs_and_words_stay(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_a_terminal_obeys_comes_out(text: str) -> None:
    for character in visible(text).replace("\n", ""):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(st.text())
def test_an_editor_keeps_positions(text: str) -> None:
    assert len(one_for_one(text)) == len(text)


@given(st.text(), st.integers(0, 40))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cells(fitted(visible_line(text), width)) == width


@given(st.text(), st.integers(0, 40))
def test_cut_text_never_overruns(text: str, width: int) -> None:
    assert cells(cut(visible_line(text), width)) <= width


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs"))), st.integers(2, 40))
def test_wrapping_loses_nothing_but_the_blank_at_a_break(text: str, width: int) -> None:
    text = visible_line(text)
    at, lines = 0, []
    while at < len(text):
        end, following = line_breaks(text, width, at)
        assert following > at
        assert text[end:following] in ("", " ")
        lines.append(text[at:end])
        at = following
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cells(line) <= width for line in lines)


def test_wrapping_looks_at_one_line_of_a_megabyte() -> None:
    text = "x" * 1_000_000
    assert line_breaks(text, 80, 500_000) == (500_080, 500_080)


def test_slices_cut_across_styles() -> None:
    assert slices([("abc", "x"), ("def", "y")], 2, 5) == [("c", "x"), ("de", "y")]
