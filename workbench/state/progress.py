"""How far the work is: accepted rows and tokens against the goal, the pace of this sitting, the time left."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import compress
from time import monotonic
from typing import TypeAlias

from engine.model import CHARS_PER_TOKEN, VERDICTS
from engine.project.project import Project
from engine.scan.columns import marked
from engine.scan.dates import date_of
from engine.sources.shapes import turns_of
from workbench.render.parts import FOLDED_SYSTEM
from workbench.text.phrases import counted

# A longer pause is a pause, not work.
LONGEST_THOUGHT = 60.0
# Acts on more rows than this are a machine's pace, not a person's.
BY_HAND = 20
FEWEST_ACTS = 5
SAMPLE = 60


class Pace:
    """Rows decided by hand in a minute of work; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._worked = 0.0
        self._rows = 0
        self._acts = 0

    def note(self, rows: int) -> None:
        """An act on so many rows was done now."""
        now = self._clock()
        self._worked += min(now - self._last, LONGEST_THOUGHT)
        self._last = now
        if 0 < rows <= BY_HAND:
            self._rows += rows
            self._acts += 1

    @property
    def rows_a_minute(self) -> float | None:
        """None before there is enough to go by."""
        return self._rows / self._worked * 60 if self._acts >= FEWEST_ACTS and self._worked > 0 else None


class TokenCount:
    """About how many tokens rows hold, told from the size of their lines: no row is read but a sample of them."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def _a_byte(self) -> float:
        """Tokens in a byte of a line."""
        project = self._project
        rows = range(0, len(project.rows), max(1, len(project.rows) // SAMPLE))
        texts = sum(len(turn.text) for row in rows for turn in project.example(row).turns)
        size = sum(map(project.rows.size, rows))
        return texts / size / CHARS_PER_TOKEN if size else 0.0

    def accepted(self) -> int:
        """The tokens of all accepted rows that are not held out."""
        project, heldout = self._project, self._project.heldout
        codes = project.verdict_codes
        accepted = list(compress(range(len(codes)), marked(codes, (VERDICTS.index("accepted"),))))
        if heldout:
            accepted = [row for row in accepted if row not in heldout]
        return round(project.rows.size_of(accepted) * self._a_byte) if accepted else 0


def progress_words(
    accepted: int, tokens: int | None, goal: int | None, goal_tokens: int | None, pace: float | None, left: int
) -> str:
    """`accepted 24 of 300 (8 %) · ~2,100 tokens · 12 rows a minute by hand: about 35 min for the 411 left`;
    tokens are None while they are not counted."""
    share = f" of {goal:,} ({accepted / goal:.0%})" if goal else ""
    of_tokens = f" of {goal_tokens:,} ({(tokens or 0) / goal_tokens:.0%})" if goal_tokens else ""
    words = [f"accepted {accepted:,}{share}" if accepted or goal else "no goal set: goal = 300 in config.toml"]
    if tokens is not None and (tokens or goal_tokens):
        words.append(f"~{tokens:,}{of_tokens} tokens")
    if pace is not None and left:
        words.append(f"{pace:.0f} rows a minute by hand: about {_duration(left / pace)} for the {left:,} left")
    return " \u00b7 ".join(words)


def _duration(minutes: float) -> str:
    if minutes < 1:
        return "a minute"
    return f"{minutes:.0f} min" if minutes < 90 else counted(round(minutes / 60), "hour")


# How many rows share a system prompt. Reads every row, so never in the thread that answers keys.

LOOKED_AT_FIRST = 50


def shared_prompts(project: Project, cancelled: Callable[[], bool] = lambda: False) -> Mapping[int, int]:
    """Rows by the hash of their system prompt, long ones only; empty where none of the first rows has one."""
    found: Counter[int] = Counter()
    for row in range(len(project.rows)):
        if cancelled() or (row == LOOKED_AT_FIRST and not found):
            return {}
        try:
            turns = turns_of(project.rows.raw(row), project.mapping)
        except OSError:
            # The project was closed while this ran in a thread: nobody waits for the count any more.
            return {}
        if turns and turns[0].role == "system" and len(turns[0].text) > FOLDED_SYSTEM:
            found[hash(turns[0].text)] += 1
    return found


# The year each row carries. Reads every row once, so never in the thread that answers keys.

Years: TypeAlias = "array[int]"
"""The year of each row by number; UNDATED where it carries none."""
UNDATED = 0


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
