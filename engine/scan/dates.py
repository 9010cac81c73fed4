"""The date a row carries in its own fields, whatever it is called and however it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

DATE_FIELDS = ("date", "year", "created_at", "created", "updated_at", "timestamp", "time", "datetime")
HOLDERS = ("meta", "metadata", "info")
# 2103 in milliseconds. Whole numbers have no end in JSON, and some are too large to be divided.
MOST_MILLISECONDS = 4.2e12
_ISO = re.compile(r"\s*((?:19|20)\d\d)(?:[-/.](\d{1,2}))?(?:[-/.](\d{1,2}))?")


def date_of(raw: Mapping[str, Any]) -> str:
    """The row's date as far as it is known: "2019", "2019-04" or "2019-04-30"; '' where there is none. These compare as
    text.
    """
    for holder in (raw, *(raw[name] for name in HOLDERS if isinstance(raw.get(name), Mapping))):
        for name in DATE_FIELDS:
            found = _written(holder.get(name)) if name in holder else ""
            if found:
                return found
    return ""


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        if 1900 <= value <= 2100:
            return str(int(value))
        if not 1e8 < value < MOST_MILLISECONDS:
            return ""
        seconds = value / 1000 if value > 1e11 else value
        if 1e8 < seconds < 4.2e9:
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
        return ""
    if isinstance(value, str):
        found = _ISO.match(value[:40])
        if found:
            return "-".join(
                part if number == 0 else part.zfill(2) for number, part in enumerate(found.groups()) if part
            )
    return ""
