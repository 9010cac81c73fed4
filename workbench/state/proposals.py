"""What is proposed and waits for a key: repairs and repeated edits, a pick of rows, slices of the set over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.model import Row
from engine.review.edit_rules import RowRule
from workbench.state.fields import FieldChoice

Width = Literal["year", "month"]


@dataclass(frozen=True, slots=True)
class Change:
    """One repair of one row: what it does in words, and the row after it (None where it changes nothing)."""

    row: int
    about: str
    apply: Callable[[Row], Row | None]


@dataclass(frozen=True, slots=True)
class Offer:
    """Changes to look through. `out` holds the places of those that were taken out; `why` goes into the journal."""

    title: str
    why: str
    changes: tuple[Change, ...]
    cursor: int = 0
    out: frozenset[int] = frozenset()

    @property
    def wanted(self) -> tuple[Change, ...]:
        return tuple(change for place, change in enumerate(self.changes) if place not in self.out)


@dataclass(frozen=True, slots=True)
class PickedRow:
    row: int
    topic: int
    reason: str
    locked: bool


@dataclass(frozen=True, slots=True)
class TopicBar:
    """A topic in the gauge: its words, its rows and tokens, and how many of each are picked."""

    words: str
    rows: int
    picked: int
    tokens: int
    tokens_picked: int


@dataclass(frozen=True, slots=True)
class Board:
    """`stale` says that the proposal must be worked out anew; `swapped` is the row that is being replaced."""

    wanted: int
    rows: tuple[PickedRow, ...] = ()
    topics: tuple[TopicBar, ...] = ()
    sources: tuple[tuple[str, int, int], ...] = ()
    """(name, picked rows, rows) of each file, where there are several."""
    coverage: float = 0.0
    refused: frozenset[int] = frozenset()
    cursor: int = 0
    swapped: int | None = None
    stale: bool = True

    @property
    def here(self) -> PickedRow | None:
        return self.rows[self.cursor] if self.rows else None

    @property
    def locked(self) -> tuple[int, ...]:
        """The rows that must stay: those locked, and while one is swapped all others."""
        return tuple(one.row for one in self.rows if one.locked or self.swapped is not None)


@dataclass(frozen=True, slots=True)
class Bar:
    """One year or month, or one word that died out: its rows, the selector that names them, and ten of them."""

    name: str
    note: str
    selector: str
    rows: int
    ten: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SliceBoard:
    """`slices` are oldest first, `words` the most used first; the cursor runs through both."""

    width: Width
    slices: tuple[Bar, ...] = ()
    words: tuple[Bar, ...] = ()
    undated: int = 0
    cursor: int = 0
    stale: bool = True

    @property
    def bars(self) -> tuple[Bar, ...]:
        return (*self.slices, *self.words)

    @property
    def here(self) -> Bar | None:
        return self.bars[self.cursor] if self.bars else None


class Proposals:
    """`offer` are changes to look through, `pick`, `slices` and `fields` what the screens of that name show.

    `edit_rule` is the change behind the last edit while it is not yet looked for in other rows, `fits` that change and
    the rows it fits.
    """

    def __init__(self) -> None:
        self.offer: Offer | None = None
        self.pick: Board | None = None
        self.slices: SliceBoard | None = None
        self.fields: FieldChoice | None = None
        self.edit_rule: RowRule | None = None
        self.fits: tuple[RowRule, tuple[int, ...]] | None = None

    def note_edit(self, rule: RowRule | None) -> None:
        """A row was edited, by this rule if it is one; what fitted the edit before is no longer offered."""
        self.edit_rule, self.fits = rule, None

    def take_edit_rule(self) -> RowRule | None:
        """The change to look for now; it is looked for once."""
        rule, self.edit_rule = self.edit_rule, None
        return rule
