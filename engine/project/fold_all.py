"""All journal files of a project read and folded, each on top of the snapshot where one fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.project.fold import Fold
from engine.project.journal import read_lines
from engine.project.rows import RowStore
from engine.project.snapshot import load_snapshot


@dataclass(frozen=True, slots=True)
class Folded:
    """The fold of each journal file, how many `lines` were replayed for them, what could not be read, and the torn
    last line of a file that has one."""

    folds: dict[Path, Fold] = field(default_factory=dict)
    lines: int = 0
    complaints: tuple[str, ...] = ()
    torn: dict[Path, bytes] = field(default_factory=dict)


def fold_journals(folder: Path, rows: RowStore) -> Folded:
    """Read what each journal of `folder` says beyond the snapshot. Raises ProjectError where one cannot be read."""
    snapshot = load_snapshot(folder, rows)
    folds: dict[Path, Fold] = {}
    complaints: list[str] = []
    torn_tails: dict[Path, bytes] = {}
    replayed = 0
    for path in sorted((folder / "decisions").glob("*.jsonl")):
        fold, start = snapshot.get(path.name, (Fold(), 0))
        lines, unread, torn = read_lines(path, start)
        if any(fold.needs_history(line) for line in lines):
            # The tail takes back an act from before the snapshot: only the whole journal says what it replaced.
            fold, (lines, unread, torn) = Fold(), read_lines(path)
        for line in lines:
            fold.apply(line)
        folds[path] = fold
        replayed += len(lines)
        complaints += unread
        if torn:
            torn_tails[path] = torn
    return Folded(folds, replayed, tuple(complaints), torn_tails)
