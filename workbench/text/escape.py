"""Text from data, made safe to show: whatever a terminal would obey, or not show at all, becomes a glyph that can be
seen.

Done once, at the edge of the view. What comes out holds no control character but the line feed, nothing that Unicode
says may be left unshown, no more marks on a character than a cell can hold, and every character in it takes a width
that terminals agree on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import category

TAB_WIDTH = 4
# What stands for a character that cannot be shown, where one glyph has to stand for each.
HIDDEN = "\u25af"

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
# They change the width of the character before them in some terminals only: the type on Fitzpatrick's scale instead.
SKIN_TONES = range(0x1F3FB, 0x1F400)
SUBSCRIPT_TWO = 0x2082
# "As text" and "as emoji": ordinary behind a symbol, left out there. Anywhere else, and any other of the 259, they may
# carry a message that nobody sees.
EMOJI_SELECTORS = "\ufe0e\ufe0f"
KEYCAPS, KEYCAP = "#*0123456789", "\u20e3"
SYMBOLS_BY_NAME = "\u203c\u2049\u2139\u3030"

# Cc, Cf, Cs, Co, Zl, Zp, Default_Ignorable_Code_Point, flag letters, skin tones, and code points that are no
# characters; a test holds the ranges against Unicode's.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0xE0000, 0x10000))
    + "\U000e0000-\U000e0fff\U000efffe-\U0010ffff]"
)
# More marks than this on one character become their number: Tibetan's tallest stacks have 7, Hebrew with vowels and
# accents 5, Vietnamese, Thai and Devanagari 4 at most. Terminals draw each in the cell, and over the lines around it.
MOST_MARKS = 8
_MANY_MARKS = re.compile(f"(?=[^\x00-\u02ff])[\\W\u1160-\u11ff\ud7b0-\ud7ff]{{{MOST_MARKS + 1},}}")
# Every blank but the controls, which `visible` shows.
_BLANK = re.compile(r"[^\S\x0b-\x1f\x85\u2028\u2029]")


def visible(text: str) -> str:
    """`text` with every control shown as a glyph and tabs expanded; line feeds stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _UNSAFE.sub(_glyph, text)
    if _MANY_MARKS.search(text):
        text = _MANY_MARKS.sub(lambda run: _few_marks(run.group(), "\u27e8+{:,} marks\u27e9".format), text)
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
    if code in SKIN_TONES:
        return chr(SUBSCRIPT_TWO + code - SKIN_TONES.start)
    if 0xFE00 <= code < 0xFE10 or 0xE0100 <= code < 0xE01F0:
        number = code - 0xFE00 + 1 if code < 0xFE10 else code - 0xE0100 + 17
        return "" if _is_emoji_selector(match) else f"\u27e8VS{number}\u27e9"
    return f"\u27e8{NAMED.get(code) or f'{code:02X}'}\u27e9"


def _is_emoji_selector(match: re.Match[str]) -> bool:
    """Whether it stands where a keyboard puts one: right behind a symbol, or inside a keycap."""
    before = match.string[match.start() - 1 : match.start()]
    if match.group() not in EMOJI_SELECTORS or not before:
        return False
    if before in KEYCAPS:
        return match.string[match.end() : match.end() + 1] == KEYCAP
    return category(before) in ("So", "Sm") or before in SYMBOLS_BY_NAME


def _few_marks(run: str, told: Callable[[int], str]) -> str:
    """A run of characters with no more than MOST_MARKS marks behind each other; of the others is told how many."""
    out: list[str] = []
    marks = 0
    for character in run:
        if _is_mark(character):
            marks += 1
            if marks > MOST_MARKS:
                continue
        else:
            if marks > MOST_MARKS:
                out.append(told(marks - MOST_MARKS))
            marks = 0
        out.append(character)
    if marks > MOST_MARKS:
        out.append(told(marks - MOST_MARKS))
    return "".join(out)


def _is_mark(character: str) -> bool:
    """Whether it may take no column of its own: a mark, a jamo within a syllable, what a later Unicode may call one."""
    code = ord(character)
    return category(character) in ("Mn", "Mc", "Me", "Cn") or 0x1160 <= code < 0x1200 or 0xD7B0 <= code < 0xD800


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
    text = _UNSAFE.sub(_single_glyph, text)
    if _MANY_MARKS.search(text):
        text = _MANY_MARKS.sub(lambda run: _few_marks(run.group(), lambda count: HIDDEN * count), text)
    return text


def _single_glyph(match: re.Match[str]) -> str:
    shown = _glyph(match)
    return shown if len(shown) == 1 else HIDDEN


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
    # around a special token
    **{"\u00ab": "<", "\u00bb": ">"},
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
