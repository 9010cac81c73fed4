"""A project looked at by itself: frozen while others go on deciding, or with rows that wait to be added to it."""

from __future__ import annotations

from pathlib import Path

from engine.errors import LockedError
from engine.project.project import Project
from engine.project.row_change import with_current_rows


def frozen(project: Project) -> Project:
    """A project as it stands on disk now, to the same reviewer's eyes and to be read only: what is decided from now on,
    in `project` or elsewhere, does not show in it. To be closed. Raises ProjectError."""
    folder, own = project.folder, project.own_journal
    return with_current_rows(lambda: Project(folder, project.reviewer, readonly=True, blind=project.is_blind, eyes=own))


def open_staged(folder: Path) -> Project:
    """A project with the rows that wait to be added to it, to be looked at; nothing of it is kept. Under
    `changing_rows` only. Raises ProjectError."""
    return Project(folder, None, readonly=True, staged=True)


def refuse_readonly(project: Project, hint: str = "close the other window first") -> None:
    """Raise LockedError where nothing can be decided in a project; `hint` is for another window that decides in it."""
    if project.readonly:
        raise LockedError(project.readonly_reason, "", hint if project.is_locked_out else "mend that, then try again")
