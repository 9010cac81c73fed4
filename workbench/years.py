"""The year each row carries. Reads every row once, so never in the thread that answers keys."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TypeAlias

from engine.project.folder import Project
from engine.scan.dates import date_of

Years: TypeAlias = "array[int]"
"""The year of each row by number; UNDATED where it carries none."""
UNDATED = 0
LOOKED_AT_FIRST = 50


def years_of(project: Project, cancelled: Callable[[], bool] = lambda: False) -> Years | None:
    """The years, or None where none of the first rows carries a date (then no other is read), or when `cancelled`."""
    years = array("H")
    for row in range(len(project.rows)):
        if cancelled() or (row == LOOKED_AT_FIRST and not any(years)):
            return None
        try:
            # The same fields as the selector `date=2018` looks at.
            date = date_of(project.rows.raw(row))
        except OSError:
            # The project was closed while this ran in a thread: nobody waits for the years any more.
            return None
        years.append(int(date[:4]) if date else UNDATED)
    return years if any(years) else None
