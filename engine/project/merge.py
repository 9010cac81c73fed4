"""Bringing in the journals of another copy of a project. No line of either side is changed or lost.

A journal here that the other copy's goes on from is replaced by the longer one; where the two went different ways, the
other stands here as a branch, `<journal>+<hash>.jsonl`, which a later and longer one replaces in turn.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from engine.errors import LockedError, ProjectError
from engine.files import make_private_folder, write_atomic
from engine.links import check_folder_links
from engine.paths import is_project, real_path
from engine.project.fold import Fold
from engine.project.journal import hash_of, journal_paths, parse_journal
from engine.project.journal_ends import keep_seen, losses, seen_last, waiting_end
from engine.project.line_checks import check_line
from engine.project.merge_commit import clear, commit, finish_merge, fork_place
from engine.project.project import Project, open_project
from engine.project.proposals import bring_proposals
from engine.project.rows import RowStore
from engine.project.settings import read_settings
from engine.project.side_files import content_of, place_for
from engine.project.waiting_lines import FILE as WAITING
from engine.project.waiting_lines import is_basic, with_entries
from engine.project.writer_lock import Ownership, try_lock
from engine.reviewer import file_stem

READ_LOCK_SECONDS = 1.0
LONGEST_NAME = 255
# What a name must leave room for: `.owner`, or the hash of a branch.
ROOM = 10
_BRANCH = re.compile(r"\+[0-9a-f]{8,64}$")
KINDS = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket"}


@dataclass(frozen=True, slots=True)
class Omitted:
    """Something of the other copy that was not brought, or does not count here: what, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """`brought` journals were new here, `grown` ones had more lines there, `parted` ones had gone two ways and stand
    here under a further name; `disputed` rows are decided differently now; `unknown` ids have no row here.

    `left_out` is what of the other copy does not count here. `mapping` says how rows are read now and `heldout` how
    many are held out, where that is not as it was before; else "" and None. `proposals` are lines that came along.
    `waiting` tells the acts of other people that came by this merge or an earlier one and wait for a yes.
    """

    brought: tuple[str, ...]
    grown: tuple[str, ...]
    parted: tuple[str, ...]
    disputed: int
    unknown: int
    left_out: tuple[Omitted, ...] = ()
    mapping: str = ""
    heldout: int | None = None
    proposals: int = 0
    waiting: tuple[str, ...] = ()


def merge(folder: Path, other: Path, reviewer: str = "") -> Merged:
    """Merge the journals of the project `other` into `folder`: all of them or, where it raises or is killed, none.

    How rows are read and which rows are held out, where somebody else than `reviewer` says so in lines that are new
    here, counts only when somebody here says yes (`waiting.py`).

    Raises ProjectError where one of them is no project or `folder` cannot be written, LockedError where a journal to be
    changed is being written here.
    """
    for path in (folder, other):
        if not is_project(path):
            raise ProjectError(f"{path}: is not a tamis project", "", "give two .tamis folders")
    if real_path(folder) == real_path(other) or folder.samefile(other):
        raise ProjectError(f"{folder}: is the same project", "", "give another copy of it")
    decisions = folder / "decisions"
    check_folder_links(other)
    _refuse_strangers(folder, other)
    with _Merge(decisions, reviewer) as work:
        with open_project(folder, readonly=True) as project:
            before = _told(project)
        for journal in _their_journals(other / "decisions"):
            work.take(journal)
        work.left_out += _lost_there(other)
        # What decides nothing first: where the disk is full now, no journal has changed.
        proposals = bring_proposals(folder, other)
        work.write()
        with open_project(folder, readonly=True) as project:
            ends = {path.name: end for path, end in project.journal_ends().items()}
            # What was brought may be cut before any window is closed.
            keep_seen(folder, ends | waiting_end(decisions), ())
            now = _told(project)
            return Merged(
                tuple(work.brought),
                tuple(work.grown),
                tuple(work.parted),
                project.counts()["disputed"],
                project.unknown_ids(),
                tuple(work.left_out),
                now[0] if now[0] != before[0] else "",
                now[1] if now[1] != before[1] else None,
                proposals,
                tuple(one.sentence for one in project.waiting()),
            )


def _lost_there(other: Path) -> list[Omitted]:
    """What was seen of the journals of the other copy when it was left, and is not there. No link is followed."""
    decisions = other / "decisions"
    seen = [one for one in seen_last(other) if one.name != WAITING and not (decisions / one.name).is_symlink()]
    return [Omitted(loss.name, loss.sentence.removeprefix(f"{loss.name}: ")) for loss in losses(decisions, seen)]


