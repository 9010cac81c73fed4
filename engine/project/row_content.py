"""Is a row still what it was when it was read? Its id is a hash of what it says, so the bytes that are kept can be
asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ProjectError, shell_command
from engine.phrases import counted
from engine.project.rows import ROWS_FILE, RowStore

if TYPE_CHECKING:
    from engine.project.project import Project

Progress = Callable[[str, int, int], None]
LOOKING = "looking whether rows are as they were read"
PROGRESS_EVERY = 2000
SHOWN = 8


def changed_rows(rows: RowStore, numbers: Sequence[int], progress: Progress | None = None) -> list[int]:
    """Those of these rows whose bytes in `rows.jsonl` do not say what their id was made of. Raises OSError."""
    found = []
    for done, number in enumerate(numbers):
        if not rows.is_as_read(number):
            found.append(number)
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(LOOKING, done, len(numbers))
    return found


def refuse_changed(project: Project, numbers: Iterable[int], progress: Progress | None = None) -> None:
    """Raise ProjectError where one of these rows is not what was read from its source, or the settings of the project
    are not as they were written: nothing of that leaves, and nothing is learnt from it. An edited row stands in the
    journal as it leaves."""
    if project.settings.remark:
        raise ProjectError(project.settings.remark)
    asked = [number for number in numbers if not project.is_edited(number)]
    if changed := changed_rows(project.rows, asked, progress):
        raise ProjectError(changed_words(project.folder, changed), "", _hint(project.folder))


def changed_words(folder: Path, numbers: Sequence[int]) -> str:
    """`raw.tamis/rows.jsonl: 2 rows are not what was read from the source (rows 5, 8)`."""
    are = "is" if len(numbers) == 1 else "are"
    named = ", ".join(map(str, numbers[:SHOWN])) + (", …" if len(numbers) > SHOWN else "")
    rows = "row" if len(numbers) == 1 else "rows"
    return (
        f"{folder / ROWS_FILE}: {counted(len(numbers), 'row')} {are} not what was read from the source ({rows} {named})"
    )


def _hint(folder: Path) -> str:
    return f"`{shell_command('check', folder)}` says how to restore them; `tamis do` may reject them"
