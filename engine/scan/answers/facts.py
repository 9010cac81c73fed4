"""Dates, times of day, units and amounts spelled in one way, so that two answers are compared by what they say."""

from __future__ import annotations

import re
from fractions import Fraction

from engine.scan.text import lowered

_MONTHS = """
january jan januar janvier enero
february feb februar février fevrier febrero
march mar märz maerz mars marzo
april apr avril abril
may mai mayo
june jun juni juin junio
july jul juli juillet julio
august aug août aout agosto
september sep sept septembre septiembre
october oct oktober okt octobre octubre
november nov novembre noviembre
december dec dezember dez décembre decembre diciembre
"""
MONTHS = {name: number for number, names in enumerate(_MONTHS.strip().splitlines(), start=1) for name in names.split()}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?P<y>(?:1[0-9]|20)\d\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}[-/](?P<m>\d{{1,2}})[-/](?P<d>\d{{1,2}})\b",
        rf"\b(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.{_YEAR}\b",
        rf"\b(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}\b",
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\.)? (?:of |de )?(?P<n>{_MONTH})\.?,? (?:de )?{_YEAR}\b",
    )
)
# Before or after the day? Each country has its own answer.
_SLASHED = re.compile(rf"\b(?P<one>\d{{1,2}})[-/](?P<two>\d{{1,2}})[-/]{_YEAR}\b")
_CLOCK = re.compile(r"\b(?P<h>1[0-2]|0?[1-9])(?:[:.](?P<m>[0-5]\d))? ?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE)
UNITS = {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "kg": "kilogram", "mg": "milligram", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "ft": "foot", "feet": "foot", "hr": "hour", "hrs": "hour", "h": "hour",
    "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "s": "second", "m": "meter", "g": "gram",
    "mph": "miles per hour", "°c": "degree celsius", "°f": "degree fahrenheit", "€": "euro", "eur": "euro",
    "usd": "dollar", "%": "percent",
}  # fmt: skip
_UNIT = re.compile(
    rf"(?<=\d) ?({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![\w%])", re.IGNORECASE
)
_TENS = {
    word: 10 * tens
    for tens, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_TEENS = {"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15} | {
    f"{stem}teen": 10 + one for stem, one in (("six", 6), ("seven", 7), ("eigh", 8), ("nine", 9))
}
ONES = {
    word: one for one, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), 1)
}
_NUMBER_WORDS = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[- ]({'|'.join(ONES)}))?|({'|'.join(_TEENS)}))\b", re.IGNORECASE
)
SCALES = {
    word: 10**zeros
    for zeros, words in (
        (2, "hundred hundert"),
        (3, "thousand tausend mille mil"),
        (6, "million millionen millions millones millón mio"),
        (9, "billion bn milliarde milliarden milliard milliards mrd"),
        (12, "trillion billionen"),
    )
    for word in words.split()
}
_SCALED = re.compile(
    rf"(?<![\w.,])(\d{{1,9}}(?:\.\d{{1,9}})?) ({'|'.join(sorted(SCALES, key=len, reverse=True))})\b", re.IGNORECASE
)
# Thousands parted by points and decimals by a comma; thousands parted by spaces or apostrophes.
_POINTED = re.compile(r"(?<![\w.,])([1-9]\d{0,2}(?:\.\d{3})+)(?:,(\d+))?(?![.,]?\d)")
_COMMA = re.compile(r"(?<![\w.,])(\d+),(\d+)(?![.,]?\d)")
_SPACED = re.compile(r"(?<![\w.,] )(?<![\w.,])[1-9]\d{0,2}(?:([ '\u00a0\u202f])\d{3})(?:\1\d{3})*(?![.,]?\d| \d)")
_RANGE = re.compile(r"(?<=\d)(?: ?[–—] ?| (?:to|bis) )(?=\d)")
_METRE = re.compile(r"(?<=met)re(?=s?\b)", re.IGNORECASE)
_WHOLE = re.compile(r"(?<![\d.])(\d+)\.0{1,3}(?![\d.])")
_ONLY_AN_AMOUNT = re.compile(r"[$€£]? ?\d+\.\d*?0+(?: ?[$€£])?")
_BEFORE, _BEHIND = r"[\s(\[*\"'“.:]{0,3}", r"[\s)\]*\"'”.:,;!]{0,3}"
_LABEL = re.compile(
    rf"{_BEFORE}(?:(?:option|choice|answer|label|class)\b{_BEFORE}){{0,2}}([a-h]){_BEHIND}", re.IGNORECASE
)
_CHOICE = re.compile(r"(?<!\w)\(?([a-h]) ?[)\].:] ?", re.IGNORECASE)
_EDGES = " .,;!?*"
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}|https?://[^\s<>\"')]{1,200}")


