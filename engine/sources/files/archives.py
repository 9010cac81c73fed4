"""The one data file of a zip or tar archive, read where it lies: nothing is extracted, no name in an archive is a path.

A tar is walked here, because tarfile takes a name of any length into memory and keeps all it has seen.
"""

from __future__ import annotations

import shlex
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from engine.errors import SourceError
from engine.paths import DATA_SUFFIXES, PACKED
from engine.phrases import counted
from engine.sources.files.packing import UnpackFault

BLOCK, CHUNK = 512, 1 << 20
MAX_NAME_BYTES = 64 * 1024
MAX_MEMBERS = 100_000
NAMED = 8
# What the library says of a damaged archive.
ZIP_FAULTS = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError, OSError, EOFError),
    *(struct.error, zlib.error),
)
# What stands beside the data in an archive and is none: by the beginning of its name, by its end, by its folder.
BESIDE_NAMES = ("readme", "license", "licence", "copying", "notice", "changelog", "citation", "dataset_info", ".", "._")
BESIDE_SUFFIXES = (".md", ".rst", ".pdf", ".html", ".py", ".sh", ".ini", ".db", ".sha256", ".md5", ".lock")
BESIDE_FOLDERS = ("__MACOSX", ".git", "__pycache__")
# Types of a tar's entries: regular files; names of the next entry; what has no content (links, devices, folders).
REGULAR, LONG_NAME, LONG_LINK, PAX, PAX_FOR_ALL, EMPTY = b"0\x007", b"L", b"K", b"x", b"g", b"123456"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: name, size in bytes, place among the entries. `fault`: why it cannot be read, of a tar why
    what stands behind it cannot."""

    name: str
    size: int
    place: int
    fault: str = ""


def data_member(path: Path, members: list[Member], taking_out: str) -> Member:
    """The one of the files that holds the data. Raises SourceError where there is none, or there are several.

    `taking_out` is the command that writes one of them, to be followed by its name.
    """
    files = [member for member in members if member.size and not _is_beside(member.name)]
    named = [member for member in files if _suffix(member.name) in DATA_SUFFIXES]
    found = named or files
    if not found:
        raise SourceError(
            f"{path}: is an archive without a data file", _listed(members), "unpack it, and name a file of rows"
        )
    if len(found) > 1:
        name = found[0].name
        command = f"{taking_out} {shlex.quote(name)} > {shlex.quote(PurePosixPath(name).name)}"
        raise SourceError(
            f"{path}: is an archive of several data files ({_listed(found)})",
            "",
            f"take out the one you mean, and name that: {command}",
        )
    return found[0]


def _listed(members: list[Member]) -> str:
    names = [member.name for member in members[:NAMED]]
    more = [f"{len(members) - NAMED:,} more"] if len(members) > NAMED else []
    return ", ".join(names + more)


def _is_beside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    last = parts[-1].lower() if parts else ""
    return (
        not last
        or any(part in BESIDE_FOLDERS for part in parts[:-1])
        or last.startswith(BESIDE_NAMES)
        or last.endswith(BESIDE_SUFFIXES)
    )


def _suffix(name: str) -> str:
    """The last ending of a name that does not say how it is packed."""
    endings = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    return next((suffix for suffix in reversed(endings) if suffix not in PACKED), "")


def zip_members(path: Path) -> list[Member]:
    """The files of a zip archive, by its table of contents. Raises SourceError where it has none that can be read."""
    with _opened_zip(path) as archive:
        entries = archive.infolist()
    return [
        Member(entry.filename, entry.file_size, place, _zip_fault(entry))
        for place, entry in enumerate(entries)
        if not entry.is_dir()
    ]


def _zip_fault(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 1:
        return "it has a password"
    # Of the rarer ways the library unpacks all that comes out of a piece at once.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed in a way of zip that is not read"
    return ""


def zip_names(path: Path) -> list[str]:
    """All names in a zip archive. Raises SourceError as `zip_members` does."""
    with _opened_zip(path) as archive:
        return archive.namelist()


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except ZIP_FAULTS as error:
        raise SourceError(
            f"{path}: is a zip archive that is cut off or damaged", str(error), "fetch it again"
        ) from error


class ZipMember:
    """The content of one file of a zip archive as a stream. What was unpacked before a damage is given out first."""

    def __init__(self, path: Path, place: int) -> None:
        self._archive = _opened_zip(path)
        entry = self._archive.infolist()[place]
        self._checksum, self._expected = 0, entry.CRC
        # The library would check it before it gives out the last piece, and so lose that.
        del entry.CRC
        try:
            self._content: Any = self._archive.open(entry)
        except ZIP_FAULTS as error:
            self._archive.close()
            raise SourceError(f"{path}: {entry.filename} cannot be read", str(error), "unpack it") from error

    def read1(self, size: int) -> bytes:
        """Up to `size` bytes; b'' at the end. Raises UNPACK_FAULTS."""
        try:
            piece: bytes = self._content.read1(size)
        except (zipfile.BadZipFile, ValueError, struct.error) as error:
            raise UnpackFault(str(error)) from error
        self._checksum = zlib.crc32(piece, self._checksum)
        if not piece and self._checksum != self._expected:
            raise UnpackFault("its checksum is another")
        return piece

    def close(self) -> None:
        self._content.close()
        self._archive.close()


def tar_members(stream: IO[bytes]) -> tuple[list[Member], str]:
    """The regular files of a tar archive, and why it can be followed no further ('' where it ends as it should)."""
    members: list[Member] = []
    try:
        for member in walk_tar(stream):
            members.append(member)
            if len(members) > MAX_MEMBERS:
                return members, f"it holds more than {counted(MAX_MEMBERS, 'file')}"
    except UnpackFault as fault:
        return members, str(fault)
    return members, ""


def walk_tar(stream: IO[bytes]) -> Iterator[Member]:
    """The regular files of a tar archive; as each is given, the stream stands at its content. Raises UnpackFault."""
    place = -1
    later: dict[str, str] = {}
    while (header := stream.read(BLOCK)).strip(b"\x00"):
        place += 1
        name, size, kind = _header(header)
        if kind in (LONG_NAME, PAX):
            later |= _named_later(stream, kind, size)
            continue
        if kind in (LONG_LINK, PAX_FOR_ALL):
            _skip(stream, _padded(size))
            continue
        name, size = later.pop("path", name), int(later.pop("size", size))
        if kind in REGULAR and not name.endswith("/"):
            yield Member(name, size, place)
        if kind not in EMPTY:
            _skip(stream, _padded(size), name)


def _header(block: bytes) -> tuple[str, int, bytes]:
    """Name, size of the content and type of an entry. Raises UnpackFault."""
    if len(block) < BLOCK:
        raise UnpackFault("the archive ends between its files")
    try:
        if int(block[148:156].strip(b" \x00"), 8) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
            raise UnpackFault("a header of the archive is damaged")
        packed = block[124:136]
        size = int.from_bytes(packed[1:], "big") if packed[0] & 0x80 else int(packed.strip(b" \x00") or b"0", 8)
    except ValueError as error:
        raise UnpackFault("a header of the archive is damaged") from error
    folder = _text(block[345:500]) if block[257:263] == b"ustar\x00" else ""
    name = _text(block[:100])
    return (f"{folder}/{name}" if folder else name), size, block[156:157] or b"0"


def _named_later(stream: IO[bytes], kind: bytes, size: int) -> dict[str, str]:
    """What an entry says of the one behind it: its `path`, its `size`. Raises UnpackFault."""
    if size > MAX_NAME_BYTES:
        raise UnpackFault("a header of the archive is longer than a name can be")
    content = stream.read(_padded(size))[:size]
    if kind == LONG_NAME:
        return {"path": _text(content)}
    said = {}
    for record in content.split(b"\n"):
        name, _, value = record.partition(b" ")[2].partition(b"=")
        if name == b"path" or (name == b"size" and value.isdigit() and len(value) < 20):
            said[name.decode()] = _text(value)
    return said


def _text(field: bytes) -> str:
    return field.partition(b"\x00")[0].decode("utf-8", "replace")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _skip(stream: IO[bytes], count: int, name: str = "") -> None:
    while count:
        passed = len(stream.read(min(count, CHUNK)))
        if not passed:
            raise UnpackFault(f"the archive ends inside of {name or 'a header'}")
        count -= passed


class TarMember:
    """The content of one file of a tar archive, as a stream, from where the archive is read."""

    def __init__(self, stream: IO[bytes], wanted: Member) -> None:
        self._stream: Any = stream
        self._fault = wanted.fault
        self._left = next((member.size for member in walk_tar(stream) if member.place == wanted.place), 0)

    def read1(self, size: int) -> bytes:
        """Up to `size` bytes; b'' at the end. Raises UnpackFault."""
        if not self._left:
            if self._fault:
                raise UnpackFault(f"behind this file, where there may be others: {self._fault}")
            return b""
        piece: bytes = self._stream.read1(min(size, self._left))
        if not piece:
            raise UnpackFault("the archive ends inside of this file")
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """The archive is closed by who opened it."""
