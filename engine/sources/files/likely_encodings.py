"""Which encoding is a text in that is not UTF-8? Each of a list is tried, and how its letters stand is measured.

Three lines are enough for that, where a detector by frequencies (`charset-normalizer`) wants a page of text.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from engine.errors import SourceError
from engine.sources.files.encodings import UTF_8

# Tried in this order; of equally plausible ones the first is named.
CANDIDATES = (
    *("cp1252", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "gb18030", "big5"),
    *("cp1255", "cp1251", "koi8-r", "cp1250", "cp1253", "cp1254", "cp1256", "mac-roman", "cp850", "cp874", "latin-1"),
)
# A few stray bytes are damage, no encoding; so are bad lines among many, and bytes among letters of good UTF-8.
FEWEST_BYTES, FEWEST_PLACES = 12, 3
MOST_GOOD = 0.6
FAIR_SHARE = 0.02
_BEGINS_AS_JSON = re.compile(rb'[\[{][\[{\s]*"')
_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
STRAY = re.compile("[\udc80-\udcff]+")
CONTEXT = 12
# What a text holds in no encoding, and bytes that came there by chance do.
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
PLAUSIBLE = 0.6
MEASURED_BYTES = 8192
NEAR, UNLIKELY = 0.1, 0.1
SHOWN_LINES, SHOWN_CHARACTERS, SHOWN_BEFORE = 3, 60, 24
# Signs that word processors set, and that stand beside letters in any language.
SIGNS = frozenset(
    "\u2018\u2019\u201c\u201d\u201e\u2013\u2014\u2026\u2022\u20ac\u00a3\u00a7\u00b0\u00ab\u00bb\u00a0\u00a9\u00ae\u2122\u00bf\u00a1\u00b7\u2116"
)
INSIDE_WORDS = "\u2019\u00b7\u00ad"
# Where Turkish is written these places hold the letters of Turkish.
ICELANDIC = "\u00fe\u00f0\u00fd\u00de\u00d0\u00dd"
# Letters of Hebrew that end a word.
FINALS = "\u05da\u05dd\u05df\u05e3\u05e5"
CHINESE, JAPANESE, KOREAN = ("gb18030", "big5"), ("shift_jis", "cp932", "euc_jp"), ("euc_kr", "cp949")
# Blocks of characters that are scripts of their own: the first and the last of each, and its name.
SCRIPTS = (
    ("\u0370", "\u03ff", "Greek"),
    ("\u0400", "\u04ff", "Cyrillic"),
    ("\u0590", "\u05ff", "Hebrew"),
    ("\u0600", "\u06ff", "Arabic"),
    ("\u0e00", "\u0e7f", "Thai"),
    ("\u3000", "\u30ff", "East Asian"),
    ("\u4e00", "\u9fff", "East Asian"),
    ("\uac00", "\ud7a3", "East Asian"),
    ("\uff00", "\uff60", "East Asian"),
)


def refuse_other_encoding(path: Path, head: bytes, whole: bool) -> None:
    """Raise SourceError where a fair share of the first lines is not UTF-8 but reads well in another encoding.

    `whole` where `head` is all of the text; else its last line may be cut.
    """
    lines = head.split(b"\n")
    lines = lines if whole or len(lines) == 1 else lines[:-1]
    other = [line for line in lines if not _is_utf8(line, cut=not whole and len(lines) == 1)]
    if not other:
        return
    filled = sum(1 for line in lines if line.strip())
    if len(other) < filled * FAIR_SHARE or _is_damage(b"\n".join(lines)):
        return
    likely = likely_encodings(other)
    if not likely:
        return
    read = "; ".join(f"as {name} {_shown(other, name)}" for name in likely)
    raise SourceError(
        f"{path}: is not UTF-8 ({len(other):,} of the first {filled:,} lines)",
        f"three of them, {read}" if len(other) >= SHOWN_LINES else read,
        f"if that reads well, add --encoding {likely[0]} ({UTF_8} sets these lines aside)",
    )


def _is_damage(text: bytes) -> bool:
    """Whether its stray bytes are too few for an encoding, stand among letters of good UTF-8, or are no text at all."""
    decoded = text.decode(UTF_8, "surrogateescape")
    found = list(STRAY.finditer(decoded))
    stray = sum(one.end() - one.start() for one in found)
    good = sum(character >= "\x80" for character in decoded) - stray
    # A piece of text that was written twice is one piece.
    places = {decoded[max(0, one.start() - 2) : one.end() + CONTEXT] for one in found}
    few = len(places) < FEWEST_PLACES and stray < FEWEST_BYTES
    # Text of JSON stands in its strings, in any encoding.
    if _BEGINS_AS_JSON.match(text) and any(STRAY.search(_STRINGS.sub("", line)) for line in decoded.split("\n")):
        return True
    return few or good > stray * MOST_GOOD or CONTROLS.search(text) is not None


def likely_encodings(lines: list[bytes]) -> list[str]:
    """The encodings that lines may be in: the likeliest, and the next one where it is hardly less so."""
    text = b"\n".join(lines)[:MEASURED_BYTES]
    read = {name: text.decode(name, "replace") for name in CANDIDATES}
    marks = {name: plausibility(decoded, name) for name, decoded in read.items()}
    best = sorted((name for name in marks if marks[name] >= PLAUSIBLE), key=lambda name: -marks[name])
    near = [name for name in best if marks[name] > marks[best[0]] - NEAR and read[name] != read[best[0]]]
    return best[:1] + near[:1]


def plausibility(text: str, name: str) -> float:
    """The share of the characters beyond ASCII that stand as they would in a text of that encoding: a letter beside
    letters of its script and in their case, a sign between words."""
    odd = [place for place, character in enumerate(text) if character >= "\x80"]
    if not odd:
        return 0.0
    has_hiragana = any("\u3040" <= character <= "\u309f" for character in text)
    # Japanese is hardly written without them, Chinese never with them.
    doubt = UNLIKELY if has_hiragana == (name in CHINESE) and name in CHINESE + JAPANESE else 0.0
    # Hangul and ideographs side by side are Chinese that was taken for Korean.
    ideograph = -1.0 if name in KOREAN else 1.0
    marks = (_stands_well(text, place) for place in odd)
    ideographs = ("\u4e00" <= text[place] <= "\u9fff" for place in odd)
    return (
        sum(min(mark, ideograph) if is_one else mark for mark, is_one in zip(marks, ideographs, strict=True)) / len(odd)
        - doubt
    )


def _stands_well(text: str, place: int) -> float:
    before, character, after = text[place - 1 : place] or " ", text[place], text[place + 1 : place + 2] or " "
    if character in SIGNS:
        inside = before.isalpha() and after.isalpha()
        return 0.0 if (inside and character not in INSIDE_WORDS) or (character == "\xa3" and after.isalpha()) else 1.0
    script = _script(character)
    if not script or not (character.isprintable() or script == "Thai"):
        return 0.0
    if script == "East Asian":
        return 0.2 if _is_strange(before, script) or _is_strange(after, script) else _usual(character)
    if script != "Latin" and (_is_strange(before, script) or _is_strange(after, script)):
        return 0.0
    small_then_large = character.isupper() and (before.islower() or (before.isalpha() and after.islower()))
    if small_then_large or (before in FINALS and character.isalpha()):
        return 0.0
    if script == "Thai":
        return 0.0 if unicodedata.category(character) == "Mn" and _script(before) != script else 0.9
    if not character.isalpha():
        return 0.0
    if script == "Latin":
        # Letters with accents stand among plain ones; two of them in a row are rare.
        alone = not (before.isalpha() or after.isalpha())
        plain = alone or any(near.isascii() and near.isalpha() for near in (before, after))
        return (0.9 if character in ICELANDIC else 1.0) if plain else 0.3
    return 0.95


def _is_strange(near: str, script: str) -> bool:
    return near.isalpha() and _script(near) != script


def _usual(character: str) -> float:
    """Kana, everyday Hangul and ideographs before those of a dictionary."""
    if "\u3040" <= character <= "\u30ff":
        return 1.0
    for charset, last_everyday in (("euc_kr", 0xC8), ("gb2312", 0xD7), ("shift_jis", 0x97), ("big5", 0xC6)):
        try:
            # Hangul beyond the everyday is eight bytes of euc_kr.
            if (code := character.encode(charset))[0] <= last_everyday and len(code) == 2:
                return 1.0 if charset == "euc_kr" else 0.95
        except UnicodeEncodeError:
            continue
    return 0.2


def _script(character: str) -> str:
    for first, last, name in SCRIPTS:
        if first <= character <= last:
            return name
    if not character.isalpha():
        return ""
    return "Latin" if unicodedata.name(character, "").startswith("LATIN") else ""


def _shown(lines: list[bytes], name: str) -> str:
    parts = []
    for line in lines[:SHOWN_LINES]:
        text = "".join(c if c.isprintable() else " " for c in line.decode(name, "replace"))
        first = next((place for place, character in enumerate(text) if character >= "\x80"), 0)
        start = max(first - SHOWN_BEFORE, 0)
        shown = text[start : start + SHOWN_CHARACTERS].strip()
        parts.append(f"\u201c{'…' if start else ''}{shown}{'…' if start + SHOWN_CHARACTERS < len(text) else ''}\u201d")
    return ", ".join(parts)


def _is_utf8(line: bytes, *, cut: bool) -> bool:
    if line.isascii():
        return True
    try:
        line.decode(UTF_8)
    except UnicodeDecodeError as error:
        return cut and error.start >= len(line) - 3
    return True