def _told(project: Project) -> tuple[str, int]:
    return project.mapping.describe(), len(project.heldout)


def _refuse_strangers(folder: Path, other: Path) -> None:
    # Of the other copy the rows alone are opened: nothing is written there.
    theirs = RowStore(other, read_settings(other).mapping)
    try:
        with open_project(folder, readonly=True) as ours:
            shared = any(ours.rows.number(theirs.id(number)) is not None for number in range(len(theirs)))
    finally:
        theirs.close()
    if not shared:
        raise ProjectError(f"{other}: shares no row with {folder}", "", "is it a copy of the same project?")


def _originals_first(journal: Path) -> tuple[str, bool, str]:
    return _family(journal.stem), _BRANCH.search(journal.stem) is not None, journal.name


def _family(stem: str) -> str:
    """The journal that a branch (and a branch of a branch) is of."""
    while _BRANCH.search(stem):
        stem = _BRANCH.sub("", stem)
    return stem


class _Merge:
    """One merge into a folder of decisions; nobody else merges into it meanwhile, and of the journals to be changed the
    right to write is had."""

    def __init__(self, decisions: Path, reviewer: str) -> None:
        self._decisions = decisions
        self._reviewer = reviewer
        self._waiting: list[tuple[str, int, str]] = []
        self._held: dict[str, Ownership] = {}
        self._exits = ExitStack()
        self._ready: dict[str, bytes] = {}
        self._side_files: dict[Path, bytes] = {}
        self.brought: list[str] = []
        self.grown: list[str] = []
        self.parted: list[str] = []
        self.left_out: list[Omitted] = []

    def __enter__(self) -> _Merge:
        try:
            make_private_folder(self._decisions, exist_ok=True)
        except OSError as error:
            raise ProjectError(
                f"{self._decisions}: cannot be made", error.strerror or "", "check its permissions"
            ) from error
        self._own("merge")
        clear(self._decisions)
        finish_merge(self._decisions)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def _own(self, name: str) -> None:
        if name not in self._held:
            try:
                self._held[name] = Ownership(self._decisions / name)
            except LockedError as error:
                what = "this project is being merged into" if name == "merge" else f"{name} is being written here"
                raise LockedError(what, error.message or error.title, "close that window, then merge again") from error
            except ProjectError as error:
                raise ProjectError(f"{self._decisions}: cannot be written", error.message, error.hint) from error
            self._exits.callback(self._held[name].release)

    def take(self, journal: Path) -> None:
        """Plan what comes of one journal of the other copy."""
        content, reason = read_theirs(journal)
        if reason:
            self.left_out.append(Omitted(journal.name, reason))
            return
        whole = _whole_lines(content)
        if len(whole) != len(content):
            self.left_out.append(Omitted(journal.name, "its last line is not whole"))
        if whole:
            self._take_side_files(journal.parent, whole)
            self._note_lines(journal, whole)
            self._place(journal.stem, whole)

    def _take_side_files(self, theirs: Path, whole: bytes) -> None:
        """Plan to bring the files with the ids of very large acts; those that are nowhere are told with their lines."""
        for name, digest in side_files_of(whole):
            if content_of((self._decisions,), name, digest) is None:
                content = content_of((theirs,), name, digest)
                if content is not None:
                    self._side_files[place_for(self._decisions, name, digest, self._side_files)] = content

    def _note_lines(self, journal: Path, whole: bytes) -> None:
        part = parse_journal(journal.name, whole, (self._decisions, journal.parent))
        # What is odd about lines that count is told when the project is opened.
        part.remarks.clear()
        fold = Fold()
        fold.take(part)
        self.left_out += [Omitted(journal.name, note.removeprefix(f"{journal.name}: ")) for note in fold.notes]

    def _place(self, stem: str, whole: bytes) -> None:
        """Plan where a journal goes: over the one that it goes on from, else to a place of its own."""
        family = _family(stem)
        original = f"{family}.jsonl"
        here = self._members(family)
        if any(content.startswith(whole) for content in here.values()):
            return
        shorter = [name for name, content in here.items() if content and whole.startswith(content)]
        if original in shorter or (stem == family and not here.get(original)):
            target = original
        elif shorter:
            target = max(shorter, key=lambda name: len(here[name]))
        else:
            target = fork_place(self._decisions, family, whole).name
        if target == original and original not in self._held:
            self._own(original)
            # Nobody writes it from now on; somebody may have until now.
            self._place(stem, whole)
            return
        if os.path.lexists(self._decisions / target) and not (self._decisions / target).is_file():
            self.left_out.append(Omitted(target, "something that is no file has this name here"))
            return
        self._ready[target] = whole
        self._note_waiting(target, family, whole, here.values())
        if here.get(target):
            self.grown.append(target)
        else:
            (self.brought if target == original or original not in here else self.parted).append(target)

    def _note_waiting(self, target: str, family: str, whole: bytes, here: Iterable[bytes]) -> None:
        """Note the lines that are new here, of somebody else, and say how rows are read or which are held out."""
        known = {line for content in here for line in content.split(b"\n")}
        is_own = bool(self._reviewer) and family.rpartition("@")[0] == file_stem(self._reviewer)
        for text in whole.split(b"\n"):
            if text in known:
                continue
            with suppress(ValueError, RecursionError):
                line = json.loads(text)
                check_line(line)
                if is_basic(line) and not (is_own and line.get("by") == self._reviewer):
                    self._waiting.append((target, line["n"], hash_of(text)))

    def _members(self, family: str) -> dict[str, bytes]:
        """A journal here and its branches, by name: their whole lines, as they will be."""
        paths, _ = journal_paths(self._decisions)
        found = {path.name: path for path in paths if _family(path.stem) == family}
        here = {name: _whole_lines(path.read_bytes()) for name, path in found.items()}
        return here | {name: content for name, content in self._ready.items() if _family(Path(name).stem) == family}

    def write(self) -> None:
        """Bring what was planned: side files first, then the journals together."""
        for path, content in self._side_files.items():
            write_atomic(path, content)
        for name, ownership in self._held.items():
            if not ownership.is_mine():
                raise LockedError(f"{name} was taken over while it was merged", "", "nothing was changed; merge again")
        families = {_family(Path(name).stem) for name in self._ready}
        if self._ready:
            if self._waiting:
                self._ready[WAITING] = with_entries(self._decisions, self._waiting)
            commit(self._decisions, self._ready)
            self._ready = {}
        for family in families:
            self._drop_contained(family)

    def _drop_contained(self, family: str) -> None:
        """Remove branches all of whose lines stand in a longer one: earlier versions made one at every merge."""
        here = self._members(family)
        for name, content in sorted(here.items(), key=lambda entry: len(entry[1])):
            if name != f"{family}.jsonl" and any(
                other.startswith(content) for another, other in here.items() if another != name
            ):
                (self._decisions / name).unlink(missing_ok=True)
                del here[name]


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def read_theirs(journal: Path) -> tuple[bytes, str]:
    """(the content, "") of a journal of another copy, or (b"", why it is left alone).

    Follows no link, waits for no pipe. Read under its lock where that can be had, so that no line is half there.
    """
    if len(os.fsencode(journal.name)) > LONGEST_NAME - ROOM:
        return b"", "its name is too long"
    try:
        kind = stat.S_IFMT(journal.lstat().st_mode)
        if kind != stat.S_IFREG:
            return b"", f"it is {KINDS.get(kind, 'a device')}, not a file"
        descriptor = os.open(journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            until = time.monotonic() + READ_LOCK_SECONDS
            with suppress(OSError):
                while not try_lock(descriptor, fcntl.LOCK_SH) and time.monotonic() < until:
                    time.sleep(0.005)
            return stream.read(), ""
    except OSError as error:
        return b"", f"it cannot be read ({error.strerror or error})"


def _their_journals(decisions: Path) -> list[Path]:
    """What has the name of a journal in another copy, whatever it is; branches behind what they are of."""
    try:
        names = [name for name in os.listdir(decisions) if name.endswith(".jsonl")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ProjectError(f"{decisions}: cannot be read", error.strerror or "", "check its permissions") from error
    return sorted((decisions / name for name in names), key=_originals_first)


def side_files_of(lines: bytes) -> list[tuple[str, str]]:
    """(name, SHA-256) of every side file that lines of a journal name."""
    found: list[tuple[str, str]] = []
    for text in lines.split(b"\n"):
        if b"ids_file" not in text:
            continue
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            acts = line.get("acts") if isinstance(line, dict) else None
            for act in acts if isinstance(acts, list) else ():
                if isinstance(act, dict) and isinstance(act.get("ids_file"), str):
                    found.append((Path(act["ids_file"]).name, str(act.get("ids_sha256", ""))))
    return found
