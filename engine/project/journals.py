"""All journals of a project, folded, and the right to write one of them: this reviewer's own."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import LockedError, ProjectError
from engine.files import make_private_folder
from engine.model import Act
from engine.project.fold import Fold, Reversal
from engine.project.journal import NOTHING_READ, End, JournalPart, journal_line, journal_paths, now, read_journal
from engine.project.journal_ends import Loss, keep_seen, losses, seen_last, waiting_end
from engine.project.journal_writer import JournalWriter, taken_over
from engine.project.line_checks import check_line
from engine.project.merge_commit import finish_merge
from engine.project.rows import RowStore
from engine.project.snapshot import load_snapshot, save_snapshot
from engine.project.waiting_lines import read_waiting
from engine.project.writer_lock import shared_lock
from engine.reviewer import file_stem, install_id

# Fewer lines than this are replayed faster than a snapshot is read.
SNAPSHOT_LINES = 2000


@dataclass(frozen=True, slots=True)
class Appended:
    """The number of a line that was written, and the ids whose state changed; None for any."""

    number: int
    touched: set[str] | None


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
        self._losses: list[Loss] = []
        self._waiting: set[str] = set()
        self.folds: dict[Path, Fold] = {}
        self.notes: list[str] = []
        self.own: Path | None = None
        self.readonly_reason = ""
        self.is_locked_out = False
        self._missed: set[str] | None = set()
        """Ids in lines that another program wrote to our journal: folded in, and nobody was told yet."""
        self.notes += finish_merge(folder / "decisions")
        if readonly or reviewer is None:
            self.readonly_reason = "opened read-only" if readonly else "nobody is named as the reviewer"
        else:
            self._open_writer(reviewer, take_over)
        try:
            self._fold(rows)
        except BaseException:
            self.close()
            raise

    def _open_writer(self, reviewer: str, take_over: bool) -> None:
        folder = self._folder / "decisions"
        try:
            make_private_folder(folder, exist_ok=True)
            path = journal_path(self._folder, reviewer)
            self._writer = JournalWriter(path, take_over=take_over)
            self.own = path
        except LockedError as error:
            self.is_locked_out = True
            self.readonly_reason = f"{error.title} ({error.message})" if error.message else error.title
        except ProjectError as error:
            self.readonly_reason = f"{error.title}: {error.message}" if error.message else error.title
        except OSError as error:
            self.readonly_reason = f"the folder cannot be written ({error.strerror})"

    def _fold(self, rows: RowStore) -> None:
        snapshot = load_snapshot(self._folder, rows)
        self._losses = losses(self._folder / "decisions", [*seen_last(self._folder), *snapshot.seen])
        paths, notes = journal_paths(self._folder / "decisions")
        waiting = read_waiting(self._folder / "decisions")
        self._waiting = waiting.hashes
        self.notes += [*notes, *waiting.notes]
        for path in paths:
            fold = snapshot.folds.get(path.name) or Fold()
            before = fold.end
            part = self._read(path, before)
            if not fold.can_take(part):
                # The tail speaks of what came before the snapshot: only the whole journal says what it comes to.
                fold, before = Fold(), End()
                part = self._read(path)
            fold.take(part)
            self.folds[path] = fold
            self._lines_replayed += fold.end.lines - before.lines
            self.notes += fold.notes
            if part.torn:
                self._tell_torn(path, part)
        self._tell_losses(snapshot.changed)
        if self.own is not None and self._writer is not None:
            self.folds.setdefault(self.own, Fold())
            # Claimed and folded under one lock: what the owner before us wrote is in.
            self._writer.begin()

    def _read(self, path: Path, start: End = NOTHING_READ, upto: int | None = None) -> JournalPart:
        return read_journal(path, start, upto, self._waiting)

    def _tell_torn(self, path: Path, part: JournalPart) -> None:
        if path == self.own:
            self._set_torn_aside(part.torn)
        elif not self._is_being_written(path, part.end):
            self.notes.append(
                f"{path.name}: its last line is not whole: it was never acknowledged, or the file was cut; "
                "it was left out"
            )

    def _is_being_written(self, path: Path, end: End) -> bool:
        """Whether a last line that was not whole is now: its writer was in the middle of it."""
        with shared_lock(path):
            return not read_journal(path, end).torn

    def _tell_losses(self, changed: Iterable[str]) -> None:
        """Tell what was seen of the journals before and is not there; a line that was changed may have told it."""
        lost, told = self._lost(), tuple(self.notes)
        self._losses += [
            Loss(name, f"{name}: lines were changed since its snapshot was made", is_gone=False)
            for name in changed
            if name not in lost
        ]
        self.notes += [
            loss.sentence
            for loss in self._losses
            if loss.is_gone or not any(note.startswith(f"{loss.name}:") for note in told)
        ]

    def _lost(self) -> set[str]:
        return {loss.name for loss in self._losses}

    def _set_torn_aside(self, torn: bytes) -> None:
        if self._writer is None:
            return
        try:
            self.notes.append(self._writer.set_torn_aside(torn))
        except (ProjectError, OSError) as error:
            # Behind a torn line no other can be written; all there is can be read.
            self.close()
            self.readonly_reason = f"the torn last line of the journal cannot be set aside ({error})"

    # -- what they hold

    @property
    def readonly(self) -> bool:
        return self._writer is None

    def files(self) -> list[Path]:
        """The journal files that are folded in, by name."""
        return sorted(path for path in self.folds if path.exists())

    def ends(self) -> dict[str, End]:
        """How far each journal is folded in, by the name of its file; empty ones aside."""
        return {path.name: self.folds[path].end for path in self.files() if self.folds[path].end.size}

    @property
    def last_line(self) -> int:
        """The number of the last line of this reviewer's journal; 0 before the first. Raises ProjectError."""
        return self._own_fold().last_number

    def keep_snapshot(self, rows: RowStore) -> None:
        """Write the snapshot anew where many lines were replayed or written since the last one.

        Not over one that saw more of a journal than there is: who opens the project next is told, too.
        """
        if self._losses or self._lines_replayed < SNAPSHOT_LINES:
            return
        self._save_snapshot(rows)

    def leave(self, rows: RowStore) -> None:
        """Keep what was seen of the journals, and let go of the lock. Where something was told to be lost, the person
        knows and went on."""
        if self._losses and not self.readonly:
            self._save_snapshot(rows)
        else:
            self.keep_snapshot(rows)
        self.keep_seen()
        self.close()

    def keep_seen(self) -> None:
        """Remember how far the journals go, so that a cut is told; a window that only reads leaves it."""
        if not self.readonly:
            keep_seen(self._folder, self.ends() | waiting_end(self._folder / "decisions"), self._lost())

    def _save_snapshot(self, rows: RowStore) -> None:
        save_snapshot(self._folder, rows, {path: self.folds[path] for path in self.files()})
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
        if self._reviewer:
            fold.take(self._read(journal_path(self._folder, self._reviewer)))
        return fold.reversal(verb)

    def append(self, line: dict[str, Any]) -> Appended:
        """Write a line, synced, and fold it in. It gets the number behind the last one in the file.

        Raises ProjectError where nothing could be written, LockedError where another window has taken over.
        """
        self._own_fold()
        assert self._writer is not None
        assert self.own is not None
        try:
            check_line(line)
        except ValueError as error:
            raise ProjectError("the decision was not saved", str(error), "the next start could not read it") from error
        try:
            with self._writer.turn():
                self._catch_up(is_reversal="undo" in line or "redo" in line)
                fold = self.folds[self.own]
                line = line | {"n": fold.last_number + 1}
                end = self._writer.write(line, fold.end)
        except LockedError as error:
            self._only_reads(error)
            raise
        fold.end = end
        self._lines_replayed += 1
        touched = fold.apply(line)
        missed, self._missed = self._missed, set()
        return Appended(line["n"], None if missed is None else touched | missed)

    def _catch_up(self, *, is_reversal: bool) -> None:
        """Fold in what another program has written to our own journal, if anything: its numbers are taken.

        Raises ProjectError where the line to be written takes something back: it may mean another act now.
        """
        assert self._writer is not None
        assert self.own is not None
        fold = self.folds[self.own]
        if not self._writer.has_more(fold.end):
            return
        part = self._read(self.own, fold.end)
        if part.torn:
            self.notes.append(self._writer.set_torn_aside(part.torn))
        if fold.can_take(part):
            touched = fold.take(part)
            self._missed = None if self._missed is None else self._missed | touched
        else:
            fold = self.folds[self.own] = Fold()
            fold.take(self._read(self.own))
            self._missed = None
        if is_reversal and part.lines:
            raise ProjectError(
                "nothing was taken back", f"another program has written to {self.own.name}", "look again, then repeat"
            )

    def check_ownership(self) -> None:
        """Look whether this window may still write. Raises LockedError, once, where another has taken over since."""
        if self._writer is not None and self._writer.was_taken():
            error = taken_over()
            self._only_reads(error)
            raise error

    def follow(self) -> set[str] | None:
        """Fold in what others have written since to the journals that this window does not write; the ids whose state
        changed, None for any. Where nothing was written this costs a look at each file. Raises ProjectError."""
        touched: set[str] | None = set()
        for path in journal_paths(self._folder / "decisions")[0]:
            # Our own is caught up with when the next line is written.
            if self._writer is None or path != self.own:
                more = self._follow(path)
                touched = None if touched is None or more is None else touched | more
        return touched

    def _follow(self, path: Path) -> set[str] | None:
        fold = self.folds.get(path)
        try:
            size = path.stat().st_size
        except OSError:
            return set()
        if fold is None or size != fold.end.size:
            # A merge by another process brings both.
            self._waiting = read_waiting(path.parent).hashes
        if fold is not None and size < fold.end.size:
            self.notes.append(f"{path.name}: is shorter than it was: lines are missing at its end")
        if fold is not None and size >= fold.end.size:
            if size == fold.end.size:
                return set()
            part = self._read(path, fold.end)
            if fold.can_take(part):
                return fold.take(part)
        # New, put in the place of another by a merge, or taking back what only the whole journal tells.
        self.folds[path] = Fold()
        self.folds[path].take(self._read(path))
        return None

    def close(self) -> None:
        """Let go of the lock."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _only_reads(self, error: LockedError) -> None:
        self.close()
        self.is_locked_out = True
        self.readonly_reason = error.title.removeprefix("not saved: ")

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
            end = fold.end
            fold = Fold()
            fold.take(self._read(self.own, upto=end.size))
            self.folds[self.own] = fold
        return fold