def one_spelling(text: str) -> str:
    """`text` with dates as one number, times of day by 24 hours, units in full, and 1.0 as 1."""
    text = in_digits(text)
    if not any(char.isdigit() for char in text):
        return text
    text = _RANGE.sub("-", text)
    for pattern in _DATES:
        text = pattern.sub(_as_number, text)
    text = _CLOCK.sub(_by_24_hours, text)
    text = _SCALED.sub(_multiplied, text)
    text = _UNIT.sub(lambda found: f" {UNITS[lowered(found.group(1))]}", text)
    text = _WHOLE.sub(r"\1", _METRE.sub("er", text))
    return text.rstrip("0").rstrip(".") if _ONLY_AN_AMOUNT.fullmatch(text.strip()) else text


def spellings(text: str) -> tuple[str, ...]:
    """`one_spelling` of `text` under each way to read its dates (day or month first) and its numbers ("1.000" is a
    thousand in Berlin and one in Boston); one way is kept to within a text.
    """
    dated = [_SLASHED.sub(reading, text) for reading in (_month_first, _day_first)]
    numbered = [form for one in dated for form in (one, _european(one), _SPACED.sub(_without_marks, one))]
    return tuple(dict.fromkeys(one_spelling(form) for form in dict.fromkeys(numbered)))


def in_digits(text: str) -> str:
    """`text` with English numbers from ten to ninety-nine in digits."""

    def written(found: re.Match[str]) -> str:
        tens, one, teen = found.groups()
        return str(_TEENS[lowered(teen)] if teen else _TENS[lowered(tens)] + (ONES[lowered(one)] if one else 0))

    return _NUMBER_WORDS.sub(written, text)


def label_of(text: str) -> str:
    """The letter that a whole answer is ("(B)", "Option B", "b."), '' where it is more than one."""
    found = _LABEL.fullmatch(text.strip())
    return found.group(1).lower() if found else ""


def choice_of(text: str, request: str) -> str:
    """The letter of the choice that an answer to `request` is: the letter alone, or where the request lists what it
    stands for, that with its letter or without ("B) whale", "whale"). '' where it is none.
    """
    letter = label_of(text)
    if letter or not _CHOICE.search(request):
        return letter
    _, *parts = _CHOICE.split(" ".join(request.lower().split()))
    listed = {meant.strip(_EDGES): letter for letter, meant in zip(parts[::2], parts[1::2], strict=True)}
    if len(listed) < 2:
        return ""
    bare = " ".join(text.lower().split()).strip(_EDGES)
    named = _CHOICE.match(bare)
    letter = listed.get(bare[named.end() :].strip(_EDGES) if named else bare, "")
    return letter if not named or letter == named[1] else ""


def _as_number(found: re.Match[str]) -> str:
    parts = found.groupdict()
    month = MONTHS[lowered(parts["n"])] if parts.get("n") else int(parts["m"])
    day = int(parts["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found.group()
    return f"{parts['y']}{month:02}{day:02}"


def _by_24_hours(found: re.Match[str]) -> str:
    hour = int(found.group("h")) % 12 + (12 if found.group("half").lower() == "p" else 0)
    return f"{hour}:{found.group('m') or '00'}"


def _month_first(found: re.Match[str]) -> str:
    return _placed(found, int(found["one"]), int(found["two"]))


def _day_first(found: re.Match[str]) -> str:
    return _placed(found, int(found["two"]), int(found["one"]))


def _placed(found: re.Match[str], month: int, day: int) -> str:
    if month > 12:
        month, day = day, month
    return f"{found['y']}{month:02}{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else found.group()


def _european(text: str) -> str:
    text = _POINTED.sub(lambda found: found[1].replace(".", "") + (f".{found[2]}" if found[2] else ""), text)
    return _COMMA.sub(r"\1.\2", text)


def _without_marks(found: re.Match[str]) -> str:
    return "".join(char for char in found.group() if char.isdigit())


def _multiplied(found: re.Match[str]) -> str:
    value = Fraction(found[1]) * SCALES[lowered(found[2])]
    return str(value) if value.denominator == 1 else found.group()
