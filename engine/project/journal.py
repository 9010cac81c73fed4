"""One journal file: what its lines look like, how they are read, and the one writer that adds to them.

Append-only, a line an act, synced before the caller hears that it is done. It is the work; everything else in a project
can be made again. One process holds the right to write it, all others read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import LockedError, ProjectError
from engine.files import append_durable, write_atomic
from engine.model import Act
from engine.project.writer_lock import Ownership

VERSION = 1
INLINE_IDS = 10_000
_OWN_KEYS = frozenset({"do", "ids", "edited"})

# -- an act and a line as JSON


def act_to_json(act: Act) -> dict[str, Any]:
    """The contract's form of one act."""
    plain: dict[str, Any] = {"do": act.do, "ids": list(act.ids)}
    if act.edited:
        plain["edited"] = {identifier: dict(row) for identifier, row in act.edited.items()}
    return plain | dict(act.extra)


def act_from_json(plain: dict[str, Any]) -> Act:
    """The other way; keys that this version does not know stay in `extra`."""
    extra = {key: value for key, value in plain.items() if key not in _OWN_KEYS}
    return Act(str(plain["do"]), tuple(plain.get("ids", ())), plain.get("edited", {}), extra)


def now() -> str:
    """The time as RFC 3339 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def journal_line(number: int, by: str, acts: Iterable[Act], seen: Iterable[str], why: str) -> dict[str, Any]:
    """A line that does something."""
    line: dict[str, Any] = {"v": VERSION, "n": number, "at": now(), "by": by}
    line["acts"] = [act_to_json(act) for act in acts]
    line["seen"] = list(seen)
    return line | ({"why": why} if why else {})


# -- what a line must look like: one that a person, a merge or a disk has spoilt is left out and costs no other


_TEXT = frozenset({str})


def _is_number(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and _TEXT.issuperset(map(type, value))


def _is_acts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(act, dict) and isinstance(act.get("do"), str) for act in value)


def _is_rows(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(row, dict) for row in value.values())


def _is_renaming(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(old, str) for old in value.values())


def _is_families(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_texts, value))


LINE_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "acts": _is_acts,
    "undo": _is_number,
    "redo": _is_number,
    "seen": _is_texts,
}
ACT_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "ids": _is_texts,
    "ids_file": _is_text,
    "edited": _is_rows,
    "tags": _is_texts,
    "untag": _is_texts,
    "changed": _is_renaming,
    "variants": _is_families,
}


def check_line(line: Any) -> None:
    """Raises ValueError with what is wrong. Unknown keys and acts are let through: a later version wrote them."""
    if not isinstance(line, dict):
        raise ValueError("no JSON object")
    if not _is_number(line.get("n")):
        raise ValueError("no number n")
    # A journal of a long sitting has tens of thousands of lines: only the keys that a line has are looked at.
    for key, value in line.items():
        fits = LINE_KEYS.get(key)
        if fits is not None and not fits(value):
            raise ValueError(f"{key} is not what it should be")
    for act in line.get("acts", ()):
        for key, value in act.items():
            fits = ACT_KEYS.get(key)
            if fits is not None and not fits(value):
                raise ValueError(f"{key} of an act is not what it should be")


# -- reading

_decode = json.JSONDecoder().raw_decode


def read_lines(path: Path, start: int = 0, upto: int | None = None) -> tuple[list[dict[str, Any]], list[str], bytes]:
    """(lines, complaints, torn tail) of a journal file from byte `start` on, up to byte `upto`.

    A last line without its line feed was never acknowledged: it is returned as the torn tail. A line in the middle
    that cannot be read is named in the complaints and skipped; it stays in the file.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            content = stream.read() if upto is None else stream.read(upto - start)
    except FileNotFoundError:
        return [], [], b""
    except OSError as error:
        raise ProjectError(
            f"{path}: the journal cannot be read", error.strerror or "", "check its permissions"
        ) from error
    whole, _, torn = content.rpartition(b"\n")
    lines: list[dict[str, Any]] = []
    complaints: list[str] = []
    folder = path.parent
    for number, text in enumerate(whole.split(b"\n") if whole else (), start=1):
        try:
            line = _parsed(text)
            check_line(line)
            if b"ids_file" in text:
                _bring_ids(folder, line)
            lines.append(line)
        except (ValueError, RecursionError, OSError) as error:
            where = f"line {number}" if not start else f"line {number} after byte {start}"
            complaints.append(f"{path.name}: {where} cannot be read ({error}); it was left out")
    lines.sort(key=lambda line: line["n"])
    return lines, complaints, torn


