"""Who decides, and on which machine: the two halves of a journal's file name."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from pathlib import Path

from engine.errors import UsageError
from engine.small_files import read_regular

# Names that many people share: a journal under one of them says nothing about who decided.
SHARED_NAMES = frozenset({"root", "ubuntu", "admin", "user", "ec2-user", "debian"})
GIT_TIMEOUT_SECONDS = 2
MOST_BYTES = 4096


def find_reviewer(named: str | None, configured: str | None) -> str | None:
    """The reviewer: `--as`, TAMIS_REVIEWER, the settings, git's e-mail; None where nobody is known.

    Raises UsageError for a shared account name.
    """
    for name in (named, os.environ.get("TAMIS_REVIEWER"), configured):
        if name and name.strip():
            return checked_reviewer(name)
    return _git_email()


def checked_reviewer(name: str) -> str:
    """The name, stripped. Raises UsageError where it is empty or shared by many people."""
    name = name.strip()
    if not name or name.lower() in SHARED_NAMES:
        raise UsageError(f"{name!r} does not say who decides", "", "name yourself: --as NAME, or TAMIS_REVIEWER=NAME")
    return name


def _git_email() -> str | None:
    try:
        done = subprocess.run(
            ["git", "config", "user.email"], capture_output=True, text=True, timeout=GIT_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    email = done.stdout.strip()
    return email if email and email.lower() not in SHARED_NAMES else None


def file_stem(reviewer: str) -> str:
    """The reviewer as part of a file name: letters, digits, `.`, `-`, `@` stay, anything else becomes `_`."""
    return re.sub(r"[^\w.@-]", "_", reviewer)[:80]


def install_id() -> str:
    """Eight hex digits that tell this install from others of the same reviewer; made at first use."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "tamis"
    path = folder / "install"
    known = _known_id(path)
    if known is not None:
        return known
    made = secrets.token_hex(4)
    folder.mkdir(parents=True, exist_ok=True)
    # Exclusive creation: of two first starts at once, one makes the id and the other reads it.
    try:
        with path.open("x", encoding="ascii") as stream:
            stream.write(made + "\n")
    except FileExistsError:
        return _known_id(path) or made
    return made


def _known_id(path: Path) -> str | None:
    """The id that is kept, or None where none is yet. Raises UsageError where the file cannot be read."""
    try:
        return read_regular(path, MOST_BYTES).decode("ascii").strip()[:8]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read", str(error), "remove it: a new id is made") from error
