"""What reading yields: rows. What cannot be one is `engine.model.Quarantined`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_LINE_BYTES = 64 * 1024 * 1024
QUARANTINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: its 1-based line (or array element), byte `offset`, bytes without line end, and value.

    `notes` say what was odd about it and read all the same: `byte order mark`, `CRLF line end`, `key stands twice`.
    """

    line: int
    offset: int
    content: bytes
    raw: dict[str, Any]
    notes: tuple[str, ...] = ()