def _parsed(text: bytes) -> Any:
    """What a line says, as `json.loads` reads it. Raises ValueError, RecursionError."""
    try:
        plain = text.decode("utf-8")
        line, end = _decode(plain)
    except ValueError:
        return json.loads(text)
    # Blanks around the object, or something behind it: told, or passed over, by the slower way.
    return line if end == len(plain) else json.loads(text)


def _bring_ids(folder: Path, line: dict[str, Any]) -> None:
    """Put the ids of a very large act, which stand in a file beside the journal, back into its line."""
    for act in line.get("acts", ()):
        name = act.pop("ids_file", None)
        if name is not None:
            content = (folder / Path(str(name)).name).read_bytes()
            if hashlib.sha256(content).hexdigest() != act.pop("ids_sha256", ""):
                raise ValueError(f"{name} is not the file this act was written with")
            act["ids"] = content.decode("ascii").split()


# -- writing


class JournalWriter:
    """The one writer of one journal file, from construction to `close` or until another window takes over.

    Raises LockedError where another process writes it, ProjectError where it cannot be written.
    """

    def __init__(self, path: Path, *, take_over: bool = False) -> None:
        self.path = path
        self._owner = Ownership(path, take_over=take_over)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._owner.release()
            raise ProjectError(
                f"{path}: the journal cannot be written", error.strerror or "", "check its permissions and the disk"
            ) from error

    def set_torn_aside(self, torn: bytes) -> str:
        """Move a torn last line to a file of its own; the sentence that says so."""
        aside = self.path.with_suffix(f".torn-{now().replace(':', '')}")
        write_atomic(aside, torn)
        os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - len(torn))
        os.fsync(self._descriptor)
        return f"the last line of {self.path.name} was torn (never acknowledged); set aside as {aside.name}"

    def append(self, line: dict[str, Any]) -> None:
        """Add one line and sync it. Raises ProjectError with the file as it was before.

        The ids of a very large act go into a side file that is synced first, so that the journal stays readable.
        """
        acts = [self._aside(act, f"{self.path.stem}.{line['n']}-{place}.ids") for place, act in _acts(line)]
        line = line | ({"acts": acts} if acts else {})
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        try:
            # A lone surrogate from the data has no UTF-8; its JSON escape does.
            content = text.encode("utf-8")
        except UnicodeEncodeError:
            content = json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        try:
            # The lock is held for one line, so that a window that takes over never finds half of one.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                if not self._owner.is_mine():
                    raise taken_over()
                append_durable(self._descriptor, content + b"\n")
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError as error:
            raise ProjectError(
                "the decision was not saved",
                error.strerror or str(error),
                "free some disk space and press the key again",
            ) from error

    def _aside(self, act: dict[str, Any], name: str) -> dict[str, Any]:
        if len(act["ids"]) <= INLINE_IDS:
            return act
        content = "".join(f"{identifier}\n" for identifier in act["ids"]).encode("ascii")
        write_atomic(self.path.with_name(name), content)
        digest = hashlib.sha256(content).hexdigest()
        return act | {"ids": [], "ids_file": name, "ids_sha256": digest, "ids_count": len(act["ids"])}

    def was_taken(self) -> bool:
        """Whether another window has taken the right to write."""
        return self._owner.was_taken()

    def close(self) -> None:
        """Give up the right to write."""
        os.close(self._descriptor)
        self._owner.release()


def taken_over() -> LockedError:
    """What a window is told from which another one has taken the right to write."""
    return LockedError(
        "another window took over", "", "this one only reads now; open again with --take-over to go on here"
    )


def _acts(line: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    return enumerate(line.get("acts", ()))
