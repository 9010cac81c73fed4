"""Dates, times of day, units and amounts spelled in one way, so that two answers are compared by what they say."""

from __future__ import annotations

import re

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
_CLOCK = re.compile(r"\b(?P<h>1[0-2]|0?[1-9])(?:[:.](?P<m>[0-5]\d))? ?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE)
_UNITS = {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "kg": "kilogram", "mg": "milligram", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "ft": "foot", "feet": "foot", "hr": "hour", "hrs": "hour", "h": "hour",
    "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "s": "second", "m": "meter", "g": "gram",
    "mph": "miles per hour", "°c": "degree celsius", "°f": "degree fahrenheit", "€": "euro", "eur": "euro",
    "usd": "dollar", "%": "percent",
}  # fmt: skip
_UNIT = re.compile(
    rf"(?<=\d) ?({'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})(?![\w%])", re.IGNORECASE
)
_METRE = re.compile(r"(?<=met)re(?=s?\b)", re.IGNORECASE)
_WHOLE = re.compile(r"(?<![\d.])(\d+)\.0{1,3}(?![\d.])")
_ONLY_AN_AMOUNT = re.compile(r"[$€£]? ?\d+\.\d*?0+(?: ?[$€£])?")
_LABEL = re.compile(r"\W{0,3}(?:(?:option|choice|answer|label|class)\b\W{0,3}){0,2}([a-h])\W{0,3}", re.IGNORECASE)
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}|https?://[^\s<>\"')]{1,200}")


def one_spelling(text: str) -> str:
    """`text` with dates as one number, times of day by 24 hours, units in full, and 1.0 as 1."""
    if not any(char.isdigit() for char in text):
        return text
    for pattern in _DATES:
        text = pattern.sub(_as_number, text)
    text = _CLOCK.sub(_by_24_hours, text)
    text = _UNIT.sub(lambda found: f" {_UNITS[found.group(1).lower()]}", text)
    text = _WHOLE.sub(r"\1", _METRE.sub("er", text))
    return text.rstrip("0").rstrip(".") if _ONLY_AN_AMOUNT.fullmatch(text.strip()) else text


def label_of(text: str) -> str:
    """The letter that a whole answer is ("(B)", "Option B", "b."), '' where it is more than one."""
    found = _LABEL.fullmatch(text.strip())
    return found.group(1).lower() if found else ""


def _as_number(found: re.Match[str]) -> str:
    parts = found.groupdict()
    month = MONTHS[parts["n"].lower()] if parts.get("n") else int(parts["m"])
    day = int(parts["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found.group()
    return f"{parts['y']}{month:02}{day:02}"


def _by_24_hours(found: re.Match[str]) -> str:
    hour = int(found.group("h")) % 12 + (12 if found.group("half").lower() == "p" else 0)
    return f"{hour}:{found.group('m') or '00'}"
