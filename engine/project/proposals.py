"""What others propose for rows: verdicts, mended texts and tags that came along with a file, or that a model gives.

`proposals/<author>.jsonl` beside the journals, append-only. A line is `{"v":1,"id","by","ids",…,"why","at"}` with one
of `verdict` (accept, reject, skip), `edited` ({id: the whole row}) and `tag`. Nothing here decides: a person's key
writes a line of the journal that names the proposal; until then no count, export or gate knows of it. Of one author the
last verdict or text on a row stands. Unknown keys stay; a line that cannot be read, or was changed since (it ends with
a checksum, as lines of a journal do), is told, and costs no other.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from engine.errors import ProjectError, UsageError
from engine.model import Row
from engine.nesting import loads_row
from engine.project.journal import now
from engine.project.line_checks import ACT_KEYS
from engine.project.line_sums import has_sum, sum_fits, with_sum
from engine.project.proposal_lines import FOLDER, appending, lines_in, proposal_files
from engine.project.rows import RowStore
from engine.reviewer import file_stem
from engine.sources.verdicts.said import as_tag, cut_why

VERSION = 1
VERDICTS = ("accept", "reject", "skip")
KINDS = (*VERDICTS, "edit", "tag")
_AUTHOR = re.compile(r"(import|model|agent):[^\s\"()]{1,60}")
IDS_A_LINE = 1_000
"""So many rows of which the same is said share a line: a spoilt one costs no more."""
MOST_WAITING = 20_000
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class NewProposal:
    """What an author proposes for the row with this id: one of a verdict, a whole row, and a tag."""

    id: str
    verdict: str = ""
    edited: Row | None = None
    tag: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line of an author. `kind` is its verdict, `edit` or `tag`; an edited row is read when it is asked for."""

    id: str
    by: str
    kind: str
    why: str = ""
    at: str = ""
    tag: str = ""
    place: tuple[Path, int, int] | None = None

    def edited(self, identifier: str) -> Row | None:
        """The row as it is proposed; None where none is, or its line is gone."""
        if self.place is None:
            return None
        path, start, length = self.place
        try:
            with path.open("rb") as stream:
                stream.seek(start)
                row = loads_row(stream.read(length))["edited"][identifier]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return row if isinstance(row, dict) else None


class Judged(Protocol):
    """What of a project says whether a proposal still waits."""

    rows: RowStore

    @property
    def proposals(self) -> Proposals: ...
    @property
    def verdict_codes(self) -> bytearray: ...
    def is_disputed(self, number: int) -> bool: ...
    def tags(self, number: int) -> frozenset[str]: ...
    def declined(self) -> Mapping[str, set[str]]: ...


