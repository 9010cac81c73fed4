"""How far the journals of a project were seen to go: by the window that was closed last, by a snapshot, by a run.

A journal that was cut exactly at the end of a line, or is gone, looks whole. Only who saw more of it can tell.
`journals.json` in the project folder holds what a window that writes saw last; it and the snapshot are asked at every
opening, the manifests of runs by `tamis check`. What was told is forgotten when a window that writes is closed: the
person was told, and has gone on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.project.journal import End, hash_of, journal_paths
from engine.project.line_sums import sum_fits, with_sum
from engine.project.waiting_lines import FILE as WAITING
from engine.small_files import read_cache, read_cached_json

FILE = "journals.json"
LAST_SEEN = "when the project was last left"
MANIFEST = "tamis-manifest.json"
MOST_BYTES = 64 << 20
PEEK_BYTES = 1 << 12
UNASKED = "acts that were merged may count without your yes; merge that copy again into a fresh one"


@dataclass(frozen=True, slots=True)
class Seen:
    """A journal by name as it was seen before; `when` in words that end a sentence."""

    name: str
    end: End
    when: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What a journal had when it was seen and has no more, in a sentence. `is_gone`: lines are missing at its end, or
    all of it; else the line that was its last is another now."""

    name: str
    sentence: str
    is_gone: bool


def end_to_json(end: End) -> dict[str, Any]:
    """An end as manifests and `journals.json` hold it."""
    return {"size": end.size, "lines": end.lines, "last_hash": end.last_hash}


def seen_in(plain: object, when: str) -> list[Seen]:
    """What a table of ends by the name of the journal says; what is no such entry is passed over."""
    found: list[Seen] = []
    for name, entry in plain.items() if isinstance(plain, dict) else ():
        if isinstance(entry, dict) and isinstance(name, str) and os.path.basename(name) == name:
            size, lines, last = entry.get("size"), entry.get("lines"), entry.get("last_hash")
            if isinstance(size, int) and isinstance(lines, int) and isinstance(last, str) and min(size, lines) > 0:
                found.append(Seen(name, End(size, lines, last), when))
    return found


def seen_last(folder: Path) -> list[Seen]:
    """What the window that was closed last saw of the journals; nothing where nobody wrote it or it is damaged."""
    content = read_cache(folder / FILE, most=MOST_BYTES) or b""
    if not sum_fits(content):
        return []
    try:
        return seen_in(json.loads(content)["journals"], LAST_SEEN)
    except (ValueError, RecursionError, KeyError, TypeError):
        return []


def keep_seen(folder: Path, ends: Mapping[str, End], told: Iterable[str]) -> None:
    """Remember how far the journals go; one that was seen to go further, and does still, stays so, unless what it lost
    was `told`. A folder that cannot be written is no reason to stop."""
    before, forgotten = {one.name: one.end for one in seen_last(folder)}, set(told)
    now = {name: end for name, end in ends.items() if end.size}
    for name, end in before.items():
        if name not in forgotten and end.size > now.get(name, End()).size:
            now[name] = end
    if now != before:
        plain = {"v": 1, "journals": {name: end_to_json(end) for name, end in sorted(now.items())}}
        with suppress(ProjectError):
            write_atomic(folder / FILE, with_sum(json.dumps(plain, separators=(",", ":")).encode("ascii")))


def waiting_end(decisions: Path) -> dict[str, End]:
    """How far the file goes that names what waits for a yes, to be kept as that of a journal: where it is cut or gone,
    what it named would count."""
    content = read_cache(decisions / WAITING) or b""
    last = content[:-1].rpartition(b"\n")[2]
    return {WAITING: End(len(content), content.count(b"\n"), hash_of(last))} if content else {}


def seen_by_runs(folder: Path) -> list[Seen]:
    """What the manifests of a project's runs saw of its journals; those of earlier versions hold no ends."""
    found: list[Seen] = []
    with suppress(OSError):
        for run in sorted(os.listdir(folder / "runs")):
            manifest = read_cached_json(folder / "runs" / run / MANIFEST, most=MOST_BYTES)
            found += seen_in(manifest.get("journal_ends"), f"when the run {run} was started")
    return found


def losses(decisions: Path, seen: Iterable[Seen]) -> list[Loss]:
    """What the journals have no more of what was seen of them, for each journal by who saw most. Raises ProjectError
    where one of them cannot be read."""
    found: dict[str, Loss] = {}
    for one in sorted(seen, key=lambda one: (one.name, one.end.size)):
        try:
            loss = _loss(decisions, one)
        except OSError as error:
            raise ProjectError(
                f"{decisions / one.name}: cannot be read", error.strerror or "", "check its permissions"
            ) from error
        if loss is not None and one.name == WAITING:
            found[one.name] = replace(loss, sentence=f"{loss.sentence}: {UNASKED}")
        elif loss is not None:
            found[one.name] = loss
    return list(found.values())


def _loss(decisions: Path, seen: Seen) -> Loss | None:
    name, end = seen.name, seen.end
    lines = f"{end.lines:,} line{'' if end.lines == 1 else 's'}"
    journals = journal_paths(decisions)[0]
    if decisions / name not in journals and not (name == WAITING and (decisions / name).is_file()):
        # A merge takes away a branch whose lines stand in a longer one.
        if any(_goes_so_far(path, end) for path in journals):
            return None
        return Loss(name, f"{name}: is not there; it had {lines} {seen.when}", is_gone=True)
    if (decisions / name).stat().st_size < end.size:
        return Loss(name, f"{name}: lines are missing at its end; it had {lines} {seen.when}", is_gone=True)
    if not _goes_so_far(decisions / name, end):
        return Loss(name, f"{name}: line {end.lines} is another than {seen.when}", is_gone=False)
    return None


def _goes_so_far(path: Path, end: End) -> bool:
    """Whether a journal holds, up to there, what ends with the same line."""
    peek = PEEK_BYTES
    with path.open("rb") as stream:
        while True:
            begin = max(0, end.size - peek)
            stream.seek(begin)
            content = stream.read(end.size - begin)
            if len(content) != end.size - begin or not content.endswith(b"\n"):
                return False
            _, line_feed, line = content[:-1].rpartition(b"\n")
            if line_feed or begin == 0:
                return hash_of(line) == end.last_hash
            peek *= 8
