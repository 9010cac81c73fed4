"""Proof that untouched rows leave as the source's own lines: what was written is set against the source itself.

A source that is still there and whose bytes still have the hash that `project.toml` knows is gone through line by line,
beside the file that was written. Where it is gone or another, all that can be shown is that the rows leave as the
project keeps them; that is said, with the reason. Neither file is held in memory: one line of each is.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import SourceError
from engine.project.source_files import LINES, SourceLines, source_now

if TYPE_CHECKING:
    from engine.project.project import Project
    from engine.project.settings import SourceFile

Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 2000


@dataclass(slots=True)
class Proof:
    """Of the untouched rows of one source of lines: how many of them stand in the written file byte for byte as there.
    `against` is the source itself, or the project's copy of it, for the reason `why`."""

    name: str
    against: str
    why: str = ""
    untouched: int = 0
    identical: int = 0

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Proof.__slots__}


def proven(project: Project, numbers: Sequence[int], path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """How many of the rows `numbers`, written to `path` in this order, are untouched; how many of them stand there byte
    for byte as their line in the source, each source with what was proved against what; and how many have no such line:
    an element of an array may span lines, a record of a table is no JSON. Raises OSError.

    The file is read back from disk, so that a fault in writing shows as a difference.
    """
    proofs: list[Proof] = []
    reader: SourceLines | None = None
    of_source = -1
    kinds: dict[int, str] = {}
    untouched = 0
    written_anew: Counter[str] = Counter()
    try:
        for done, (line, number) in enumerate(zip(_lines_of(path), numbers, strict=False)):
            if progress is not None and done % PROGRESS_EVERY == 0:
                progress("comparing with the source", done, len(numbers))
            if project.is_edited(number):
                continue
            untouched += 1
            source = project.rows.source(number)
            if source.first_row not in kinds:
                kinds[source.first_row] = source.kind
            if (kind := kinds[source.first_row]) != LINES:
                written_anew[kind] += 1
                continue
            # Rows leave in their order, so that each source is gone through once.
            if source.first_row != of_source:
                if reader is not None:
                    reader.close()
                proof, reader = _begun(source, progress)
                proofs.append(proof)
                of_source = source.first_row
            proof = proofs[-1]
            proof.untouched += 1
            if reader is None:
                proof.identical += line == project.rows.raw_bytes(number)
            elif reader.has(project.rows.line(number), line):
                proof.identical += 1
            else:
                written_anew[LINES] += 1
    finally:
        if reader is not None:
            reader.close()
    return {
        "untouched": untouched,
        "untouched_identical": sum(proof.identical for proof in proofs),
        "written_anew": dict(written_anew),
        "proof": [proof.to_json() for proof in proofs],
    }


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as written:
        lines: Iterable[bytes] = gzip.GzipFile(fileobj=written) if path.name.endswith(".gz") else written
        for line in lines:
            yield line.removesuffix(b"\n")


def _begun(source: SourceFile, progress: Progress | None) -> tuple[Proof, SourceLines | None]:
    why = source_now(source, progress)
    if not why:
        try:
            return Proof(source.name, "source"), SourceLines(source)
        except (OSError, SourceError) as error:
            why = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    return Proof(source.name, "copy", why), None