class Proposals:
    """All proposals of a project by the id of their row. `notes` say what could not be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._by_row: dict[str, tuple[Proposal, ...]] = {}
        self.notes: list[str] = []
        self._numbered: tuple[int, list[tuple[str, int]]] | None = None
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self.follow()

    def of(self, identifier: str) -> tuple[Proposal, ...]:
        """What is proposed for a row, whether it still waits or not."""
        return self._by_row.get(identifier, ())

    @property
    def authors(self) -> list[str]:
        return sorted({one.by for found in self._by_row.values() for one in found})

    def numbered(self, rows: RowStore) -> list[tuple[str, int]]:
        """(id, row number) of the rows here that something is proposed for; looked up once for so many rows."""
        if self._numbered is None or self._numbered[0] != len(rows):
            found = zip(self._by_row, rows.numbers(tuple(self._by_row)), strict=True)
            self._numbered = (len(rows), [(identifier, number) for identifier, number in found if number is not None])
        return self._numbered[1]

    def follow(self) -> bool:
        """Read the files anew where they have changed; whether they have."""
        files, notes = proposal_files(self._folder)
        stamp = tuple((path.name, found.st_size, found.st_mtime_ns) for path, found in files)
        if stamp == self._stamp and notes == [note for note in self.notes if note in notes]:
            return False
        self._stamp, self.notes, self._by_row, self._numbered = stamp, notes, {}, None
        for path, _ in files:
            self._read(path)
        return True

    def _read(self, path: Path) -> None:
        bad: list[str] = []
        try:
            for number, start, line in lines_in(path):
                try:
                    proposal, ids = _parsed(line, path, start)
                except (ValueError, RecursionError) as error:
                    bad.append(f"line {number}: {error}")
                    continue
                for identifier in ids:
                    self._by_row[identifier] = _with(self._by_row.get(identifier, ()), proposal)
        except OSError as error:
            self.notes.append(f"{FOLDER}/{path.name}: cannot be read ({error.strerror or error}); it was left out")
        if bad:
            more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
            self.notes.append(f"{FOLDER}/{path.name}: {bad[0]}{more}; left out, the other proposals stand")


def _with(before: tuple[Proposal, ...], proposal: Proposal) -> tuple[Proposal, ...]:
    """The proposals for a row with one more; it takes the place of the one its author made before."""
    if not before:
        return (proposal,)
    kept = (
        one
        for one in before
        if one.by != proposal.by or (one.kind == "tag") != (proposal.kind == "tag") or one.tag != proposal.tag
    )
    return (*kept, proposal)


def _parsed(text: bytes, path: Path, start: int) -> tuple[Proposal, list[str]]:
    """Raises ValueError with what is wrong with a line."""
    try:
        line = json.loads(text)
    except ValueError as error:
        raise ValueError("no JSON") from error
    if not isinstance(line, dict):
        raise ValueError("no JSON object")
    if has_sum(text) and not sum_fits(text):
        raise ValueError("it was changed after it was written: its checksum does not fit")
    if line.get("v", VERSION) != VERSION:
        raise ValueError(f"a later version of tamis wrote it: v is {str(line['v'])[:20]}")
    for key in ("by", "why", "tag", "verdict", "id", "at"):
        if not isinstance(line.get(key, ""), str):
            raise ValueError(f"{key} is no text")
    ids, edited = line.get("ids"), line.get("edited")
    if not isinstance(ids, list) or not ACT_KEYS["ids"](ids) or not is_author(line.get("by", "")):
        raise ValueError("it names no rows, or no author")
    said = [key for key in ("verdict", "edited", "tag") if line.get(key)]
    if len(said) != 1 or (said == ["verdict"] and line["verdict"] not in VERDICTS):
        raise ValueError("it must say one of verdict, edited and tag")
    if said == ["edited"] and not (ACT_KEYS["edited"](edited) and all(map(line["edited"].__contains__, ids))):
        raise ValueError("edited is not what it should be")
    if said == ["tag"] and as_tag(line["tag"]) != line["tag"]:
        raise ValueError('its tag is not one short word without ( ) " / :')
    kind = line["verdict"] if said == ["verdict"] else "edit" if said == ["edited"] else "tag"
    place = (path, start, len(text)) if kind == "edit" else None
    at, tag = line.get("at", ""), line.get("tag", "")
    # A reason is read beside the row and goes into the journal; a text of megabytes is none.
    why = cut_why(line.get("why", ""))
    return Proposal(line.get("id") or id_of(line), line["by"], kind, why, at, tag, place), ids


def is_author(by: str) -> bool:
    """Whether proposals can have this author: what no terminal shows is no name."""
    return _AUTHOR.fullmatch(by) is not None and by.isprintable()


def id_of(line: Mapping[str, Any]) -> str:
    """16 hex of BLAKE2b over what a line says, the time aside: the same proposal made again has the same id."""
    said = {key: line[key] for key in ("by", "ids", "verdict", "edited", "tag", "why") if line.get(key)}
    return blake2b(json.dumps(said, sort_keys=True).encode("ascii"), digest_size=8).hexdigest()


# -- what waits


def waiting(project: Judged, number: int) -> tuple[Proposal, ...]:
    """What is proposed for a row and waits for a person's word: nobody has decided the row or declined the proposal."""
    if project.verdict_codes[number] or project.is_disputed(number):
        return ()
    identifier = project.rows.id(number)
    return _unanswered(project, number, identifier, project.proposals.of(identifier))


def _unanswered(project: Judged, number: int, identifier: str, found: tuple[Proposal, ...]) -> tuple[Proposal, ...]:
    declined = project.declined().get(identifier, ()) if found else ()
    tags = project.tags(number) if any(one.tag for one in found) else ()
    return tuple(one for one in found if one.id not in declined and one.tag not in tags) if declined or tags else found


def waiting_rows(project: Judged) -> Iterator[tuple[int, tuple[Proposal, ...]]]:
    """The rows for which anything waits, and what."""
    codes, disputed, of = project.verdict_codes, project.is_disputed, project.proposals.of
    for identifier, number in project.proposals.numbered(project.rows):
        if not codes[number] and not disputed(number) and (found := of(identifier)):
            found = _unanswered(project, number, identifier, found)
            if found:
                yield number, found


