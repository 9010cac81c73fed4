"""Which lines came by a merge from somebody else and hold an act that sets up the whole project: how rows are read,
which rows are held out. Such an act does not count until a person here says yes (`waiting.py`).

`decisions/waiting.acts` names them by the hash of the line, a line each, put in place with the journals of a merge and
never taken back: a yes is an act of the person's own. Earlier versions do not read it; for them all of a merge counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.project.line_sums import sum_fits, with_sum
from engine.small_files import read_cache

FILE = "waiting.acts"
BASIC_ACTS = ("map", "holdout")
WAITS = "waits"
"""Key of such an act as it is folded: the hash of its line."""
YES_TO = "yes_to"
"""Key of the act of a person that says yes to it."""


@dataclass(slots=True)
class WaitingLines:
    """The hashes of the lines, and sentences about what could not be read of the file."""

    hashes: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def read_waiting(decisions: Path) -> WaitingLines:
    """What waits in a folder of decisions; nothing where nobody has merged."""
    found = WaitingLines()
    for place, line in enumerate((read_cache(decisions / FILE) or b"").splitlines(), start=1):
        try:
            if not sum_fits(line):
                raise ValueError("its checksum does not fit")
            found.hashes.add(str(json.loads(line)["line"]))
        except (ValueError, RecursionError, KeyError, TypeError):
            found.notes.append(
                f"{FILE}: line {place} was changed: an act that was merged may count without your yes; merge that copy "
                "again into a fresh one, or look into `tamis journal`"
            )
    return found


def is_basic(line: Mapping[str, Any]) -> bool:
    """Whether a line that can be folded holds an act that sets up the whole project."""
    return any(act["do"] in BASIC_ACTS for act in line.get("acts", ()))


def set_waiting(line: Mapping[str, Any], line_hash: str) -> None:
    """Mark the acts of a line that do not count until somebody says yes."""
    for act in line.get("acts", ()):
        if act["do"] in BASIC_ACTS:
            act[WAITS] = line_hash


def with_entries(decisions: Path, entries: Iterable[tuple[str, int, str]]) -> bytes:
    """The file with these further (journal, number, hash of the line) in it."""
    known = read_waiting(decisions).hashes
    content = read_cache(decisions / FILE) or b""
    for journal, number, line_hash in entries:
        if line_hash not in known:
            plain = {"v": 1, "journal": journal, "n": number, "line": line_hash}
            content += with_sum(json.dumps(plain, ensure_ascii=True, separators=(",", ":")).encode("ascii")) + b"\n"
            known.add(line_hash)
    return content
