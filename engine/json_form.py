"""What JSON of any origin must look like to be believed: forms that a value fits or does not.

The files of a run, of a comparison, of a cache may have been made by another version, another program or a failing
disk. What reads them says in one table what it expects; the rest of its code then meets nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Form = Callable[[Any], bool]

LARGEST_COUNT = 2**53
LARGEST_NUMBER = 1e100
"""Sums and quotients of a few of them are still numbers."""
NOT_FINITE = ("nan", "inf", "-inf")
LATEST_TIME = 2.0**37
"""Seconds since 1970, in the year 6325: what every calendar can say."""


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_name(value: Any) -> bool:
    """One part of a path: it leads nowhere else."""
    return isinstance(value, str) and value not in ("", ".", "..") and "/" not in value and "\0" not in value


def is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    """A whole number from 0 up that every reader of JSON holds as it is."""
    return type(value) is int and 0 <= value <= LARGEST_COUNT


def is_number(value: Any) -> bool:
    """A finite number of a size that something measured can have."""
    if type(value) is int:
        return abs(value) <= LARGEST_COUNT
    return isinstance(value, float) and math.isfinite(value) and abs(value) <= LARGEST_NUMBER


def is_measured(value: Any) -> bool:
    """A number, or the name of one that JSON does not know, as runs write them."""
    return is_number(value) or (isinstance(value, str) and value in NOT_FINITE)


def is_time(value: Any) -> bool:
    """Seconds since 1970."""
    return is_number(value) and 0 <= value <= LATEST_TIME


def maybe(form: Form) -> Form:
    return lambda value: value is None or form(value)


def list_of(form: Form) -> Form:
    return lambda value: isinstance(value, list) and all(map(form, value))


def table_of(form: Form) -> Form:
    """An object with any keys."""
    return lambda value: isinstance(value, dict) and all(map(form, value.values()))


def object_with(needed: Mapping[str, Form], others: Mapping[str, Form] | None = None) -> Form:
    """An object that has the `needed` keys; those of `others` may lack. Keys that are not named may hold anything."""
    others = others or {}

    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(key in value and form(value[key]) for key, form in needed.items())
            and all(key not in value or form(value[key]) for key, form in others.items())
        )

    return fits


def pair_of(first: Form, second: Form) -> Form:
    return lambda value: isinstance(value, list) and len(value) == 2 and first(value[0]) and second(value[1])


def fitting(found: Mapping[str, Any], forms: Mapping[str, Form]) -> dict[str, Any]:
    """What of an object can be believed: keys whose value does not fit are left out, keys without a form stay."""
    return {key: value for key, value in found.items() if key not in forms or forms[key](value)}
