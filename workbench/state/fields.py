"""Which field of the file is what, while a person says so: the words so far, the rows they are tried on, the cursor."""

from __future__ import annotations

from collections.abc import Mapping as Fields
from dataclasses import dataclass, field

from engine.model import Conversation, Row
from engine.sources.shapes.likely import FieldSeen


@dataclass(frozen=True, slots=True)
class ShapeSeen:
    """Rows of one shape: how many of those looked at, and the one that is shown."""

    name: str
    rows: int
    number: int


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field of the shown row; or, below a field that says who speaks, one of its words."""

    field: FieldSeen
    word: str = ""


@dataclass(slots=True)
class FieldChoice:
    """`named` are words of `--map` with their fields, `own` those of the words that a person has set here, `before`
    what they were before each key. `lines`, `conversation` and `states` are of the row that is shown, by the words."""

    named: dict[str, str]
    shapes: tuple[ShapeSeen, ...]
    looked_at: int
    is_unknown: bool
    sample: tuple[Row, ...]
    own: frozenset[str] = frozenset()
    before: list[tuple[dict[str, str], frozenset[str]]] = field(default_factory=list)
    shown: int = 0
    cursor: int = 0
    lines: tuple[FieldLine, ...] = ()
    conversation: Conversation = field(default_factory=Conversation)
    states: Fields[str, str] = field(default_factory=dict)
    lacking: str = ""
    """What is still to be named before the rows can be read so; '' where nothing is."""

    @property
    def shape(self) -> ShapeSeen:
        return self.shapes[self.shown]

    @property
    def here(self) -> FieldLine | None:
        return self.lines[self.cursor] if self.lines else None
