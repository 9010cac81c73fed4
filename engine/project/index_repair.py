"""Making `rows.idx` again from `rows.jsonl`, where it was damaged or lost.

Where each row begins and what its id is a hash of stands in the rows themselves. Which line of its source a row was
does not: it is taken from the damaged index where its own check then fits, else from the source, read once more. Either
also proves that the rows are those of before. Where neither can be had, the index is made all the same if every row
that a journal speaks of is there, and it is told that rows which were damaged as well would have other ids now.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from engine.errors import ProjectError, SourceError
from engine.files import write_atomic
from engine.project.journal import journal_paths, read_journal
from engine.project.row_change import INTENT_FILE, next_name
from engine.project.row_ids import content_hash, split_id
from engine.project.row_lock import locked_rows
from engine.project.rows import CHECK_BYTES, HEAD_BYTES, INDEX_FILE, ROWS_FILE, index_bytes
from engine.project.settings import ProjectSettings, SourceFile
from engine.project.source_files import source_now
from engine.small_files import read_cache
from engine.sources.files.pieces import SourceRow
from engine.sources.records.read import read_source

Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 2000
MAKING = "its index is made again"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The columns of an index, and what proves that they are those of before: '' where nothing does."""

    starts: array[int]
    hashes: array[int]
    lines: array[int]
    sums: array[int] | None
    proof: str


def rebuild_index(folder: Path, settings: ProjectSettings, progress: Progress | None = None) -> Rebuilt:
    """What the index must say. Raises ProjectError where it cannot be told, with the reason; nothing is written."""
    if any((folder / name).exists() for name in (INTENT_FILE, next_name(INDEX_FILE))):
        raise ProjectError("an addition of rows was cut off", "", "restore the folder from a copy")
    count = sum(source.rows for source in settings.sources)
    starts, hashes, sums = _columns_of_rows(folder, count, progress)
    known = read_cache(folder / INDEX_FILE) or b""
    # How long it is says of which version it was.
    kept = sums if (lines := _lines_in(known, count, 4)) is not None else None
    lines = lines if lines is not None else _lines_in(known, count, 3)
    if lines is not None:
        whole = index_bytes(starts, hashes, lines, kept)
        if whole[-CHECK_BYTES:] == known[-CHECK_BYTES:]:
            return Rebuilt(starts, hashes, lines, kept, "its own check fits again")
    found = _lines_of_sources(folder, settings, starts, progress)
    if found is not None:
        return Rebuilt(starts, hashes, found, sums, "the source has the very rows")
    unknown = _unknown_ids(folder, set(hashes))
    if unknown:
        raise ProjectError(
            f"{unknown:,} rows that the journals speak of would not be found", "", "restore the folder from a copy"
        )
    return Rebuilt(starts, hashes, lines if lines is not None else _by_place(settings), sums, "")


def put_in_place(folder: Path, rebuilt: Rebuilt) -> None:
    """Write the index. Raises ProjectError, LockedError where another process changes the rows."""
    with locked_rows(folder, MAKING, patience=0):
        content = index_bytes(rebuilt.starts, rebuilt.hashes, rebuilt.lines, rebuilt.sums)
        write_atomic(folder / INDEX_FILE, content)


def _columns_of_rows(folder: Path, count: int, progress: Progress | None) -> tuple[array[int], array[int], array[int]]:
    """(where each row starts and the last one ends, what its id is a hash of, the checksum of its bytes) of the first
    `count` lines."""
    starts, hashes, sums = array("Q", [0]), array("Q"), array("I")
    path = folder / ROWS_FILE
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ProjectError(f"{ROWS_FILE} is no file", "", "restore the folder from a copy")
    try:
        with path.open("rb") as stream:
            for line in stream:
                if len(hashes) == count:
                    break
                try:
                    row = json.loads(line)
                    if not line.endswith(b"\n") or not isinstance(row, dict):
                        raise ValueError
                    hashes.append(content_hash(row))
                except (ValueError, RecursionError) as error:
                    raise ProjectError(
                        f"row {len(hashes)} of {ROWS_FILE} cannot be read", "", "restore the folder from a copy"
                    ) from error
                starts.append(starts[-1] + len(line))
                sums.append(crc32(memoryview(line)[:-1]))
                if progress is not None and len(hashes) % PROGRESS_EVERY == 0:
                    progress("reading rows", len(hashes), count)
    except OSError as error:
        raise ProjectError(f"{ROWS_FILE} cannot be read", error.strerror or "", "see to the disk") from error
    if len(hashes) < count:
        what = f"{ROWS_FILE} holds {len(hashes):,} of the {count:,} rows that project.toml counts"
        raise ProjectError(what, "", "restore the folder from a copy")
    return starts, hashes, sums


def _lines_in(index: bytes, count: int, narrow: int) -> array[int] | None:
    """The source lines as they stand in an index of this many rows and narrow columns, if it is as long as one."""
    if len(index) != HEAD_BYTES + 8 * (count + 1) + (8 + narrow * 4) * count + CHECK_BYTES:
        return None
    at = HEAD_BYTES + 8 * (count + 1) + (8 + 4) * count
    return array("I", index[at : at + 4 * count])


def _lines_of_sources(
    folder: Path, settings: ProjectSettings, starts: array[int], progress: Progress | None
) -> array[int] | None:
    """The source line of every row, by reading the sources once more; None where one of them is not there as it was, or
    has not the very bytes of a row."""
    lines = array("I")
    with (folder / ROWS_FILE).open("rb") as stream:
        for source in settings.sources:
            if source.rows and (
                source_now(source, progress) or not _follow(source, stream_lines(stream), lines, progress)
            ):
                return None
    return lines if len(lines) == len(starts) - 1 else None


def stream_lines(stream: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a stream, without their line feeds."""
    return (line.removesuffix(b"\n") for line in stream)


def _follow(source: SourceFile, kept: Iterator[bytes], lines: array[int], progress: Progress | None) -> bool:
    """Add the line of each row of a source to `lines`; whether all were met, in their order. Of a source that was added
    later some rows were here already."""
    wanted = next(kept)
    left = source.rows
    try:
        for done, piece in enumerate(read_source(Path(source.path), source.format)):
            if progress is not None and done % PROGRESS_EVERY == 0:
                progress("reading the source", done, 0)
            if isinstance(piece, SourceRow) and piece.content == wanted:
                lines.append(piece.line)
                left -= 1
                if not left:
                    return True
                wanted = next(kept)
    except (SourceError, OSError):
        return False
    return False


def _unknown_ids(folder: Path, hashes: set[int]) -> int:
    """How many of the ids in the journals no row has."""
    ids: set[str] = set()
    for path in journal_paths(folder / "decisions")[0]:
        for line in read_journal(path).lines:
            for act in line.get("acts", ()):
                ids.update(act.get("ids", ()))
    parts = (split_id(identifier) for identifier in ids)
    return sum(1 for part in parts if part is None or part[0] not in hashes)


def _by_place(settings: ProjectSettings) -> array[int]:
    """Rows counted one by one, where nobody knows their lines any more."""
    return array("I", (place for source in settings.sources for place in range(1, source.rows + 1)))
