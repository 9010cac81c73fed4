"""One project folder, open: its rows, what the scan found, and the journals folded into a state per row.

The only mutable state of the engine is here: what the journals say. Every change goes through `decide`, `undo` and
`redo`, and each of them is a synced journal line before it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from engine.errors import ProjectError, shell_command
from engine.links import check_project_links
from engine.model import VERDICTS, Act, Cluster, Decision, Example, Row, VerdictName
from engine.project.fold import Reversal, map_act
from engine.project.journal import End
from engine.project.journals import Journals, nothing_collected
from engine.project.proposals import Proposals
from engine.project.row_change import open_rows, settle_left_over, staged_rows, stamp, with_current_rows
from engine.project.row_states import States, WaitingActs
from engine.project.scanned_rows import ScannedRows
from engine.sources.mapping import Mapping as RowMapping
from engine.trust import was_refused


class Project(ScannedRows):
    """See `open_project`. Row numbers are 0-based and the same everywhere."""

    def __init__(
        self,
        folder: Path,
        reviewer: str | None,
        readonly: bool,
        take_over: bool = False,
        blind: bool = False,
        staged: bool = False,
        eyes: Path | None = None,
    ) -> None:
        self.folder = folder
        self.reviewer = reviewer or ""
        self._blind = blind
        self._is_staged = staged
        self._row_notes = [] if readonly or reviewer is None else settle_left_over(folder)
        self.settings, self.rows, self._stamp = (*staged_rows(folder), ()) if staged else open_rows(folder)
        self._row_notes += [self.settings.remark] if self.settings.remark else []
        self.name = self.settings.source.name
        self.title = self.settings.title
        with nothing_collected():
            self._journals = Journals(folder, self.rows, reviewer, readonly, take_over)
            own = self._journals.own or (eyes if eyes in self._journals.folds else None)
            self._states = States(self.rows, self._journals.folds, own, blind)
            self.rows.read_by(self.mapping)
            self._journals.keep_snapshot(self.rows)
        self.proposals = Proposals(folder)
        self.reload_findings()

    @property
    def notes(self) -> list[str]:
        """What a person should know of how rows and journals were read, in sentences."""
        asked = (line.waiting(self.folder) for line in self.waiting())
        ask = shell_command("trust", self.folder)
        asks = (f"{one.what}: waits for your yes or no: {ask}" for one in asked if not was_refused(one))
        return [*self._row_notes, *self._findings.notes, *self._journals.notes, *self.proposals.notes, *asks]

    @property
    def is_complete(self) -> bool:
        """Whether all rows of the sources were read; else `refresh_rows` picks up what another process has added."""
        return self.settings.is_complete

    def refresh_rows(self) -> int:
        """Take in rows that were added since; how many. Numbers and decisions stay, findings no longer fit."""
        if self.has_current_rows():
            return 0
        before = len(self.rows)
        self.settings, fresh, self._stamp = open_rows(self.folder, self.mapping)
        self.rows.close()
        self.rows = fresh
        self._states.grow(fresh)
        self.reload_findings()
        return len(fresh) - before

    def has_current_rows(self) -> bool:
        """Whether no other rows have come into force since these were read."""
        return self._is_staged or stamp(self.folder) == self._stamp

    @property
    def readonly(self) -> bool:
        return self._journals.readonly

    @property
    def readonly_reason(self) -> str:
        """Why this window only reads; empty where it writes."""
        return self._journals.readonly_reason

    @property
    def is_locked_out(self) -> bool:
        """Whether this window only reads because another one decides under the same name: `take_over` turns it."""
        return self.readonly and self._journals.is_locked_out

    def take_over(self) -> None:
        """Become the writer of this reviewer's journal; the other window then only reads. Raises ProjectError."""
        before = self._journals
        with nothing_collected():
            self._journals = Journals(self.folder, self.rows, self.reviewer, False, True)
            before.close()
            self._states = States(self.rows, self._journals.folds, self._journals.own, self._blind)
        self.rows.read_by(self.mapping)
        self.reload_findings()
        if self.readonly:
            raise ProjectError("this window still only reads", self.readonly_reason, "mend that, then try again")

    def close(self) -> None:
        """Let go of the lock and the row file."""
        self._journals.leave(self.rows)
        self.rows.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def current_row(self, number: int) -> Row:
        """The row as it stands: edited where it was edited, else as it came."""
        edited = self._states.state(number).edited if number in self._states.edited else None
        return self.rows.raw(number) if edited is None else edited

    def example(self, number: int, *, edited: bool = True) -> Example:
        """The row as turns, with its edit applied unless `edited` is False."""
        return self.rows.example(number, self.current_row(number) if edited and number in self._states.edited else None)

    def decision(self, number: int) -> Decision:
        """The folded decision on a row."""
        state = self._states.state(number)
        return Decision(VERDICTS[self._states.codes[number]], state.edited, state.why, state.by, state.at)

    def verdict(self, number: int) -> VerdictName:
        return VERDICTS[self._states.codes[number]]

    @property
    def verdict_codes(self) -> bytearray:
        """The verdict of every row as its place in VERDICTS, for passes over all rows. Not to be changed."""
        return self._states.codes

    @property
    def disputed(self) -> set[int]:
        """The rows that reviewers differ on. Not to be changed."""
        return self._states.disputed

    def is_heldout(self, number: int) -> bool:
        return number in self._states.heldout

    def is_edited(self, number: int) -> bool:
        return number in self._states.edited

    def is_disputed(self, number: int) -> bool:
        return number in self._states.disputed

    def voices(self, number: int) -> tuple[Decision, ...]:
        """What each reviewer decided on a row; a blind one hears only themselves until they have, or it is settled."""
        return self._states.voices(number)

    def is_seen(self, number: int) -> bool:
        """Whether the row was on the screen when a decision was taken on it."""
        return self._states.is_seen(number)

    def tags(self, number: int) -> frozenset[str]:
        return self._states.state(number).tags

    def note(self, number: int) -> str:
        """What a person wrote about a row."""
        return self._states.state(number).note

    @property
    def heldout(self) -> frozenset[int]:
        """The row numbers of the held-out set."""
        return frozenset(self._states.heldout)

    @property
    def heldout_variants(self) -> list[list[int]]:
        """Families of variants with rows on both sides of the held-out set, as they stood when it was cut."""
        return self._states.heldout_variants()

    @property
    def training(self) -> list[int]:
        """The row numbers outside the held-out set, ascending."""
        return [number for number in range(len(self.rows)) if number not in self._states.heldout]

    def decide(self, acts: Sequence[Act], *, seen: Iterable[str] = (), why: str = "") -> int:
        """Write one journal line that does all of `acts`, synced; the number of the line. One line is one undo; without
        a `why` the reason is the top flag of a lone row, else "by eye". Raises ProjectError where nothing could be
        written; the state is then as before."""
        return self._write(self._journals.line(acts, seen, why or self._default_reason(acts)))

    def _default_reason(self, acts: Sequence[Act]) -> str:
        ids = {identifier for act in acts for identifier in act.ids}
        number = self.rows.number(ids.pop()) if len(ids) == 1 else None
        return "by eye" if number is None else self.default_reason(number)

    def default_reason(self, number: int) -> str:
        """Why a row is decided where nobody says why: the signal of its top flag, else `by eye`."""
        return next((flag.signal for flag in self.flags_of(number)), "by eye")

    @property
    def last_line(self) -> int:
        """The number of the last line of this reviewer's journal; 0 before the first."""
        return self._journals.last_line

    def undo(self) -> str | None:
        """Take the last act of this reviewer back; the act in words, or None where there is none."""
        return self._reverse("undo")

    def redo(self) -> str | None:
        """Do the last undone act again; the act in words, or None where there is none."""
        return self._reverse("redo")

    def next_reversal(self, verb: Literal["undo", "redo"]) -> Reversal | None:
        """What `undo` or `redo` would do, also where this window only reads; None where there is nothing."""
        return self._journals.next_reversal(verb)

    def _reverse(self, verb: Literal["undo", "redo"]) -> str | None:
        if (found := self._journals.reversal(verb)) is None:
            return None
        self._write(found[0])
        return found[1]

    def _write(self, line: dict[str, Any]) -> int:
        mapping, done = self.mapping, self._journals.append(line)
        self._bring_up(done.touched, mapping)
        return done.number

    def follow_journals(self) -> bool:
        """Take in what others have decided or proposed here since; whether they have. Raises ProjectError."""
        mapping, heldout = self.mapping, len(self._states.heldout)
        touched, proposed = self._journals.follow(), self.proposals.follow()
        if touched is not None and not touched and self.mapping == mapping:
            return proposed
        self._bring_up(touched, mapping)
        if len(self._states.heldout) != heldout:
            self.reload_findings()
        return True

    def _bring_up(self, touched: set[str] | None, mapping_before: RowMapping) -> None:
        self._states.refresh(touched)
        if self.mapping != mapping_before:
            self.rows.read_by(self.mapping)
            self.reload_findings()

    def check_ownership(self) -> None:
        """Look whether this window may still write. Raises LockedError, once, where another has taken over since."""
        self._journals.check_ownership()

    def read_by(self, mapping: RowMapping, why: str = "mapping corrected") -> int:
        """Correct how rows are read, as a journal line of its own; findings that no longer fit are dropped."""
        return self.decide([map_act(mapping)], why=why)

    def constraints(self) -> list[Act]:
        """The standing `not_duplicates`, `fine_together` and `split` acts."""
        return self._states.constraints()

    def is_open(self, cluster: Cluster) -> bool:
        """Whether a cluster still asks for a decision: some member is undecided and nothing said it is fine."""
        return self._states.is_open(cluster)

    def declined(self) -> Mapping[str, set[str]]:
        """The proposals that a person has declined, by the id of the row."""
        return self._states.declined()

    def unknown_ids(self) -> int:
        """How many ids the journals speak of that no row here has: vanished rows, or rows of another copy."""
        return self._states.unknown_ids()

    @property
    def reviewers(self) -> list[str]:
        """Who has written a line of a journal, by name."""
        return self._states.reviewers()

    def agreement(self) -> dict[str, Any] | None:
        """Cohen's kappa of the reviewers, or None where no row was decided by two."""
        return self._states.agreement()

    def changed_from(self, number: int) -> str | None:
        """The id of the row that this one is a new version of, or None."""
        return self._states.changed_from(number)

    def tally(self) -> dict[VerdictName, int]:
        """How many rows have which verdict; cheap enough to ask after every key."""
        return self._states.verdict_counts()

    def counts(self) -> dict[str, Any]:
        """What `tamis status --json` prints."""
        counts = {"rows": len(self.rows), **self._states.counts(), **self._states.open_counts(self.findings)}
        return counts | {"quarantined": sum(source.quarantined for source in self.settings.sources)}

    @property
    def own_journal(self) -> Path | None:
        """The file this window writes to; None where it only reads."""
        return self._journals.own

    def journal_ends(self) -> dict[Path, End]:
        """The journal files that are folded in, by name, and how far: they may have grown since."""
        return {path: self._journals.folds[path].end for path in self._journals.files()}

    def keep_seen(self) -> None:
        """Remember how far the journals go, so that a cut is told when the project is opened next."""
        self._journals.keep_seen()

    def waiting(self) -> list[WaitingActs]:
        """What merges brought of other people that counts only when somebody here says yes: see `waiting.py`."""
        return self._states.waiting(self.mapping)

    @property
    def is_blind(self) -> bool:
        """Whether other reviewers' verdicts stay hidden until a row is settled."""
        return self._states.blind


def open_project(
    path: Path | str,
    *,
    reviewer: str | None = None,
    readonly: bool = False,
    take_over: bool = False,
    blind: bool = False,
) -> Project:
    """Open a project folder. With a `reviewer` this process becomes the writer of their journal; where another is, or
    without one, it opens read-only and `readonly_reason` says why; `take_over` makes the other window the one that only
    reads. `blind` hides other reviewers' verdicts until a row is settled. Raises ProjectError."""
    check_project_links(Path(path))
    return with_current_rows(lambda: Project(Path(path), reviewer, readonly, take_over, blind))