# -- proposing


def add_proposals(folder: Path, by: str, proposed: Iterable[NewProposal], *, source: str = "") -> int:
    """Write what `by` proposes, synced; how many rows it is about. What the same author has proposed already for a row
    is not written again. `source` is where it came from.

    Raises UsageError for a name that no author can have or a proposal that says nothing, ProjectError where nothing can
    be written.
    """
    if not is_author(by):
        raise UsageError(f"{by!r} is no author of proposals", "", "import:NAME, model:NAME or agent:NAME")
    path = folder / FOLDER / f"{file_stem(by)}.jsonl"
    rows: set[str] = set()
    with appending(path) as append:
        known = Proposals(folder)
        chunk: list[bytes] = []
        size = 0
        for line in _lines(by, proposed, known, source):
            rows.update(line["ids"])
            text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
            try:
                chunk.append(with_sum(text.encode("utf-8")))
            except UnicodeEncodeError:
                # A lone surrogate from the data has no UTF-8; its JSON escape does.
                chunk.append(with_sum(json.dumps(line, separators=(",", ":")).encode("ascii")))
            size += len(chunk[-1])
            if size > CHUNK_BYTES:
                append(chunk)
                chunk, size = [], 0
        append(chunk)
    return len(rows)


def _lines(by: str, proposed: Iterable[NewProposal], known: Proposals, source: str) -> Iterator[dict[str, Any]]:
    """One line for rows of which the same is said, one for each edited row."""
    gathered: dict[tuple[str, str, str], list[str]] = {}
    held = 0
    for one in proposed:
        if (one.edited is not None) + bool(one.verdict) + bool(one.tag) != 1 or one.verdict not in ("", *VERDICTS):
            raise UsageError("a proposal must say one of verdict, edited and tag", "", "verdicts: accept, reject, skip")
        if as_tag(one.tag) != one.tag:
            raise UsageError(f"{one.tag[:40]!r} cannot be a tag", "", 'a tag is one short word without ( ) " / :')
        here = [other for other in known.of(one.id) if other.by == by]
        if one.edited is not None:
            line = _line(by, [one.id], {"edited": {one.id: dict(one.edited)}}, one.why, source)
            if all(other.id != line["id"] for other in here):
                yield line
            continue
        if any((other.kind, other.tag, other.why) == (one.verdict or "tag", one.tag, one.why) for other in here):
            continue
        key = (one.verdict, one.tag, one.why)
        gathered.setdefault(key, []).append(one.id)
        held += 1
        if len(gathered[key]) >= IDS_A_LINE or held >= MOST_WAITING:
            full = [key] if len(gathered[key]) >= IDS_A_LINE else list(gathered)
            for one_key in full:
                held -= len(gathered[one_key])
                yield _verdict_line(by, one_key, gathered.pop(one_key), source)
    for key, ids in gathered.items():
        yield _verdict_line(by, key, ids, source)


def _verdict_line(by: str, key: tuple[str, str, str], ids: list[str], source: str) -> dict[str, Any]:
    verdict, tag, why = key
    return _line(by, ids, {"verdict": verdict} if verdict else {"tag": tag}, why, source)


def _line(by: str, ids: list[str], said: dict[str, Any], why: str, source: str) -> dict[str, Any]:
    line = {"v": VERSION, "by": by, "ids": ids, **said, "why": why}
    return {"v": VERSION, "id": id_of(line), **line, "at": now()} | ({"file": source} if source else {})


# -- another copy of the project


def bring_proposals(folder: Path, other: Path) -> int:
    """Add the proposals of another copy that are not here; how many lines. Raises ProjectError."""
    brought = 0
    for path, _ in proposal_files(other / FOLDER, follow_links=False)[0]:
        target = folder / FOLDER / path.name
        with appending(target) as append:
            # Each as often as it stands there: what is said again after something else is what stands in the end.
            here = Counter(map(_digest, _whole_lines(target)))
            fresh = []
            for line in _whole_lines(path):
                here[digest := _digest(line)] -= 1
                if here[digest] < 0:
                    fresh.append(line)
            append(fresh)
            brought += len(fresh)
    return brought


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        for _, start, line in lines_in(path):
            try:
                _parsed(line, path, start)
                yield line
            except (ValueError, RecursionError):
                # What cannot be read here stays where it is.
                continue
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read", error.strerror or "", "check its permissions") from error
