"""Text that is not UTF-8: what its first bytes say of it, and how it becomes UTF-8 as it is read."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import replace
from difflib import get_close_matches
from typing import IO, Any

from engine.errors import SourceError, UsageError
from engine.model import Quarantined
from engine.sources.files.packing import PACKINGS, UnpackFault
from engine.sources.files.pieces import SourceRow

UTF_8 = "utf-8"
# UTF-32 before UTF-16: the mark of the one begins with that of the other.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2))
# Without a mark there is no doubt where so many characters are all printable and a fifth of them is ASCII.
FEWEST_CHARACTERS = 12
# Behind a mark some of the characters may be damaged.
MARKED = 0.8
ASCII_SHARE = 0.2
BLANKS = ("Zs", "Zl", "Zp", "Cf")
# Python calls these encodings of text, but they are ways to write names, or to escape.
NO_TEXT = ("utf-7", "idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem")
COMMON = (
    "utf-8",
    "utf-16",
    "cp1252",
    "cp1250",
    "cp1251",
    "latin-1",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
)
# Stands before a byte that does not fit, and is in no UTF-8: the record is set aside like any that is not UTF-8.
UNFIT = "\udcff"


def known_encoding(name: str) -> str:
    """An encoding by Python's own name for it. Raises UsageError, with the nearest."""
    try:
        found = codecs.lookup(name).name
        "x".encode(found)
    except (LookupError, UnicodeError, ValueError) as error:
        near = get_close_matches(name.lower(), COMMON, n=1)
        hint = f"did you mean {near[0]}?" if near else f"for example {', '.join(COMMON[2:6])}"
        raise UsageError(f"--encoding {name[:40]}: no such encoding", "", hint) from error
    if found in NO_TEXT:
        raise UsageError(
            f"--encoding {name[:40]}: is no encoding of files", "", f"for example {', '.join(COMMON[2:6])}"
        )
    return UTF_8 if found == "utf-8-sig" else found


def wide_encoding(head: bytes) -> str:
    """`utf-16` or `utf-32` where a byte order mark says so, `utf-16-le` and its like where the bytes leave no doubt,
    else ''."""
    for mark, name in MARKS:
        if head.startswith(mark) and _plain_share(codecs.getincrementaldecoder(name)("replace").decode(head)) > MARKED:
            return name
    if b"\x00" in head:
        for name, width in WIDE:
            text = _decoded(head, name, width)
            if text is not None and len(text) >= FEWEST_CHARACTERS and _is_plain_text(text):
                return name
    return ""


def with_byte_order(name: str, head: bytes) -> str:
    """An encoding that a person named, with the order of its bytes where no mark says that."""
    if name not in ("utf-16", "utf-32") or any(head.startswith(mark) for mark, marked in MARKS if marked == name):
        return name
    found = wide_encoding(head)
    return found if found.startswith(name) else f"{name}-le"


def is_plainly_utf8(head: bytes) -> bool:
    """Whether the first bytes of a text hold characters beyond ASCII, all of them UTF-8; the last one may be cut."""
    return not head.isascii() and _decoded(head, UTF_8, 1) is not None


def _decoded(head: bytes, name: str, width: int) -> str | None:
    """The first bytes as text, whose last character may be cut; None where they are no such text."""
    try:
        return codecs.getincrementaldecoder(name)().decode(head[: len(head) // width * width])
    except UnicodeDecodeError:
        return None


def _is_plain_text(text: str) -> bool:
    return sum(map(str.isascii, text)) >= len(text) * ASCII_SHARE and _plain_share(text) == 1


def _plain_share(text: str) -> float:
    """The share of characters that a text may hold; what could not be decoded is none."""
    plain = sum(1 for one in text if one.isprintable() or one in "\t\r\n" or unicodedata.category(one) in BLANKS)
    return (plain - text.count("\ufffd")) / max(len(text), 1)


def encoding_of(format_name: str) -> str:
    """The encoding that a format's name speaks of; '' for UTF-8."""
    return next((step for step in format_name.split(".")[1:] if step not in PACKINGS), "")


def _keep_unfit(error: UnicodeError) -> tuple[str, int]:
    """For bytes that do not fit: the mark, and behind it those of them that are no ASCII."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    unfit = error.object[error.start : error.end]
    return UNFIT + bytes(byte for byte in unfit if byte >= 0x80).decode("ascii", "surrogateescape"), error.end


codecs.register_error("tamis.keep_unfit", _keep_unfit)


class Transcoded:
    """A stream of text of another encoding as UTF-8. What does not fit the encoding becomes bytes that are no UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream: Any = stream
        try:
            self._decoder = codecs.getincrementaldecoder(encoding)("tamis.keep_unfit")
        except LookupError as error:
            raise SourceError(f"{encoding[:40]}: no such encoding or packing", "", "use a newer tamis") from error
        self._ahead = b""
        self._ended = False

    def read1(self, size: int) -> bytes:
        """Up to `size` bytes; b'' at the end. Raises what the stream raises."""
        while not self._ahead and not self._ended:
            piece: bytes = self._stream.read1(size)
            self._ended = not piece
            try:
                self._ahead = self._decoder.decode(piece, final=self._ended).encode("utf-8", "surrogateescape")
            except UnicodeError as error:
                # UTF-16 and UTF-32 that a byte order mark should begin, and does not.
                raise UnpackFault(str(error)) from error
        given, self._ahead = self._ahead[:size], self._ahead[size:]
        return given

    def close(self) -> None:
        """The stream is closed by who opened it."""


def told_encoding(piece: SourceRow | Quarantined, encoding: str) -> SourceRow | Quarantined:
    """A piece of a source that was brought to UTF-8, noted as that. Places in what is set aside count the UTF-8."""
    if isinstance(piece, SourceRow):
        return replace(piece, notes=(*piece.notes, f"read from {encoding}"))
    why = f"a byte that is not {encoding}" if piece.reason.startswith("not UTF-8") else piece.reason
    return replace(piece, reason=f"{why} (offset and bytes of the text as UTF-8)")
