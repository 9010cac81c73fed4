"""Packed sources: read as they are unpacked, the rows before a damage kept and the damage told; archives of one data
file, of which nothing ever reaches the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from engine.errors import SourceError
from engine.model import Quarantined
from engine.project.create import continue_reading, create_project
from engine.project.settings import read_settings
from engine.sources.files.pieces import SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

ROWS = b"".join(b'{"instruction": "%d %x", "output": "a"}\n' % (n, n * 2654435761 % (1 << 64)) for n in range(6000))
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "zst": zstandard.compress,
    "xz": lzma.compress,
    "bz2": lambda content: bz2.compress(content, 1),
}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes], types: bytes = b"", form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar of files, and of an entry of each of the types (links, devices …)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for kind in types:
            entry = tarfile.TarInfo("../train.jsonl")
            entry.type, entry.linkname = bytes([kind]), "/etc/passwd"
            archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def read(path: Path, content: bytes) -> tuple[str, int, list[Quarantined]]:
    """The format, the number of rows, what is set aside."""
    path.write_bytes(content)
    name = source_format(path)
    pieces = list(read_source(path, name))
    return (
        name,
        sum(isinstance(piece, SourceRow) for piece in pieces),
        [p for p in pieces if isinstance(p, Quarantined)],
    )


@pytest.mark.parametrize("packing", PACK)
def test_what_is_whole_is_read_whole_and_what_is_cut_off_is_told(packing: str, tmp_path: Path) -> None:
    packed = PACK[packing](ROWS)
    path = tmp_path / f"raw.jsonl.{packing}"
    assert read(path, packed) == (f"jsonl.{packing}", 6000, [])
    assert read(path, packed + packed + bytes(700)) == (f"jsonl.{packing}", 12000, [])
    for damaged, fewest in ((packed[:-5], 1), (packed + b"junk behind it", 6000), (packed + packed[:40], 6000)):
        name, rows, aside = read(path, damaged)
        assert name == f"jsonl.{packing}"
        assert rows >= fewest
        assert "compressed data ends or is damaged here" in aside[-1].reason
        assert path.read_bytes() == damaged


@pytest.mark.parametrize("packing", PACK)
def test_a_tar_is_read_inside_every_packing(packing: str, tmp_path: Path) -> None:
    beside = {"set/README.md": b"a set", "set/._train.jsonl": b"x", "set/LICENSE": b"MIT"}
    packed = PACK[packing](
        tarred(beside | {"set/train.jsonl": ROWS}, tarfile.SYMTYPE + tarfile.CHRTYPE + tarfile.DIRTYPE)
    )
    path = tmp_path / "set.archive"
    assert read(path, packed) == (f"jsonl.tar.{packing}", 6000, [])
    rows, aside = read(path, packed[: len(packed) * 3 // 4])[1:]
    assert 0 < rows < 6000
    assert len(aside) == 1


@pytest.mark.parametrize(
    "name", ["/etc/train.jsonl", "../../train.jsonl", "\u00e9" * 90 + "/" + "d" * 300 + "/t.jsonl"]
)
def test_no_name_in_an_archive_becomes_a_path(name: str, tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    assert read(place / "x.zip", zipped({name: ROWS}))[:2] == ("jsonl.zip", 6000)
    assert read(place / "x.tar", tarred({name: ROWS}))[:2] == ("jsonl.tar", 6000)
    assert read(place / "y.tar", tarred({name: ROWS}, form=tarfile.PAX_FORMAT))[:2] == ("jsonl.tar", 6000)
    assert sorted(tmp_path.rglob("*")) == sorted(
        [place.parent, place, *(place / n for n in ("x.zip", "x.tar", "y.tar"))]
    )


def test_a_zip_that_is_damaged_gives_its_rows_and_says_so(tmp_path: Path) -> None:
    packed = bytearray(
        zipped({"__MACOSX/._train.jsonl": b"x", "train.csv": b"prompt,response\na,b\n", "notes.pdf": b"%PDF"})
    )
    assert read(tmp_path / "x.zip", bytes(packed)) == ("csv.zip", 1, [])
    stored = bytearray(zipped({"train.jsonl.gz": PACK["gz"](ROWS)}))
    assert read(tmp_path / "x.zip", bytes(stored)) == ("jsonl.gz.zip", 6000, [])
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("train.jsonl", ROWS)
    flipped = plain.getvalue().replace(b'"0 0"', b'"1 0"')
    name, rows, aside = read(tmp_path / "x.zip", flipped)
    assert (name, rows) == ("jsonl.zip", 6000)
    assert "checksum" in aside[-1].reason


def locked() -> bytes:
    content = bytearray(zipped({"train.jsonl": ROWS}))
    content[content.rindex(b"PK\1\2") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            zipped({"train.jsonl": ROWS, "test: 1.jsonl": ROWS}),
            r"train.jsonl, test: 1.jsonl.*unzip -p .*x train.jsonl >",
        ),
        (tarred({"a/b c.csv": b"a,b\n", "d.csv": b"a,b\n"}), r"tar -xOf .*x 'a/b c.csv' > 'b c.csv'"),
        (zipped({"README.md": b"x"}), "without a data file"),
        (tarred({}, tarfile.SYMTYPE), "without a data file"),
        (zipped({"train.jsonl": ROWS})[:-60], "cut off or damaged"),
        (locked(), "password"),
        (zipped({"train.zip": zipped({"train.jsonl": ROWS})}), "zip archive inside"),
        (PACK["gz"](zipped({"train.jsonl": ROWS})), "zip archive inside"),
        (zipped({"train.parquet": b"PAR1....PAR1"}), "holds Parquet"),
        (zipped({"xl/workbook.xml": b"<x/>", "xl/a.csv": b"a,b\n1,2\n"}), "Excel workbook.*CSV"),
        (zipped({"archive/data.pkl": b"\x80\x02"}), "pickle"),
        (PACK["gz"](PACK["gz"](PACK["gz"](PACK["gz"](PACK["gz"](ROWS))))), "more than 4 times"),
    ],
)
def test_an_archive_that_is_not_read_says_why_and_what_to_do(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(SourceError, match=says):
        source_format(tmp_path / "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


def test_a_tar_that_is_damaged_behind_its_data_says_that_more_may_be_missing(tmp_path: Path) -> None:
    whole = tarred({"train.jsonl": ROWS, "test.jsonl": ROWS})
    name, rows, aside = read(tmp_path / "x.tar", whole[: len(whole) // 3])
    assert rows < 6000
    cut = whole[: 512 + -(-len(ROWS) // 512) * 512 + 100]
    name, rows, aside = read(tmp_path / "x.tar", cut)
    assert (name, rows) == ("jsonl.tar", 6000)
    assert "behind this file" in aside[-1].reason


def test_a_name_of_gigabytes_in_a_tar_is_not_taken_into_memory(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    (tmp_path / "x.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(SourceError, match="longer than a name can be"):
        source_format(tmp_path / "x.tar")


def test_the_member_of_an_archive_is_found_again_when_reading_goes_on(tmp_path: Path) -> None:
    source = tmp_path / "set.zip"
    source.write_bytes(zipped({"README.md": b"x", "data/train.jsonl": ROWS}))
    folder = create_project(source, first=100)
    assert folder.name == "set.tamis"
    assert read_settings(folder).source.format == "jsonl.zip"
    assert continue_reading(folder) == 6000
    assert read_settings(folder).source.complete


COUNT = """
import sys, pathlib, resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
path = pathlib.Path(sys.argv[1])
print(source_format(path), [type(piece).__name__ for piece in read_source(path)])
"""


@pytest.mark.slow
@pytest.mark.parametrize("packing", ["xz", "bz2", "zst", "zip"])
def test_a_record_of_gigabytes_is_set_aside_in_a_gigabyte_of_memory(packing: str, tmp_path: Path) -> None:
    row, path = b'{"instruction": "a", "output": "b"}\n', tmp_path / f"raw.{packing}"
    pieces = (row, b'{"x": "', *[b"a" * (16 << 20)] * 128, b'"}\n', row)
    if packing == "zip":
        packer = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        with packer as archive, archive.open("train.jsonl", "w", force_zip64=True) as out:
            out.writelines(pieces)
    else:
        started: dict[str, Any] = {"xz": lzma.LZMACompressor(preset=0), "bz2": bz2.BZ2Compressor(1)}
        squeezed = started.get(packing) or zstandard.ZstdCompressor().compressobj()
        with path.open("wb") as plain:
            plain.writelines(squeezed.compress(piece) for piece in pieces)
            plain.write(squeezed.flush())
    command = [sys.executable, "-c", COUNT, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    assert told == f"jsonl.{packing} ['SourceRow', 'Quarantined', 'SourceRow']\n"
