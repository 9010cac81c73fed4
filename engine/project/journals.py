"""All journals of a project, folded, and the right to write one of them: this reviewer's own."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from engine.errors import LockedError, ProjectError
from engine.model import Act
from engine.project.fold import Fold, Reversal
from engine.project.journal import JournalWriter, journal_line, now, read_lines, taken_over
from engine.project.rows import RowStore
from engine.project.snapshot import load_snapshot, save_snapshot
from engine.reviewer import file_stem, install_id

# Fewer lines than this are replayed faster than a snapshot is read.
SNAPSHOT_LINES = 2000


def journal_path(folder: Path, reviewer: str) -> Path:
    """The journal of a reviewer on this install. Raises OSError where the install has no id and none can be kept."""
    return folder / "decisions" / f"{file_stem(reviewer)}@{install_id()}.jsonl"


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Tens of thousands of lines are replayed into as many objects, none of them garbage: looking for some among them,
    again and again, would take a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class Journals:
    """The fold of each journal file, each on top of the snapshot where one fits, and the writer of `own`.

    `notes` say what could not be read and what was set aside. `own` is the file this window writes to, or None where it
    only reads; `readonly_reason` then says why, `is_locked_out` whether it is for another window. Raises ProjectError
    where a journal cannot be read.
    """

    def __init__(self, folder: Path, rows: RowStore, reviewer: str | None, readonly: bool, take_over: bool) -> None:
        self._folder = folder
        self._reviewer = reviewer or ""
        self._writer: JournalWriter | None = None
        self._lines_replayed = 0
        self.folds: dict[Path, Fold] = {}
        self.notes: list[str] = []
        self.own: Path | None = None
        self.readonly_reason = ""
        self.is_locked_out = False
        if readonly or reviewer is None:
            self.readonly_reason = "opened read-only" if readonly else "nobody is named as the reviewer"
        else:
            self._open_writer(reviewer, take_over)
        self._fold(rows)

    def _open_writer(self, reviewer: str, take_over: bool) -> None:
        folder = self._folder / "decisions"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            path = journal_path(self._folder, reviewer)
            self._writer = JournalWriter(path, take_over=take_over)
            self.own = path
        except LockedError as error:
            self.is_locked_out = True
            self.readonly_reason = f"{error.title} ({error.message})" if error.message else error.title
        except OSError as error:
            self.readonly_reason = f"the folder cannot be written ({error.strerror})"
        except ProjectError as error:
            self.readonly_reason = str(error)

    def _fold(self, rows: RowStore) -> None:
        snapshot = load_snapshot(self._folder, rows)
        own_torn = b""
        for path in sorted((self._folder / "decisions").glob("*.jsonl")):
            fold, start = snapshot.get(path.name, (Fold(), 0))
            lines, unread, torn = read_lines(path, start)
            if any(fold.needs_history(line) for line in lines):
                # The tail takes back an act from before the snapshot: only the whole journal says what it replaced.
                fold, (lines, unread, torn) = Fold(), read_lines(path)
            for line in lines:
                fold.apply(line)
            self.folds[path] = fold
            self._lines_replayed += len(lines)
            self.notes += unread
            if path == self.own:
                own_torn = torn
        if self.own is not None and self._writer is not None:
            self.folds.setdefault(self.own, Fold())
            if own_torn:
                self.notes.append(self._writer.set_torn_aside(own_torn))

    # -- what they hold

    @property
    def readonly(self) -> bool:
        return self._writer is None

    def files(self) -> list[Path]:
        """The journal files that are folded in, by name."""
        return sorted(path for path in self.folds if path.exists())

    @property
    def last_line(self) -> int:
        """The number of the last line of this reviewer's journal; 0 before the first. Raises ProjectError."""
        return self._own_fold().last_number

    def keep_snapshot(self, rows: RowStore) -> None:
        """Write the snapshot anew where many lines were replayed or written since the last one."""
        if self._lines_replayed < SNAPSHOT_LINES:
            return
        save_snapshot(self._folder, rows, {path: (self.folds[path], path.stat().st_size) for path in self.files()})
        self._lines_replayed = 0

    # -- writing

    def line(self, acts: Sequence[Act], seen: Iterable[str], why: str) -> dict[str, Any]:
        """The next line of this reviewer's journal, not written yet. Raises ProjectError where this one only reads."""
        return journal_line(self.last_line + 1, self._reviewer, acts, seen, why)

    def reversal(self, verb: Literal["undo", "redo"]) -> tuple[dict[str, Any], str] | None:
        """(the line that takes the last act back or does it again, the act in words), or None where there is none.

        Raises ProjectError where this window only reads.
        """
        fold = self._with_history()
        found = fold.reversal(verb)
        if found is None:
            return None
        line = {"v": 1, "n": fold.last_number + 1, "at": now(), "by": self._reviewer, verb: found.number}
        return line, found.words

    def next_reversal(self, verb: Literal["undo", "redo"]) -> Reversal | None:
        """What an undo or a redo by this reviewer would do, also where this window only reads; None for nothing."""
        if self.own is not None and not self.readonly:
            return self._with_history().reversal(verb)
        fold = Fold()
        for line in read_lines(journal_path(self._folder, self._reviewer))[0] if self._reviewer else ():
            fold.apply(line)
        return fold.reversal(verb)

    def append(self, line: dict[str, Any]) -> set[str]:
        """Write a line, synced, and fold it in; the ids whose state it touched.

        Raises ProjectError where nothing could be written, LockedError where another window has taken over.
        """
        fold = self._own_fold()
        assert self._writer is not None
        try:
            self._writer.append(line)
        except LockedError as error:
            self._only_reads(error)
            raise
        self._lines_replayed += 1
        return fold.apply(line)

    def check_ownership(self) -> None:
        """Look whether this window may still write. Raises LockedError, once, where another has taken over since."""
        if self._writer is not None and self._writer.was_taken():
            error = taken_over()
            self._only_reads(error)
            raise error

    def close(self) -> None:
        """Let go of the lock."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _only_reads(self, error: LockedError) -> None:
        self.close()
        self.is_locked_out = True
        self.readonly_reason = error.title

    def _own_fold(self) -> Fold:
        if self._writer is None or self.own is None:
            raise ProjectError(
                "this window only reads",
                self.readonly_reason,
                "close the other window, or name yourself with --as NAME",
            )
        return self.folds[self.own]

    def _with_history(self) -> Fold:
        """This reviewer's fold with every line in memory, so that any act can be taken back."""
        fold = self._own_fold()
        assert self.own is not None
        if fold.needs_history():
            fold = Fold()
            for line in read_lines(self.own)[0]:
                fold.apply(line)
            self.folds[self.own] = fold
        return fold
