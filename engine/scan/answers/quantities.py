"""What an amount is worth, however it is written: "1.000", "1,000" and "1000", "50 %", "0.5" and "1/2", "2 million".

Where a way of writing can be read in two ways ("1.000" is a thousand in Berlin and one in Boston) it has both values.
"""

from __future__ import annotations

import re
from fractions import Fraction

from engine.scan.answers.facts import ONES, SCALES, UNITS, in_digits
from engine.scan.text import fold

Value = tuple[Fraction, str]
"""A number and its unit; '' where it has none."""

_MOST_CHARACTERS = 60
_UNIT_WORDS = UNITS | {"$": "dollar", "£": "pound", "¥": "yen", "mile": "mile", "mi": "mile"}
_UNIT_WORDS |= dict.fromkeys(("percent", "prozent", "per cent", "pour cent", "por ciento"), "percent")
# Units of one kind by the smallest of them.
_SIZES = {
    "kilometer": (1_000_000, "millimeter"),
    "meter": (1000, "millimeter"),
    "centimeter": (10, "millimeter"),
    "kilogram": (1_000_000, "milligram"),
    "gram": (1000, "milligram"),
    "hour": (3600, "second"),
    "minute": (60, "second"),
}
_KNOWN_UNITS = frozenset(_SIZES.get(unit, (1, unit))[1] for unit in _UNIT_WORDS.values()) - {"percent"}
_AMOUNT = re.compile(
    r"(?P<before>[$€£¥])? ?(?P<sign>[-+])?(?P<before2>[$€£¥])? ?"
    r"(?P<number>\d+ ?/ ?\d+|\d[\d.,' ]{0,30}(?:e[+-]?\d{1,2}(?!\d))?)"
    r" ?(?P<words>[^\W\d_][^\W\d_ ]{0,20}(?: [^\W\d_]{1,12}){0,2}|[%€£$¥]|°[cf])?"
)
_TEX = re.compile(r"\\[dt]?frac ?\{(\d+)\} ?\{(\d+)\}")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,' ])\d{3})(?:\1\d{3})*")
_DECIMAL = re.compile(r"\d+[.,]\d+")


def values_of(answer: str) -> frozenset[Value]:
    """The values that a whole answer may have; none where it is anything but a single amount."""
    if len(answer) > _MOST_CHARACTERS:
        return frozenset()
    text = fold(answer).replace("−", "-").replace("⁄", "/").replace("’", "'")
    if "\\" in text:
        text = _TEX.sub(r"\1/\2", text)
    text = in_digits(" ".join(text.split()).strip(" .!*`\"'"))
    first, _, rest = text.partition(" ")
    if first in ONES and (not rest or rest.split()[0] in SCALES or rest in _UNIT_WORDS):
        text = f"{ONES[first]} {rest}".strip()
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return frozenset()
    scale, unit = _scale_and_unit(found["words"] or "")
    unit = _UNIT_WORDS.get(found["before"] or found["before2"] or "", unit)
    sign = -1 if found["sign"] == "-" else 1
    times, base = (Fraction(1, 100), "") if unit == "percent" else _SIZES.get(unit, (1, unit))
    return frozenset((sign * number * scale * times, base) for number in _numbers(found["number"].strip(" .,'")))


def equal_values(one: str, other: str) -> bool | None:
    """Whether two whole answers are one amount under some reading; None where one of them is no single amount."""
    left, right = values_of(one), values_of(other)
    if not left or not right:
        return None
    if not left.isdisjoint(right):
        return True
    units = {unit for _, unit in left | right}
    return False if len(units) == 2 and units <= _KNOWN_UNITS else None


def _scale_and_unit(words: str) -> tuple[int, str]:
    scale = 1
    parts = words.split()
    while parts and parts[0] in SCALES:
        scale *= SCALES[parts.pop(0)]
    unit = " ".join(parts[1:] if parts[:1] in (["of"], ["de"]) else parts)
    singular = unit.removesuffix("s")
    return scale, _UNIT_WORDS.get(unit, _UNIT_WORDS.get(singular, singular))


def _numbers(written: str) -> list[Fraction]:
    """The numbers that a string of digits and marks can be."""
    if "/" in written:
        top, bottom = (int(part) for part in written.split("/"))
        return [Fraction(top, bottom)] if bottom else []
    digits, _, power = written.partition("e")
    factor = Fraction(10) ** int(power) if power else Fraction(1)
    found = []
    if digits.isdigit():
        found.append(Fraction(digits))
    if _DECIMAL.fullmatch(digits):
        found.append(Fraction(digits.replace(",", ".")))
    if not power and (grouped := _GROUPED.match(digits)):
        rest = digits[grouped.end() :]
        if not rest or (rest[0] in ".," and rest[0] != grouped[1] and rest[1:].isdigit()):
            found.append(Fraction(re.sub(r"[., ']", "", grouped[0]) + rest.replace(",", ".")))
    return [number * factor for number in found]
