"""Acts of other people that came by a merge and wait for a yes: how rows are read, which rows are held out.

A yes is an act of the person's own journal that says the same: it is seen there, taken back by an undo, and outlives
whatever the other person does later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from engine.project.journal import act_to_json
from engine.project.journal_ends import losses, seen_last
from engine.project.project import Project, open_project
from engine.project.row_states import WaitingActs
from engine.project.views import refuse_readonly
from engine.project.waiting_lines import FILE, WAITS, YES_TO, read_waiting
from engine.trust import Waiting

KIND = "merged act"


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
        return tuple(_waiting(folder, line) for line in project.waiting())


def say_yes(folder: Path, reviewer: str, waiting: Iterable[Waiting]) -> int:
    """Have these acts count, each as a line of the reviewer's own journal; how many still waited and count now.

    Raises LockedError where the journal is being written elsewhere, ProjectError where nothing could be written.
    """
    wanted = {(one.place, one.content) for one in waiting}
    done = 0
    with open_project(folder, reviewer=reviewer) as project:
        refuse_readonly(project)
        for line in project.waiting():
            found = _waiting(folder, line)
            if (found.place, found.content) in wanted:
                _take(project, line)
                done += 1
    return done


def _take(project: Project, line: WaitingActs) -> None:
    acts = [replace(act, extra={**_without_mark(act.extra), YES_TO: line.line_hash}) for act in line.acts]
    project.decide(acts, why=f"yes to what was merged of {line.journal}")


def _waiting(folder: Path, line: WaitingActs) -> Waiting:
    plain = [act_to_json(replace(act, extra=_without_mark(act.extra))) for act in line.acts]
    content = json.dumps(plain, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
    return Waiting(KIND, line.sentence, folder / "decisions" / line.journal, content)


def _without_mark(extra: object) -> dict[str, object]:
    assert isinstance(extra, dict)
    return {key: value for key, value in extra.items() if key not in (WAITS, YES_TO)}
