"""What a person on this install has said yes (or no) to, by hash: the very content, at the very place.

A folder that came from somebody else is data. What in it would make this machine do something counts only after a yes,
and a yes holds for no other content and for no other place (as direnv does it). One small file a yes, so that two
processes never write the same one, and a person can look at them or take one away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.paths import made_state_folder, real_path, state_folder

MADE_HERE = "project made here"
# Of statx(2): paths are as anywhere, the flag that asks for the time of birth, where it stands, the size of it all.
_AT_FDCWD, _BIRTH, _BIRTH_AT, _STATX_BYTES = -100, 0x800, 80, 256


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something foreign that does not count until a person says yes: `what` tells it in a sentence, `content` is what
    the yes would hold for, at `place`, as a `kind` of thing. Where that is long, `shown` is what a person reads of it.
    """

    kind: str
    what: str
    place: Path
    content: bytes
    shown: str = ""


def trust_folder() -> Path:
    """`$XDG_STATE_HOME/tamis/trusted`, else under `~/.local/state`."""
    return state_folder() / "trusted"


def is_trusted(kind: str, place: Path, content: bytes) -> bool:
    """Whether somebody said yes to `content` at `place` as a `kind` of thing. What cannot be looked up is not."""
    return os.path.isfile(_file(kind, place, content))


def trust(kind: str, place: Path, content: bytes) -> None:
    """Remember a yes. Raises ProjectError where it cannot be kept."""
    path = _file(kind, place, content)
    try:
        (made_state_folder() / "trusted").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise ProjectError(f"{path.parent}: cannot be made", error.strerror or "", "check its permissions") from error
    write_atomic(path, f"{kind}\n{real_path(place)}\n".encode("utf-8", "surrogateescape"))


def refuse(waiting: Waiting) -> None:
    """Remember a no: what waits stays without effect, and is not told of at every opening. A yes may follow all the
    same. Raises ProjectError where it cannot be kept."""
    trust(f"no to {waiting.kind}", waiting.place, waiting.content)


def was_refused(waiting: Waiting) -> bool:
    """Whether somebody here said no to it."""
    return is_trusted(f"no to {waiting.kind}", waiting.place, waiting.content)


def remember_made(folder: Path) -> None:
    """A command of the person has made the project at `folder`: what they set in it is theirs. Where that cannot be
    kept it is asked for later, as for any other folder."""
    with contextlib.suppress(ProjectError):
        if identity := _identity(folder):
            trust(MADE_HERE, folder, identity)


def was_made_here(folder: Path) -> bool:
    """Whether the folder at this place is the very one that a command of this person has made: not a copy of it, nor
    another one put there since."""
    identity = _identity(folder)
    return bool(identity) and is_trusted(MADE_HERE, folder, identity)


def is_own_file(path: Path) -> bool:
    """Whether a file is the person's and nobody else can have written to it; a link is not."""
    try:
        found, around = os.lstat(path), os.stat(path.parent)
    except OSError:
        return False
    is_closed = not found.st_mode & 0o022 or not around.st_mode & 0o077
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and is_closed


def _identity(folder: Path) -> bytes:
    """What tells a folder from every other there was or will be: its inode and the moment the inode was made, which no
    archive brings along. Empty where the file system does not say when that was. (A device's number may change with a
    restart.)"""
    try:
        found = os.stat(folder)
    except OSError:
        return b""
    born = getattr(found, "st_birthtime", None) or _birth(folder)
    return f"{found.st_ino} {born}".encode() if born else b""


def _birth(folder: Path) -> str:
    """When a folder was made, by Linux's statx, which Python does not offer; "" where it is not known."""
    import ctypes  # a moment that only the folders with such settings take

    statx = getattr(ctypes.CDLL(None), "statx", None)
    found = ctypes.create_string_buffer(_STATX_BYTES)
    if statx is None or statx(_AT_FDCWD, os.fsencode(folder), 0, _BIRTH, found) != 0:
        return ""
    seconds, nanoseconds = struct.unpack_from("=qI", found, _BIRTH_AT)
    known = struct.unpack_from("=I", found)[0] & _BIRTH
    return f"{seconds}.{nanoseconds:09}" if known and seconds else ""


def _file(kind: str, place: Path, content: bytes) -> Path:
    digest = hashlib.sha256()
    for part in (kind.encode(), os.fsencode(real_path(place)), content):
        digest.update(len(part).to_bytes(8, "little") + part)
    return trust_folder() / digest.hexdigest()
