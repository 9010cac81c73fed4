"""A screen without a glyph beyond ASCII (`--ascii`): marks become letters and signs, other characters their escapes.

Our own glyphs keep their width, one for one. A character of the data is written as Python's `ascii()` writes it, so
that nothing is hidden or guessed: `caf\\xe9`, `\\u2019`.
"""

from __future__ import annotations

GLYPHS = {
    # marks: accepted, rejected, skipped, undecided, edited, disputed, marked, watched, truncated
    **{"\u2713": "+", "\u2717": "-", "\u2192": ">", "\u00b7": ".", "\u00b1": "~", "\u2260": "!", "\u25cf": "*"},
    **{"\u25c9": "*", "\u2702": "%"},
    # cursor, open group, times, ellipsis, lines, arrows
    **{"\u258c": ">", "\u25be": "v", "\u00d7": "x", "\u2026": "~", "\u2502": "|", "\u2500": "-", "\u2193": "v"},
    **{"\u2191": "^"},
    # intervals: zero, ends, beyond the axis
    **{"\u250a": ":", "\u251c": "|", "\u2524": "|", "\u25c0": "<", "\u25b6": ">"},
    # bars, and the step that is under way
    **{"\u2501": "=", "\u2578": "-", "\u2591": ".", "\u25b8": ">"},
    **dict.fromkeys("\u2588\u2589\u258a\u258b", "#"),
    **dict.fromkeys("\u258d\u258e\u258f", "-"),
    # what safe_text puts in the place of a control
    **{"\u27e8": "<", "\u27e9": ">", "\u2219": ".", "\u25af": "?"},
}
BRAILLE = range(0x2800, 0x2900)
# By the number of dots that are set.
DENSITY = " ...::::#"
CONTROL_PICTURES = range(0x2400, 0x2420)


def ascii_text(text: str) -> str:
    """A visible text in ASCII; the same text where it is ASCII already."""
    return text if text.isascii() else "".join(map(_plain, text))


def ascii_one_for_one(text: str) -> str:
    """The same with every character as wide as it was counted: for an editor, where positions must stay."""
    return text if text.isascii() else "".join(c if c.isascii() else GLYPHS.get(c, "?") for c in text)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in GLYPHS:
        return GLYPHS[character]
    code = ord(character)
    if code in BRAILLE:
        return DENSITY[(code - BRAILLE.start).bit_count()]
    if code in CONTROL_PICTURES:
        return f"^{chr(code - CONTROL_PICTURES.start + 0x40)}"
    return ascii(character)[1:-1]
