"""One journal file: what its lines look like, and how they are read.

Append-only, a line an act, synced before the caller hears that it is done. It is the work; everything else in a project
can be made again. Lines are numbered (`n`) and folded in that order; each names the hash of the line before it
(`prev`) and ends with a checksum of itself (`sum`), where it was not written by an earlier version.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.errors import ProjectError
from engine.model import Act
from engine.project.line_checks import VERSION, check_line, is_number, unknown
from engine.project.line_sums import LENGTH, changed, ends_with_prev, has_sum, sum_fits
from engine.project.side_files import SideFileAway, bring_ids
from engine.project.waiting_lines import set_waiting

MOST_TOLD = 50
"""So many lines of a journal are named one by one."""
_OWN_KEYS = frozenset({"do", "ids", "edited"})

# -- an act and a line as JSON


def act_to_json(act: Act) -> dict[str, Any]:
    """The contract's form of one act."""
    plain: dict[str, Any] = {"do": act.do, "ids": list(act.ids)}
    if act.edited:
        plain["edited"] = {identifier: dict(row) for identifier, row in act.edited.items()}
    return plain | dict(act.extra)


def act_from_json(plain: dict[str, Any]) -> Act:
    """The other way; keys that this version does not know stay in `extra`."""
    extra = {key: value for key, value in plain.items() if key not in _OWN_KEYS}
    return Act(str(plain["do"]), tuple(plain.get("ids", ())), plain.get("edited", {}), extra)


def now() -> str:
    """The time as RFC 3339 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def journal_line(number: int, by: str, acts: Iterable[Act], seen: Iterable[str], why: str) -> dict[str, Any]:
    """A line that does something."""
    line: dict[str, Any] = {"v": VERSION, "n": number, "at": now(), "by": by}
    line["acts"] = [act_to_json(act) for act in acts]
    line["seen"] = list(seen)
    return line | ({"why": why} if why else {})


# -- reading

_decode = json.JSONDecoder().raw_decode
# A link that leads nowhere, or back to itself.
NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class End:
    """How far a journal was read: behind so many bytes and lines; `last_hash` is that of the last line."""

    size: int = 0
    lines: int = 0
    last_hash: str = ""


NOTHING_READ = End()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that cannot be folded: `place` is its 1-based line in the file. `is_away`: its side file is missing or
    another, and may come back."""

    place: int
    reason: str
    is_away: bool = False


