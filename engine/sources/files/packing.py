"""What a source is packed with, told by its first bytes, and how each of them is unpacked as it is read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any, cast

import zstandard

BUFFER_BYTES = 1 << 16
# xz asks for its whole dictionary at once: the largest that `xz -9` makes needs a quarter of this.
XZ_MEMORY_BYTES = 256 << 20
# All that comes out of a piece of zstd comes at once, up to 128 kB for each four bytes: 16 MB of so much.
ZSTD_PIECE_BYTES = 512
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
MAGIC = (
    (b"\x1f\x8b", "gz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    *((b"BZh%d%b" % (level, start), "bz2") for level in range(1, 10) for start in (b"1AY&SY", b"\x17rE8P\x90")),
)
ARCHIVES = ("zip", "tar")
PACKINGS = ("gz", "zst", "xz", "bz2", *ARCHIVES)


class UnpackFault(Exception):
    """Packed bytes that are cut off or damaged."""


UNPACK_FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, UnpackFault)


def packing_of(head: bytes) -> str:
    """`gz`, `zst`, `xz`, `bz2`, `zip`, `tar`, or '' where the first bytes of a file are of none of these."""
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if head[1:4] == ZSTD_SKIPPABLE and 0x50 <= head[0] <= 0x5F:
        return "zst"
    return "tar" if head[TAR_MAGIC_AT:].startswith(TAR_MAGIC) and b"\x00" in head[:TAR_MAGIC_AT] else ""


class _Streams:
    """zstd, xz or bzip2: one stream (frame) behind the other. Zeros between and behind them are padding.

    The readers of the libraries end in silence where a further stream is damaged, or (zstd) the only one is cut off.
    """

    def __init__(self, packed: IO[bytes], start: Callable[[], Any], piece_bytes: int = BUFFER_BYTES) -> None:
        self._packed: Any = packed
        self._start = start
        self._piece_bytes = piece_bytes
        self._unpacker = start()

    def read1(self, size: int) -> bytes:
        """Up to `size` bytes; b'' at the end. Raises UNPACK_FAULTS."""
        while True:
            piece = b""
            if self._unpacker.eof:
                piece = self._behind_the_stream()
                if not piece:
                    return b""
                self._unpacker = self._start()
            elif self._unpacker.needs_input:
                piece = self._packed.read1(self._piece_bytes)
                if not piece:
                    raise EOFError("it ends before its end mark")
            try:
                unpacked: bytes = self._unpacker.decompress(piece, size)
            except lzma.LZMAError as error:
                if "limit" not in str(error):
                    raise
                raise UnpackFault("it needs more than 256 MB of memory: unpack it with xz -d") from error
            if unpacked:
                return unpacked

    def _behind_the_stream(self) -> bytes:
        behind: bytes = self._unpacker.unused_data.lstrip(b"\x00")
        while not behind:
            piece = self._packed.read1(self._piece_bytes)
            if not piece:
                return b""
            behind = piece.lstrip(b"\x00")
        return behind

    def close(self) -> None:
        """Nothing is held; what is packed is closed by who opened it."""


class _ZstdFrame:
    """A frame of zstd, with the interface of the standard library's unpackers."""

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ahead = b""

    @property
    def eof(self) -> bool:
        return self._frame.eof and not self._ahead

    @property
    def needs_input(self) -> bool:
        return not self._ahead

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data

    def decompress(self, piece: bytes, size: int) -> bytes:
        unpacked = self._ahead or self._frame.decompress(piece)
        self._ahead = unpacked[size:]
        return unpacked[:size]


def _unzst(packed: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Streams(packed, _ZstdFrame, ZSTD_PIECE_BYTES))


def _unxz(packed: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Streams(packed, lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES)))


def _unbz2(packed: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Streams(packed, bz2.BZ2Decompressor))


def _ungz(packed: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=packed))


UNPACKERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {"gz": _ungz, "zst": _unzst, "xz": _unxz, "bz2": _unbz2}
