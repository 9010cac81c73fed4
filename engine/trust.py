"""What a person on this install has said yes to, by hash: the very content, at the very place.

A folder that came from somebody else is data. What in it would make this machine do something counts only after a yes,
and a yes holds for no other content and for no other place (as direnv does it). One small file a yes, so that two
processes never write the same one, and a person can look at them or take one away.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ProjectError
from engine.files import write_atomic
from engine.paths import made_state_folder, real_path, state_folder


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something foreign that does not count until a person says yes: `what` tells it in a sentence, `content` is what
    the yes would hold for, at `place`, as a `kind` of thing."""

    kind: str
    what: str
    place: Path
    content: bytes


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


def _file(kind: str, place: Path, content: bytes) -> Path:
    digest = hashlib.sha256()
    for part in (kind.encode(), os.fsencode(real_path(place)), content):
        digest.update(len(part).to_bytes(8, "little") + part)
    return trust_folder() / digest.hexdigest()
