"""Further rows for a project, all at once or not at all: what is meant is on disk before anything of before is touched.

Rows are written behind the last one, where no index speaks of them; the index, settings and quarantine that do lie
beside those in force as `….next`, and `rows.intent` says what makes them count: either itself, or one line of a
journal, told by a token. Until that line stands the project is what it was; from then on the new files are in force
for whoever reads, and the next process that has the row lock puts them in place. A killed one can be taken up, or back,
at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.errors import LockedError, ProjectError
from engine.files import remove_dead, sync_folder, write_atomic
from engine.project.quarantine import QUARANTINE_FILE
from engine.project.row_lock import ADDING, PATIENCE_SECONDS, locked_rows
from engine.project.rows import INDEX_FILE, ROWS_FILE, RowStore, indexed_end
from engine.project.settings import SETTINGS_FILE, ProjectSettings, read_settings
from engine.small_files import MOST_SETTINGS, read_regular
from engine.sources.mapping import Mapping

INTENT_FILE = "rows.intent"
# In the order in which they are put in place.
CHANGED_FILES = (QUARANTINE_FILE, INDEX_FILE, SETTINGS_FILE)
NEXT = ".next"
LOOKS = 20
MOST_JOURNAL = 4 << 30

Stamp = tuple[tuple[str, int, int, int] | None, ...]


def next_name(name: str) -> str:
    """Under which name the next version of a file of the project waits."""
    return f"{name}{NEXT}"


# -- reading: which files are in force


def open_rows(folder: Path, mapping: Mapping | None = None) -> tuple[ProjectSettings, RowStore, Stamp]:
    """Settings and rows that belong together, whatever is being changed meanwhile, and what tells later whether they
    still hold. `mapping` reads the rows, else that of the settings. Raises ProjectError."""
    for look in range(LOOKS):
        seen = stamp(folder)
        names = names_in_force(folder)
        try:
            settings = read_settings(folder, names[SETTINGS_FILE])
            rows = RowStore(folder, mapping or settings.mapping, settings.sources, names[INDEX_FILE])
        except ProjectError:
            # Put in place, or taken back, while it was read.
            if stamp(folder) != seen and look < LOOKS - 1:
                continue
            raise
        if stamp(folder) == seen or look == LOOKS - 1:
            return settings, rows, seen
        rows.close()
    raise AssertionError("the last look returns or raises")


class HasRows(Protocol):
    """What was opened on rows and journals, which must fit."""

    def has_current_rows(self) -> bool: ...
    def close(self) -> None: ...


Opened = TypeVar("Opened", bound=HasRows)


def with_current_rows(make: Callable[[], Opened]) -> Opened:
    """What `make` opens, its rows those that its journals speak of."""
    for _ in range(LOOKS):
        found = make()
        if found.has_current_rows():
            return found
        # Rows came in between them and the journals: a journal would speak of rows that are not here.
        found.close()
    return make()


def stamp(folder: Path) -> Stamp:
    """What changes whenever other settings or another index come into force."""
    return tuple(_identity(folder / name) for name in names_in_force(folder).values())


def names_in_force(folder: Path) -> dict[str, str]:
    """Where index, settings and quarantine are to be read, by the names that they have in the end."""
    committed = _is_committed(folder, _intent(folder))
    waiting = {name for name in CHANGED_FILES if committed and (folder / next_name(name)).exists()}
    return {name: next_name(name) if name in waiting else name for name in CHANGED_FILES}


def _identity(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return path.name, found.st_ino, found.st_size, found.st_mtime_ns


def _intent(folder: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(read_regular(folder / INTENT_FILE, MOST_SETTINGS))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ProjectError(f"{folder / INTENT_FILE}: cannot be read", str(error), "restore it from a copy") from error
    if not isinstance(said, dict) or not str(said.get("token", "")).isascii() or "token" not in said:
        raise ProjectError(f"{folder / INTENT_FILE}: cannot be read", "no JSON object", "restore it from a copy")
    return said


def _is_committed(folder: Path, intent: dict[str, Any] | None) -> bool:
    if intent is None:
        return False
    name = intent.get("journal")
    if name is None:
        return True
    try:
        written = read_regular(folder / "decisions" / Path(str(name)).name, MOST_JOURNAL)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ProjectError(f"{folder}: its journal {name} cannot be read", error.strerror or "", "") from error
    # A torn last line was never acknowledged.
    return f'"{intent["token"]}"'.encode("ascii") in written[: written.rfind(b"\n") + 1]


# -- changing: under the row lock


def staged_rows(folder: Path) -> tuple[ProjectSettings, RowStore]:
    """Settings and rows as they will be once the waiting files count. Raises ProjectError."""
    settings = read_settings(folder, next_name(SETTINGS_FILE))
    return settings, RowStore(folder, settings.mapping, settings.sources, next_name(INDEX_FILE))


def staged_ids(folder: Path, numbers: range) -> list[str]:
    """The ids that waiting rows will have. Raises ProjectError."""
    rows = staged_rows(folder)[1]
    try:
        return [rows.id(number) for number in numbers]
    finally:
        rows.close()


def declare(folder: Path, journal: Path | None = None) -> str:
    """Say, synced, that the waiting files are meant: from now on, or once a line of `journal` holds the token that is
    returned. Raises ProjectError."""
    token = secrets.token_hex(8)
    meant = {"v": 1, "token": token, "journal": None if journal is None else journal.name}
    write_atomic(folder / INTENT_FILE, json.dumps(meant).encode("ascii"))
    return token


def settle(folder: Path) -> str:
    """Put the waiting files in place where they count, else take away all that was prepared; the sentence that says
    what was done, or nothing. Under the row lock only. Raises ProjectError; the project then reads as it did before.
    """
    intent = _intent(folder)
    waiting = [name for name in CHANGED_FILES if (folder / next_name(name)).exists()]
    try:
        if _is_committed(folder, intent):
            _sync_journal(folder, intent)
            for name in waiting:
                os.replace(folder / next_name(name), folder / name)
            sync_folder(folder)
            (folder / INTENT_FILE).unlink()
            sync_folder(folder)
            return "an addition of rows that was cut off has been brought to its end"
        end = indexed_end(folder / INDEX_FILE)
        behind = (folder / ROWS_FILE).stat().st_size > end
        if intent is None and not waiting and not behind:
            return ""
        if behind:
            os.truncate(folder / ROWS_FILE, end)
        for name in waiting:
            (folder / next_name(name)).unlink()
        (folder / INTENT_FILE).unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise ProjectError(
            f"{folder}: its rows cannot be changed", error.strerror or str(error), "check its permissions and the disk"
        ) from error
    return "an addition of rows that was cut off has been taken back: nothing of it was decided"


def _sync_journal(folder: Path, intent: dict[str, Any] | None) -> None:
    """The line that the files wait for outlasts a power cut before they do."""
    if intent is not None and intent.get("journal") is not None:
        descriptor = os.open(folder / "decisions" / Path(str(intent["journal"])).name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def changing_rows(folder: Path, doing: str = ADDING, patience: float = PATIENCE_SECONDS) -> Iterator[list[str]]:
    """The row lock, with what a killed process left settled before and what was declared inside settled after; the
    sentences on what was found. Raises LockedError, ProjectError."""
    with locked_rows(folder, doing, patience=patience):
        for place in (folder, folder / "decisions"):
            # What cannot be taken away now is in nobody's way.
            with contextlib.suppress(OSError):
                remove_dead(place)
        found = settle(folder)
        try:
            yield [found] if found else []
        finally:
            settle(folder)


def settle_left_over(folder: Path) -> list[str]:
    """Settle what a killed process left, where there is anything and nobody is at it; the sentences on what was done.

    A folder that cannot be written reads all the same: that it was not settled is told.
    """
    names = (INTENT_FILE, *map(next_name, CHANGED_FILES))
    if not any((folder / name).exists() for name in names):
        return []
    try:
        with changing_rows(folder, patience=0) as found:
            return found
    except LockedError:
        # A live process is at it and will bring it to its end.
        return []
    except ProjectError as error:
        return [f"an addition of rows that was cut off is still to be settled ({error})"]
