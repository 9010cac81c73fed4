"""`quarantine.jsonl`: what could not be read, written as it is met, so that none of it is held in memory.

A line holds the place in the source, the reason, and the bytes in base64. Of a record of more than a megabyte the
beginning (`bytes`) and the end (`last`) are kept, with its `length` and `sha256`; the source has the rest at `offset`.
The last key, `sum`, is the CRC-32 of the bytes before it, as in a journal; lines of earlier versions lack it.
Once a project keeps 256 MB of such bytes, of any further record the first kilobyte is: a large file of the wrong kind
is not copied beside itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO

from engine.files import open_private
from engine.model import Quarantined
from engine.project.line_sums import sum_fits, with_sum

QUARANTINE_FILE = "quarantine.jsonl"
MOST_KEPT_BYTES = 256 * 1024 * 1024
KEPT_AFTER_THAT = 1024


class Quarantine:
    """The lines that one reading of sources adds; `count` are those.

    They wait in a file without a name until `save`, so that a reading that fails leaves nothing behind.
    """

    def __init__(self, folder: Path, known: int) -> None:
        """`known`: how many lines the project counts already. What stands behind them is the rest of a reading that
        was cut off, and goes."""
        self.count = 0
        self._path = folder / QUARANTINE_FILE
        self._known = known
        self._kept = self._path.stat().st_size * 3 // 4 if self._path.exists() else 0
        self._saved = 0
        self._waiting: IO[bytes] | None = None

    def add(self, piece: Quarantined) -> None:
        """Take a record that could not be read. Raises OSError."""
        if self._waiting is None:
            self._waiting = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 - closed by `save`
        if self._kept + len(piece.content) > MOST_KEPT_BYTES:
            piece = _shortened(piece)
        self._kept += len(piece.content)
        self._waiting.write(_line(piece))
        self.count += 1

    def save(self, path: Path) -> None:
        """Write the lines that the project counts, and behind them those taken since the last time, to `path`, which is
        not in force yet; nothing where there are none. Raises OSError."""
        if self._waiting is None:
            return
        with os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as out:
            if self._known:
                with self._path.open("rb") as before:
                    out.writelines(islice(before, self._known))
            self._waiting.seek(0)
            shutil.copyfileobj(self._waiting, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        self._waiting.close()
        self._waiting = None
        self._known += self.count - self._saved
        self._saved = self.count


def _shortened(piece: Quarantined) -> Quarantined:
    if len(piece.content) <= KEPT_AFTER_THAT:
        return piece
    told = f"{piece.reason} (the first kB is kept: this project has set {MOST_KEPT_BYTES >> 20} MB aside)"
    length = piece.length or len(piece.content)
    digest = piece.sha256 or hashlib.sha256(piece.content).hexdigest()
    return replace(piece, reason=told, content=piece.content[:KEPT_AFTER_THAT], length=length, last=b"", sha256=digest)


def _line(piece: Quarantined) -> bytes:
    said: dict[str, object] = {
        "line": piece.line,
        "offset": piece.offset,
        "reason": piece.reason,
        "bytes": base64.b64encode(piece.content).decode("ascii"),
    }
    if piece.length:
        said |= {"length": piece.length, "sha256": piece.sha256}
    if piece.last:
        said["last"] = base64.b64encode(piece.last).decode("ascii")
    return with_sum(json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace")) + b"\n"


def is_damaged(line: bytes) -> bool:
    """Whether a line of the file, without its line feed, is none that was written here. One of an earlier version does
    not say so much of itself."""
    try:
        said = json.loads(line)
        base64.b64decode(said["bytes"], validate=True)
        is_line = isinstance(said["line"], int) and isinstance(said["reason"], str)
    except (ValueError, KeyError, TypeError, RecursionError):
        return True
    return not is_line or ("sum" in said and not sum_fits(line))
