"""The law of reading over damaged JSON text: what is read and what is set aside is all of the source, each byte once.

Records are counted another way than the reader does: every byte of the source that no record holds may only be a blank,
a bracket, a comma or a name around the records; every record that nobody touched is read; and no row is made of
anything else than what stands at its place.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from damage import LAYOUTS, Container, Damaged, container, damaged

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.files.pieces import ON_ONE_LINE, REWRITTEN, SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

FRAME = re.compile(
    rb'(?:[ \t\r\n\x1e,\[\]{}:]|\xef\xbb\xbf|"[^"]{0,60}"[ ]?:?|3|"1"|//[^\n]*|#[^\n]*|/\*.*?\*/)*', re.DOTALL
)
QUICK, ALL = 20, 770


def check(path: Path, source: Container, found: Damaged) -> None:
    path.write_bytes(found.content)
    try:
        pieces = list(read_source(path))
    except SourceError as error:
        if "add --encoding" in str(error):
            # Bytes by chance that stand as letters do: a person decides, and says that it is UTF-8.
            pieces = list(read_source(path, source_format(path, "utf-8")))
            law_holds(source, found, pieces)
            return
        # Refused as a whole: nothing is left, or it does not even begin like JSON.
        assert not found.content.startswith(source.content[:20])
        return
    law_holds(source, found, pieces)


def law_holds(source: Container, found: Damaged, pieces: list[SourceRow | Quarantined]) -> None:
    read = [json.dumps(piece.raw, sort_keys=True) for piece in pieces if isinstance(piece, SourceRow)]
    for number in found.untouched(source):
        assert json.dumps(source.values[number], sort_keys=True) in read, number
    covered: int | None = 0
    for piece in sorted(pieces, key=lambda piece: piece.offset):
        if covered is not None:
            assert piece.offset >= covered, (piece, covered)
            between = found.content[covered : piece.offset]
            assert is_frame(between, pieces), between
        if isinstance(piece, Quarantined):
            assert found.content[piece.offset :].startswith(piece.content)
            covered = piece.offset + len(piece.content)
        else:
            covered = end_of_row(found.content, piece)
    if covered is not None:
        assert is_frame(found.content[covered:], pieces), found.content[covered:]


def is_frame(between: bytes, pieces: list[SourceRow | Quarantined]) -> bool:
    """Whether bytes that no record holds stand around records, or are a field of that frame which is told by name."""
    notes = [note for piece in pieces if isinstance(piece, SourceRow) for note in piece.notes]
    told = [name for note in notes if note.startswith("beside") for name in note.partition(": ")[2].split(", ")]
    return FRAME.fullmatch(between) is not None or any(f'"{name}":'.encode() in between for name in told)


def end_of_row(content: bytes, row: SourceRow) -> int | None:
    """Where the value ends that a row was read from; None where it was written anew."""
    if not any(note in REWRITTEN for note in row.notes):
        assert content[row.offset :].startswith(row.content.rstrip(b"\r"))
        return row.offset + len(row.content)
    if ON_ONE_LINE not in row.notes:
        return None
    at = row.offset
    for byte in row.content:
        while content[at : at + 1].isspace() and content[at] != byte:
            at += 1
        at += content[at] == byte
    return at


def one(path: Path, name: str, seed: int) -> None:
    chance = random.Random(f"{name} {seed}")
    source = container(chance, name)
    check(path, source, damaged(chance, source))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_sound_source_gives_each_of_its_records(tmp_path: Path, name: str) -> None:
    for seed in range(5):
        source = container(random.Random(seed), name)
        (tmp_path / "raw.json").write_bytes(source.content)
        pieces = list(read_source(tmp_path / "raw.json"))
        assert [piece.raw for piece in pieces if isinstance(piece, SourceRow)] == list(source.values)
        assert len(pieces) == len(source.values)


@pytest.mark.parametrize("name", LAYOUTS)
def test_damage_costs_only_what_it_touches(tmp_path: Path, name: str) -> None:
    for seed in range(QUICK):
        one(tmp_path / "raw.json", name, seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYOUTS)
def test_ten_thousand_damaged_sources(tmp_path: Path, name: str) -> None:
    for seed in range(QUICK, QUICK + ALL):
        one(tmp_path / "raw.json", name, seed)
