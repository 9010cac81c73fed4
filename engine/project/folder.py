"""One project folder, open: its rows, what the scan found, and the journals folded into a state per row.

The only mutable state of the engine is here: what the journals say. Every change goes through `decide`, `undo` and
`redo`, and each of them is a synced journal line before it returns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from engine.errors import LockedError, ProjectError
from engine.files import write_atomic
from engine.model import VERDICTS, Act, Cluster, Decision, Example, Findings, Flag, Row, VerdictName
from engine.project.agreement import agreement
from engine.project.fold import BLANK, RELATION_ACTS, Fold, RowState
from engine.project.journal import JournalWriter, journal_line, now, read_lines
from engine.project.rows import RowStore
from engine.project.settings import ProjectSettings, read_settings
from engine.project.snapshot import CODE, Columns, load_snapshot, save_snapshot
from engine.reviewer import file_stem, install_id
from engine.scan.store import findings_from_json, findings_to_json
from engine.sources.mapping import Mapping

SCAN_VERSION = 1
SETTLED_KINDS = ("exact", "near", "prefix")
# Fewer lines than this are replayed faster than a snapshot is read.
SNAPSHOT_LINES = 2000


class Project:
    """See `open_project`. Row numbers are 0-based and the same everywhere."""

    def __init__(self, folder: Path, reviewer: str | None, readonly: bool, take_over: bool = False) -> None:
        self.folder = folder
        self.settings: ProjectSettings = read_settings(folder)
        self.name = Path(self.settings.source.path).name
        self.rows = RowStore(folder, self.settings.mapping, self.name)
        self.reviewer = reviewer or ""
        self.notes: list[str] = []
        self.readonly_reason = ""
        self._writer: JournalWriter | None = None
        self._own_path: Path | None = None
        if readonly or reviewer is None:
            self.readonly_reason = "opened read-only" if readonly else "nobody is named as the reviewer"
        else:
            self._open_writer(reviewer, take_over)
        self._folds: dict[Path, Fold] = {}
        self._lines_replayed = 0
        self._codes = bytearray(len(self.rows))
        self._disputed: set[int] = set()
        self._edited: set[int] = set()
        self._heldout: set[int] = set()
        self._fold_journals()
        self._settle_states()
        if self._lines_replayed >= SNAPSHOT_LINES:
            self._save_snapshot()
        self.findings: Findings | None = None
        self._clusters_by_row: dict[int, tuple[Cluster, ...]] = {}
        self._flags_by_row: dict[int, tuple[Flag, ...]] = {}
        self._clusters_by_id: dict[str, Cluster] = {}
        self._leaking: frozenset[int] = frozenset()
        self.reload_findings()

    # -- opening and closing

    def _open_writer(self, reviewer: str, take_over: bool) -> None:
        folder = self.folder / "decisions"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            path = folder / f"{file_stem(reviewer)}@{install_id()}.jsonl"
            self._writer = JournalWriter(path, take_over=take_over)
            self._own_path = path
        except LockedError as error:
            self.readonly_reason = f"{error.title} ({error.message})" if error.message else error.title
        except OSError as error:
            self.readonly_reason = f"the folder cannot be written ({error.strerror})"
        except ProjectError as error:
            self.readonly_reason = str(error)

    def _fold_journals(self) -> None:
        snapshot = load_snapshot(self.folder, self.rows)
        for path in sorted((self.folder / "decisions").glob("*.jsonl")):
            fold, start = snapshot.get(path.name, (Fold(), 0))
            lines, complaints, torn = read_lines(path, start)
            if any(fold.needs_history(line) for line in lines):
                # The tail takes back an act from before the snapshot: only the whole journal says what it replaced.
                fold, (lines, complaints, torn) = Fold(), read_lines(path)
            self.notes += complaints
            if torn and self._writer is not None and path == self._own_path:
                note = self._writer.set_torn_aside(torn)
                self.notes += [note] if note else []
            for line in lines:
                fold.apply(line)
            self._folds[path] = fold
            self._lines_replayed += len(lines)
        if self._own_path is not None:
            self._folds.setdefault(self._own_path, Fold())

    def _settle_states(self) -> None:
        """Compute the verdict of every row from all folds; a lone snapshot is taken over as it stands."""
        folds = list(self._folds.values())
        bases = [fold.base for fold in folds if isinstance(fold.base, Columns)]
        if len(folds) == 1 and bases:
            self._codes[:] = bases[0].codes
            self._edited = set(bases[0].edited)
            self._refresh(folds[0].changed)
        else:
            self._refresh(
                {key for fold in folds for key in fold.changed} | {key for base in bases for key in base.ids()}
            )
        numbers = (self.rows.number(identifier) for fold in folds for identifier in fold.heldout)
        self._heldout = {number for number in numbers if number is not None}

    def _save_snapshot(self) -> None:
        folds = {path: (fold, path.stat().st_size) for path, fold in self._folds.items() if path.exists()}
        save_snapshot(self.folder, self.rows, folds)
        self._lines_replayed = 0

    def _with_history(self) -> Fold:
        """This reviewer's fold with every line in memory, so that any act can be taken back."""
        fold = self._own_fold()
        assert self._own_path is not None
        if fold.needs_history():
            fold = Fold()
            for line in read_lines(self._own_path)[0]:
                fold.apply(line)
            self._folds[self._own_path] = fold
        return fold

    @property
    def is_complete(self) -> bool:
        """Whether all rows of the source were read; else `refresh_rows` picks up what another process has added."""
        return self.settings.source.complete

    def refresh_rows(self) -> int:
        """Take in rows that were added since; how many. Numbers and decisions stay, findings no longer fit."""
        before = len(self.rows)
        self.settings = read_settings(self.folder)
        fresh = RowStore(self.folder, self.settings.mapping, self.name)
        self.rows.close()
        self.rows = fresh
        for fold in self._folds.values():
            if isinstance(fold.base, Columns):
                fold.base.grow(fresh)
        self._codes.extend(bytes(len(fresh) - before))
        # Rows that the journals spoke of before they were read have a number now.
        self._settle_states()
        self.reload_findings()
        return len(fresh) - before

    @property
    def readonly(self) -> bool:
        return self._writer is None

    @property
    def mapping(self) -> Mapping:
        return self.settings.mapping

    def close(self) -> None:
        """Let go of the lock and the row file."""
        if self._lines_replayed >= SNAPSHOT_LINES:
            self._save_snapshot()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.rows.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what the rows say

    def _state(self, number: int) -> RowState:
        """What the journals together say of a row."""
        if not self._folds:
            return BLANK
        identifier = self.rows.id(number)
        states = (fold.state(identifier) for fold in self._folds.values())
        return _combined([state for state in states if state is not None])[0]

    def current_row(self, number: int) -> Row:
        """The row as it stands: edited where it was edited, else as it came."""
        edited = self._state(number).edited if number in self._edited else None
        return self.rows.raw(number) if edited is None else edited

    def example(self, number: int, *, edited: bool = True) -> Example:
        """The row as turns, with its edit applied unless `edited` is False."""
        return self.rows.example(number, self.current_row(number) if edited and number in self._edited else None)

    def decision(self, number: int) -> Decision:
        """The folded decision on a row."""
        state = self._state(number)
        return Decision(VERDICTS[self._codes[number]], state.edited, state.why, state.by, state.at)

    def verdict(self, number: int) -> VerdictName:
        return VERDICTS[self._codes[number]]

    def is_heldout(self, number: int) -> bool:
        return number in self._heldout

    def is_edited(self, number: int) -> bool:
        return number in self._edited

    def is_disputed(self, number: int) -> bool:
        return number in self._disputed

    def is_seen(self, number: int) -> bool:
        """Whether the row was on the screen when a decision was taken on it."""
        identifier = self.rows.id(number)
        return any(fold.is_seen(identifier) for fold in self._folds.values())

    def tags(self, number: int) -> frozenset[str]:
        return self._state(number).tags

    def note(self, number: int) -> str:
        """What a person wrote about a row."""
        return self._state(number).note

    @property
    def heldout(self) -> frozenset[int]:
        """The row numbers of the held-out set."""
        return frozenset(self._heldout)

    @property
    def training(self) -> list[int]:
        """The row numbers outside the held-out set, ascending."""
        return [number for number in range(len(self.rows)) if number not in self._heldout]

    # -- what the scan found

    def scan_key(self) -> str:
        """What findings depend on: the rows, how they are read, and what is held out."""
        digest = blake2b(digest_size=16)
        digest.update(f"{SCAN_VERSION} {len(self.rows)} {self.mapping.describe()} {sorted(self._heldout)}".encode())
        digest.update(self.rows.fingerprint())
        return digest.hexdigest()

    def save_findings(self, findings: Findings) -> None:
        """Keep the findings beside the rows; they are a cache and may be deleted."""
        head = json.dumps({"v": SCAN_VERSION, "key": self.scan_key(), "at": now()})
        write_atomic(self.folder / "scan.jsonl", head.encode("ascii") + b"\n" + findings_to_json(findings) + b"\n")
        self._take_findings(findings)

    def reload_findings(self) -> bool:
        """Read the findings from disk; False where there are none that fit these rows."""
        try:
            head, _, body = (self.folder / "scan.jsonl").read_bytes().partition(b"\n")
            fits = json.loads(head).get("key") == self.scan_key()
            findings = findings_from_json(body) if fits else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Missing or damaged: it is a cache, a new scan makes it again.
            findings = None
        self._take_findings(findings)
        return findings is not None

    def _take_findings(self, findings: Findings | None) -> None:
        clusters_by_row: dict[int, list[Cluster]] = {}
        flags_by_row: dict[int, list[Flag]] = {}
        for cluster in findings.clusters if findings else ():
            for row in cluster.rows:
                clusters_by_row.setdefault(row, []).append(cluster)
        for flag in findings.flags if findings else ():
            flags_by_row.setdefault(flag.row, []).append(flag)
        self.findings = findings
        self._clusters_by_row = {row: tuple(clusters) for row, clusters in clusters_by_row.items()}
        self._flags_by_row = {row: tuple(flags) for row, flags in flags_by_row.items()}
        self._clusters_by_id = {cluster.id: cluster for cluster in findings.clusters} if findings else {}
        self._leaking = frozenset(leak.row for leak in findings.leaks) if findings else frozenset()

    def clusters_of(self, number: int) -> tuple[Cluster, ...]:
        return self._clusters_by_row.get(number, ())

    def flags_of(self, number: int) -> tuple[Flag, ...]:
        return self._flags_by_row.get(number, ())

    def bucket(self, number: int) -> str:
        return self.findings.buckets[number] if self.findings is not None else ""

    def is_leaking(self, number: int) -> bool:
        """Whether a training row is a twin of a held-out one."""
        return number in self._leaking and number not in self._heldout

    def cluster(self, identifier: str) -> Cluster:
        """The cluster with this id or unique beginning of an id. Raises ProjectError."""
        found = self._clusters_by_id.get(identifier)
        if found is not None:
            return found
        near = [cluster for key, cluster in self._clusters_by_id.items() if key.startswith(identifier)]
        if len(near) != 1:
            how = "more than one cluster" if near else "no cluster"
            raise ProjectError(f"{how} has the id {identifier!r}", "", "the list shows the ids")
        return near[0]

    # -- deciding

    def decide(self, acts: Sequence[Act], *, seen: Iterable[str] = (), why: str = "") -> int:
        """Write one journal line that does all of `acts`, synced; the number of the line.

        One line is one undo. Raises ProjectError where nothing could be written; the state is then as before.
        """
        fold = self._own_fold()
        line = journal_line(fold.last_number + 1, self.reviewer, acts, seen, why)
        return self._write(line)

    def undo(self) -> str | None:
        """Take the last act of this reviewer back; the act in words, or None where there is none."""
        fold = self._with_history()
        number = fold.undo_number()
        if number is None:
            return None
        sentence = fold.describe(number)
        self._write(self._bare_line(fold) | {"undo": number})
        return sentence

    def redo(self) -> str | None:
        """Do the last undone act again; the act in words, or None where there is none."""
        fold = self._with_history()
        number = fold.redo_number()
        if number is None:
            return None
        sentence = fold.describe(number)
        self._write(self._bare_line(fold) | {"redo": number})
        return sentence

    def _own_fold(self) -> Fold:
        if self._writer is None or self._own_path is None:
            raise ProjectError(
                "this window only reads",
                self.readonly_reason,
                "close the other window, or name yourself with --as NAME",
            )
        return self._folds[self._own_path]

    def _bare_line(self, fold: Fold) -> dict[str, Any]:
        return {"v": 1, "n": fold.last_number + 1, "at": now(), "by": self.reviewer}

    def _write(self, line: dict[str, Any]) -> int:
        fold = self._own_fold()
        assert self._writer is not None
        try:
            self._writer.append(line)
        except LockedError as error:
            self._writer.close()
            self._writer = None
            self.readonly_reason = error.title
            raise
        self._lines_replayed += 1
        self._refresh(fold.apply(line))
        return int(line["n"])

    def _refresh(self, identifiers: Iterable[str]) -> None:
        """Bring the per-row state of these ids up to what the folds say."""
        folds = list(self._folds.values())
        for identifier in identifiers:
            number = self.rows.number(identifier)
            if number is None:
                continue
            states = [state for fold in folds if (state := fold.state(identifier)) is not None]
            state, disputed = _combined(states)
            self._codes[number] = CODE[state.verdict]
            _mark(self._edited, number, state.edited is not None)
            _mark(self._disputed, number, disputed)
            _mark(self._heldout, number, any(identifier in fold.heldout for fold in folds))

    # -- counting

    def relations(self) -> list[Act]:
        """The standing `not_duplicates`, `fine_together` and `split` acts."""
        return [
            act
            for fold in self._folds.values()
            for acts in fold.relations.values()
            for act in acts
            if act.do in RELATION_ACTS
        ]

    def is_open(self, cluster: Cluster) -> bool:
        """Whether a cluster still asks for a decision: some member is undecided and nothing said it is fine."""
        if all(self._codes[row] for row in cluster.rows):
            return False
        relations = self.relations()
        if not relations:
            return True
        identifiers = {self.rows.id(row) for row in cluster.rows}
        return not any(identifiers <= set(act.ids) for act in relations if act.do != "split")

    def seen_decided(self) -> set[int]:
        """The accepted and rejected rows that were on the screen when something was decided, as against in bulk."""
        seen: set[int] = set()
        for fold in self._folds.values():
            if isinstance(fold.base, Columns):
                seen.update(number for number, mark in enumerate(fold.base.seen) if mark)
            seen.update(number for identifier in fold.seen if (number := self.rows.number(identifier)) is not None)
        decided = (CODE["accepted"], CODE["rejected"])
        return {number for number in seen if self._codes[number] in decided}

    def unknown_ids(self) -> int:
        """How many ids the journals speak of that no row here has: vanished rows, or rows of another copy."""
        spoken = {key for fold in self._folds.values() for key in fold.changed}
        missing = {key for key in spoken if self.rows.number(key) is None}
        for fold in self._folds.values():
            if isinstance(fold.base, Columns):
                missing |= fold.base.vanished.keys()
        return len(missing)

    def verdicts_by_reviewer(self) -> dict[str, dict[str, str]]:
        """Reviewer -> id -> accepted or rejected, as each of them left it; what agreement is measured on."""
        verdicts: dict[str, dict[str, str]] = {}
        for fold in self._folds.values():
            keys = set(fold.changed) | set(fold.base.ids() if fold.base is not None else ())
            for key in keys:
                state = fold.state(key)
                if state is not None:
                    own = state.before_settling or state.verdict
                    if own in ("accepted", "rejected"):
                        verdicts.setdefault(state.by, {})[key] = own
        return verdicts

    def agreement(self) -> dict[str, Any] | None:
        """Cohen's kappa of the reviewers, or None where no row was decided by two."""
        return agreement(self.verdicts_by_reviewer()) if len(self._folds) > 1 else None

    def changed_from(self, number: int) -> str | None:
        """The id of the row that this one is a new version of, or None."""
        identifier = self.rows.id(number)
        for fold in self._folds.values():
            for acts in fold.relations.values():
                for act in acts:
                    if identifier in act.extra.get("changed", {}):
                        return str(act.extra["changed"][identifier])
        return None

    def counts(self) -> dict[str, Any]:
        """What `tamis status --json` prints."""
        by_verdict = {verdict: self._codes.count(code) for verdict, code in CODE.items()}
        open_clusters = [
            cluster for cluster in (self.findings.clusters if self.findings else ()) if self.is_open(cluster)
        ]
        return {
            "rows": len(self.rows),
            "accepted": by_verdict["accepted"],
            "edited": sum(1 for number in self._edited if self._codes[number] == CODE["accepted"]),
            "rejected": by_verdict["rejected"],
            "skipped": by_verdict["skipped"],
            "undecided": by_verdict["undecided"],
            "disputed": len(self._disputed),
            "heldout": len(self._heldout),
            "seen": len(self.seen_decided()),
            "clusters_open": sum(1 for cluster in open_clusters if cluster.kind in SETTLED_KINDS),
            "conflicts_open": sum(1 for cluster in open_clusters if cluster.kind == "conflict"),
            "quarantined": sum(source.quarantined for source in self.settings.sources),
            "agreement": self.agreement(),
            "reviewers": sorted({name for fold in self._folds.values() for name in fold.reviewers if name}),
        }

    def journal_files(self) -> list[Path]:
        """The journal files that are folded in, by name."""
        return sorted(path for path in self._folds if path.exists())