@dataclass(slots=True)
class JournalPart:
    """The whole lines of a journal from some byte on, in order of `n`, and the `places` in the file of each.

    `torn` is what stands behind the last line feed: it was never acknowledged. `highest` is the highest number of all
    lines that can be read as JSON, those left out as well: it is given to no other line. `not_applied` are sentences
    about acts of a later version, `remarks` about lines that count all the same.
    """

    name: str
    end: End
    lines: list[dict[str, Any]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    not_applied: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    torn: bytes = b""
    highest: int = 0

    @property
    def complaints(self) -> list[str]:
        """What could not be read, in sentences."""
        return [unread(self.name, one) for one in self.left_out]


def unread(name: str, line: LeftOut) -> str:
    """A line that was left out, in a sentence."""
    return f"{name}: line {line.place} cannot be read ({line.reason}); it was left out"


def without_sum(name: str, places: Sequence[int]) -> str:
    """Lines that lost their checksum, in a sentence: lines before them have one, and no earlier version wrote them."""
    more = f" (and {len(places) - 1:,} behind it)" if len(places) > 1 else ""
    return (
        f"{name}: line {places[0]}{more} has no checksum where lines before it have one: it was changed, or another "
        "program wrote it; it counts"
    )


def hash_of(line: bytes) -> str:
    """What the next line says of this one in `prev`: 16 hex of BLAKE2b of its bytes, without the line feed."""
    return blake2b(line, digest_size=8).hexdigest()


def journal_paths(decisions: Path) -> tuple[list[Path], list[str]]:
    """(the journals of a project by name, sentences about what has the name of one and is no file)."""
    try:
        names = sorted(name for name in os.listdir(decisions) if name.endswith(".jsonl"))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise ProjectError(f"{decisions}: cannot be read", error.strerror or "", "check its permissions") from error
    found, notes = [], []
    for path in (decisions / name for name in names):
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
        except OSError as error:
            if error.errno not in NO_FILE:
                # What the disk does not tell of now is no reason to go on without it.
                raise ProjectError(f"{path}: cannot be read", error.strerror or "", "see to the disk") from error
            is_file = False
        if is_file:
            found.append(path)
        else:
            notes.append(f"{path.name}: is no file; it was left out")
    return found, notes


def read_lines(path: Path, upto: int | None = None) -> tuple[list[dict[str, Any]], list[str], bytes]:
    """(lines, complaints, torn tail) of a journal file, up to byte `upto`; see `read_journal`."""
    part = read_journal(path, upto=upto)
    return part.lines, part.complaints, part.torn


def read_journal(
    path: Path, start: End = NOTHING_READ, upto: int | None = None, waiting: Container[str] = ()
) -> JournalPart:
    """What a journal file says from `start` on (up to byte `upto`). Raises ProjectError where it cannot be read.

    A line that cannot be folded is named in `left_out` and stays in the file. Of lines whose hashes are `waiting` some
    acts do not count (`waiting_lines.py`). A missing file is an empty one.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, start.size - LENGTH - 1))
            before = stream.read(start.size - stream.tell())
            content = stream.read() if upto is None else stream.read(upto - start.size)
    except FileNotFoundError:
        return JournalPart(path.name, start)
    except OSError as error:
        raise ProjectError(
            f"{path}: the journal cannot be read", error.strerror or "", "check its permissions"
        ) from error
    is_summed = has_sum(before.rstrip(b"\n"))
    return parse_journal(path.name, content, (path.parent,), start, waiting, behind_sum=is_summed)


def parse_journal(
    name: str,
    content: bytes,
    side_folders: Sequence[Path],
    start: End = NOTHING_READ,
    waiting: Container[str] = (),
    *,
    behind_sum: bool = False,
) -> JournalPart:
    """What these bytes of the journal `name` say; its side files are looked for in `side_folders`. `behind_sum`: the
    line before them has a checksum.

    A line whose checksum does not fit is left out: what it says is not what was written.
    """
    whole, line_feed, torn = content.rpartition(b"\n")
    texts = whole.split(b"\n") if line_feed else []
    last_hash = hash_of(texts[-1]) if texts else start.last_hash
    part = JournalPart(name, End(start.size + len(content) - len(torn), start.lines + len(texts), last_hash), torn=torn)
    before: bytes | None = None
    odd: list[tuple[int, dict[str, Any]]] = []
    bare: list[int] = []
    number = 0
    ascending, is_changed = True, False
    for place, text in enumerate(texts, start=start.lines + 1):
        line: Any = None
        follows_changed, is_changed = is_changed, False
        try:
            if is_summed := sum_fits(text):
                behind_sum = True
            elif has_sum(text):
                is_changed = True
                raise ValueError(changed(text))
            line = _parsed(text)
            if check_line(line):
                odd.append((place, line))
            if b"ids_file" in text:
                for act in line.get("acts", ()):
                    if "ids_file" in act:
                        bring_ids(side_folders, act)
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
            part.left_out.append(LeftOut(place, reason, isinstance(error, SideFileAway)))
        else:
            if waiting and (line_hash := hash_of(text)) in waiting:
                set_waiting(line, line_hash)
            part.lines.append(line)
            part.places.append(place)
            ascending = ascending and line["n"] > number
            number = line["n"]
        if isinstance(line, dict):
            follows = line.get("prev") == (start.last_hash if before is None else hash_of(before))
            # Behind a line that was changed no hash fits.
            if "prev" in line and not follows and not follows_changed:
                part.remarks.append(
                    f"{name}: line {place} does not follow the line before it: lines were changed, lost or put between"
                )
            # Lines written by hand name no line before them; those of earlier versions end with that.
            is_bare = behind_sum and not is_summed and "prev" in line and not ends_with_prev(text)
            if is_bare and part.places[-1:] == [place]:
                bare.append(place)
            if is_number(line.get("n")) and line["n"] > part.highest:
                part.highest = line["n"]
        elif is_changed:
            # Which number it had is not known: the one that was due is given to no other.
            part.highest += 1
        before = text
    if bare:
        part.remarks.append(without_sum(name, bare))
    part.not_applied = [
        f"{name}: line {place}: {words} is not known to this version; it stays in the file and was not applied"
        for place, line in odd
        for words in unknown(line)
    ]
    if not ascending:
        _put_in_order(part)
    return part


def _put_in_order(part: JournalPart) -> None:
    """Order lines by number; lines that share one (earlier versions wrote such) stay in the order of the file."""
    order = sorted(range(len(part.lines)), key=lambda place: part.lines[place]["n"])
    part.lines = [part.lines[place] for place in order]
    part.places = [part.places[place] for place in order]
    numbered = list(zip(part.places, part.lines, strict=True))
    for (earlier, line), (later, again) in pairwise(numbered):
        if line["n"] == again["n"]:
            part.remarks.append(
                f"{part.name}: line {later} has the number {line['n']} of line {earlier} again; both count"
            )


def _parsed(text: bytes) -> Any:
    """What a line says, as `json.loads` reads it. Raises ValueError, RecursionError."""
    try:
        plain = text.decode("utf-8")
        line, end = _decode(plain)
    except ValueError:
        return json.loads(text)
    # Blanks around the object, or something behind it: told, or passed over, by the slower way.
    return line if end == len(plain) else json.loads(text)


def standing_lines(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The lines of one journal that act and were not taken back. Of lines that share a number the latest is meant."""
    acts: list[Mapping[str, Any]] = []
    standing: dict[int, list[int]] = {}
    undone: dict[int, list[int]] = {}
    for line in lines:
        if "undo" in line:
            _move(line["undo"], standing, undone)
        elif "redo" in line:
            _move(line["redo"], undone, standing)
        else:
            standing.setdefault(line["n"], []).append(len(acts))
            acts.append(line)
    return [acts[place] for place in sorted(place for places in standing.values() for place in places)]


def _move(number: int, source: dict[int, list[int]], target: dict[int, list[int]]) -> None:
    if source.get(number):
        target.setdefault(number, []).append(source[number].pop())
