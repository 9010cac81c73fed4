"""What one pass over all rows finds: the year each carries, and how many rows share a system prompt.

It parses every row, so never in the thread that answers keys.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.project.project import Project
from engine.project.reread import understood_better
from engine.scan.dates import date_of
from engine.sources.conversation.conversation import conversation_of
from workbench.text.blocks import FOLDED_SYSTEM

Years: TypeAlias = "array[int]"
"""The year of each row by number; UNDATED where it carries none."""
UNDATED = 0
# What none of so many first rows has is not looked for in the others.
LOOKED_AT_FIRST = 50


@dataclass(frozen=True, slots=True)
class RowPass:
    """`years` is None where no row carries a date. `prompts` are rows by the hash of their system prompt, long ones
    only: a short one is shown whole. Of the first rows `understood_better` would be, were they read anew."""

    years: Years | None = None
    prompts: Mapping[int, int] = field(default_factory=dict)
    understood_better: int = 0


def pass_over_rows(project: Project, cancelled: Callable[[], bool] = lambda: False) -> RowPass:
    """Read the rows. Nothing was found where the pass was `cancelled`, or the project closed meanwhile."""
    years, prompts = array("H"), Counter[int]()
    wants_years = wants_prompts = True
    for row in range(len(project.rows)):
        if row == LOOKED_AT_FIRST:
            wants_years, wants_prompts = any(years), bool(prompts)
        if cancelled() or not (wants_years or wants_prompts):
            break
        try:
            content = project.rows.raw(row)
        except OSError:
            # The project was closed while this ran in a thread: nobody waits for it any more.
            return RowPass()
        if wants_years:
            # The same fields as the selector `date=2018` looks at.
            date = date_of(content)
            years.append(int(date[:4]) if date else UNDATED)
        if wants_prompts:
            turns = conversation_of(content, project.rows.mapping_of(row)).messages
            if turns and turns[0].role == "system" and len(turns[0].text) > FOLDED_SYSTEM:
                prompts[hash(turns[0].text)] += 1
    if cancelled():
        return RowPass()
    try:
        better = understood_better(project)
    except OSError:
        return RowPass()
    return RowPass(years if any(years) and len(years) == len(project.rows) else None, prompts, better)
