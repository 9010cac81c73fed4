"""The date a row carries in its own fields, whatever it is called and however it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

DATE_FIELDS = ("date", "year", "created_at", "created", "updated_at", "timestamp", "time", "datetime")
HOLDERS = ("meta", "metadata", "info")
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
        # Compared before it is divided: an integer may have more digits than a float can hold.
        seconds = value / 1000 if 1e11 < value < 4.2e12 else value
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
