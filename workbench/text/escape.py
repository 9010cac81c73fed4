"""Text from data, made safe to show: whatever a terminal would obey becomes a glyph that can be seen.

Done once, at the edge of the view. What comes out holds no control character but the line feed, and every
character in it takes a width that terminals agree on.
"""

from __future__ import annotations

import re

TAB_WIDTH = 4

# Named, because their effect cannot be seen and matters: they re-order, hide or smuggle text.
NAMED: dict[int, str] = {
    0x00AD: "SHY",
    0x034F: "CGJ",
    0x061C: "ALM",
    0x115F: "HCF",
    0x1160: "HJF",
    0x17B4: "AQ",
    0x17B5: "AA",
    0x180E: "MVS",
    0x200B: "ZWSP",
    0x200E: "LRM",
    0x200F: "RLM",
    0x2028: "LS",
    0x2029: "PS",
    0x202A: "LRE",
    0x202B: "RLE",
    0x202C: "PDF",
    0x202D: "LRO",
    0x202E: "RLO",
    0x2060: "WJ",
    0x2066: "LRI",
    0x2067: "RLI",
    0x2068: "FSI",
    0x2069: "PDI",
    0x3164: "HF",
    0xFEFF: "BOM",
    0xFFA0: "HHF",
}
# Joiners are ordinary in Persian, in Indic scripts and inside emoji: one quiet glyph. Terminals disagree on the width
# of what they join, so they must not reach one.
QUIET: dict[int, str] = {0x200C: "\u2219", 0x200D: "\u2219"}
# Two of these make a flag in some terminals and two letters of one or two columns in others: circled letters instead.
FLAG_LETTERS = range(0x1F1E6, 0x1F200)
CIRCLED_A = 0x24B6
# Variation selectors and skin tones change the width of the character before them in some terminals only.
DROPPED = "\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff"

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f1e6-\U0001f1ff\U000e0000-\U000e0fff"
    + DROPPED
    + "]"
)
_DROPPED = re.compile(f"[{DROPPED}]")
# Every blank but the controls, which `visible` shows.
_BLANK = re.compile(r"[^\S\x0b-\x1f\x85\u2028\u2029]")


def visible(text: str) -> str:
    """`text` with every control shown as a glyph and tabs expanded; line feeds stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _UNSAFE.sub(_glyph, text)
    return text.expandtabs(TAB_WIDTH) if "\t" in text else text


def visible_line(text: str, limit: int = 400) -> str:
    """The beginning of `text` on one line: runs of blank become one blank, at most `limit` characters looked at."""
    return visible(" ".join(text[: limit * 2].split()))[:limit]


def _glyph(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code in QUIET:
        return QUIET[code]
    if code in FLAG_LETTERS:
        return chr(CIRCLED_A + code - FLAG_LETTERS.start)
    if _DROPPED.match(character):
        return ""
    return f"\u27e8{NAMED.get(code) or f'{code:02X}'}\u27e9"


def seen_blanks(text: str, *, breaks: bool) -> str:
    """`text` with a glyph for every blank: a difference nobody can see is none. A line feed is shown, and followed by
    itself where `breaks`."""
    return _BLANK.sub(lambda match: _blank_glyph(match.group(), breaks), text)


def _blank_glyph(character: str, breaks: bool) -> str:
    if character == "\n":
        return "\u21b5\n" if breaks else "\u21b5"
    known = {" ": "\u00b7", "\t": "\u21e5"}
    return known.get(character) or f"\u27e8{NAMED.get(ord(character)) or f'{ord(character):02X}'}\u27e9"


def one_for_one(text: str) -> str:
    """`text` with every unsafe character replaced by one glyph: for an editor, where positions must stay."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_single_glyph, text)


def _single_glyph(match: re.Match[str]) -> str:
    shown = _glyph(match)
    return shown if len(shown) == 1 else "\u25af"


# A screen without a glyph beyond ASCII (`--ascii`): marks become letters and signs, other characters their escapes.
#
# Our own glyphs keep their width, one for one. A character of the data is written as Python's `ascii()` writes it, so
# that nothing is hidden or guessed: `caf\xe9`, `\u2019`.

GLYPHS = {
    # marks: accepted, rejected, skipped, undecided, edited, disputed, marked, watched, truncated
    **{"\u2713": "+", "\u2717": "-", "\u2192": ">", "\u00b7": ".", "\u00b1": "~", "\u2260": "!", "\u25cf": "*"},
    **{"\u25c9": "*", "\u2702": "%"},
    # cursor, open group, times, ellipsis, lines, arrows
    **{"\u258c": ">", "\u25be": "v", "\u00d7": "x", "\u2026": "~", "\u2502": "|", "\u2500": "-", "\u2193": "v"},
    **{"\u2191": "^"},
    # blanks that went or came: tab, line feed
    **{"\u21e5": ">", "\u21b5": "/"},
    # intervals: zero, ends, beyond the axis
    **{"\u250a": ":", "\u251c": "|", "\u2524": "|", "\u25c0": "<", "\u25b6": ">"},
    # bars, and the step that is under way
    **{"\u2501": "=", "\u2578": "-", "\u2591": ".", "\u25b8": ">"},
    **dict.fromkeys("\u2588\u2589\u258a\u258b", "#"),
    **dict.fromkeys("\u258d\u258e\u258f", "-"),
    # what `visible` puts in the place of a control
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
