"""What data may not do to a terminal, and how wide text is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import get_character_cell_size

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
        ("\u2764\ufe0f 1\ufe0f\u20e3", "\u2764 1\u20e3"),
        ("a\ufe0f 1\ufe0f \u2764\ufe0f\ufe0e", "a⟨VS16⟩ 1⟨VS16⟩ \u2764⟨VS15⟩"),
        ("smuggled\U000e0100\U000e01ef\ufe00", "smuggled⟨VS17⟩⟨VS256⟩⟨VS1⟩"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d₄"),
        ("icon \ue0b0", "icon ⟨E0B0⟩"),
        ("e" + "\u0301" * 100_000 + "!", "e" + "\u0301" * 8 + "⟨+99,992 marks⟩!"),
        # The tallest stacks of scripts in use: Tibetan, pointed Hebrew with an accent, Vietnamese, Thai, Devanagari.
        *(
            (whole, whole)
            for whole in (
                "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0f83",
                "\u05e9\u05bc\u05c1\u05b8\u0591",
                "e\u0323\u0302\u0301",
                "\u0e17\u0e35\u0e48",
                "\u0915\u093c\u094d\u0937\u094d\u092e\u094d\u092f\u094b\u0902",
                "\u1112\u1161\u11ab\u1100\u1173\u11af",
            )
        ),
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


# Unicode 16, DerivedCoreProperties.txt: Default_Ignorable_Code_Point. A terminal may show nothing for these.
DEFAULT_IGNORABLE = """00AD 034F 061C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF
FFA0 FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"""


def test_of_all_code_points_none_is_obeyed_or_hidden() -> None:
    hidden = {
        code
        for ends in DEFAULT_IGNORABLE.split()
        for code in range(int(ends.partition("-")[0], 16), int(ends.rpartition("-")[2], 16) + 1)
    }
    hidden |= {code for code in range(0x110000) if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code < 0xFDF0}
    kinds = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    hidden |= {code for code in range(0x110000) if unicodedata.category(chr(code)) in kinds}
    unsafe = [chr(code) for code in sorted(hidden) if code not in (0x09, 0x0A)]
    shown = visible("\n".join(unsafe)).split("\n")
    assert set(unsafe).isdisjoint("".join(shown))
    assert min(map(len, shown)) > 0
    editor = one_for_one("".join(unsafe))
    assert len(editor) == len(unsafe)
    assert set(unsafe).isdisjoint(editor)


def test_of_marks_that_share_a_cell_there_are_never_many() -> None:
    joining = [
        chr(code)
        for code in range(0x300, 0x110000)
        if get_character_cell_size(chr(code)) == 0 and one_for_one(chr(code)) == chr(code)
    ]
    assert len(joining) > 2000
    shown = visible("\n".join(f"a{mark * 20}" for mark in joining)).split("\n")
    assert shown == [f"a{mark * 8}⟨+12 marks⟩" for mark in joining]
    assert one_for_one("".join(joining)) == "".join(joining[:8]) + "▯" * (len(joining) - 8)


@given(st.text())
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


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
