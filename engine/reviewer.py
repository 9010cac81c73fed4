"""Who decides, and on which machine: the two halves of a journal's file name."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from pathlib import Path

from engine.errors import ProjectError, UsageError
from engine.paths import made_state_folder, state_folder
from engine.small_files import read_regular

# Names that many people share: a journal under one of them says nothing about who decided.
SHARED_NAMES = frozenset({"root", "ubuntu", "admin", "user", "ec2-user", "debian"})
GIT_TIMEOUT_SECONDS = 2
# With the install, `.jsonl` and `.owner` it makes 255 bytes, the longest name a file system takes.
STEM_BYTES = 234
_ID = re.compile(rb"[0-9A-Za-z_-]{1,8}")
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
        # Never what the repository one is in says: it may be anybody's, and would say who decides.
        done = subprocess.run(
            ["git", "config", "--global", "--includes", "user.email"],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    email = done.stdout.strip()
    return email if email and email.lower() not in SHARED_NAMES else None


def file_stem(reviewer: str) -> str:
    """The reviewer as part of a file name: letters, digits, `.`, `-`, `@` stay, anything else becomes `_`."""
    return shortened(re.sub(r"[^\w.@-]", "_", reviewer)[:80], STEM_BYTES)


def shortened(name: str, most: int) -> str:
    """As much of a part of a file name as fits in so many bytes."""
    return name.encode("utf-8", "surrogateescape")[:most].decode("utf-8", "ignore") if len(name) * 4 > most else name


def install_id() -> str:
    """Up to eight letters or digits that tell this install from others of the same reviewer; made at first use.

    Raises ProjectError where they can neither be read nor kept: another id each time would be a journal each time.
    """
    path = state_folder() / "install"
    try:
        found = _kept_id(path)
        if not found:
            made_state_folder()
            _keep_id(path, secrets.token_hex(4))
            found = _kept_id(path)
    except OSError as error:
        raise ProjectError(
            f"{path}: the id of this install cannot be kept",
            error.strerror or str(error),
            "check its permissions, or set XDG_STATE_HOME to a folder that can be written",
        ) from error
    return found


def _kept_id(path: Path) -> str:
    """What the file says; "" where there is none, or none that can be part of a file name."""
    try:
        said = read_regular(path, MOST_BYTES).strip()[:8]
    except FileNotFoundError:
        return ""
    return said.decode("ascii") if _ID.fullmatch(said) else ""


def _keep_id(path: Path, made: str) -> None:
    """Put an id in place, whole or not at all. Of two first starts at once both then read the one that came first."""
    temporary = path.with_name(f".{path.name}.{made}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(made.encode("ascii") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)
        except OSError:
            # It is there already; where it says nothing, a start was cut off (or the file system has no links).
            if not _kept_id(path):
                os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
