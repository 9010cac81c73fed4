"""How many tokens each row has: counted with the tokenizer of the model that was chosen, else told about.

Counted by a job (`engine.workflows.token_counts`) and kept in `tokens.json`, a cache: `{"model", "key", "counts": {row:
tokens}}`. `key` is a hash of the tokenizer and of how rows are read; a row is its id, which is its content, and for an
edited one a hash of the edit beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.files import write_atomic
from engine.json_form import is_count, is_text, object_with, table_of
from engine.small_files import cached_json, read_cached_json
from engine.tokens import about_tokens

if TYPE_CHECKING:
    from engine.project.project import Project

FILE = "tokens.json"
_is_counts = object_with({"model": is_text, "key": is_text, "counts": table_of(is_count)})


class TokenCounts:
    """The tokens of the rows of a project as it is now. `model` is whose tokenizer counted them, "" where none did."""

    def __init__(self, project: Project) -> None:
        """Raises nothing: a cache that cannot be read is none."""
        self._project = project
        kept = read_counts(project.folder)
        self.model = str(kept["model"]) if kept else ""
        self.key = str(kept["key"]) if kept else ""
        self.counts: Mapping[str, int] = kept["counts"] if kept else {}

    def of(self, row: int) -> float:
        """Tokens of a row: counted, else about."""
        counted = self.counts.get(row_key(self._project, row)) if self.counts else None
        return about_tokens(self._project.example(row).conversation.content_texts) if counted is None else counted

    def total(self, rows: Sequence[int]) -> tuple[int, int]:
        """Tokens of these rows together, and how many of them are told about."""
        if not self.counts:
            return 0, len(rows)
        as_read, edited = self._as_read, self._project.is_edited
        known = [row for row in rows if row < len(as_read) and as_read[row] >= 0 and not edited(row)]
        others = set(rows).difference(known)
        uncounted = [row for row in others if row_key(self._project, row) not in self.counts]
        return sum(map(as_read.__getitem__, known)) + round(sum(map(self.of, others))), len(uncounted)

    @cached_property
    def _as_read(self) -> list[int]:
        """The tokens of every row as it was read, -1 where they are not counted: asked for with every key."""
        get, identifier = self.counts.get, self._project.rows.id
        return [get(identifier(row), -1) for row in range(len(self._project.rows))]

    def missing(self) -> list[int]:
        """The rows that are not counted."""
        project = self._project
        return [row for row in range(len(project.rows)) if row_key(project, row) not in self.counts]


def row_key(project: Project, row: int) -> str:
    """What tells the content of a row from any other."""
    identifier = project.rows.id(row)
    if not project.is_edited(row):
        return identifier
    edited = json.dumps(project.current_row(row), ensure_ascii=True, sort_keys=True)
    return f"{identifier}~{blake2b(edited.encode(), digest_size=8).hexdigest()}"


def read_counts(folder: Path) -> dict[str, Any] | None:
    """What `tokens.json` holds, or None."""
    kept = read_cached_json(folder / FILE)
    return kept if _is_counts(kept) else None


def save_counts(folder: Path, model: str, key: str, counts: Mapping[str, int]) -> None:
    """Keep the counts. Raises ProjectError where the disk refuses."""
    write_atomic(folder / FILE, cached_json({"model": model, "key": key, "counts": dict(counts)}))