def _mark(numbers: set[int], number: int, belongs: bool) -> None:
    (numbers.add if belongs else numbers.discard)(number)


def _combined(states: list[RowState]) -> tuple[RowState, bool]:
    """(what several journals say together, whether they differ).

    A settled state outweighs all, the latest settled one first; a decided one outweighs an undecided one.
    """
    settled = [state for state in states if state.settled]
    if settled:
        return max(settled, key=lambda state: state.at), False
    decided = [state for state in states if state.verdict in ("accepted", "rejected")]
    if len(decided) > 1:
        first = decided[0]
        if any(state.verdict != first.verdict or state.edited != first.edited for state in decided[1:]):
            return RowState(by=", ".join(sorted({state.by for state in decided})), why="reviewers differ"), True
    if decided:
        return decided[0], False
    return (states[-1], False) if states else (BLANK, False)


def open_project(
    path: Path | str, *, reviewer: str | None = None, readonly: bool = False, take_over: bool = False
) -> Project:
    """Open a project folder.

    With a `reviewer` this process becomes the writer of that reviewer's journal; where another process is, or without
    a reviewer, the project opens read-only and `readonly_reason` says why; with `take_over` the other window becomes
    the one that only reads. Raises ProjectError.
    """
    return Project(Path(path), reviewer, readonly, take_over)
