"""Blind re-check: rows one has judged are put up again, without the first verdict in sight. Knows no terminal."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import UsageError
from engine.project.folder import Project
from engine.project.journal import read_lines
from engine.queue.recheck import TAG, SelfAgreement, answered, asking, draw, self_agreement
from engine.select import select
from workbench.session import Session
from workbench.verdicts import Plan
from workbench.view import SECOND_LOOK
from workbench.wording import counted

DRAWN = 20


def start(session: Session) -> None:
    """Put rows up for a second look and show them; those that still wait are taken first."""
    project = session.project
    waiting = select(project, SECOND_LOOK)
    if not waiting:
        drawn = draw(project, DRAWN, seed=project.last_line)
        if not drawn:
            raise UsageError(
                "nothing to look at a second time", "no row was judged by eye yet", "judge some rows first"
            )
        project.decide([asking([project.rows.id(row) for row in drawn])], why="blind re-check")
        session.after_bulk()
        waiting = drawn
    session.set_filter(SECOND_LOOK)
    session.say(f"{counted(len(waiting), 'row')} to judge again, the first verdict is hidden: a or x; u undoes")


def with_answer(project: Project, row: int, plan: Plan) -> Plan:
    """A verdict's plan, with the row taken off the list of second looks in the same line."""
    if not plan.acts or TAG not in project.tags(row):
        return plan
    return replace(plan, acts=(*plan.acts, answered([project.rows.id(row)])))


def say_agreement(session: Session) -> None:
    """Once the last of the rows has got its second verdict, say how often the two were the same."""
    if SECOND_LOOK not in session.filter_text or select(session.project, SECOND_LOOK):
        return
    session.say(f"{agreement(session.project)}; / shows other rows", "done")


def agreement(project: Project) -> SelfAgreement:
    """How often this reviewer agrees with themselves, from their own journal."""
    path = project.own_journal
    return self_agreement(read_lines(path)[0] if path is not None else ())
