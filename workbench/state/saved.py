"""Where the person was: `session.json` in the project folder, so that the workbench opens on the same row again.

A convenience, not the work: where it is missing or damaged one starts as at a first open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.small_files import read_cached_json

MAPPING, HELDOUT = "mapping", "heldout"
"""What a first open asks: is the guessed mapping right, should a held-out set be reserved."""
FieldPath = tuple[str | int, ...]
Drafts = dict[str, dict[FieldPath, str]]
MOST_FILTERS = 100
MOST_BYTES = 64 << 20


@dataclass(slots=True)
class Remembered:
    """What outlives a sitting beside the place: `drafts` are edits that were left without saving, by row id, `asked`
    what a first open has asked already, `filters` those of the filter line, the latest last."""

    drafts: Drafts = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    filters: list[str] = field(default_factory=list)

    def add_filter(self, text: str) -> None:
        """Keep a filter for the arrow keys of the filter line, each once."""
        text = text.strip()
        if text:
            self.filters = [*(known for known in self.filters if known != text), text][-MOST_FILTERS:]


@dataclass(frozen=True, slots=True)
class SavedState:
    """`screen` is the list that was in front, '' at a first open; `row` and `cluster` are ids; `drafts` are edits that
    were left without saving, by row id; `asked` what a first open asks once."""

    screen: str = ""
    filter_text: str = ""
    row: str | None = None
    cluster: str | None = None
    is_header: bool = False
    drafts: Drafts = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    filters: tuple[str, ...] = ()


def load_state(folder: Path) -> SavedState:
    """What was saved, or a blank state."""
    saved = read_cached_json(folder / "session.json", most=MOST_BYTES)
    try:
        return SavedState(
            str(saved.get("screen", "")),
            str(saved.get("filter", "")),
            _text(saved.get("row")),
            _text(saved.get("cluster")),
            bool(saved.get("header")),
            {str(row): {_path(path): str(text) for path, text in texts} for row, texts in _drafts(saved)},
            frozenset(map(str, saved.get("asked", ()))),
            tuple(map(str, saved.get("filters", ())))[-MOST_FILTERS:],
        )
    except (ValueError, TypeError, AttributeError):
        return SavedState()


def _drafts(saved: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    drafts: dict[str, Any] = saved.get("drafts", {})
    return drafts.items()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _path(parts: Sequence[object]) -> FieldPath:
    """Raises TypeError where it is no path."""
    path = tuple(part for part in parts if isinstance(part, str | int))
    if len(path) != len(parts):
        raise TypeError("no path of a field")
    return path


def save_state(folder: Path, state: SavedState) -> None:
    """Keep the state by rename. A folder that cannot be written is no reason to stop: only the place is lost."""
    plain = {
        "v": 1,
        "screen": state.screen,
        "filter": state.filter_text,
        "row": state.row,
        "cluster": state.cluster,
        "header": state.is_header,
        "drafts": {row: [[list(path), text] for path, text in texts.items()] for row, texts in state.drafts.items()},
        "asked": sorted(state.asked),
        "filters": list(state.filters),
    }
    try:
        write_atomic(folder / "session.json", json.dumps(plain).encode("ascii"))
    except ProjectError:
        return
