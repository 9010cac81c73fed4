"""Acts of other people that came by a merge and wait for a yes: how rows are read, which rows are held out.

A yes is an act of the person's own journal that says the same: it is seen there, taken back by an undo, and outlives
whatever the other person does later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from engine.project.journal_ends import losses, seen_last
from engine.project.project import open_project
from engine.project.views import refuse_readonly
from engine.project.waiting_lines import FILE, YES_TO, read_waiting
from engine.trust import Waiting


def doubts(folder: Path) -> list[str]:
    """What speaks against all being shown that waits in a project, in sentences: the file that names it was damaged, or
    is not what was seen of it before."""
    decisions = folder / "decisions"
    lost = losses(decisions, (seen for seen in seen_last(folder) if seen.name == FILE))
    return [*read_waiting(decisions).notes, *(loss.sentence for loss in lost)]


def waiting_acts(folder: Path) -> tuple[Waiting, ...]:
    """What of the merged journals of a project waits for a yes, a line each; `content` is its acts as JSON. Raises
    ProjectError."""
    with open_project(folder, readonly=True) as project:
        return tuple(line.waiting(folder) for line in project.waiting())


def say_yes(folder: Path, reviewer: str, waiting: Iterable[Waiting]) -> int:
    """Have these acts count, each as a line of the reviewer's own journal; how many still waited and count now.

    Raises LockedError where the journal is being written elsewhere, ProjectError where nothing could be written.
    """
    wanted = {(one.place, one.content) for one in waiting}
    done = 0
    with open_project(folder, reviewer=reviewer) as project:
        refuse_readonly(project)
        for line in project.waiting():
            found = line.waiting(folder)
            if (found.place, found.content) in wanted:
                acts = [replace(act, extra={**act.extra, YES_TO: line.line_hash}) for act in line.plain_acts]
                project.decide(acts, why=f"yes to what was merged of {line.journal}")
                done += 1
    return done
